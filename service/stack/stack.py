"""The embedded stack: Redis, Asterisk, the sandbox carrier and the service, their state in one folder."""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from service.stack import certificates, secrets_file, tree
from service.stack.asterisk import Asterisk
from service.stack.errors import StackError
from service.stack.home import Home, write_private
from service.stack.nodes import names
from service.stack.parts import SERVE, asterisks, parts
from service.stack.ports import SETTINGS, Ports
from service.stack.progress import Progress
from service.stack.settings import StackSettings
from service.stack.supervisor import Supervisor
from service.stack.variables import variables
from service.stack.workers import workers


class Stack:
    """One stack. `async with` brings it up and takes it down; a start that fails leaves nothing running either.

    `shell` is the operator's environment, `serve` the command of the service. With `keep`, a part that ends by itself
    is started again. Once it is up, `env` holds what $ORBIT_HOME/env holds.
    """

    def __init__(
        self,
        settings: StackSettings,
        *,
        shell: Mapping[str, str] | None = None,
        serve: tuple[str, ...] = SERVE,
        keep: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self.settings = settings
        self.home = Home(settings.home)
        self.env: dict[str, str] = {}
        self._shell = dict(os.environ) if shell is None else shell
        self._serve, self._keep, self._progress = serve, keep, progress or Progress(None)
        self._ports = Ports()
        self._asterisks: tuple[Asterisk, ...] = ()
        self._supervisor: Supervisor | None = None

    @classmethod
    def apart(
        cls,
        home: Path,
        service: Mapping[str, str] | None = None,
        *,
        nodes: int = 1,
        processes: int = 1,
        **options: Any,
    ) -> Self:
        """A stack beside others: any free ports, and no ORBIT_ variable of the shell but those of `StackSettings`.

        `service` holds further ORBIT_ variables, of the stack too; `options` are those of the class.
        """
        own = {"home": home, "nodes": nodes, "processes": processes, **dict.fromkeys(SETTINGS, 0)}
        wishes = {name.removeprefix("ORBIT_").lower(): value for name, value in (service or {}).items() if value}
        settings = StackSettings.model_validate(own | wishes)
        shell = {name: value for name, value in os.environ.items() if not name.startswith("ORBIT_")}
        return cls(settings, shell=shell | dict(service or {}), **options)

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.down()

    async def up(self) -> None:
        """Brings everything up; returns when the service is ready, raises `StackError` where something is not."""
        self.home.hold()
        try:
            supervisor = await self._prepare()
            *others, service = names(self.env)
            async with asyncio.TaskGroup() as group:  # these do not need one another to start
                for name in others:
                    group.create_task(supervisor.start(name))
            await supervisor.start(service)
            self.home.ready.touch()
        except BaseException as error:
            await self.down()
            if isinstance(error, ExceptionGroup):
                raise error.exceptions[0] from None
            raise

    async def _prepare(self) -> Supervisor:
        """Everything before the first process: the tree, ports, secrets, certificate, configuration."""
        home, settings = self.home, self.settings
        unpacked = await tree.ready(settings.tree, self._progress)
        with self._progress.step("settings") as step:
            kept = json.loads(home.ports.read_text()) if home.ports.exists() else {}
            self._ports.choose(settings, kept, self._progress)
            ports = self._ports.chosen
            write_private(home.ports, json.dumps(ports, indent=1).encode())
            env = variables(settings, ports, secrets_file.ensure(home.secrets), self._shell)
            certificate = certificates.ensure(home.tls, settings)
            self._asterisks = asterisks(settings, home, unpacked, ports, env)
            await asyncio.gather(*(each.prepare(certificate) for each in self._asterisks))
            self.env = home.write_env(env)
            step.result = str(home.folder)
        table = parts(home, unpacked, env, self._shell, self._asterisks, self._serve)
        self._supervisor = Supervisor(table, home, settings, self._progress, keep=self._keep)
        return self._supervisor

    async def down(self) -> None:
        """Stops the service, the carrier, the nodes and Redis, in this order, and gives ports and folder free."""
        if self._supervisor:
            await self._supervisor.stop_all(reversed(names(self.env)))
        self._supervisor = None
        for each in self._asterisks:
            each.tidy()
        self._asterisks = ()
        self._ports.release()
        self.home.release()

    def hurry(self) -> None:
        """While it stops: waits for nothing any more."""
        if self._supervisor:
            self._supervisor.hurry()

    async def start(self, name: str) -> None:
        """Starts a part that was stopped or killed, and returns when it is ready."""
        await self._running().start(name)

    async def stop(self, name: str) -> None:
        """Stops a part in order. It stays down until it is started."""
        await self._running().stop(name)

    async def kill(self, name: str) -> None:
        """Ends a part with SIGKILL. It stays down until it is started."""
        await self._running().stop(name, seconds=0)

    def pause(self, name: str) -> None:
        """Halts a part (SIGSTOP): it neither answers nor ends."""
        self._running().signal(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Lets a halted part go on (SIGCONT)."""
        self._running().signal(name, signal.SIGCONT)

    def pid(self, name: str) -> int:
        """The process id of a part. Raises `StackError` where it does not run."""
        return self._running().pid(name)

    def workers(self) -> dict[str, int]:
        """The pid of each of the service's workers that lives, by its name."""
        return workers(self.home)

    def _running(self) -> Supervisor:
        if not self._supervisor:
            raise StackError("the stack is not up")
        return self._supervisor
