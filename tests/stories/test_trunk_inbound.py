"""A carrier's calls find our numbers, in whatever form it sends them."""

import pytest

from tests.stories.client import until
from tests.stories.farends.far_asterisk import FarAsterisk

OURS = "+12025551234"


@pytest.fixture(scope="module")
async def far(tree, tmp_path_factory):
    async with FarAsterisk(tree, tmp_path_factory.mktemp("far")) as carrier:
        yield carrier


@pytest.mark.parametrize("dialled", ["+12025551234", "12025551234", "2025551234", "01112025551234"])
async def test_a_national_number_is_understood_where_the_carrier_has_a_country(stack, live, trunks, far, dialled):
    trunk_id = await trunks.make(far.at(), origination_uris=[f"sip:{far.host}"], country="US")
    caller = f"+1415555{abs(hash(dialled)) % 10000:04d}"
    channel = await far.dials(dialled, f"127.0.0.1:{stack.env['ORBIT_SIP_UDP']};transport=udp", caller)

    async def arrived():
        return await live.get("/voice/calls", params={"from": caller, "direction": "inbound", "status": "in_progress"})

    [call] = await until(arrived)
    assert (call["to"], call["trunk_id"]) == (OURS, trunk_id)
    await far.hangs_up(channel)
    ended = await live.ends(call["id"])
    assert (ended["status"], ended["hangup"]["by"]) == ("completed", "caller")


async def test_a_national_number_is_nobodys_without_a_country(stack, live, trunks, far):
    await trunks.make(far.at(), origination_uris=[f"sip:{far.host}"])
    await far.dials("2025551234", f"127.0.0.1:{stack.env['ORBIT_SIP_UDP']};transport=udp", "+14155559999")
    await until(lambda: refused(far))
    assert not await live.get("/voice/calls", params={"from": "+14155559999"})


async def refused(far):
    return [message for message in far.messages("INVITE") if message.status == 404]
