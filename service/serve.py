"""One service process, from its start to an end that drops nothing."""

import asyncio
import resource
import signal
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from service import handover, log
from service.api.services import SERVICES
from service.app import assembled
from service.settings import Settings

CLOSED_SECONDS = 3  # longest wait for every part before requests are answered all the same
FAREWELL_SECONDS = 1  # for which a connection may stay without a request, before it is closed
FENCED = 75  # exit status of a process that was taken over: start it again (sysexits.h, EX_TEMPFAIL)

logger = structlog.get_logger()


async def serve(settings: Settings) -> int:
    """Runs until SIGTERM or SIGINT: then takes no more, ends what it has begun, and returns the exit status. A second
    signal ends at once."""
    log.configure(settings.log_level)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # sockets of users, nodes and webhooks
    asked, started = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(run(settings, asked, started))

    def on_signal() -> None:
        if asked.is_set():
            raise SystemExit(1)
        asked.set()
        if not started.is_set():  # it waits for the store
            work.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        return await work
    except asyncio.CancelledError:
        return 0


async def run(settings: Settings, asked: asyncio.Event, started: asyncio.Event) -> int:
    """The application on the socket that was handed over, until `asked`, or until another process has taken over.
    Returns the exit status."""

    async def last_on_its_connection(_: web.Request, response: web.StreamResponse) -> None:
        if asked.is_set() or house.membership.fenced.is_set():
            response.headers["Connection"] = "close"
            response.force_close()

    async with assembled(settings) as house:
        started.set()
        house.application.on_response_prepare.append(last_on_its_connection)
        runner = web.AppRunner(house.application, access_log=None, shutdown_timeout=5)
        await runner.setup()
        opening = asyncio.create_task(opened(runner, settings, house.application[SERVICES].readiness))
        ending = asyncio.create_task(first(asked, house.membership.fenced))
        try:
            await asyncio.wait({opening, ending}, return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                opening.result()
            await ending
            logger.info("stopping")
        finally:
            house.membership.claim_no_more()
            opening.cancel()
            await emptied(runner, 0 if house.membership.fenced.is_set() else FAREWELL_SECONDS)
            await runner.cleanup()
    return FENCED if house.membership.fenced.is_set() else 0


async def first(*events: asyncio.Event) -> None:
    """Returns once one of them is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


async def opened(
    runner: web.AppRunner, settings: Settings, readiness: Callable[[], Awaitable[dict[str, bool]]]
) -> None:
    """Accepts requests once calls can be taken, or a little later where they cannot; tells when they can."""
    until = time.monotonic() + CLOSED_SECONDS
    ready = False
    while not ready:
        ready = all((await readiness()).values())
        if not runner.sites and (ready or time.monotonic() > until):
            await web.SockSite(runner, handover.listener(), backlog=1024).start()
            logger.info("listening", url=settings.base_url, process=settings.process_name)
        await asyncio.sleep(0 if ready else 0.05)
    handover.tell("READY=1")


async def emptied(runner: web.AppRunner, seconds: float) -> None:
    """Accepts no more, and gives clients a moment to learn from an answer that their connection is about to end: one
    that is closed beneath a request loses it."""
    for site in runner.sites:
        await site.stop()
    until = time.monotonic() + seconds
    while runner.server and runner.server.connections:
        if time.monotonic() > until:
            return
        await asyncio.sleep(0.02)
