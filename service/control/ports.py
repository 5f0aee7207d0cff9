"""What the use cases need of the world. Adapters implement these; `app.py` puts them together.

Every method may raise `StoreUnavailable` (stores) or `AsteriskUnavailable` (the switch) and nothing else of its medium.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from service.calls.call import Call
from service.calls.commands import Command


@dataclass(frozen=True, slots=True)
class Versioned:
    """A stored call and the version that the next write must name."""

    call: Call
    version: int


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One event as it leaves: its id, type, resource id, that resource's own webhook URL, and the body's bytes."""

    id: str
    type: str
    resource: str
    url: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """A page of documents, newest first; `cursor` continues after the last one."""

    items: Sequence[Any]
    cursor: str | None
    total: int


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What a list of calls is narrowed to; None means any. Times in ms, `created_before` exclusive."""

    status: str | None = None
    from_: str | None = None
    to: str | None = None
    direction: str | None = None
    agent_id: str | None = None
    created_after: int | None = None
    created_before: int | None = None


class Standing(Protocol):
    """This process's standing among the others."""

    def owns(self, app: str) -> bool:
        """Whether this process follows the calls of a Stasis application."""
        ...

    async def confirm(self) -> None:
        """Waits until it is sure that no other process has taken over. Raises `Fenced` where one has."""
        ...

    def end(self) -> None:
        """Another process has taken over: this one ends."""
        ...


class Reachability(Protocol):
    """What is known of the trunks' far ends, in memory."""

    def down(self, trunk_id: str) -> bool:
        """Whether no call can get through by this trunk now; an unknown trunk is up."""
        ...

    def down_from(self, trunk_id: str, node: str) -> bool:
        """Whether none can get through by this trunk from this node now, whatever others can."""
        ...

    def called(self, trunk_id: str, refused: bool) -> None:
        """Takes what a call showed: whether the trunk's credentials were refused."""
        ...


class Meter(Protocol):
    """New calls of each trunk in a second."""

    async def take(self, trunk_id: str, per_second: int) -> int:
        """Takes one; 0 where it was taken, else the ms until there is one. Raises `StoreUnavailable`."""
        ...

    async def give_back(self, trunk_id: str) -> None:
        """One that was taken became no call. Raises `StoreUnavailable`."""
        ...


class Destinations(Protocol):
    """Where SIP URIs lead."""

    async def fault(self, uri: str) -> str | None:
        """What is expected instead of this URI; None where it may be dialled. It must not lead to loopback or back
        here: a routing loop."""
        ...


class CallStore(Protocol):
    """Calls in the store. One write is one round trip: call, indexes, timeline and outbox, or nothing."""

    async def load(self, call_id: str) -> Versioned | None: ...

    async def write(
        self, call: Call, version: int, before: Call | None, timeline: Sequence[bytes], outbox: Sequence[OutboxEntry]
    ) -> bool:
        """Stores `call` where the stored version is still `version` (0: where there is none yet); False where not.

        Raises `ConcurrencyLimitExceeded` for a new outbound call above the limit of live ones, `TrunkFull` where a
        leg's trunk has no channel left for it, `Fenced` where another process has taken this one's place.
        """
        ...

    async def live_ids(self, node: str) -> set[str]:
        """The calls of a node that have not ended."""
        ...

    async def take_recordings(self, now_ms: int, until_ms: int, limit: int) -> list[str]:
        """Calls whose recordings are due; no other process gets them before `until_ms`."""
        ...

    async def postpone_recording(self, call_id: str, until_ms: int) -> None: ...


class Switch(Protocol):
    """Asterisk, as the use cases see it."""

    async def run(self, command: Command) -> None:
        """Carries out one command. What comes of it arrives as events."""
        ...

    def pick_node(self, avoid: Callable[[str], bool]) -> str:
        """The node for a new call; one that is to be avoided only where no other is healthy. Raises
        `AsteriskUnavailable` where none is."""
        ...

    async def recording(self, call: Call, destination: Path) -> bool:
        """Downloads the call's raw two-channel audio; False where the node has no finished file."""
        ...

    async def drop_recording(self, call: Call) -> None:
        """Deletes the node's copy."""
        ...


class Nodes(Protocol):
    """What the nodes hold of flows, numbers and trunks."""

    async def apply(self, kind: str, resource_id: str) -> None:
        """Every node that can be reached has the `flow`, `number` (named by its E.164) or `trunk` as it is stored, or
        no more. Raises nothing of nodes."""
        ...


class RecordingStorage(Protocol):
    """Where finished recordings are kept. Local folder now; an object store is another class."""

    async def keep(self, recording_id: str, raw: Path, swap: bool) -> int:
        """Takes two-channel 8 kHz 16-bit raw audio (`swap`: the other channel first), returns its length in ms."""
        ...

    def find(self, recording_id: str) -> Path | None:
        """The WAV file, or None."""
        ...

    async def delete(self, recording_id: str) -> None:
        """No error where there is none."""
        ...
