"""An IVR flow: one menu that a caller hears, what its keys do, and what happens when none is pressed."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from service.ivr import sayings

KEYS = "0123456789*#"  # in the order in which nodes have them
PHRASES, PHRASE = 20, 100  # of one key, and characters of one
MENU_PHRASES = 60  # of all keys together


class Action(StrEnum):
    """What a key does."""

    TRANSFER_AGENT = "transfer_agent"  # to an AI agent
    TRANSFER_NUMBER = "transfer_number"  # to a telephone number, over a trunk
    TRANSFER_SIP = "transfer_sip"  # to a SIP URI
    VOICEMAIL = "voicemail"  # into a box
    IVR = "ivr"  # another flow
    CONFERENCE = "conference"
    REPEAT = "repeat"  # the menu again
    HANGUP = "hangup"
    SAY = "say"  # speaks the target, then the menu again


class Fallback(StrEnum):
    """What happens when a caller has used up the retries, and when a transfer fails."""

    VOICEMAIL = "voicemail"  # into a box; where there is none, the unavailable sentence and a hang-up
    TRANSFER_NUMBER = "transfer_number"
    HANGUP = "hangup"


class Status(StrEnum):
    """Whether callers hear the newest version."""

    PREPARING = "preparing"  # its prompts are being made; callers have the version before
    ACTIVE = "active"
    FAILED = "failed"  # its prompts cannot be made; callers have the version before


@dataclass(frozen=True, slots=True)
class Option:
    """A key and what it does. `target` by the action: an id, a number, a URI, or the text to say. `phrases` are what a
    caller may say instead of pressing it."""

    key: str
    action: Action
    target: str | None = None
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow as it is stored. Times in ms since 1970; `version` counts from 1 with each change.

    `greeting_audio` is the hash of a prompt that is played instead of the spoken greeting: uploaded, or fetched from
    `greeting_url`. `prompts` are the hashes of spoken texts, of this version, as far as they are made. `published` is
    the document of the newest version whose prompts are all made, without a `published` of its own: what callers hear.
    """

    id: str
    name: str
    created_at: int
    updated_at: int = 0
    greeting: str = ""
    language: str = "en-US"
    options: tuple[Option, ...] = ()
    timeout_seconds: int = 10
    max_retries: int = 3
    fallback_action: Fallback = Fallback.VOICEMAIL
    fallback_target: str | None = None
    greeting_url: str | None = None
    greeting_audio: str | None = None
    invalid_prompt: str | None = None
    version: int = 1
    status: Status = Status.PREPARING
    error: str | None = None
    prompts: dict[str, str] = field(default_factory=dict)
    published: dict[str, Any] | None = None

    @property
    def invalid(self) -> str:
        """Said after a key that has no option."""
        return self.invalid_prompt or sayings.invalid(self.language)

    @property
    def unavailable(self) -> str:
        """Said before a hang-up where nobody can be reached."""
        return sayings.unavailable(self.language)

    @property
    def texts(self) -> tuple[str, ...]:
        """All that has to be spoken, each text once."""
        return tuple(dict.fromkeys(self._texts()))

    def _texts(self) -> Iterator[str]:
        if not self.greeting_audio:
            yield self.greeting
        yield self.invalid
        yield self.unavailable
        yield from (option.target or "" for option in self.options if option.action is Action.SAY)

    @property
    def greeting_hash(self) -> str:
        """The hash of the greeting's prompt. Raises `KeyError` where it is not made, as those below."""
        return self.greeting_audio or self.prompts[self.greeting]

    @property
    def invalid_hash(self) -> str:
        return self.prompts[self.invalid]

    @property
    def unavailable_hash(self) -> str:
        return self.prompts[self.unavailable]

    def say_hash(self, option: Option) -> str:
        """The prompt that a `say` option speaks."""
        return self.prompts[option.target or ""]

    @property
    def hashes(self) -> tuple[str, ...]:
        """Every prompt that was made for this version, each once."""
        audio = [self.greeting_audio] if self.greeting_audio else []
        return tuple(dict.fromkeys([*audio, *self.prompts.values()]))

    @property
    def listens(self) -> bool:
        """Whether callers may speak."""
        return any(option.phrases for option in self.options)

    @property
    def phrases(self) -> dict[str, tuple[str, ...]]:
        """What callers may say, by key."""
        return {option.key: option.phrases for option in self.options}

    def option(self, key: str) -> Option | None:
        return next((option for option in self.options if option.key == key), None)

    @property
    def leads_to(self) -> tuple[str, ...]:
        """The ids of flows that its keys lead to."""
        return tuple(o.target for o in self.options if o.action is Action.IVR and o.target)

    @property
    def dials(self) -> tuple[str, ...]:
        """The telephone numbers that it transfers to, by a key or as the fallback."""
        of_keys = (o.target for o in self.options if o.action is Action.TRANSFER_NUMBER)
        last = self.fallback_target if self.fallback_action is Fallback.TRANSFER_NUMBER else None
        return tuple(each for each in (*of_keys, last) if each)

    @property
    def live(self) -> "Flow | None":
        """What callers hear now; None: nothing yet."""
        return flow_of(self.published) if self.published else None

    def as_published(self) -> dict[str, Any]:
        """The document of this version for `published`."""
        return {name: value for name, value in asdict(self).items() if name != "published"}


def flow_of(document: dict[str, Any]) -> Flow:
    """The flow of a stored document; unknown fields are passed over."""
    known = {name: value for name, value in document.items() if name in Flow.__dataclass_fields__}
    return Flow(
        **{
            **known,
            "options": tuple(map(option_of, document.get("options") or ())),
            "fallback_action": Fallback(document.get("fallback_action") or Fallback.VOICEMAIL),
            "status": Status(document.get("status") or Status.PREPARING),
        }
    )


def option_of(document: dict[str, Any]) -> Option:
    return Option(
        document["key"], Action(document["action"]), document.get("target"), tuple(document.get("phrases") or ())
    )
