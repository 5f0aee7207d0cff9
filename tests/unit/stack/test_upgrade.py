"""What an upgrade says of the workers, on stand-ins: this process plays the service, its children the workers."""

import asyncio
import os
import signal

import pytest

from service.stack.errors import StackError
from service.stack.home import Home
from service.stack.upgrade import _replace


class Service:
    """Owns workers that sleep, and does on SIGHUP what it is told."""

    def __init__(self, home):
        self.home, self.children = home, {}
        home.make()
        home.pid_file("service").write_text(f"{os.getpid()}\n")

    async def start(self, name):
        child = await asyncio.create_subprocess_exec("sleep", "60")
        self.children[name] = child
        self.home.worker_file(name).write_text(f"{child.pid}\n")
        return child

    async def end(self, name):
        child = self.children.pop(name)
        child.kill()
        await child.wait()
        self.home.worker_file(name).unlink()

    async def upgraded(self, hang_up):
        """What was said while `hang_up` ran as the answer to SIGHUP."""
        said, before = [], {name: child.pid for name, child in self.children.items()}
        running = []
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, lambda: running.append(loop.create_task(hang_up())))
        try:
            await _replace(self.home, before, said.append)
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            await asyncio.gather(*running)
        return said


@pytest.fixture
async def service(tmp_path):
    one = Service(Home(tmp_path))
    await one.start("p-1")
    await one.start("p-2")
    yield one
    for name in tuple(one.children):
        await one.end(name)


async def test_each_replaced_worker_is_said_with_its_seconds(service):
    async def one_by_one():
        await service.start("p-3")
        await asyncio.sleep(0.1)
        await service.end("p-1")
        await service.start("p-1")
        await asyncio.sleep(0.1)
        await service.end("p-2")

    said = await service.upgraded(one_by_one)
    assert [line.split()[0] for line in said] == ["p-1", "p-2"]
    assert all(line.endswith(" s") for line in said)


async def test_a_successor_that_does_not_come_up_is_an_error(service):
    async def dies():
        await service.start("p-3")
        await asyncio.sleep(0.2)
        await service.end("p-3")

    with pytest.raises(StackError, match=r"did not come up; p-1, p-2 stayed; see .*service.log"):
        await service.upgraded(dies)
