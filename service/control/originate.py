"""Place a call: from what the user asked to a stored call that is being dialled."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from service.calls.call import Call, Direction, Leg, Route
from service.calls.events import CallCreated
from service.calls.ids import channel_of, mint
from service.calls.times import now_ms
from service.control.gate import Gate
from service.control.ports import Destinations, Switch
from service.control.reactor import Reactor
from service.control.sip_destinations import that_may_dial
from service.errors import Fault, NoTrunk, RateLimitExceeded, TrunkFull, ValidationFailed
from service.ivr.flow import Flow, Status
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


class FlowBook(Protocol):
    """Finds flows, as the store has them now."""

    async def by_id(self, flow_id: str) -> Flow | None: ...


@dataclass(frozen=True, slots=True)
class NewCall:
    """What the API was asked for, its grammar already checked. `sandbox` where a test key asks."""

    to: str
    from_: str
    agent_id: str | None = None
    ivr_id: str | None = None
    trunk_id: str | None = None
    trunk_ids: Sequence[str] | None = None
    webhook_url: str | None = None
    record: bool = False
    max_duration: int = 3600
    timeout: int = 60
    metadata: dict[str, Any] = field(default_factory=dict)
    sandbox: bool = False


class Originator:
    """Outbound calls. `app` is the Stasis application of this process. Without `destinations`, a SIP URI may lead
    anywhere."""

    def __init__(
        self,
        reactor: Reactor,
        switch: Switch,
        numbers: NumberBook,
        trunks: TrunkBook,
        flows: FlowBook,
        app: str,
        gate: Gate | None = None,
        destinations: Destinations | None = None,
    ) -> None:
        self._reactor, self._switch = reactor, switch
        self._numbers, self._trunks, self._flows, self._app = numbers, trunks, flows, app
        self._gate, self._destinations = gate or Gate(), destinations

    async def place(self, new: NewCall, call_id: str | None = None) -> Call:
        """Stores the call as `initiating` and has it dialled. Under a `call_id` that exists already, that call.

        Raises `ValidationFailed` with every fault, `NoTrunk`, `RateLimitExceeded` and `ConcurrencyLimitExceeded`,
        `AsteriskUnavailable` and `StoreUnavailable`; then there is no call.
        """
        number = await self._numbers.by_number(new.from_)
        faults = await self._faults(new, number)
        if faults or number is None:
            raise ValidationFailed(*faults)
        trunks = await self._allowed(new, await self._trunks_of(new, number))
        routes = [route_of(trunk) for trunk in trunks]
        up = [route for route in routes if not self._gate.down(route.trunk_id)]
        first = (up or routes)[0].trunk_id
        node = self._switch.pick_node(lambda node: self._gate.down_from(first, node))
        call = self._call(new, call_id or mint("call"), node, sandbox=trunks[0].sandbox)
        return await self._created(call, up) if up else await self._store(call, routes[0], ())

    async def _created(self, call: Call, routes: Sequence[Route]) -> Call:
        """The call by the first route that takes it, with those after it to go on with."""
        waits, full = [], None
        for n, route in enumerate(routes):
            if wait_ms := await self._gate.wait_ms(route):
                waits.append(wait_ms)
                continue
            try:
                return await self._store(call, route, tuple(routes[n + 1 :]))
            except TrunkFull as error:
                await self._gate.give_back(route)
                full = error
        if waits:
            raise RateLimitExceeded("The trunk takes no more new calls in this second.", retry_after=min(waits) / 1000)
        raise full or TrunkFull(retry_after=1)

    async def _store(self, call: Call, route: Route, then: tuple[Route, ...]) -> Call:
        leg = replace(
            call.leg,
            endpoint=route.endpoint,
            trunk_id=route.trunk_id,
            target=route.target,
            max_channels=route.max_channels,
        )
        call = replace(call, leg=leg, trunk_id=route.trunk_id, routes=then)
        stored = await self._reactor.handle(CallCreated(call_id=call.id, at=call.created_at, call=call))
        assert stored is not None
        return stored

    def _call(self, new: NewCall, call_id: str, node: str, sandbox: bool) -> Call:
        return Call(
            id=call_id,
            direction=Direction.OUTBOUND,
            to=new.to,
            from_=new.from_,
            leg=Leg(channel_of(call_id), node, self._app),
            created_at=now_ms(),
            agent_id=new.agent_id,
            ivr_id=new.ivr_id,
            record=new.record,
            max_duration=new.max_duration,
            timeout=new.timeout,
            metadata=new.metadata,
            webhook_url=new.webhook_url,
            sandbox=sandbox,
        )

    async def _faults(self, new: NewCall, number: Number | None) -> list[Fault]:
        """What is named and does not exist."""
        faults = []
        if number is None:
            expected = "a number registered in /v1/numbers"
            faults.append(Fault("from", new.from_, expected, "NUMBER_NOT_REGISTERED"))
        if new.agent_id is not None and new.ivr_id is not None:
            faults.append(Fault("ivr_id", new.ivr_id, "at most one of agent_id and ivr_id"))
        if new.agent_id is not None:
            faults.append(Fault("agent_id", new.agent_id, "the id of an agent that exists"))
        if new.ivr_id is not None:
            flow = await self._flows.by_id(new.ivr_id)
            if flow is None:
                faults.append(Fault("ivr_id", new.ivr_id, "the id of a flow that exists"))
            elif flow.published is None:
                faults.append(Fault("ivr_id", new.ivr_id, _NOT_READY[flow.status]))
        if new.trunk_id is not None and new.trunk_ids is not None:
            faults.append(Fault("trunk_id", new.trunk_id, "at most one of trunk_id and trunk_ids"))
        named: list[tuple[str, str | None]] = [("trunk_id", new.trunk_id)]
        named += [(f"trunk_ids.{n}", value) for n, value in enumerate(new.trunk_ids or ())]
        for name, value in named:
            if value is not None and await self._trunks.by_id(value) is None:
                faults.append(Fault(name, value, "the id of a trunk"))
        return faults

    async def _trunks_of(self, new: NewCall, number: Number) -> list[Trunk]:
        """The trunks that are named, the number's, or the default one, in the order they are tried; for a test key
        always the sandbox. A number's trunk that is gone counts as none."""
        named = _named(new.trunk_ids, new.trunk_id)
        wanted = named or _named(number.trunk_ids, number.trunk_id)
        found = [await self._trunks.sandbox()] if new.sandbox else [await self._trunks.by_id(each) for each in wanted]
        if not any(found) and not new.sandbox and not named:
            found = [await self._trunks.default()]
        trunks = [trunk for trunk in found if trunk is not None]
        enabled = [trunk for trunk in trunks if trunk.enabled]
        if trunks and not enabled:
            raise NoTrunk(f"Every trunk that this call may take is disabled: {', '.join(t.name for t in trunks)}.")
        if not enabled:
            raise NoTrunk
        return enabled

    async def _allowed(self, new: NewCall, trunks: list[Trunk]) -> list[Trunk]:
        """Those of the trunks that may dial the destination; at least one."""
        allowed, expected = await that_may_dial(new.to, trunks, self._destinations)
        if not allowed:
            raise ValidationFailed(Fault("to", new.to, expected))
        return allowed


_NOT_READY = {
    Status.PREPARING: "a flow that is ready; this one is still preparing",
    Status.FAILED: "a flow that is ready; the prompts of this one could not be made",
}


def route_of(trunk: Trunk) -> Route:
    """How calls go by a trunk."""
    target = "" if trunk.sandbox else trunk.target
    return Route(trunk.id, trunk.endpoint, target, trunk.max_channels or 0, trunk.calls_per_second or 0)


def _named(several: Sequence[str] | None, one: str | None) -> list[str]:
    return list(dict.fromkeys(several or ([one] if one else [])))
