"""Place a call: from what the user asked to a stored call that is being dialled."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from service.calls.call import Call, Direction, Leg
from service.calls.events import CallCreated
from service.calls.ids import channel_of, mint
from service.calls.times import now_ms
from service.control.ports import Switch
from service.control.reactor import Reactor
from service.errors import Fault, NoTrunk, ValidationFailed
from service.numbers.number import Number
from service.trunks.trunk import Trunk


class NumberBook(Protocol):
    """Finds numbers by what they are."""

    async def by_number(self, number: str) -> Number | None: ...


class TrunkBook(Protocol):
    """Finds trunks."""

    async def by_id(self, trunk_id: str) -> Trunk | None: ...

    async def default(self) -> Trunk | None: ...

    async def sandbox(self) -> Trunk | None: ...


@dataclass(frozen=True, slots=True)
class NewCall:
    """What the API was asked for, its grammar already checked. `sandbox` where a test key asks."""

    to: str
    from_: str
    agent_id: str | None = None
    ivr_id: str | None = None
    trunk_id: str | None = None
    webhook_url: str | None = None
    record: bool = False
    max_duration: int = 3600
    timeout: int = 60
    metadata: dict[str, Any] = field(default_factory=dict)
    sandbox: bool = False


class Originator:
    """Outbound calls. `app` is the Stasis application of this process."""

    def __init__(self, reactor: Reactor, switch: Switch, numbers: NumberBook, trunks: TrunkBook, app: str) -> None:
        self._reactor, self._switch = reactor, switch
        self._numbers, self._trunks, self._app = numbers, trunks, app

    async def place(self, new: NewCall, call_id: str | None = None) -> Call:
        """Stores the call as `initiating` and has it dialled. Under a `call_id` that exists already, that call.

        Raises `ValidationFailed` with every fault, `NoTrunk`, `ConcurrencyLimitExceeded`, `AsteriskUnavailable`
        and `StoreUnavailable`; then there is no call.
        """
        number = await self._numbers.by_number(new.from_)
        faults = await self._faults(new, number)
        if faults or number is None:
            raise ValidationFailed(*faults)
        trunk = await self._trunk(new, number)
        if new.to.startswith("sip") and not trunk.allow_sip_destinations:
            raise ValidationFailed(Fault("to", new.to, "E.164: the trunk does not allow SIP destinations"))
        node = self._switch.pick_node()
        call_id = call_id or mint("call")
        call = Call(
            id=call_id,
            direction=Direction.OUTBOUND,
            to=new.to,
            from_=new.from_,
            leg=Leg(channel_of(call_id), node, self._app, trunk.endpoint),
            created_at=now_ms(),
            trunk_id=trunk.id,
            agent_id=new.agent_id,
            ivr_id=new.ivr_id,
            record=new.record,
            max_duration=new.max_duration,
            timeout=new.timeout,
            metadata=new.metadata,
            webhook_url=new.webhook_url,
            sandbox=trunk.sandbox,
        )
        stored = await self._reactor.handle(CallCreated(call_id=call.id, at=call.created_at, call=call))
        assert stored is not None
        return stored

    async def _faults(self, new: NewCall, number: Number | None) -> list[Fault]:
        """What is named and does not exist."""
        faults = []
        if number is None:
            expected = "a number registered in /v1/numbers"
            faults.append(Fault("from", new.from_, expected, "NUMBER_NOT_REGISTERED"))
        if new.agent_id is not None and new.ivr_id is not None:
            faults.append(Fault("ivr_id", new.ivr_id, "at most one of agent_id and ivr_id"))
        for name, value in (("agent_id", new.agent_id), ("ivr_id", new.ivr_id)):
            if value is not None:
                faults.append(Fault(name, value, "the id of one that exists"))
        if new.trunk_id is not None and await self._trunks.by_id(new.trunk_id) is None:
            faults.append(Fault("trunk_id", new.trunk_id, "the id of a trunk"))
        return faults

    async def _trunk(self, new: NewCall, number: Number) -> Trunk:
        """The trunk that is named, the number's, or the default one; for a test key always the sandbox."""
        wanted = new.trunk_id or number.trunk_id
        if new.sandbox:
            trunk = await self._trunks.sandbox()
        else:
            trunk = await self._trunks.by_id(wanted) if wanted else await self._trunks.default()
        if trunk is None:
            raise NoTrunk
        return trunk
