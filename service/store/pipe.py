"""Commands that many coroutines give in the same moment travel together: one write, one read, one connection.

The Redis client takes a connection, checks it and gives it back for every command; that costs more than the command.
`bench/redis_pipe.py` measures both.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as NoAnswer

from service.store.replication import Replication

UNDER_WAY = 4  # pipelines of one lane that wait for their answers at once; what comes meanwhile makes up the next one
LONGEST = 512  # commands of one pipeline

_OF_ONE_KEY = (
    *("DEL", "EXISTS", "EXPIRE", "PERSIST", "PEXPIRE", "PTTL", "GET"),
    *("HDEL", "HGET", "HGETALL", "HMGET", "HSET", "HSETNX", "HVALS"),
    *("LRANGE", "SADD", "SCARD", "SMEMBERS", "SREM", "XADD", "XLEN", "XRANGE"),
    *("ZADD", "ZCARD", "ZLEXCOUNT", "ZRANGE", "ZRANGEBYLEX", "ZRANGEBYSCORE", "ZREM", "ZREVRANGEBYLEX", "ZSCORE"),
)
KEY_AT = {"EVALSHA": 3, "EVAL": 3, **dict.fromkeys(_OF_ONE_KEY, 1)}
"""Command → where its key stands. These answer at once and are of one key's slot; others go the client's own way."""

Connection = Any  # of redis-py


class Line(Protocol):
    """Lends connections to one server."""

    async def lend(self) -> Connection: ...

    def take_back(self, connection: Connection) -> None: ...


@dataclass(slots=True)
class Asked:
    """A command and who waits for its answer. `until` by the loop's clock."""

    args: Sequence[Any]
    answer: asyncio.Future[Any]
    until: float


class Lane:
    """Pipelines to one server. With a `replication`, each ends with a wait for a replica, and answers come after it.

    A caller that is cancelled harms nobody; its command may be carried out. A connection that breaks, or an answer
    that is not there in `seconds`, fails all that were under way on it: they may have been carried out or not.
    """

    def __init__(self, line: Line, seconds: float, replication: Replication | None = None) -> None:
        self._line, self._seconds, self._replication = line, seconds, replication
        self._waiting: list[Asked] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._scheduled = False

    async def ask(self, args: Sequence[Any]) -> Any:
        """The server's answer. Raises what the server says, `ConnectionLost` or `NoAnswer`."""
        loop = asyncio.get_running_loop()
        asked = Asked(args, loop.create_future(), loop.time() + self._seconds)
        self._waiting.append(asked)
        if not self._scheduled and len(self._under_way) < UNDER_WAY:
            self._scheduled = True
            loop.call_soon(self._start)
        return await asked.answer

    def _start(self) -> None:
        self._scheduled = False
        now = asyncio.get_running_loop().time()
        _fail((asked for asked in self._waiting if asked.until <= now), lambda: NoAnswer("no answer in time"))
        waiting = [asked for asked in self._waiting if not asked.answer.done()]
        batch, self._waiting = waiting[:LONGEST], waiting[LONGEST:]
        if batch:
            task = asyncio.get_running_loop().create_task(self._run(batch))
            self._under_way.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if self._waiting and not self._scheduled:
            self._start()

    async def _run(self, batch: list[Asked]) -> None:
        try:
            async with asyncio.timeout_at(batch[-1].until):
                connection = await self._line.lend()
                try:
                    await self._exchange(connection, batch)
                except BaseException:
                    if self._replication:
                        self._replication.forget()
                    await connection.disconnect(nowait=True)
                    raise
                finally:
                    self._line.take_back(connection)
        except TimeoutError:
            _fail(batch, lambda: NoAnswer("no answer in time"))
        except asyncio.CancelledError:
            _fail(batch, lambda: ConnectionLost("the client was closed"))
            raise
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            _fail(batch, lambda: ConnectionLost(why))

    async def _exchange(self, connection: Connection, batch: list[Asked]) -> None:
        last = await self._replication.command(connection) if self._replication else None
        commands = [asked.args for asked in batch] + ([last] if last else [])
        await connection.send_packed_command(connection.pack_commands(commands))
        if self._replication is None:
            for asked in batch:
                _settle(asked, await _read(connection))
            return
        answers = [await _read(connection) for _ in batch]
        self._replication.confirmed(await _read(connection) if last else None, len(batch))
        for asked, answer in zip(batch, answers, strict=True):
            _settle(asked, answer)


async def _read(connection: Connection) -> Any:
    """An answer; one that is an error is returned."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


def _settle(asked: Asked, answer: Any) -> None:
    if asked.answer.done():
        return
    if isinstance(answer, Exception):
        asked.answer.set_exception(answer)
    else:
        asked.answer.set_result(answer)


def _fail(batch: Iterable[Asked], error: Callable[[], Exception]) -> None:
    for asked in batch:
        _settle(asked, error())


async def ready(connection: Connection) -> None:
    """Opens a connection that is not open, or was closed by the server while it lay idle."""
    if connection.should_reconnect():
        await connection.disconnect()
    try:
        usable = connection.is_connected and not await connection.can_read()
    except (ConnectionLost, OSError):
        usable = False
    if not usable:
        await connection.disconnect(nowait=True)
        await connection.connect()
    connection.socket_timeout = None  # the lane's own time-out holds


class Piped(Protocol):
    """A client whose commands travel together."""

    def execute_command(self, *args: Any, **options: Any) -> Awaitable[Any]: ...


class Script:
    """A Lua script. Where the server does not know it, after a restart or a failover, it is sent with its text.

    `durable`: the answer comes when one replica has what the script wrote, where the server has replicas.
    """

    def __init__(self, redis: Piped, source: str, *, durable: bool = False) -> None:
        self._redis, self._source = redis, source
        self._sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
        self._options = {"durable": True} if durable else {}

    async def __call__(self, keys: Sequence[str], args: Sequence[Any]) -> Any:
        run = self._redis.execute_command
        try:
            return await run("EVALSHA", self._sha, len(keys), *keys, *args, **self._options)
        except NoScriptError:
            return await run("EVAL", self._source, len(keys), *keys, *args, **self._options)


class Scripting:
    """What both clients, of one server and of a cluster, offer for scripts."""

    def register_script(self: Piped, script: str) -> Script:
        return Script(self, script)

    def durable_script(self: Piped, script: str) -> Script:
        return Script(self, script, durable=True)
