"""A house of flows for tests: a registry, a keeper, and what they speak to."""

import asyncio
import hashlib
from types import SimpleNamespace

from service.control.flow_check import FlowCheck
from service.control.flows import FlowRegistry
from service.control.prompt_keeper import PromptKeeper
from service.control.ways import Ways
from service.errors import OrbitError
from service.store.books import RedisFlows
from tests.documents import FakeDocuments
from tests.fakes import FakeNumbers

MENU = {"options": [{"key": "1", "action": "transfer_number", "target": "+14155552671"}]}
GOOD = {"name": "Main Menu", "greeting": "Welcome. Press 1 for sales.", "menu": MENU}


class Away(OrbitError):
    code, status, message = "SPEECH_UNAVAILABLE", 503, "Speech cannot be made now."


class Never(OrbitError):
    code, status, message = "VALIDATION_ERROR", 422, "There is nothing in it."


def leading_to(*flow_ids, **more):
    options = [{"key": str(n), "action": "ivr", "target": each} for n, each in enumerate(flow_ids)]
    return {**GOOD, "menu": {"options": options}, **more}


async def until(what):
    """What is awaited, once it is true."""
    async with asyncio.timeout(5):
        while not (found := await what()):  # noqa: ASYNC110 (it is in a store)
            await asyncio.sleep(0)
    return found


class FakeSpeaker:
    """Speaks English. `gate`: speech waits for it; `fails`: the error of a text."""

    def __init__(self):
        self.spoken, self.kept, self.fails = [], [], {}
        self.gate = asyncio.Event()
        self.gate.set()

    def voice(self, language):
        known = language.startswith(("en", "es"))
        return SimpleNamespace(engine="kokoro", name="af_heart", language="en-US") if known else None

    def fault(self, text, language):
        return "a text with something in it that can be spoken" if text == "!!!" else None

    async def render(self, text, language):
        self.spoken.append((text, language))
        await self.gate.wait()
        if text in self.fails:
            raise self.fails[text]
        return SimpleNamespace(hash=f"h:{text}")

    async def keep(self, data):
        if data == b"noise":
            raise Never
        self.kept.append(data)
        return SimpleNamespace(hash=f"a:{hashlib.sha256(data).hexdigest()[:8]}")


class House:
    """`told` is what the nodes were told, with what the store had then; `pages` is what URLs lead to; `routed` the
    numbers that lead to a flow."""

    def __init__(self, flows=None, orders=None):
        self.documents, self.orders = flows or FakeDocuments(), orders or FakeDocuments()
        self.speaker, self.told, self.fetched = FakeSpeaker(), [], []
        self.pages, self.routed = {}, {}
        self.keeper = self.process()
        self.numbers = FakeNumbers()
        ways = Ways(self.numbers, RedisFlows(self.documents))
        check = FlowCheck(self.documents, self.speaker, self.check_url, ways)
        numbers = SimpleNamespace(routed_to=self.routed_to)
        nodes = SimpleNamespace(apply=self.apply)
        self.flows = FlowRegistry(self.documents, self.documents, numbers, check, self.speaker, self.keeper, nodes)

    def process(self):
        """Another process's keeper."""
        nodes = SimpleNamespace(apply=self.apply)
        return PromptKeeper(self.documents, self.orders, self.speaker, self.fetch, nodes)

    async def routed_to(self, kind, target):
        assert kind == "ivr"
        return self.routed.get(target, [])

    async def check_url(self, url):
        return "must not lead to a loopback address" if "127.0.0.1" in url else None

    async def fetch(self, url):
        self.fetched.append(url)
        found = self.pages[url]
        if isinstance(found, Exception):
            raise found
        return found

    async def apply(self, kind, resource_id):
        self.told.append((kind, resource_id, await self.documents.get(resource_id)))

    async def is_status(self, flow_id, status):
        async def there():
            found = await self.flows.get(flow_id)
            return found if found["status"] == status else None

        return await until(there)

    async def active(self, flow_id):
        return await self.is_status(flow_id, "active")

    async def make(self, **fields):
        """A flow that is active; its id."""
        made = await self.flows.create({**GOOD, **fields})
        await self.active(made["id"])
        return made["id"]
