"""Behind NAT: a carrier outside is told the address outside, one inside is not."""

from service.stack.stack import Stack
from tests.stories.client import Api
from tests.stories.farends.scripted import Scripted
from tests.stories.trunks import Trunks

OUTSIDE = "203.0.113.7"


async def told(live, far):
    """The INVITE that a far end gets."""
    async with Trunks(live) as trunks:
        call = await live.call("+14155552671", trunk_id=await trunks.make(far.at()))
        await live.ends(call["id"])
    return far.invites[0]


async def test_who_is_outside_of_the_local_nets_is_told_the_external_address(tmp_path):
    settings = {"ORBIT_EXTERNAL_ADDRESS": OUTSIDE, "ORBIT_LOCAL_NETS": "127.0.0.1/32,127.1.0.0/16"}
    async with (
        Stack.apart(tmp_path, settings) as stack,
        Api(stack.env["ORBIT_URL"], stack.env["ORBIT_LIVE_KEY"]) as live,
        Scripted("486 Busy Here", host="127.2.3.4") as outside,
        Scripted("486 Busy Here", host="127.1.3.4") as inside,
    ):
        invite = await told(live, outside)
        assert OUTSIDE in invite.header("Via")
        assert f"@{OUTSIDE}:" in invite.header("Contact")
        assert f"c=IN IP4 {OUTSIDE}" in invite.text
        invite = await told(live, inside)
        assert OUTSIDE not in invite.text
