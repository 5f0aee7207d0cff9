"""The configuration that one Asterisk gets."""

import re

import pytest

from service.stack.asterisk import CONFIG, Asterisk
from service.stack.errors import StackError
from service.stack.settings import StackSettings
from service.stack.tls import Certificate
from service.stack.tree import Tree
from tests.unit.stack.test_variables import made

SECTION = re.compile(r"^\[(?P<name>\S+)\](?:\((?P<of>[^)]*)\))?\n(?P<lines>(?:(?!\[).*\n)*)", re.MULTILINE)
TRANSPORTS = {f"transport-{name}" for name in ("udp", "tcp", "tls", "tls-unverified")}


@pytest.fixture
def render(tmp_path):
    """pjsip.conf as a stack with these settings has it: the names of its transports, and its text."""
    (tmp_path / "usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    (tmp_path / "usr/lib/x86_64-linux-gnu/ld-linux.so.2").touch()
    files = Certificate(*(tmp_path / name for name in ("ca", "cert", "key")))

    async def rendered(sources=(CONFIG,), **settings):
        env = made(**settings)
        one = Asterisk("asterisk", tmp_path, sources, env, Tree(tmp_path), 1, 2, 10000, 100)
        await one.prepare(files)
        text = (tmp_path / "etc/pjsip.conf").read_text()
        real = {m["name"] for m in SECTION.finditer(text) if "!" not in (m["of"] or "")}
        return {name for name in real if name.startswith("transport-")}, text

    return rendered


def option(text, section, name):
    """The value of an option, its templates' among them: a later one wins."""
    sections = {}
    for match in SECTION.finditer(text):
        sections.setdefault(match["name"], match)
    chosen = sections[section]
    lines = "".join(sections[of]["lines"] for of in (chosen["of"] or "").split(",") if of not in ("", "!"))
    values = re.findall(rf"^{name} *= *(.*)$", lines + chosen["lines"], re.MULTILINE)
    return values[-1] if values else None


async def test_without_nat_and_ipv6(render):
    transports, text = await render()
    assert transports == TRANSPORTS
    assert {option(text, name, "external_media_address") for name in TRANSPORTS} == {""}
    assert option(text, "transport-tls", "verify_server") == "yes"
    assert option(text, "transport-tls-unverified", "verify_server") == "no"


async def test_an_external_address_is_in_every_transport(render):
    _, text = await render(external_address="198.51.100.7", local_nets="10.0.0.0/8, 192.168.1.0/24")
    for name in TRANSPORTS:
        assert option(text, name, "external_media_address") == "198.51.100.7"
        assert option(text, name, "external_signaling_address") == "198.51.100.7"
        assert option(text, name, "local_net") == "10.0.0.0/8,192.168.1.0/24"


async def test_with_ipv6_each_transport_is_there_twice(render):
    transports, text = await render(sip_bind6="::", external_address="198.51.100.7")
    assert transports == TRANSPORTS | {f"{name}6" for name in TRANSPORTS - {"transport-tls-unverified"}} | {
        "transport-tls6-unverified"
    }
    assert option(text, "transport-tls6", "bind").startswith("[::]:")
    assert option(text, "transport-tls6", "external_media_address") is None  # it is an IPv4 address


async def test_nobody_becomes_a_trunk_by_a_user_name(render):
    for sources in ((CONFIG,), (CONFIG, CONFIG / "carrier")):
        _, text = await render(sources=sources)
        for match in SECTION.finditer(text):
            if "type = endpoint" in match["lines"]:
                assert "identify_by = ip" in match["lines"]


async def test_a_variable_without_a_value_is_named(render, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "x.conf").write_text("name = @ORBIT_NO_SUCH@\n")
    with pytest.raises(StackError, match="@ORBIT_NO_SUCH@"):
        await render(sources=(CONFIG, source))


def test_the_local_nets_are_the_private_ones_unless_they_are_given():
    assert StackSettings().inside == ""
    assert StackSettings(local_nets="10.0.0.0/8").inside == ""  # nothing is translated
    assert "192.168.0.0/16" in StackSettings(external_address="198.51.100.7").inside
