"""The composition root: what exists, in the order it is made, each start beside its stop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_fixed

from service.api.server import build
from service.api.services import Services
from service.asterisk.ami import Ami
from service.asterisk.ari import Ari
from service.asterisk.node import Listener, Node
from service.asterisk.switch import AsteriskSwitch
from service.calls.times import now_ms
from service.carriers import carriers_of
from service.control.gate import Gate
from service.control.inbound import Reception
from service.control.membership import Membership, stasis_name
from service.control.numbers import NumberRegistry
from service.control.originate import Originator
from service.control.plan_sync import TrunkPlan
from service.control.present import Presenter
from service.control.prompt_links import PromptLinks
from service.control.reactor import Reactor
from service.control.reconcile import Reconciler
from service.control.recordings import RecordingKeeper
from service.control.retention import Retention
from service.control.route_check import RouteCheck
from service.control.seed import Seeds, plant
from service.control.take_over import TakeOver
from service.control.trunks import TrunkRegistry
from service.control.watch import Watch
from service.control.webhooks import WebhookRegistry
from service.errors import StoreUnavailable
from service.menus import menus_of, plan_of, speech
from service.settings import NodeSettings, Settings
from service.storage.folder import Folder
from service.store.admission import Admission
from service.store.answers import Answers
from service.store.books import RedisFlows, RedisNumbers, RedisTrunks
from service.store.cache import Cache
from service.store.calls import RedisCalls
from service.store.connection import Client, connect
from service.store.deliveries import RedisDeliveries
from service.store.documents import Documents
from service.store.keyring import Keyring
from service.store.lanes import RedisLanes
from service.store.members import RedisMembers
from service.store.meter import RedisMeter
from service.store.outbox import RedisOutbox
from service.store.probe import Probe
from service.store.retention import RedisOldCalls
from service.webhooks.start import lease_ms, webhooks

logger = structlog.get_logger()



def say_once(state: RetryCallState) -> None:
    """One line for the wait, not one for each try."""
    error = state.outcome.exception() if state.outcome else None
    if state.attempt_number == 1 and error is not None:
        logger.warning("waiting for the store", why=str(error.__cause__ or error)[:200])


patient = AsyncRetrying(
    retry=retry_if_exception_type(StoreUnavailable), wait=wait_fixed(0.3), before_sleep=say_once
)


@dataclass(frozen=True, slots=True)
class House:
    """What runs: the API, and this process among the others."""

    application: web.Application
    membership: Membership


@asynccontextmanager
async def assembled(settings: Settings) -> AsyncIterator[House]:
    """The application with all that runs beside it, from start to stop."""
    redis = connect(settings.redis_url, settings.redis_timeout_ms)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(redis.aclose)
        app = stasis_name(settings.process_name)
        keyring, calls = Keyring(redis), RedisCalls(redis, settings.max_live_calls, app)
        cache = Cache(redis)
        number_documents = Documents(redis, "numbers", "num", unique="number", cache=cache)
        trunk_documents = Documents(redis, "trunks", "trunk", unique="name", sole="default", cache=cache)
        webhook_documents = Documents(redis, "webhooks", "wh", cache=cache)
        numbers, trunks = RedisNumbers(number_documents), RedisTrunks(trunk_documents)
        flows = RedisFlows(Documents(redis, "flows", "ivr"))
        secret, account_secret = await first_start(settings, keyring, numbers, trunks)

        nodes = {each.name: node_of(each, app, settings) for each in settings.nodes}
        switch = AsteriskSwitch(nodes, lambda event: reactor.submit(event), lambda node: reconciler.compare(node))
        membership = Membership(
            RedisMembers(redis),
            app,
            settings.process_name,
            settings.lease_ms,
            switch,
            lambda dead: take_over.adopted(dead),
        )
        presenter = Presenter(settings.base_url, secret, settings.recording_url_hours)
        admission = Admission(redis, cache)
        carriers = carriers_of(settings, redis, cache, app, nodes, membership, switch)
        links = PromptLinks(settings.nodes_url, secret, settings.prompts_dir)
        plan = plan_of(redis, nodes, membership, switch, links)
        voices = await stack.enter_async_context(speech(settings, redis, cache, nodes))
        gate = Gate(carriers.health, RedisMeter(redis))
        reactor = Reactor(calls, switch, presenter, membership, gate)
        storage = Folder(settings.recordings_dir)
        reception = Reception(reactor, numbers, trunks, switch, secret, settings.inbound_max_duration)
        reconciler = Reconciler(reactor, reception, calls, switch, membership.adopted)
        watch = Watch(reconciler, membership, switch, settings.node_lost_seconds)
        lanes = RedisLanes(redis, lease_ms(settings.webhook_timeout_seconds), app, member=True)
        take_over = TakeOver(lambda process: lanes.release(process, now_ms()), watch)
        tasks: list[asyncio.Task[None]] = []
        stack.push_async_callback(stop, tasks)
        stack.push_async_callback(membership.leave)
        await patient(membership.join)
        documents = webhook_documents.all
        post = await stack.enter_async_context(
            webhooks(
                settings,
                RedisOutbox(redis),
                lanes,
                RedisDeliveries(redis),
                documents,
                account_secret,
                membership.check,
            )
        )
        stack.push_async_callback(settle, switch, reactor)

        async def connected(node: str) -> None:
            await carriers.sync.connected(node)
            await plan.connected(node)
            await reconciler.compare(node)

        listener = Listener(
            reactor.submit,
            reception.offered,
            reception.untaken,
            connected,
            reception.call_id,
            membership.owns,
            lambda: membership.claims,
            voices.listening.begin,
            voices.listening.end,
        )
        fresh = Documents(redis, "numbers", "num", unique="number")
        registry = NumberRegistry(
            number_documents,
            fresh,
            trunk_documents,
            RouteCheck(RedisNumbers(fresh), trunks, flows, carriers.loops),
            plan,
        )
        menus = menus_of(
            redis, cache, voices.speaker, registry, carriers.loops, post.fetch, post.check_url, plan, links.file
        )
        keeper = RecordingKeeper(calls, switch, storage, reactor)
        work: list[Callable[[], Coroutine[Any, Any, None]]] = [
            cache.run,
            keeper.run,
            watch.run,
            take_over.run,
            *carriers.jobs,
            plan.run,
            *menus.jobs,
            *retention(settings, redis, storage),
            *(partial(node.run, listener) for node in nodes.values()),
        ]
        tasks += [asyncio.create_task(kept(job)) for job in work]
        membership.start()

        probe = Probe(redis)

        async def readiness() -> dict[str, bool]:
            writes = membership.valid and await probe.alive()
            return {"redis": writes, "asterisk": any(node.healthy for node in nodes.values())}

        application = build(
            Services(
                settings=settings,
                admission=admission,
                answers=Answers(redis, settings.idempotency_hours),
                calls=calls,
                reactor=reactor,
                originator=Originator(reactor, switch, numbers, trunks, flows, app, gate, carriers.loops),
                numbers=registry,
                trunks=TrunkRegistry(
                    trunk_documents,
                    registry,
                    calls,
                    carriers.health,
                    TrunkPlan(objects=carriers.sync, plan=plan),
                    carriers.loops,
                ),
                flows=menus.flows,
                engines=voices.engines,
                trunk_check=carriers.check.run,
                webhooks=WebhookRegistry(webhook_documents, post.courier),
                presenter=presenter,
                find_recording=storage.find,
                find_prompt=links.signed,
                check_url=post.check_url,
                readiness=readiness,
            )
        )
        yield House(application, membership)


def retention(settings: Settings, redis: Client, storage: Folder) -> list[Callable[[], Coroutine[Any, Any, None]]]:
    """The job that forgets old calls, where they are not kept for ever."""
    days = settings.retention_days
    return [Retention(RedisOldCalls(redis), storage, days).run] if days else []


def node_of(node: NodeSettings, app: str, settings: Settings) -> Node:
    """A node with its lines."""
    wait = settings.ari_timeout_ms
    ari = Ari(node.ari_url, node.ari_user, node.ari_password.get_secret_value(), wait)
    ami = Ami(node.ami_addr, node.ami_user, node.ami_password.get_secret_value(), wait)
    return Node(node.name, app, ari, ami, settings.pulse_ms)


async def first_start(
    settings: Settings, keyring: Keyring, numbers: RedisNumbers, trunks: RedisTrunks
) -> tuple[bytes, bytes]:
    """What must be in the store before the first request; waits for the store. Returns the install's secret and the
    account's webhook secret."""
    seeds = Seeds(
        live_key=settings.live_key.get_secret_value(),
        test_key=settings.test_key.get_secret_value(),
        numbers=tuple(n.strip() for n in settings.seed_numbers.split(",") if n.strip()),
        sandbox=settings.sandbox,
    )
    secret: bytes = await patient(keyring.secret, "install")
    account: bytes = await patient(keyring.secret, "webhooks", settings.webhook_secret.get_secret_value())
    await patient(plant, seeds, keyring, numbers.documents, trunks.documents)
    return secret, account


async def kept(job: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a job that should never end, again where it does."""
    while True:
        try:
            await job()
        except Exception:
            logger.exception("a background job failed and is started again")
        await asyncio.sleep(1)


async def settle(switch: AsteriskSwitch, reactor: Reactor) -> None:
    """Until callers that were claimed are taken, what came in is stored, and its commands are done."""
    try:
        async with asyncio.timeout(5):
            await switch.settled()
            await reactor.drained()
    except TimeoutError:
        logger.warning("stopped with events that were not stored; the next comparison finds them")


async def stop(tasks: list[asyncio.Task[None]]) -> None:
    """Ends what runs beside the API."""
    pending = set(tasks)
    while pending:  # on Python 3.11 a library's wait can swallow a cancellation
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)
