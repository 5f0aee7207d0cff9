"""What is acknowledged outlives its server: where there are replicas, a write waits until one of them has it."""

import time
from typing import Any

import structlog
from redis.exceptions import ConnectionError as ConnectionLost

from service.store import metrics

log = structlog.get_logger()

WAIT_MS = 100  # longest wait for a replica
LOOK_SECONDS = 5.0  # pause between two looks at who is there
LAG_SECONDS = 3  # a replica that was silent for longer is not waited for
SPEAK_SECONDS = 60.0


class Replication:
    """Of one server. A replica that does not confirm in time is no error: it is counted, and logged once a minute."""

    def __init__(self) -> None:
        self._wait_ms = WAIT_MS
        self._connected = self._in_time = 0
        self._look_at = self._speak_at = float("-inf")

    async def command(self, connection: Any) -> tuple[Any, ...] | None:
        """The command that follows the writes of a pipeline; None where nobody is there to wait for."""
        if time.monotonic() >= self._look_at:
            await connection.send_command("INFO", "replication")
            self._learn(await connection.read_response())
            self._look_at = time.monotonic() + LOOK_SECONDS
        return ("WAIT", 1, self._wait_ms) if self._in_time else None

    def confirmed(self, replicas: Any, writes: int) -> None:
        """Takes the answer to that command (None where there was none) for so many writes."""
        if not self._connected or (isinstance(replicas, int) and replicas > 0):
            return
        metrics.WRITES_UNREPLICATED.inc(writes)
        if time.monotonic() >= self._speak_at:
            self._speak_at = time.monotonic() + SPEAK_SECONDS
            log.warning("writes were not confirmed by a replica", within_ms=self._wait_ms)

    def forget(self) -> None:
        """The server may be another one by now: looks anew before the next write."""
        self._look_at = float("-inf")

    def _learn(self, info: bytes) -> None:
        lines = dict(line.split(":", 1) for line in info.decode().splitlines() if ":" in line)
        if lines.get("role") != "master":
            raise ConnectionLost("this server is no master any more")
        replicas = [
            dict(part.split("=", 1) for part in value.split(",")) for name, value in lines.items() if _is_replica(name)
        ]
        online = [each for each in replicas if each.get("state") == "online"]
        self._connected = len(online)
        self._in_time = sum(int(each.get("lag", 0)) <= LAG_SECONDS for each in online)


def _is_replica(name: str) -> bool:
    return name.startswith("slave") and name.removeprefix("slave").isdecimal()
