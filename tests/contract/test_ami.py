"""The line to a node's AMI, with a far end that a test holds: what is lost costs what was in flight, and no more."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from service.asterisk.ami import Ami
from service.errors import AsteriskUnavailable

TIMEOUT = 0.4


class Asterisk:
    """An AMI that answers `Good` at once, `Slow` after half of the time-out, and `Lost` never."""

    def __init__(self):
        self.open, self.logins, self.received, self.lines = 0, 0, [], []

    async def serve(self, reader, writer):
        self.open += 1
        self.lines.append(writer)
        writer.write(b"Asterisk Call Manager/9.0\r\n")
        loop = asyncio.get_running_loop()
        while raw := await self._action(reader):
            fields = dict(line.split(": ", 1) for line in raw)
            name = fields["Action"]
            self.received.append(name)
            self.logins += name == "Login"
            if name != "Lost":
                answer = f"Response: Success\r\nActionID: {fields['ActionID']}\r\nMessage: ok\r\n\r\n".encode()
                loop.call_later(TIMEOUT / 2 if name == "Slow" else 0, writer.write, answer)
        self.open -= 1
        writer.close()

    async def _action(self, reader):
        lines = []
        while line := (await reader.readline()).decode():
            if line == "\r\n":
                return lines
            lines.append(line.strip())
        return []


@pytest.fixture
def asterisk():
    return Asterisk()


@asynccontextmanager
async def connected(asterisk):
    server = await asyncio.start_server(asterisk.serve, "127.0.0.1", 0)
    ami = Ami(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", "orbit", "secret", int(TIMEOUT * 1000))
    ami.start()
    yield ami
    ami.close()
    server.close()


async def outcome(action):
    try:
        await action
    except AsteriskUnavailable:
        return "unavailable"
    return "ok"


async def test_a_lost_answer_does_not_cost_those_that_come_later(asterisk):
    async with connected(asterisk) as ami:

        async def later(seconds):
            await asyncio.sleep(seconds)
            return await outcome(ami.action("Slow"))

        assert await outcome(ami.action("Good")) == "ok"
        lost = asyncio.create_task(outcome(ami.action("Lost")))
        slow = await asyncio.gather(*(later(n * 0.05) for n in range(40)))  # 2 s of traffic
        assert await lost == "unavailable"
    assert asterisk.logins == 2
    assert slow.count("unavailable") <= 5, slow  # those that were in flight


async def test_what_is_in_flight_fails_at_once_where_the_line_is_given_up(asterisk):
    async with connected(asterisk) as ami:
        await ami.action("Good")
        lost = asyncio.create_task(outcome(ami.action("Lost")))
        await asyncio.sleep(TIMEOUT * 0.75)
        begun = time.monotonic()
        assert await outcome(ami.action("Lost")) == "unavailable"
        assert time.monotonic() - begun < TIMEOUT * 0.75
        assert await lost == "unavailable"
        assert await outcome(ami.action("Good")) == "ok"


async def test_what_is_in_flight_fails_at_once_where_the_node_hangs_up_and_is_not_sent_again(asterisk, until):
    async with connected(asterisk) as ami:
        await ami.action("Good")
        begun = time.monotonic()
        lost = asyncio.create_task(outcome(ami.action("Lost")))
        await until(lambda: "Lost" in asterisk.received)
        asterisk.lines[0].close()
        assert await lost == "unavailable"
        assert time.monotonic() - begun < TIMEOUT / 2
        await until(lambda: asterisk.logins == 2)  # by itself
        assert await outcome(ami.action("Good")) == "ok"
        assert asterisk.received.count("Lost") == 1


async def test_one_that_is_closed_while_it_connects_stays_closed(asterisk, until):
    async with connected(asterisk) as ami:
        ami.close()
        ami.start()
        assert await outcome(ami.action("Good")) == "ok"
        await until(lambda: asterisk.open == 1)
        ami.close()
        assert await outcome(ami.action("Good")) == "unavailable"
