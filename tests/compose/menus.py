"""A menu on the stack of compose.yaml, which `tests/compose/run` has brought up."""

from tests.compose.stack import asterisk, compose, keyed
from tests.stories.client import until

IVR = "/v1/voice/ivr"
PRESSES_1_2_HASH, HANGS_UP = "+15005550009", "+15005550006"
PROMPTS = "/var/lib/orbit/spool/recording/prompts"
FLOW = {
    "name": "Main menu",
    "greeting": "Press 1 for our hours, or 2 for sales.",
    "menu": {
        "options": [
            {"key": "1", "action": "say", "target": "We are open from 9 to 5."},
            {"key": "2", "action": "transfer_number", "target": HANGS_UP},
        ]
    },
}


async def test_a_menu_is_spoken_fetched_by_the_node_and_followed():
    async with keyed("--test") as api:
        status, _, answer = await api.ask("POST", IVR, json=FLOW)
        assert status == 201, answer
        flow_id = answer["data"]["id"]

        async def active():
            return (await api.get(f"/voice/ivr/{flow_id}"))["status"] == "active"

        await until(active, 120)
        made = set((await compose("exec", "-T", "service", "ls", "/var/lib/orbit/prompts")).split()) - {"by-text"}
        there = set((await compose("exec", "-T", "asterisk", "ls", PROMPTS)).split())
        assert there == made, (there, made)
        assert len(there) >= 2

        call = await api.call(PRESSES_1_2_HASH, ivr_id=flow_id)
        await api.ends(call["id"], seconds=30)
        rows = await api.get(f"/voice/calls/{call['id']}/events")
        assert [row["detail"]["action"] for row in rows if row["type"] == "ivr.input"] == ["say", "transfer_number"]
        assert [row["detail"]["outcome"] for row in rows if row["type"] == "ivr.completed"] == ["transferred"]

        await compose("stop", "service")
        await compose("restart", "asterisk")
        await compose("up", "-d", "--no-build", "--wait", "--wait-timeout", "60", "asterisk")
        assert f"/flow/{flow_id}" in await asterisk("database show flow")
        await compose("start", "service")
        await api.ready()
        assert (await api.ask("DELETE", f"{IVR}/{flow_id}"))[0] < 300
