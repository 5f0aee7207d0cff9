"""The composition root: what exists, in the order it is made, each start beside its stop. Nobody imports this."""

import asyncio
import resource
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from tenacity import AsyncRetrying, retry_if_exception_type, wait_fixed

from service import log
from service.api.server import build
from service.api.services import Services
from service.asterisk.ami import Ami
from service.asterisk.ari import Ari
from service.asterisk.node import Listener, Node
from service.asterisk.switch import AsteriskSwitch
from service.control.inbound import Reception
from service.control.numbers import NumberRegistry
from service.control.originate import Originator
from service.control.present import Presenter
from service.control.reactor import Reactor
from service.control.reconcile import Reconciler
from service.control.recordings import RecordingKeeper
from service.control.seed import Seeds, plant
from service.control.webhooks import WebhookRegistry
from service.errors import StoreUnavailable
from service.settings import Settings
from service.storage.folder import Folder
from service.store.admission import Admission
from service.store.answers import Answers
from service.store.books import RedisNumbers, RedisTrunks
from service.store.calls import RedisCalls
from service.store.connection import connect
from service.store.deliveries import RedisDeliveries
from service.store.documents import Documents
from service.store.keyring import Keyring
from service.store.lanes import RedisLanes
from service.store.outbox import RedisOutbox
from service.store.probe import Probe
from service.webhooks.start import lease_ms, webhooks

logger = structlog.get_logger()

COMPARE_SECONDS = 15  # pause between comparisons with a node whose stream is alive


@asynccontextmanager
async def assembled(settings: Settings) -> AsyncIterator[web.Application]:
    """The application with all that runs beside it, from start to stop."""
    redis = connect(settings.redis_url, settings.redis_timeout_ms)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(redis.aclose)
        keyring, calls = Keyring(redis), RedisCalls(redis, settings.max_live_calls)
        number_documents = Documents(redis, "numbers", "num", unique="number")
        trunk_documents = Documents(redis, "trunks", "trunk", unique="name")
        webhook_documents = Documents(redis, "webhooks", "wh")
        numbers, trunks = RedisNumbers(number_documents), RedisTrunks(trunk_documents)
        secret, account_secret = await first_start(settings, keyring, numbers, trunks)

        app = f"orbit-{settings.process}"
        ari = Ari(
            settings.ari_url, settings.ari_user, settings.ari_password.get_secret_value(), settings.ari_timeout_ms
        )
        ami = Ami(
            settings.ami_addr, settings.ami_user, settings.ami_password.get_secret_value(), settings.ari_timeout_ms
        )
        nodes = {settings.node: Node(settings.node, app, ari, ami, settings.pulse_ms)}
        switch = AsteriskSwitch(nodes, lambda event: reactor.submit(event), lambda node: reconciler.compare(node))
        presenter = Presenter(settings.base_url, secret, settings.recording_url_hours)
        reactor = Reactor(calls, switch, presenter)
        storage = Folder(settings.recordings_dir)
        reception = Reception(reactor, numbers, trunks, switch, secret, settings.inbound_max_duration)
        reconciler = Reconciler(reactor, reception, calls, switch)
        lanes = RedisLanes(redis, lease_ms(settings.webhook_timeout_seconds))
        post = await stack.enter_async_context(
            webhooks(settings, RedisOutbox(redis), lanes, RedisDeliveries(redis), webhook_documents.all, account_secret)
        )
        listener = Listener(reactor.submit, reception.offered, reconciler.compare, reception.call_id)
        keeper = RecordingKeeper(calls, switch, storage, reactor)
        work: list[Callable[[], Coroutine[Any, Any, None]]] = [
            keeper.run,
            *(partial(node.run, listener) for node in nodes.values()),
            *(partial(compare_often, reconciler, node) for node in nodes.values()),
        ]
        tasks = [asyncio.create_task(kept(job)) for job in work]
        stack.push_async_callback(stop, tasks, reactor)

        probe = Probe(redis)

        async def readiness() -> dict[str, bool]:
            return {"redis": await probe.alive(), "asterisk": any(node.healthy for node in nodes.values())}

        yield build(
            Services(
                settings=settings,
                admission=Admission(redis),
                answers=Answers(redis, settings.idempotency_hours),
                calls=calls,
                reactor=reactor,
                originator=Originator(reactor, switch, numbers, trunks, app),
                numbers=NumberRegistry(number_documents, trunk_documents),
                webhooks=WebhookRegistry(webhook_documents, post.courier),
                presenter=presenter,
                find_recording=storage.find,
                check_url=post.check_url,
                readiness=readiness,
            )
        )


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
    patient = AsyncRetrying(retry=retry_if_exception_type(StoreUnavailable), wait=wait_fixed(0.3))
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


async def compare_often(reconciler: Reconciler, node: Node) -> None:
    """The safety net under the event stream."""
    while True:
        await asyncio.sleep(COMPARE_SECONDS)
        if node.healthy:
            await reconciler.compare(node.name, settled_ms=2_000)


async def stop(tasks: list[asyncio.Task[None]], reactor: Reactor) -> None:
    """Ends what runs beside the API, after what it had taken in is stored and its commands are done."""
    try:
        async with asyncio.timeout(5):
            await reactor.drained()
    except TimeoutError:
        logger.warning("stopped with events that were not stored; the next comparison finds them")
    pending = set(tasks)
    while pending:  # on Python 3.11 a library's wait can swallow a cancellation
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)


async def serve(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT: then takes no more, ends what it has begun, and returns. A second signal ends at
    once."""
    log.configure(settings.log_level)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # sockets of users, nodes and webhooks
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if asked.is_set():
            raise SystemExit(1)
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    starting = asyncio.create_task(run(settings, asked))
    waiting = asyncio.create_task(asked.wait())
    done, _ = await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if starting not in done and not asked.is_set():
        await asked.wait()
    waiting.cancel()
    await starting


async def run(settings: Settings, asked: asyncio.Event) -> None:
    """The application on its port until `asked`."""
    async with assembled(settings) as application:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=5)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.api_host, settings.api_port).start()
            logger.info("listening", url=settings.base_url, process=settings.process)
            await asked.wait()
            logger.info("stopping")
        finally:
            await runner.cleanup()
