"""Fakes for the pure parts: a store in memory and a switch that notes what it is asked."""

from service.calls.call import Recording
from service.control.ports import Versioned
from service.errors import AsteriskUnavailable, Fenced, TrunkFull


class FakeCalls:
    """`CallStore` in memory. `before_write` runs before each write, to let another process be faster."""

    def __init__(self):
        self.calls, self.rows, self.outbox, self.due = {}, {}, [], {}
        self.before_write = None

    async def load(self, call_id):
        return self.calls.get(call_id)

    async def write(self, call, version, before, timeline, outbox):
        if self.before_write is not None:
            hook, self.before_write = self.before_write, None
            await hook()
        held = self.calls.get(call.id)
        if (held.version if held else 0) != version:
            return False
        enters = call.trunk_id and not call.ended and (before is None or before.trunk_id != call.trunk_id)
        if enters and 0 < call.leg.max_channels <= await self.live_on_trunk(call.trunk_id):
            raise TrunkFull
        self.calls[call.id] = Versioned(call, version + 1)
        self.rows.setdefault(call.id, []).extend(timeline)
        self.outbox.extend(outbox)
        if call.recording is Recording.PENDING:
            self.due.setdefault(call.id, call.ended_at)
        else:
            self.due.pop(call.id, None)
        return True

    async def live_ids(self, node):
        return {i for i, held in self.calls.items() if not held.call.ended and held.call.leg.node == node}

    async def live_on_trunk(self, trunk_id):
        return sum(not held.call.ended and held.call.trunk_id == trunk_id for held in self.calls.values())

    async def take_recordings(self, now_ms, until_ms, limit):
        due = [i for i, at in sorted(self.due.items(), key=lambda kv: kv[1]) if at <= now_ms][:limit]
        self.due.update(dict.fromkeys(due, until_ms))
        return due

    async def postpone_recording(self, call_id, until_ms):
        if call_id in self.due:
            self.due[call_id] = until_ms


class FakeStanding:
    """`Standing` of a process that is never taken over, unless a test says so."""

    def __init__(self):
        self.others, self.fenced, self.ended = set(), False, False

    def owns(self, app):
        return app not in self.others

    async def confirm(self):
        if self.fenced:
            raise Fenced

    def end(self):
        self.ended = True


class FakeNodes:
    """`Nodes` with channels, bridges, a ledger and steps in menus to fill in; what is forgotten stays where it is."""

    def __init__(self):
        self.boot, self.live, self.rows, self.forgotten = 0, [], [], []
        self.mixing, self.hung_up, self.taken_down = [], [], []
        self.walked, self.steps_forgotten = [], []

    async def bridges(self, node):
        return self.mixing

    async def end_channel(self, node, channel_id):
        self.hung_up.append(channel_id)

    async def end_bridge(self, node, bridge_id):
        self.taken_down.append(bridge_id)

    async def booted_at(self, node):
        return self.boot

    async def channels(self, node):
        return self.live

    async def ledger(self, node):
        return list(self.rows)

    async def forget(self, node, channel_id):
        self.forgotten.append(channel_id)

    async def walks(self, node):
        return list(self.walked)

    async def forget_steps(self, node, channel_id):
        self.steps_forgotten.append(channel_id)


class FakeNumbers:
    """`NumberBook` that knows the numbers it was given."""

    def __init__(self, *numbers):
        self.numbers = {n.number: n for n in numbers}

    async def by_number(self, number):
        return self.numbers.get(number)


class FakeFlows:
    """`FlowBook` of the flows it was given."""

    def __init__(self, *flows):
        self.flows = {flow.id: flow for flow in flows}

    async def by_id(self, flow_id):
        return self.flows.get(flow_id)


class FakeTrunks:
    """`TrunkBook` of the trunks it was given."""

    def __init__(self, *trunks):
        self.trunks = {trunk.id: trunk for trunk in trunks}

    async def by_id(self, trunk_id):
        return self.trunks.get(trunk_id)

    async def default(self):
        return next((t for t in self.trunks.values() if t.default), None) or await self.sandbox()

    async def sandbox(self):
        return next((t for t in self.trunks.values() if t.sandbox), None)


class FakeReachability:
    """`Reachability` of trunks that are down, everywhere or from a node, because a test says so."""

    def __init__(self, *down):
        self.trunks_down, self.down_pairs, self.calls = set(down), set(), []

    def down(self, trunk_id):
        return trunk_id in self.trunks_down

    def down_from(self, trunk_id, node):
        return (trunk_id, node) in self.down_pairs

    def called(self, trunk_id, refused):
        self.calls.append((trunk_id, refused))


class FakeMeter:
    """`Meter` that has no more new calls for the trunks named."""

    def __init__(self, *empty):
        self.empty, self.taken = set(empty), []

    async def take(self, trunk_id, per_second):
        if trunk_id in self.empty:
            return 250
        self.taken.append(trunk_id)
        return 0

    async def give_back(self, trunk_id):
        self.taken.remove(trunk_id)


class FakeSwitch:
    """`Switch` that carries nothing out."""

    def __init__(self):
        self.commands, self.node, self.avoided = [], "node1", set()

    async def run(self, command):
        self.commands.append(command)

    def pick_node(self, avoid):
        self.avoided = {node for node in ("node1", "node2") if avoid(node)}
        if self.node is None:
            raise AsteriskUnavailable
        return self.node

    async def turn_away(self, offer, cause):
        self.commands.append(("turn_away", offer.channel_id, cause))

    async def refuse(self, offer, reason):
        self.commands.append(("refuse", offer.channel_id, reason))

    async def leave_alone(self, offer):
        self.commands.append(("leave_alone", offer.channel_id))

    async def recording(self, call, destination):
        return False

    async def drop_recording(self, call):
        pass
