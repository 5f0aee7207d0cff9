"""The faults, one row of the table each."""

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.scene import Scene
from tests.chaos.victim import busiest

Act = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`strike`, and `lift` so many `seconds` later; where nothing lifts it, the stack mends itself.

    `target` bounds the recovery, seconds. It counts from the lift; from the strike where nothing lifts it, or where
    others are to `cope` meanwhile. `node_dies`: the first node's calls end with it; `node_away`: it is out of reach.
    `recordings`: it is about them.
    """

    name: str
    what: str
    strike: Act
    seconds: float = 0
    lift: Act | None = None
    target: float = 5
    cope: bool = False
    node_dies: bool = False
    node_away: bool = False
    recordings: bool = False


def _kill_part(name: str) -> Act:
    async def act(scene: Scene) -> None:
        os.kill(scene.stack.pid(name), signal.SIGKILL)

    return act


def _signal_part(name: str, number: signal.Signals) -> Act:
    async def act(scene: Scene) -> None:
        os.kill(scene.stack.pid(name), number)

    return act


async def _kill_worker(scene: Scene) -> None:
    os.kill(await busiest(scene.stack), signal.SIGKILL)


async def _freeze_worker(scene: Scene) -> None:
    scene.frozen = await busiest(scene.stack)
    os.kill(scene.frozen, signal.SIGSTOP)


async def _thaw_worker(scene: Scene) -> None:
    os.kill(scene.frozen, signal.SIGCONT)


async def _cut_ari(scene: Scene) -> None:
    scene.proxies[0].cut()


async def _freeze_ari(scene: Scene) -> None:
    scene.proxies[0].freeze()


async def _thaw_ari(scene: Scene) -> None:
    scene.proxies[0].thaw()


async def _receiver_leaves(scene: Scene) -> None:
    await scene.receiver.leave()


async def _receiver_returns(scene: Scene) -> None:
    await scene.receiver.come_back()


def _receiver(**manner: bool) -> Act:
    async def act(scene: Scene) -> None:
        for name, value in manner.items():
            setattr(scene.receiver, name, value)

    return act


async def _fill_disk(scene: Scene) -> None:
    scene.disk.fill()


async def _free_disk(scene: Scene) -> None:
    scene.disk.free()


FAULTS = (
    Fault("process-killed", "kill -9 of a process of the service", _kill_worker),
    Fault("process-frozen", "SIGSTOP of a process for 8 s, then SIGCONT", _freeze_worker, 8, _thaw_worker, cope=True),
    Fault("service-killed", "kill -9 of the whole service", _kill_part("service")),
    Fault("asterisk-killed", "kill -9 of a node", _kill_part("asterisk"), target=10, node_dies=True, node_away=True),
    Fault("redis-frozen", "SIGSTOP of Redis for 5 s", _signal_part("redis", signal.SIGSTOP), 5,
          _signal_part("redis", signal.SIGCONT)),
    Fault("redis-killed", "kill -9 of Redis", _kill_part("redis")),
    Fault("ari-cut", "a node's ARI connections are reset", _cut_ari, node_away=True),
    Fault("ari-frozen", "a node's ARI connections stay and carry nothing for 8 s", _freeze_ari, 8, _thaw_ari,
          node_away=True),
    Fault("webhook-dead", "the webhook receiver refuses connections for 6 s", _receiver_leaves, 6, _receiver_returns),
    Fault("webhook-slow", "it takes 8 s for an answer, for 8 s", _receiver(slow=True), 8, _receiver(slow=False)),
    Fault("webhook-500", "it answers 500 for 6 s", _receiver(failing=True), 6, _receiver(failing=False)),
    Fault("disk-full", "the disk of recordings is full for 8 s", _fill_disk, 8, _free_disk, recordings=True),
    Fault("upgrade", "SIGHUP: the processes are replaced one by one", _signal_part("service", signal.SIGHUP)),
)  # fmt: skip
