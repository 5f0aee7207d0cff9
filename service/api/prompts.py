"""Prompts, as nodes fetch them: outside of the API, under a signature instead of a key."""

from aiohttp import web

from service.api.services import SERVICES


async def prompt(request: web.Request) -> web.StreamResponse:
    find = request.app[SERVICES].find_prompt
    path = find(request.match_info["name"], request.match_info["signature"])
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Content-Type": "audio/wav"})


def add_prompts(application: web.Application) -> None:
    """Adds the route."""
    application.router.add_get("/prompts/{signature}/{name}.wav", prompt)
