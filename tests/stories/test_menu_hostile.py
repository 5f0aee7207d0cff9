"""Flows that mean harm, or are a mistake: refused, or spoken as the plain text that they are."""

import asyncio
import secrets
from pathlib import Path

import pytest

from tests.stories.farends.callers import ENDS
from tests.stories.menus import IVR, option, pressed

FINE = {"name": "bad", "greeting": "Hello.", "menu": {"options": [option("1", "hangup")]}}
TEXTS = (
    "Hello ${SHELL(touch %s)}.",
    "Hello $(touch %s), `touch %s`",
    "<speak>Hello <break time='9s'/><audio src='file:///etc/passwd'/></speak>",
    "Hello|1|2|hangup:,&Local/s@orbit-ear",
    'Hello"; System(touch %s)',
)


def menu(*options):
    return {"menu": {"options": list(options)}}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("menu.options", menu(option("1", "hangup"), option("1", "repeat"))),
        ("menu.options", menu(option("12", "hangup"))),
        ("menu.options", menu(option("", "hangup"))),
        ("menu.options", menu(option("A", "hangup"))),
        ("menu.options", menu(option("1", "dance"))),
        ("menu.options", menu(option("1", "ivr", "ivr_nobody"))),
        ("menu.options", menu(option("1", "ivr"))),
        ("menu.options", menu(option("1", "ivr", "../number/+12025551234"))),
        ("menu.options", menu(option("1", "transfer_number", "911|hangup"))),
        ("menu.options", menu(option("1", "transfer_number", "${SHELL(id)}"))),
        ("menu.options", menu(option("1", "transfer_number", "+1500555\n0007"))),
        ("menu.options", menu(option("1", "transfer_sip", "sip:a@127.0.0.1&Local/s@orbit-ear"))),
        ("menu.options", menu(option("1", "transfer_sip", "sip:a@127.0.0.1,30,U(orbit-ledger)"))),
        ("menu.options", menu(option("1", "transfer_sip", "sip:${SHELL(id)}@127.0.0.1"))),
        ("menu.options", menu(option("1", "transfer_sip", "sip:a|b@127.0.0.1"))),
        ("menu.options", menu(option("1", "say"))),
        ("menu.options", menu(option("1", "say", " "))),
        ("menu.options", menu(option("1", "transfer_agent", "agt_x"))),
        ("menu.options", menu(option("1", "conference", "conf_x"))),
        ("menu.options", menu(option("1", "voicemail", "vmail_x"))),
        ("menu.options", menu(option("1", "repeat"))),
        ("menu.options", {"menu": {"options": []}}),
        ("menu", {"menu": None}),
        ("greeting", {"greeting": ""}),
        ("greeting", {"greeting": " \t "}),
        ("greeting", {"greeting": "x" * 65536}),
        ("greeting", {"greeting": "a\u0000b"}),
        ("language", {"language": "tlh"}),
        ("language", {"language": "en-US; rm -rf /"}),
        ("timeout_seconds", {"timeout_seconds": 0}),
        ("timeout_seconds", {"timeout_seconds": 10**9}),
        ("max_retries", {"max_retries": -1}),
        ("fallback_action", {"fallback_action": "dance"}),
        ("fallback_target", {"fallback_action": "transfer_number", "fallback_target": "$(id)"}),
        ("fallback_target", {"fallback_action": "transfer_number"}),
        ("name", {"name": ""}),
    ],
)
async def test_a_flow_that_cannot_work_is_refused(live, field, wrong):
    status, _, body = await live.ask("POST", IVR, json=FINE | wrong)
    assert status == 422, body
    assert body["error"]["details"]["field"].startswith(field), body


async def test_two_menus_with_no_way_out_are_refused_by_their_names(menus):
    one = await menus.flow(option("1", "hangup"), name="one")
    two = await menus.flow(option("1", "ivr", one), name="two")
    status, _, body = await menus.live.ask("PUT", f"{IVR}/{one}", json=menu(option("1", "ivr", two)))
    assert status == 422
    assert "one → two → one" in str(body["error"]), body
    status, _, body = await menus.live.ask("PUT", f"{IVR}/{one}", json=menu(option("1", "ivr", one)))
    assert status == 422
    status, _, body = await menus.live.ask(
        "PUT", f"{IVR}/{one}", json=menu(option("1", "ivr", two), option("2", "hangup"))
    )
    assert status == 200, body


async def spoken(menus, node, says, mark, text):
    """What a caller hears of a greeting that is also a name and a target; none of it was ever run."""
    text = text.replace("%s", str(mark))
    flow = await menus.flow(option("1", "say", text), option("9", "hangup"), greeting=text, name=text[:60])
    caller = await menus.calls(await menus.leading_to(flow), (ENDS, "9"))
    assert await caller.gone(60) == (16, None)
    assert not mark.exists()
    row = await node.says(f"database get flow {flow}")
    assert flow in await node.says("database show flow")
    assert not any(word in row for word in ("SHELL", "touch", "System", "Local", "speak", "$")), row
    return (await says.text(caller.heard(), "en-US")).lower()


@pytest.mark.timeout(120)
async def test_text_is_only_ever_spoken(menus, node, says):
    mark = Path("/tmp") / f"o{secrets.token_hex(2)}"
    try:
        heard = await asyncio.gather(*(spoken(menus, node, says, mark, text) for text in TEXTS))
    finally:
        mark.unlink(missing_ok=True)
    assert all("hello" in each for each in heard), heard


async def test_keys_outside_the_menu_are_only_wrong(menus):
    """A, B, C and D are keys of telephones too."""
    flow = await menus.flow(option("1", "hangup"), max_retries=6, timeout_seconds=3)
    caller = await menus.calls(await menus.leading_to(flow), (0.5, "ABCD"), (1.5, "1"))
    assert await caller.gone() == (16, None)
    call = await menus.ended(caller)
    steps = await menus.steps(call["id"])
    assert pressed(steps) == [*((key, "replay") for key in "ABCD"), ("1", "hangup")]
    assert [step["valid"] for step in steps] == [False] * 4 + [True]


async def test_a_menu_whose_sound_is_lost_still_waits_for_keys(menus, stack):
    folder = stack.home.asterisk("asterisk") / "spool/recording/prompts"
    before = set(folder.iterdir())
    flow = await menus.flow(option("1", "hangup"), greeting="Nobody says this anywhere else.", timeout_seconds=8)
    for file in set(folder.iterdir()) - before:
        file.unlink()
    caller = await menus.calls(await menus.leading_to(flow), (2.0, "1"))
    assert await caller.gone() == (16, None)
    call = await menus.ended(caller)
    assert pressed(await menus.steps(call["id"])) == [("1", "hangup")]
