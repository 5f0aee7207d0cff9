"""A trunk that encrypts: its carrier calls back on the connection that we opened, and nobody calls in plain."""

import re
from functools import partial
from pathlib import Path

import pytest

from tests.stories.client import until
from tests.stories.farends.far_asterisk import FarAsterisk

OURS = "+12025551234"


@pytest.fixture(scope="module")
async def carrier(tree, authority, tmp_path_factory):
    """A registrar over TLS."""
    folder = tmp_path_factory.mktemp("registrar")
    async with FarAsterisk(tree, folder, encryption="tls", authority=authority, login=("orbit", "s3cret")) as far:
        yield far


@pytest.fixture
async def trunk(trunks, carrier):
    """One that is registered there."""
    login = {"register": True, "auth_username": "orbit", "auth_password": "s3cret"}
    trunk_id = await trunks.make(carrier.at(), encryption="tls", **login)
    await until(carrier.registered)
    carrier.network.ended.clear()
    return trunk_id


async def incoming(live, caller):
    calls = await live.get("/voice/calls", params={"from": caller, "direction": "inbound"})
    return calls[0] if calls else None


async def test_a_registrar_calls_back_on_the_registrations_connection(live, trunk, carrier):
    registered = [m for m in carrier.messages("REGISTER") if m.status == 200][-1]
    port = re.search(r"rport=(\d+)", registered.header("Via"))[1]  # ours, of the connection that we opened
    far = await carrier.dials(OURS, f"127.0.0.1:{port};transport=tls", "+14155550301")
    call = await until(partial(incoming, live, "+14155550301"))
    assert call["trunk_id"] == trunk
    await live.reaches(call["id"], "in_progress")
    await carrier.hangs_up(far)
    assert (await live.ends(call["id"]))["status"] == "completed"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_plain_call_is_refused_and_the_dialplan_has_nothing_to_complain_of(
    live, trunk, carrier, stack, transport
):
    await carrier.dials(OURS, f"127.0.0.1:{stack.env['ORBIT_SIP_UDP']};transport={transport}", "+14155550302")
    await carrier.network.quiet()
    assert [sip for _, sip in carrier.network.ended] == [403]
    assert await incoming(live, "+14155550302") is None
    assert complaints(Path(stack.home.folder) / "asterisk/log/messages.log") == []


def complaints(log):
    return [line for line in log.read_text().splitlines() if "ast_expr2" in line]
