"""What menus are made of: flows and their prompts, what nodes hold of them, and the ears. Part of `app.py`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from service.asterisk.listen import AsteriskEars
from service.asterisk.node import Node
from service.asterisk.plans import AsteriskPlans
from service.asterisk.prompts import NodePrompts
from service.asterisk.rows import NodeRows
from service.asterisk.switch import AsteriskSwitch
from service.control.flow_check import FlowCheck
from service.control.flows import FlowRegistry
from service.control.listening import Listening
from service.control.membership import Membership
from service.control.numbers import NumberRegistry
from service.control.plan_sync import PlanSync
from service.control.ports import Destinations, Nodes
from service.control.prompt_keeper import Fetch, PromptKeeper
from service.control.prompt_links import PromptLinks
from service.control.prompt_repair import PromptRepair
from service.control.ways import Ways
from service.settings import Settings
from service.speech.activity import Detectors
from service.speech.engine import EngineState
from service.speech.recogniser import Recogniser
from service.speech.speaker import Speaker
from service.speech.utterances import utterances
from service.store.books import RedisFlows, RedisNumbers
from service.store.cache import Cache
from service.store.connection import Client
from service.store.documents import Documents
from service.store.phrase_book import RedisPhraseBook
from service.store.plan_book import RedisPlanBook


@dataclass(frozen=True, slots=True)
class Speech:
    """Who speaks and who understands, and the menus that are listened to."""

    speaker: Speaker
    recogniser: Recogniser
    listening: Listening

    def engines(self) -> list[EngineState]:
        return [*self.speaker.engines(), *self.recogniser.engines()]


@asynccontextmanager
async def speech(settings: Settings, redis: Client, cache: Cache, nodes: dict[str, Node]) -> AsyncIterator[Speech]:
    """Until it is left. No engine runs before its first use."""
    speaker, recogniser = Speaker(settings), Recogniser(settings)
    speaker.log_choice()
    ears = AsteriskEars({name: (node.ari, node.ami) for name, node in nodes.items()})
    phrases = RedisPhraseBook(Documents(redis, "flows", "ivr", cache=cache))
    listening = Listening(ears, phrases, recogniser, partial(utterances, Detectors()), settings.listeners)
    try:
        yield Speech(speaker, recogniser, listening)
    finally:
        await listening.close()
        await recogniser.close()
        await speaker.close()


def plan_of(
    redis: Client, nodes: dict[str, Node], membership: Membership, switch: AsteriskSwitch, links: PromptLinks
) -> PlanSync:
    """What keeps the nodes' dialplan as the store has it."""
    book = RedisPlanBook(
        Documents(redis, "flows", "ivr"),
        Documents(redis, "numbers", "num", unique="number"),
        Documents(redis, "trunks", "trunk"),
    )
    held = {
        name: (NodeRows(node.ami), NodePrompts(name, node.ari, links.file, links.of)) for name, node in nodes.items()
    }
    return PlanSync(book, AsteriskPlans(held), membership, switch)


@dataclass(frozen=True, slots=True)
class Menus:
    flows: FlowRegistry
    jobs: list[Callable[[], Coroutine[Any, Any, None]]]


def menus_of(
    redis: Client,
    cache: Cache,
    speaker: Speaker,
    numbers: NumberRegistry,
    destinations: Destinations,
    fetch: Fetch,
    check_url: Callable[[str], Awaitable[str | None]],
    nodes: Nodes,
    find: Callable[[str], object],
) -> Menus:
    """The flows, and what makes their prompts. `find` looks for the file of one."""
    flows = Documents(redis, "flows", "ivr", cache=cache)
    fresh = Documents(redis, "flows", "ivr")
    keeper = PromptKeeper(fresh, Documents(redis, "prompt-orders", "ivr"), speaker, fetch, nodes)
    own = RedisNumbers(Documents(redis, "numbers", "num", unique="number"))
    check = FlowCheck(fresh, speaker, check_url, Ways(own, RedisFlows(fresh)), destinations)
    repair = PromptRepair(fresh, speaker, find, nodes)
    return Menus(FlowRegistry(flows, fresh, numbers, check, speaker, keeper, nodes), [keeper.run, repair.run])
