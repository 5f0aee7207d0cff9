"""What must fit together in a flow, beyond what each field is by itself, and in menus that lead to each other."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from service.errors import Fault
from service.ivr.flow import KEYS, MENU_PHRASES, PHRASE, PHRASES, Action, Fallback, Flow
from service.ivr.phrases import clash

TO_COME = frozenset({Action.TRANSFER_AGENT, Action.VOICEMAIL, Action.CONFERENCE})
LEAVES = frozenset(Action) - {Action.IVR, Action.REPEAT, Action.SAY}
TARGETS = {
    Action.TRANSFER_NUMBER: "a telephone number in E.164, such as +14155552671",
    Action.TRANSFER_SIP: "a SIP URI: sip:user@host",
    Action.IVR: "the id of a flow",
    Action.SAY: "the text to say",
}
"""The actions that need a target, and what it is. Those that are neither here nor to come have none."""
ROW = 1000  # bytes of what a node keeps of a flow
_HASH, _FIXED = 40, 180  # bytes of a prompt's name, and of all that is no option and no target
_SECURE = 9  # bytes that `;transport=tls` takes beyond the `sips:` that it stands for
_MISSING = "MISSING_REQUIRED_FIELD"


def faults(fields: Mapping[str, Any]) -> list[Fault]:
    """Every fault between the fields of a flow, as JSON has them. What is no value of its kind, or too much, is passed
    over: it is a fault of its own, and is told where fields are checked one by one. What targets lead to is not asked
    here. Takes up to 0.1 s where there are many phrases."""
    options = list(_options(fields))
    of_options = (*_keys(options), *_targets(options), *_ways(options))
    return [*of_options, *_fallback(fields), *_row(fields, options), *_said(fields)]


Placed = tuple[str, Mapping[str, Any], Action]
"""An option with its place in the body and its action."""


def _options(fields: Mapping[str, Any]) -> Iterator[Placed]:
    menu = fields.get("menu")
    options = menu.get("options") if isinstance(menu, Mapping) else None
    for place, option in enumerate(options[: len(KEYS)] if isinstance(options, list | tuple) else ()):
        if isinstance(option, Mapping) and option.get("action") in list(Action):
            yield f"menu.options.{place}", option, Action(option["action"])


def _keys(options: Iterable[Placed]) -> Iterator[Fault]:
    seen = set()
    for field, option, _ in options:
        key = option.get("key")
        if isinstance(key, str):
            if key in seen:
                yield Fault(f"{field}.key", key, "each key once")
            seen.add(key)


def _targets(options: Iterable[Placed]) -> Iterator[Fault]:
    for field, option, action in options:
        target = option.get("target")
        if action in TO_COME:
            now = ", ".join(each for each in Action if each not in TO_COME)
            yield Fault(f"{field}.action", action.value, f"{now}; {action}: not available yet")
        elif action in TARGETS and target is None:
            yield Fault(f"{field}.target", None, TARGETS[action], _MISSING)
        elif action not in TARGETS and target is not None:
            yield Fault(f"{field}.target", target, f"null: {action} has no target")


def _fallback(fields: Mapping[str, Any]) -> Iterator[Fault]:
    action, target = fields.get("fallback_action"), fields.get("fallback_target")
    if action == Fallback.TRANSFER_NUMBER and target is None:
        yield Fault("fallback_target", None, TARGETS[Action.TRANSFER_NUMBER], _MISSING)
    elif action == Fallback.VOICEMAIL and target is not None:
        yield Fault("fallback_target", target, "null: there is no voicemail box yet")
    elif action == Fallback.HANGUP and target is not None:
        yield Fault("fallback_target", target, "null: hangup has no target")


def _ways(options: list[Placed]) -> Iterator[Fault]:
    if options and all(action is Action.REPEAT for _, _, action in options):
        yield Fault("menu.options", [option for _, option, _ in options], "an option that does more than repeat")


def _row(fields: Mapping[str, Any], options: Iterable[Placed]) -> Iterator[Fault]:
    size = _FIXED + _bytes(fields.get("fallback_target"))
    for _, option, action in options:
        size += len(action) + 1 + (_HASH if action is Action.SAY else _bytes(option.get("target")))
        size += _SECURE if action is Action.TRANSFER_SIP else 0
    if size > ROW:
        yield Fault("menu.options", None, "shorter targets: the targets are too long together")


def _bytes(value: object) -> int:
    return len(value.encode("utf-8", "replace")) if isinstance(value, str) else 0


def _said(fields: Mapping[str, Any]) -> Iterator[Fault]:
    """Too many phrases, or one that does not choose its own key."""
    language = fields.get("language")
    places = {o["key"]: (field, o["phrases"]) for field, o, _ in _options(fields) if _has_phrases(o)}
    if not places or not isinstance(language, str):
        return
    count = sum(len(phrases) for _, phrases in places.values())
    if count > MENU_PHRASES:
        yield Fault("menu.options", None, f"{MENU_PHRASES} phrases at most in one menu, of all keys together: {count}")
        return
    found = clash({key: phrases for key, (_, phrases) in places.items()}, language)
    if found:
        key, rival, phrase = found
        field, phrases = places[key]
        expected = f"a phrase that does not mean key {rival}" if rival else "a phrase that can be understood"
        yield Fault(f"{field}.phrases.{list(phrases).index(phrase)}", phrase, expected)


def _has_phrases(option: Mapping[str, Any]) -> bool:
    phrases = option.get("phrases")
    if not isinstance(option.get("key"), str) or not isinstance(phrases, list | tuple):
        return False
    return 0 < len(phrases) <= PHRASES and all(isinstance(each, str) and len(each) <= PHRASE for each in phrases)


def leaves(flow: Flow) -> bool:
    """Whether a key of the menu leads out of all menus."""
    return any(option.action in LEAVES for option in flow.options)


def trap(flow: Flow, others: Mapping[str, Flow]) -> list[Flow]:
    """A way that leads round for ever through menus that have no way out, and that `flow` is on, leads to or can be
    reached from: its first menu is its last. Empty: there is none. `others` are the flows by id."""
    menus = {**others, flow.id: flow}
    callers: dict[str, set[str]] = {each: set() for each in menus}
    for each in menus.values():
        for to in each.leads_to:
            callers.setdefault(to, set()).add(each.id)
    free = _spread((each.id for each in menus.values() if leaves(each)), callers)
    if flow.id in free:
        return []
    onward = {each.id: each.leads_to for each in menus.values()}
    near = _spread([flow.id], callers) | _spread([flow.id], onward)
    left = {each for each in near if each in menus} - free
    while ends := {each for each in left if left.isdisjoint(menus[each].leads_to)}:
        left -= ends
    return [menus[each] for each in _round(flow.id if flow.id in left else min(left), left, menus)] if left else []


def _round(start: str, left: set[str], menus: Mapping[str, Flow]) -> list[str]:
    """Each of `left` leads to another of them, so whoever walks on comes to a place twice."""
    way = [start]
    while way[-1] not in way[:-1]:
        way.append(next(to for to in menus[way[-1]].leads_to if to in left))
    return way[way.index(way[-1]) :]


def _spread(starts: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    """All that can be reached along the edges, the starts among it."""
    found = set(starts)
    edge = set(found)
    while edge:
        edge = set(chain.from_iterable(edges.get(each, ()) for each in edge)) - found
        found |= edge
    return found
