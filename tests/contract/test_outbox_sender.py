"""One request to a real receiver: what it sees, and what its answer means."""

import asyncio
import gzip
import hashlib
import hmac
import socket
import time

import pytest
from aiohttp import web

from service.control.ports import OutboxEntry
from service.webhooks import sender as module
from service.webhooks.guard import Guard
from service.webhooks.names import Names
from service.webhooks.sender import Sender

BODY = '{"id": "evt_1",  "text": "Zoë \\u0000"}'.encode()
EVENT = OutboxEntry("evt_1", "call.ringing", "call_1", "", BODY)
SECRET = b"whsec_of_the_test"


@pytest.fixture
async def sender():
    guard = Guard(allow_private=True)
    async with Sender(guard, 5) as made:
        yield made
    await guard.close()


@pytest.fixture
async def receiver(receivers):
    return await receivers()


async def test_the_receiver_gets_the_exact_body_and_can_verify_it(sender, receiver):
    answer = await sender.send(receiver.url + "?key=a%2Fb", SECRET, "dlv_1", EVENT)
    assert (answer.status, answer.error, answer.body) == (200, "", "said 200")
    [(request, body)] = receiver.requests
    assert (request.method, request.raw_path, body) == ("POST", "/hooks?key=a%2Fb", BODY)
    assert request.headers["User-Agent"] == "Devotel-Webhooks/1.0"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Devotel-Event-Id"] == "evt_1"
    assert request.headers["X-Devotel-Event-Type"] == "call.ringing"
    assert request.headers["X-Devotel-Delivery-Id"] == "dlv_1"
    stamp, signature = (part.split("=", 1)[1] for part in request.headers["X-Devotel-Signature"].split(","))
    assert signature == hmac.new(SECRET, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert abs(int(stamp) - time.time()) < 5


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_delivered(sender, receiver, status):
    receiver.reply = receiver.say(status)
    answer = await sender.send(receiver.url, SECRET, "dlv_1", EVENT)
    assert (answer.status, answer.error) == (status, "")


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
async def test_another_status_is_a_failure(sender, receiver, status):
    receiver.reply = receiver.say(status)
    answer = await sender.send(receiver.url, SECRET, "dlv_1", EVENT)
    assert (answer.status, answer.error) == (status, f"HTTP {status}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_not_followed(sender, receiver, status):
    async def reply(request):
        return web.Response(status=status, headers={"Location": receiver.url})

    receiver.reply = reply
    answer = await sender.send(receiver.url, SECRET, "dlv_1", EVENT)
    assert answer.error == f"HTTP {status}, redirects are not followed"
    assert len(receiver.requests) == 1


async def test_a_receiver_that_does_not_answer_in_time(receiver):
    async def reply(request):
        await asyncio.sleep(30)

    receiver.reply = reply
    async with Sender(Guard(allow_private=True), 0.1) as impatient:
        answer = await impatient.send(receiver.url, SECRET, "dlv_1", EVENT)
    assert (answer.status, answer.error) == (None, "timeout")
    assert 90 <= answer.duration_ms < 2000


async def test_a_body_that_trickles_does_not_undo_its_status(sender, receiver, monkeypatch):
    monkeypatch.setattr(module, "BODY_SECONDS", 0.1)

    async def reply(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"so ")
        await asyncio.sleep(30)

    receiver.reply = reply
    answer = await sender.send(receiver.url, SECRET, "dlv_1", EVENT)
    assert (answer.status, answer.error, answer.body) == (200, "", "so ")


async def test_a_large_or_strange_body_is_cut_and_made_printable(sender, receiver):
    async def reply(request):
        return web.Response(body=b"\x1b[31m\x00\xff ok\n" + b"x" * 1_000_000)

    receiver.reply = reply
    answer = await sender.send(receiver.url, SECRET, "dlv_1", EVENT)
    assert answer.body.startswith("�[31m�� ok\nxxx")
    assert len(answer.body) <= 1024


async def test_a_compressed_body_is_not_unpacked(sender, receiver):
    async def reply(request):
        bomb = gzip.compress(b"\0" * 10_000_000)
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    receiver.reply = reply
    answer = await sender.send(receiver.url, SECRET, "dlv_1", EVENT)
    assert (answer.error, len(answer.body) <= 1024) == ("", True)


async def test_cookies_are_not_kept(sender, receiver):
    async def reply(request):
        return web.Response(headers={"Set-Cookie": "a=b"})

    receiver.reply = reply
    for _ in range(2):
        await sender.send(receiver.url, SECRET, "dlv_1", EVENT)
    assert [request.headers.get("Cookie") for request, _ in receiver.requests] == [None, None]


async def test_a_proxy_of_the_environment_is_not_used(sender, receiver, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert (await sender.send(receiver.url, SECRET, "dlv_1", EVENT)).error == ""


async def test_failures_are_named_and_never_raised(sender, receivers):
    async def garbage(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"this is not HTTP\r\n\r\n")
        writer.close()

    async def silence(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert (await sender.send(f"http://127.0.0.1:{closed.getsockname()[1]}/", SECRET, "d", EVENT)).error == (
            "connection failed"
        )
    for answer, error in ((garbage, "invalid answer"), (silence, "connection lost")):
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            assert (await sender.send(f"http://127.0.0.1:{port}/", SECRET, "d", EVENT)).error == error
    plain = await receivers()
    secure = plain.url.replace("http:", "https:")
    assert (await sender.send(secure, SECRET, "d", EVENT)).error == "TLS failed"
    assert (await sender.send("http://user:pw@example.com/", SECRET, "d", EVENT)).error == "invalid URL"
    assert (await sender.send("http://[::1", SECRET, "d", EVENT)).error == "invalid URL"


async def test_a_name_that_has_come_to_lead_inward_is_refused_at_connect(receiver):
    port = receiver.url.split(":")[2].split("/")[0]
    names = Names(lambda host: [(socket.AF_INET, "127.0.0.1")])
    async with Sender(Guard(allow_private=False, names=names), 5) as sender:
        for url in (f"http://innocent.example:{port}/", receiver.url, f"http://[::ffff:127.0.0.1]:{port}/"):
            assert (await sender.send(url, SECRET, "dlv_1", EVENT)).error == "address not allowed"
    assert receiver.requests == []
    async with Sender(Guard(allow_private=True, names=names), 5) as sender:
        assert (await sender.send(f"http://innocent.example:{port}/", SECRET, "dlv_1", EVENT)).error == ""


async def test_a_name_that_does_not_resolve(receiver):
    def nowhere(host):
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    async with Sender(Guard(allow_private=True, names=Names(nowhere)), 5) as sender:
        assert (await sender.send("http://gone.example/", SECRET, "dlv_1", EVENT)).error == "name not resolved"
