"""Names are looked up once at a time, and answers are kept for a while."""

import asyncio
import socket
import threading

import pytest

from service.webhooks import names as module
from service.webhooks.names import Names


class Directory:
    """Counts what it is asked; answers once `open` is set."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = threading.Event()
        self.open.set()

    def __call__(self, host: str) -> list[tuple[int, str]]:
        self.asked.append(host)
        self.open.wait(10)
        if host.startswith("no"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")]


async def test_many_who_ask_at_once_share_one_look_up_and_its_answer_is_kept():
    directory = Directory()
    names = Names(directory)
    await asyncio.gather(*(names.addresses("a.example") for _ in range(20)))
    await names.addresses("a.example")
    assert directory.asked == ["a.example"]


async def test_that_there_is_no_such_name_is_kept_too():
    directory = Directory()
    names = Names(directory)
    for _ in range(3):
        with pytest.raises(OSError, match="no such name"):
            await names.addresses("no.example")
    assert directory.asked == ["no.example"]


async def test_an_answer_is_asked_for_again_when_it_is_old(monkeypatch):
    monkeypatch.setattr(module, "KEPT_SECONDS", -1)
    directory = Directory()
    names = Names(directory)
    await names.addresses("a.example")
    await names.addresses("a.example")
    assert len(directory.asked) == 2


async def test_who_gives_up_does_not_take_the_answer_from_the_others():
    directory = Directory()
    directory.open.clear()
    names = Names(directory)
    patient = asyncio.create_task(names.addresses("a.example"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await names.addresses("a.example")
    directory.open.set()
    assert len(await patient) == 2


async def test_the_connector_is_given_numeric_addresses_of_the_family_it_asked_for():
    names = Names(Directory())
    both = await names.resolve("a.example", 443)
    assert [(r["host"], r["port"], r["hostname"]) for r in both] == [
        ("192.0.2.1", 443, "a.example"),
        ("2001:db8::1", 443, "a.example"),
    ]
    assert [r["host"] for r in await names.resolve("a.example", 443, socket.AF_INET)] == ["192.0.2.1"]


async def test_few_names_are_kept(monkeypatch):
    monkeypatch.setattr(module, "KEPT_NAMES", 3)
    directory = Directory()
    names = Names(directory)
    for i in range(10):
        await names.addresses(f"host{i}.example")
    assert len(names._known) <= 3
