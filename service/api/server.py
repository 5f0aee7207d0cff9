"""The aiohttp application of the API."""

from aiohttp import web

from service.api.endpoint import endpoint
from service.api.middleware import around
from service.api.prompts import add_prompts
from service.api.route import BASES
from service.api.services import SERVICES, Services
from service.api.system import add_system
from service.api.table import ROUTES


def build(services: Services) -> web.Application:
    """Every route at both bases, with and without a slash at its end."""
    application = web.Application(middlewares=[around], client_max_size=services.settings.max_body_bytes)
    application[SERVICES] = services
    for base in BASES:
        for route in ROUTES:
            for slash in ("", "/"):
                resource = application.router.add_resource(f"{base}{route.path}{slash}")
                resource.add_route(route.method, endpoint(route))
                if route.method == "GET":
                    resource.add_route("HEAD", endpoint(route))
    add_prompts(application)
    add_system(application)
    return application
