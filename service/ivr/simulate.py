"""A caller's way through menus, on paper: what they hear at each place, what each key does, and how it ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from service.errors import Fault, ValidationFailed
from service.ivr.flow import KEYS, Action, Fallback, Flow, Option
from service.ivr.phrases import choose

LONGEST = 100  # inputs
TIMEOUT = "timeout"
EXPECTED = "a key (0 to 9, * or #), timeout, or words that the menu understands"


@dataclass(frozen=True, slots=True)
class Step:
    """What a caller heard at a menu, what they did there, and what came of it. `input` None: the way ends here. `key`
    is what was pressed, or meant by what was said; `action` None: no option has that key."""

    ivr_id: str
    name: str
    said: tuple[str, ...]
    result: str
    input: str | None = None
    key: str | None = None
    action: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """`outcome`: transferred, hangup, unavailable, or waiting where the inputs were used up; `end` says it in words.
    `unused` are inputs that came after the end."""

    path: tuple[Step, ...]
    outcome: str
    end: str
    unused: tuple[str, ...] = ()


def inputs_of(keys: str) -> list[str]:
    """`2,timeout,1` as its parts. Raises `ValidationFailed`."""
    parts = [part.strip() for part in keys.split(",")] if keys.strip() else []
    if len(parts) > LONGEST:
        raise ValidationFailed(Fault("keys", keys, f"at most {LONGEST} keys"))
    if "" in parts:
        raise ValidationFailed(Fault("keys", keys, f"each: {EXPECTED}"))
    return parts


def walk(flow: Flow, inputs: Sequence[str], flows: Mapping[str, Flow]) -> Walk:
    """The way of a caller who enters `flow`; `flows` are those that it may lead to, by id. Each input makes one step,
    so that every way ends. Raises `ValidationFailed` for an input that no menu could get."""
    caller = _Caller(flow, flows)
    for place, given in enumerate(inputs):
        caller.hears(given, place)
        if caller.end:
            return Walk(tuple(caller.path), *caller.end, tuple(inputs[place + 1 :]))
    here = caller.menu
    caller.path.append(Step(here.id, here.name, caller.said, "waits for a key"))
    return Walk(tuple(caller.path), "waiting", "waits for a key")


class _Caller:
    """Where a caller is, and how often this menu may still be played again."""

    def __init__(self, flow: Flow, flows: Mapping[str, Flow]) -> None:
        self._flows, self.path = flows, list[Step]()
        self.end: tuple[str, str] | None = None
        self._enter(flow)

    def _enter(self, flow: Flow) -> None:
        self.menu, self._replays = flow, flow.max_retries
        self.said: tuple[str, ...] = (greeting(flow),)

    def hears(self, given: str, place: int) -> None:
        """Takes one input."""
        menu, said = self.menu, self.said
        key = given if given in (*KEYS, TIMEOUT) else _meant(given, menu)
        if key is None:
            raise ValidationFailed(Fault("keys", given, f"{EXPECTED}, at place {place + 1} in the menu {menu.name}"))
        option = menu.option(key)
        result = self._chosen(option) if option else self._again(key)
        action, target = (option.action.value, option.target) if option else (None, None)
        pressed = None if key == TIMEOUT else key
        self.path.append(Step(menu.id, menu.name, said, result, given, pressed, action, target))
        if self.end and self.end[0] == "unavailable":
            self.path.append(Step(menu.id, menu.name, (menu.unavailable,), "hangs up"))

    def _again(self, key: str) -> str:
        """After a time-out or a key without an option."""
        if self._replays == 0:
            return self._fall_back()
        self._replays -= 1
        wrong = key != TIMEOUT
        self.said = (self.menu.invalid, greeting(self.menu)) if wrong else (greeting(self.menu),)
        left = f"{self._replays} {'retry' if self._replays == 1 else 'retries'} left"
        return f"{'no option has this key' if wrong else 'no key'}: plays the menu again, {left}"

    def _fall_back(self) -> str:
        action, target = self.menu.fallback_action, self.menu.fallback_target
        outcome, words = {
            Fallback.TRANSFER_NUMBER: ("transferred", f"transferred to {target}"),
            Fallback.HANGUP: ("hangup", "hang-up"),
            Fallback.VOICEMAIL: ("unavailable", "says that nobody is available, hang-up"),
        }[action]
        return self._ends(outcome, f"fallback: {words}")

    def _ends(self, outcome: str, words: str) -> str:
        self.end = outcome, words
        return words

    def _chosen(self, option: Option) -> str:
        return _ACTIONS[option.action](self, option)

    def _goes_on(self, option: Option) -> str:
        flow = self._flows.get(option.target or "")
        if flow is None:
            return self._ends("unavailable", f"the flow {option.target} is not there: hang-up")
        self._enter(flow)
        return f"goes on to {flow.name}"

    def _repeats(self, _: Option) -> str:
        self.said = (greeting(self.menu),)
        return "plays the menu again"

    def _says(self, option: Option) -> str:
        self.said = (option.target or "", greeting(self.menu))
        return "says it, then plays the menu again"

    def _transferred(self, option: Option) -> str:
        return self._ends("transferred", f"transferred to {option.target}")

    def _hangs_up(self, _: Option) -> str:
        return self._ends("hangup", "hang-up")


_ACTIONS: dict[Action, Callable[[_Caller, Option], str]] = {
    Action.IVR: _Caller._goes_on,
    Action.REPEAT: _Caller._repeats,
    Action.SAY: _Caller._says,
    Action.HANGUP: _Caller._hangs_up,
    **dict.fromkeys(
        (
            Action.TRANSFER_AGENT,
            Action.TRANSFER_NUMBER,
            Action.TRANSFER_SIP,
            Action.VOICEMAIL,
            Action.CONFERENCE,
        ),
        _Caller._transferred,
    ),
}


def greeting(flow: Flow) -> str:
    """What the menu says, where that is known."""
    if flow.greeting_audio or flow.greeting_url:
        return f"(audio of {flow.greeting_url})" if flow.greeting_url else "(uploaded audio)"
    return flow.greeting


def _meant(given: str, menu: Flow) -> str | None:
    """The key that is meant by words, where the menu listens. Digits are keys, and no words."""
    if given.isdecimal() or not menu.listens:
        return None
    return choose(given, menu.phrases, menu.language)
