"""What is not the API itself: health, metrics, the API's description and its readable page."""

import os
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service.api.openapi import document
from service.api.services import SERVICES
from service.api.table import ROUTES

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Orbit Voice API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css?VERSION"><style>body{margin:0}</style></head>
<body><div id="page"></div><script src="/docs/assets/swagger-ui-bundle.js?VERSION"></script>
<script>SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null})</script>
</body></html>
""".replace("VERSION", version("swagger-ui-py"))  # a browser keeps no asset of another version


def assets() -> Path:
    """The folder of Swagger UI, as its package brings it."""
    return Path(str(files("swagger_ui"))) / "static"


async def healthz(request: web.Request) -> web.Response:
    """The process is alive."""
    del request
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """Calls can be taken: every part answers."""
    parts = await request.app[SERVICES].readiness()
    ready = all(parts.values())
    return web.json_response({"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503)


async def metrics(request: web.Request) -> web.Response:
    """Those of every process of the fleet, where this one belongs to a fleet."""
    del request
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def openapi(request: web.Request) -> web.Response:
    del request
    return web.Response(body=orjson.dumps(document(ROUTES)), content_type="application/json")


async def docs(request: web.Request) -> web.Response:
    del request
    return web.Response(text=PAGE, content_type="text/html")


def add_system(application: web.Application) -> None:
    """Adds these routes."""
    for path, handler in {
        "/healthz": healthz,
        "/readyz": readyz,
        "/metrics": metrics,
        "/openapi.json": openapi,
        "/docs": docs,
    }.items():
        application.router.add_get(path, handler)
    application.router.add_static("/docs/assets", assets())
