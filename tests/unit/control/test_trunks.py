"""Trunks are made, changed and deleted, and the nodes hear of it."""

from dataclasses import asdict
from types import SimpleNamespace

import pytest

from service.calls.ids import mint
from service.control.loops import LoopCheck
from service.control.numbers import NumberRegistry
from service.control.route_check import RouteCheck
from service.control.seed import built_in
from service.control.trunks import TrunkRegistry
from service.errors import Conflict, InUse, NotFound, StoreUnavailable, ValidationFailed
from service.store.books import RedisNumbers, RedisTrunks
from service.trunks.health import Health, State
from service.trunks.trunk import Trunk
from tests.documents import FakeDocuments
from tests.fakes import FakeFlows

CARRIER = {"name": "Carrier", "termination_uri": "sip:192.0.2.9:5060"}
LOGIN = {"auth_username": "u", "auth_password": "hunter2"}


class House:
    """A registry and what it speaks to: `applied` is what the nodes were told, `live` the calls of each trunk."""

    def __init__(self):
        self.documents = FakeDocuments(unique="name", sole="default")
        self.number_documents = FakeDocuments(unique="number")
        self.applied, self.live, self.health = [], {}, {}
        numbers = RedisNumbers(self.number_documents)
        check = RouteCheck(numbers, RedisTrunks(self.documents), FakeFlows(), None)
        nodes = SimpleNamespace(apply=self.told)
        self.numbers = NumberRegistry(self.number_documents, self.number_documents, self.documents, check, nodes)
        self.renumbered = []

        async def applied(trunk_id):
            self.applied.append((trunk_id, await self.documents.get(trunk_id)))

        async def live(trunk_id):
            return self.live.get(trunk_id, 0)

        async def nobody(host, seconds):
            return []

        self.trunks = TrunkRegistry(
            self.documents,
            self.numbers,
            SimpleNamespace(live_on_trunk=live),
            SimpleNamespace(of=lambda trunks: {t.id: self.health.get(t.id, Health()) for t in trunks}),
            SimpleNamespace(apply=applied),
            LoopCheck(["198.51.100.7:5060"], False, nobody),
        )

    async def told(self, kind, number_id):
        self.renumbered.append((kind, number_id))

    async def sandbox(self):
        trunk = built_in()
        await self.documents.create(asdict(trunk))
        return trunk.id

    async def defaults(self):
        return [d["name"] for d in await self.documents.all() if d["default"]]


@pytest.fixture
def house():
    return House()


async def fields_at_fault(house, named, trunk_id=None):
    return [fault.field for fault in await house.trunks.faults(named, trunk_id)]


async def test_a_trunk_has_the_references_defaults(house):
    made = await house.trunks.create(CARRIER)
    assert made == {
        **CARRIER, "id": made["id"], "origination_uris": [], "auth_username": None, "codecs": ["PCMU", "PCMA", "OPUS"],
        "encryption": "tls_srtp", "tls_verify": True, "register": False, "country": None, "max_channels": None,
        "calls_per_second": None, "allow_sip_destinations": False, "default": False, "enabled": True,
        "status": "active", "created_at": made["created_at"], "updated_at": made["created_at"],
        "health": {"state": "unknown", "rtt_ms": None, "checked_at": None, "registration": None, "error": None},
    }  # fmt: skip
    assert await house.trunks.get(made["id"]) == made
    assert (await house.trunks.page(None, 20)).items == [made]


async def test_the_password_is_stored_and_never_shown(house):
    made = await house.trunks.create({**CARRIER, **LOGIN})
    assert (await house.documents.get(made["id"]))["auth_password"] == "hunter2"
    changed = await house.trunks.update(made["id"], {"auth_password": "hunter3"})
    page = await house.trunks.page(None, 20)
    assert "hunter" not in repr([made, changed, page, await house.trunks.get(made["id"])])


async def test_what_is_known_of_the_far_end_shows(house):
    made = await house.trunks.create(CARRIER)
    house.health[made["id"]] = Health(State.UNREACHABLE, None, 1_000, None, "The far end does not answer OPTIONS.")
    shown = await house.trunks.get(made["id"])
    assert (shown["status"], shown["health"]["state"]) == ("unreachable", "unreachable")
    assert shown["health"]["checked_at"] == "1970-01-01T00:00:01.000Z"


async def test_nodes_are_told_after_each_write(house):
    made = await house.trunks.create(CARRIER)
    await house.trunks.update(made["id"], {"codecs": ["OPUS"]})
    await house.trunks.delete(made["id"], force=False)
    assert [trunk_id for trunk_id, _ in house.applied] == [made["id"]] * 3
    assert [stored and stored["codecs"] for _, stored in house.applied] == [["PCMU", "PCMA", "OPUS"], ["OPUS"], None]


async def test_a_repeated_request_finds_what_the_first_one_made(house):
    seed = mint("call")
    made = [await house.trunks.create({**CARRIER, **LOGIN}, seed) for _ in range(2)]
    assert made[0] == made[1]
    assert len(house.documents.rows) == 1


async def test_a_name_is_taken_once(house):
    await house.trunks.create(CARRIER)
    other = await house.trunks.create({**CARRIER, "name": "Other"})
    for attempt in (house.trunks.create(CARRIER), house.trunks.update(other["id"], {"name": "Carrier"})):
        with pytest.raises(Conflict) as caught:
            await attempt
        assert [(f.field, f.value) for f in caught.value.faults] == [("name", "Carrier")]


async def test_put_replaces_what_it_names_and_null_clears(house):
    full = {**CARRIER, **LOGIN, "country": "US", "max_channels": 5, "calls_per_second": 2, "origination_uris": ["h"]}
    made = await house.trunks.create(full)
    changed = await house.trunks.update(made["id"], {"max_channels": 6})
    assert changed == {**made, "max_channels": 6, "updated_at": changed["updated_at"]}
    optional = ("auth_username", "auth_password", "country", "max_channels", "calls_per_second", "origination_uris")
    cleared = await house.trunks.update(made["id"], dict.fromkeys(optional))
    assert {name: cleared[name] for name in optional if name in cleared} == {
        "auth_username": None, "country": None, "max_channels": None, "calls_per_second": None, "origination_uris": [],
    }  # fmt: skip
    assert (await house.documents.get(made["id"]))["auth_password"] is None


async def test_a_put_that_changes_nothing_is_no_change(house):
    made = await house.trunks.create(CARRIER)
    assert await house.trunks.update(made["id"], CARRIER) == made
    assert await house.trunks.update(made["id"], {}) == made


async def test_a_put_that_another_one_overtakes_counts_both(house):
    made = await house.trunks.create({**CARRIER, **LOGIN})

    async def other():
        await house.trunks.update(made["id"], {"country": "DE"})

    house.documents.before_write = other
    changed = await house.trunks.update(made["id"], {"max_channels": 3})
    assert (changed["country"], changed["max_channels"]) == ("DE", 3)


async def test_a_put_that_does_not_fit_what_another_one_made_meanwhile_is_refused(house):
    made = await house.trunks.create({**CARRIER, **LOGIN})

    async def other():
        await house.trunks.update(made["id"], {"auth_username": None, "auth_password": None})

    house.documents.before_write = other
    with pytest.raises(ValidationFailed):
        await house.trunks.update(made["id"], {"register": True})


async def test_one_trunk_at_most_is_the_default(house):
    one = await house.trunks.create({**CARRIER, "default": True})
    two = await house.trunks.create({**CARRIER, "name": "Two", "default": True})
    assert not (await house.trunks.get(one["id"]))["default"]
    await house.trunks.update(one["id"], {"default": True})
    assert not (await house.trunks.get(two["id"]))["default"]
    assert await house.defaults() == ["Carrier"]


async def test_the_sandbox_is_the_default_while_no_other_trunk_is(house):
    sandbox = await house.sandbox()
    assert (await house.trunks.get(sandbox))["default"]
    made = await house.trunks.create({**CARRIER, "default": True})
    assert [t["default"] for t in (await house.trunks.page(None, 20)).items] == [True, False]
    assert (await house.trunks.update(sandbox, {"default": True}))["default"]
    assert not (await house.trunks.get(made["id"]))["default"]


async def test_the_sandbox_is_built_in(house):
    sandbox = await house.sandbox()
    assert await fields_at_fault(house, {"name": "x", "default": True, "unknown": 1}, sandbox) == []
    others = {"termination_uri": "sip:h", "auth_password": "hunter2", "codecs": ["OPUS"]}
    assert await fields_at_fault(house, others, sandbox) == list(others)
    assert "hunter2" not in repr(await house.trunks.faults(others, sandbox))
    with pytest.raises(Conflict, match="built in"):
        await house.trunks.delete(sandbox, force=True)


async def test_a_trunk_with_live_calls_is_deleted_by_force_alone(house):
    made = await house.trunks.create(CARRIER)
    house.live[made["id"]] = 2
    with pytest.raises(InUse, match="2"):
        await house.trunks.delete(made["id"], force=False)
    assert await house.trunks.get(made["id"])
    await house.trunks.delete(made["id"], force=True)
    with pytest.raises(NotFound):
        await house.trunks.get(made["id"])


async def test_a_call_that_comes_while_a_trunk_is_deleted_keeps_it(house):
    made = await house.trunks.create(CARRIER)
    number = await house.numbers.create({"number": "+12025550100", "trunk_id": made["id"]})

    async def call():
        house.live[made["id"]] = 1

    house.documents.before_write = call
    with pytest.raises(InUse, match="1"):
        await house.trunks.delete(made["id"], force=False)
    assert (await house.trunks.get(made["id"]))["enabled"]
    assert (await house.numbers.get(number["id"]))["trunk_id"] == made["id"]
    house.live.clear()
    await house.trunks.delete(made["id"], force=False)


async def test_a_delete_that_broke_off_is_repeated(house):
    made = await house.trunks.create(CARRIER)
    number = await house.numbers.create({"number": "+12025550100", "trunk_id": made["id"]})
    delete = house.documents.delete

    async def broken(document):
        raise StoreUnavailable

    house.documents.delete = broken
    with pytest.raises(StoreUnavailable):
        await house.trunks.delete(made["id"], force=False)
    assert (await house.numbers.get(number["id"]))["trunk_id"] is None  # none names what may be gone
    house.documents.delete = delete
    await house.trunks.delete(made["id"], force=False)
    assert house.applied[-1] == (made["id"], None)


async def test_numbers_let_go_of_a_trunk_that_is_deleted(house):
    one = await house.trunks.create(CARRIER)
    two = await house.trunks.create({**CARRIER, "name": "Two"})
    single = await house.numbers.create({"number": "+12025550100", "trunk_id": one["id"]})
    several = await house.numbers.create({"number": "+12025550101", "trunk_ids": [one["id"], two["id"]]})
    other = await house.numbers.create({"number": "+12025550102", "trunk_id": two["id"]})
    await house.trunks.delete(one["id"], force=False)
    shown = [await house.numbers.get(number["id"]) for number in (single, several, other)]
    assert [(n["trunk_id"], n["trunk_ids"]) for n in shown] == [(None, []), (None, [two["id"]]), (two["id"], [])]
    assert house.renumbered[3:] == [("number", single["number"]), ("number", several["number"])]


@pytest.mark.parametrize("missing", ["trunk_01J00000000000000000000000", "nonsense", ""])
async def test_no_such_trunk(house, missing):
    for attempt in (
        house.trunks.get(missing),
        house.trunks.trunk(missing),
        house.trunks.update(missing, {"name": "x"}),
        house.trunks.delete(missing, force=True),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert house.applied == []


async def test_a_put_is_checked_with_what_is_there(house):
    made = await house.trunks.create({**CARRIER, "encryption": "none", "termination_uri": "sip:h;transport=udp"})
    assert await fields_at_fault(house, {"encryption": "tls"}, made["id"]) == ["termination_uri"]
    assert await fields_at_fault(house, {"encryption": "tls", "termination_uri": "sip:h"}, made["id"]) == []
    assert await fields_at_fault(house, {"register": True}, made["id"]) == ["auth_username", "auth_password"]
    with pytest.raises(NotFound):
        await house.trunks.faults({}, "trunk_01J00000000000000000000000")


@pytest.mark.parametrize("uri", ["sip:127.0.0.1:5060", "sip:198.51.100.7:5061", "sip:localhost"])
async def test_a_trunk_does_not_lead_back_here(house, uri):
    assert await fields_at_fault(house, {**CARRIER, "termination_uri": uri}) == ["termination_uri"]


async def test_a_trunk_value_knows_its_own_document(house):
    made = await house.trunks.create({**CARRIER, **LOGIN, "origination_uris": ["192.0.2.0/24"]})
    trunk = await house.trunks.trunk(made["id"])
    assert isinstance(trunk, Trunk)
    assert (trunk.auth_password, trunk.origination_uris) == ("hunter2", ("192.0.2.0/24",))
