"""Prompts, as nodes fetch them."""

from types import SimpleNamespace

import pytest
from aiohttp import web

from service.api.prompts import add_prompts, prompt
from service.api.services import SERVICES
from service.control.prompt_links import PromptLinks


@pytest.fixture
def links(tmp_path):
    (tmp_path / "0a1b.wav").write_bytes(b"RIFF")
    return PromptLinks("http://orbit", b"secret", tmp_path)


def request(links, signature, name):
    application = {SERVICES: SimpleNamespace(find_prompt=links.signed)}
    return SimpleNamespace(app=application, match_info={"signature": signature, "name": name})


async def test_who_shows_a_link_of_ours_gets_the_sound(links):
    signature = links.of("0a1b").split("/")[-2]
    answer = await prompt(request(links, signature, "0a1b"))
    assert answer._path == links.folder / "0a1b.wav"
    assert answer.headers["Content-Type"] == "audio/wav"


@pytest.mark.parametrize(("signature", "name"), [("f" * 64, "0a1b"), ("", "0a1b"), ("f" * 64, "../0a1b")])
async def test_anybody_else_hears_that_there_is_none(links, signature, name):
    with pytest.raises(web.HTTPNotFound):
        await prompt(request(links, signature, name))


async def test_a_link_is_a_route(links):
    application = web.Application()
    add_prompts(application)
    [get] = [route for route in application.router.routes() if route.method == "GET"]
    path = links.of("0a1b").removeprefix("http://orbit")
    assert get.resource.get_info()["pattern"].fullmatch(path)["name"] == "0a1b"
