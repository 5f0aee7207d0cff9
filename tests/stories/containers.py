"""The stack of the stories in containers: Asterisk, the carrier and Redis from the images of compose.yaml, the service
from the checkout.

An idle container holds the network that the others share, so that each can end and start again while addresses and
published ports stay.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from signal import SIGCONT, SIGSTOP, Signals
from typing import Any, Self

from docker.errors import APIError
from testcontainers.core.container import DockerContainer

from service.stack import probes, secrets_file
from service.stack.errors import StackError
from service.stack.home import Home
from service.stack.parts import Part
from service.stack.progress import Progress
from service.stack.settings import StackSettings
from service.stack.supervisor import Supervisor
from service.stack.variables import variables
from service.stack.workers import workers
from tests.stories.client import until

ASTERISK = f"orbit-voice-asterisk:{os.environ.get('ORBIT_TAG', 'latest')}"
REDIS = "redis:8"
PLACE = "/usr/share/orbit"  # of asterisk-config/ in the image
BOOTED = ["asterisk", "-rx", "core waitfullybooted"]
INSIDE = {"redis_port": 6379, "http_port": 8088, "ami_port": 5038, "carrier_http_port": 8098}  # published
# On the shared loopback alone.
SIP = {"sip_udp": 5060, "sip_tls": 5061, "sip_tls_unverified": 5065, "carrier_sip_port": 5070}
OWN = {  # image, command, and what one Asterisk has for itself
    "redis": (REDIS, ["redis-server", "--appendonly", "yes", "--save", "", "--protected-mode", "no"], {}),
    "asterisk": (
        ASTERISK,
        [f"{PLACE}/start", PLACE],
        {"AST_HTTP_PORT": "8088", "AST_AMI_PORT": "5038", "AST_RTP_START": "10000", "AST_RTP_END": "10999"},
    ),
    "carrier": (
        ASTERISK,
        [f"{PLACE}/start", PLACE, f"{PLACE}/carrier"],
        {"AST_HTTP_PORT": "8098", "AST_AMI_PORT": "5048", "AST_RTP_START": "12000", "AST_RTP_END": "12999"},
    ),
}


class ContainerStack:
    """As `service.stack.stack.Stack.apart`, with the same names of parts: redis, asterisk, carrier, service."""

    def __init__(self, home: Path, service: Mapping[str, str] | None = None) -> None:
        self.settings = StackSettings.model_validate({"home": home})
        self.home = Home(home)
        self.env: dict[str, str] = {}
        self._more = dict(service or {})
        self._containers: dict[str, DockerContainer] = {}

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.home.hold()
            stack.callback(self.home.release)
            network = DockerContainer(ASTERISK, entrypoint=["sleep", "infinity"], init=True)
            network.ports = {f"{port}/tcp": ("127.0.0.1",) for port in INSIDE.values()}
            await self._run(stack, network)
            env = self._variables({name: network.get_exposed_port(port) for name, port in INSIDE.items()})
            self.env = self.home.write_env(env)
            inside = {name: value for name, value in env.items() if name.startswith("ORBIT_")}
            inside["ORBIT_ASTERISK_BIND"] = "0.0.0.0"
            for name, (image, command, own) in OWN.items():
                shared = f"container:{network.get_container_id()}"
                container = DockerContainer(image, command=command, env={**inside, **own}, network_mode=shared)
                self._containers[name] = container
                await self._run(stack, container)
            for name in OWN:
                await self._ready(name)
            self._service = Supervisor(
                {"service": self._process(env)}, self.home, self.settings, Progress(None), keep=False
            )
            stack.push_async_callback(self._service.stop, "service")
            await self._service.start("service")
            self._exit = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    async def start(self, name: str) -> None:
        """Starts a part that was stopped or killed, and returns when it is ready."""
        if name == "service":
            await self._service.start(name)
        else:
            await asyncio.to_thread(self._container(name).start)
            await self._ready(name)

    async def stop(self, name: str) -> None:
        """Stops a part in order. It stays down until it is started."""
        if name == "service":
            await self._service.stop(name)
        else:
            await asyncio.to_thread(self._container(name).stop, timeout=int(self.settings.stop_seconds))

    async def kill(self, name: str) -> None:
        """Ends a part with SIGKILL. It stays down until it is started."""
        if name == "service":
            await self._service.stop(name, seconds=0)
        else:
            await asyncio.to_thread(self._container(name).kill)
            await asyncio.to_thread(self._container(name).wait)

    def pause(self, name: str) -> None:
        """Halts a part: it neither answers nor ends."""
        self._signal(name, SIGSTOP)

    def resume(self, name: str) -> None:
        """Lets a halted part go on. Raises where it does not run."""
        self._signal(name, SIGCONT)

    def pid(self, name: str) -> int:
        """The process id of a part, as this machine counts."""
        if name == "service":
            return self._service.pid(name)
        self._container(name).reload()
        return int(self._container(name).attrs["State"]["Pid"])

    def workers(self) -> dict[str, int]:
        """The pid of each of the service's workers that lives, by its name."""
        return workers(self.home)

    def _signal(self, name: str, number: Signals) -> None:
        if name == "service":
            self._service.signal(name, number)
        else:
            self._container(name).kill(signal=number.name)

    def _container(self, name: str) -> Any:
        return self._containers[name].get_wrapped_container()

    async def _run(self, stack: AsyncExitStack, container: DockerContainer) -> None:
        """Starts a container that the stack's end removes with its volumes."""
        stack.push_async_callback(asyncio.to_thread, container.stop)
        await asyncio.to_thread(container.start)

    async def _ready(self, name: str) -> None:
        container = self._container(name)

        async def answers() -> bool:
            if name != "redis" and (await asyncio.to_thread(container.exec_run, BOOTED)).exit_code:
                return False
            return await probes.part(name, self.env)

        try:
            await until(answers, self.settings.start_seconds)
        except (AssertionError, APIError):
            raise StackError(f"{name} is not ready:\n{container.logs(tail=20).decode(errors='replace')}") from None

    def _variables(self, published: Mapping[str, int]) -> dict[str, str]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports = {**SIP, **published, "api_port": free.getsockname()[1]}
        return variables(self.settings, ports, secrets_file.ensure(self.home.secrets), self._more)

    def _process(self, env: Mapping[str, str]) -> Part:
        rest = {name: value for name, value in os.environ.items() if not name.startswith("ORBIT_")}
        argv = (sys.executable, "-m", "service", "serve")
        ready = partial(probes.part, "service", env)
        return Part("service", argv, {**rest, **env}, self.home.log / "service.log", env["ORBIT_URL"], ready)
