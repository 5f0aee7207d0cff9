"""The host's own apt, played by a script."""

import os

import pytest

from service.stack import apt
from service.stack.errors import StackError
from service.stack.progress import Progress


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a shell script in front of everything in PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def write(name, script):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return write


async def test_the_mirror_is_debians_own_and_not_the_one_for_security(program):
    program("apt-get", 'case "$*" in *Origin*) printf "http://a/debian-security\\nhttp://a/debian\\n";; esac')
    assert await apt.mirror() == "http://a/debian"


async def test_before_the_first_update_the_sources_tell(program):
    program("apt-get", 'case "$*" in *no-release-info*) printf "cdrom:[x]/\\nhttp://a/debian\\n";; esac')
    assert await apt.mirror() == "http://a/debian"


async def test_a_list_of_mirrors_gives_its_first_one(program, tmp_path):
    (tmp_path / "list").write_text("# mine\n\nhttps://b/debian\tpriority:1\nhttps://c/debian\n")
    program("apt-get", f"echo mirror+file:{tmp_path}/list")
    assert await apt.mirror() == "https://b/debian"


async def test_without_a_mirror_it_says_so(program):
    program("apt-get", "true")
    with pytest.raises(StackError, match="no Debian mirror"):
        await apt.mirror()


async def test_the_settings_are_handed_on_but_for_lists_of_the_hosts_own(program):
    lines = [
        'Acquire "";',
        'Acquire::Check-Valid-Until "false";',
        'Acquire::http::Proxy "http://p:1";',
        'Acquire::IndexTargets::deb::Packages::Optional "0";',
        'Acquire::Changelogs::URI::Origin::Debian "https://x";',
    ]
    program("apt-config", "cat <<'END'\n" + "\n".join(lines) + "\nEND")
    assert await apt.acquire_options() == lines[1:3]


async def test_a_missing_program_is_installed_by_root(program, tmp_path, monkeypatch):
    program("apt-get", f'echo "$*" >> {tmp_path}/calls')
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    await apt.need("no-such-program", Progress(None))
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split()[0] for call in calls] == ["update", "install"]
    assert calls[1].endswith("no-such-program")


async def test_others_are_told_what_root_has_to_run(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(StackError, match="run as root: apt-get update && apt-get install -y no-such-program"):
        await apt.need("no-such-program", Progress(None))
