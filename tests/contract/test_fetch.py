"""Audio is fetched by https from where webhooks may go, whatever the other side answers."""

import asyncio
import ssl

import pytest
from aiohttp import web

from service.webhooks import fetch as module
from service.webhooks.fetch import REDIRECTS, Fetcher, NotFetched, NotFetchedNow
from service.webhooks.guard import Guard
from tests.stories.farends.certificates import Authority


class Site:
    """Answers by https on loopback; `pages` by path, `asked` in order."""

    def __init__(self, authority):
        self.authority, self.pages, self.asked, self.url = authority, {}, [], ""

    async def answer(self, request):
        self.asked.append(request.path)
        found = self.pages[request.path]
        return await found(request) if callable(found) else found

    async def start(self, certificate):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.cert, certificate.key)
        self.runner = web.ServerRunner(web.Server(self.answer), shutdown_timeout=0.01)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0, ssl_context=context).start()
        self.url = f"https://127.0.0.1:{self.runner.addresses[0][1]}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def site(authority):
    made = Site(authority)
    await made.start(authority.good())
    yield made
    await made.runner.cleanup()


@pytest.fixture
async def fetch(authority):
    guard = Guard(allow_private=True)
    async with Fetcher(guard, authority.ca) as fetcher:
        yield fetcher.fetch
    await guard.close()


def to(url, status=302):
    return web.Response(status=status, headers={"Location": url})


async def why(fetch, url, kind=NotFetched):
    with pytest.raises(kind) as caught:
        await fetch(url)
    assert type(caught.value) is kind
    return str(caught.value)


async def test_audio_comes_as_it_is(site, fetch):
    site.pages["/a%20b.wav"] = site.pages["/a b.wav"] = web.Response(body=b"RIFF\x00\xff" * 1000)
    assert await fetch(f"{site.url}/a%20b.wav") == b"RIFF\x00\xff" * 1000


async def test_redirects_are_followed_a_few_times(site, fetch):
    site.pages |= {f"/{n}": to(f"/{n + 1}") for n in range(REDIRECTS)}
    site.pages[f"/{REDIRECTS}"] = web.Response(body=b"RIFF")
    assert await fetch(f"{site.url}/0") == b"RIFF"


async def test_one_redirect_too_many(site, fetch):
    site.pages |= {f"/{n}": to(f"/{n + 1}") for n in range(REDIRECTS + 1)}
    assert "redirects" in await why(fetch, f"{site.url}/0")
    assert len(site.asked) == REDIRECTS + 1


async def test_a_redirect_leads_nowhere_that_the_url_may_not(site, authority):
    """Who may not reach private addresses reaches none by way of another site either."""
    guard = Guard(allow_private=False)
    async with Fetcher(guard, authority.ca) as fetcher:
        assert await why(fetcher.fetch, f"{site.url}/x") == "greeting_url: address not allowed."
    await guard.close()
    assert site.asked == []


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("http://127.0.0.1/x", "https"),
        ("file:///etc/passwd", "http"),
        ("https://169.254.169.254/latest/meta-data", "address not allowed"),
        ("https://[fe80::1]/x", "address not allowed"),
        ("https://user:secret@127.0.0.1/x", "user or a password"),
        ("https://0x7f000001/x", "four decimal"),
    ],
)
async def test_a_redirect_to_a_bad_place(site, fetch, place, reason):
    site.pages["/x"] = to(place)
    said = await why(fetch, f"{site.url}/x")
    assert reason in said
    assert "secret" not in said
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFetched), (403, NotFetched), (204, NotFetched), (503, NotFetchedNow)]
)
async def test_another_answer_than_audio(site, fetch, status, kind):
    site.pages["/x"] = web.Response(status=status)
    assert f"HTTP {status}" in await why(fetch, f"{site.url}/x", kind)


async def test_no_more_is_read_than_may_be_kept(site, fetch, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 1_000_000)
    site.pages["/x"] = web.Response(body=b"x" * 1_000_001)
    assert "more than 1 MB" in await why(fetch, f"{site.url}/x")


async def test_a_body_that_trickles(site, fetch, monkeypatch):
    async def slow(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "SECONDS", 0.3)
    site.pages["/x"] = slow
    assert "timeout" in await why(fetch, f"{site.url}/x", NotFetchedNow)


async def test_a_site_that_is_away(site, fetch):
    await site.runner.cleanup()
    assert "connection failed" in await why(fetch, f"{site.url}/x", NotFetchedNow)


async def test_a_certificate_that_nobody_knows(authority, fetch):
    site = Site(authority)
    await site.start(authority.unknown())
    assert "TLS failed" in await why(fetch, f"{site.url}/x")
    await site.runner.cleanup()
