"""How memory goes on while calls are placed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.figures import slope
from bench.processes import memory_kb

PAUSE = 2.0  # seconds between two looks


@dataclass(slots=True)
class Growth:
    """Memory of processes (anonymous, KB) by the calls placed so far."""

    points: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def look(self, calls: float, processes: Mapping[str, int]) -> None:
        for name, pid in processes.items():
            self.points.setdefault(name, []).append((calls, memory_kb([pid])))

    async def watch(self, rate: float, processes: Mapping[str, int]) -> None:
        """Looks until cancelled, while `rate` calls a second are placed."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            self.look((loop.time() - start) * rate, processes)
            await asyncio.sleep(PAUSE)

    def per_thousand(self, name: str) -> float:
        """KB that a process grew for each 1,000 calls, over the second half."""
        points = self.points[name]
        return 1000 * slope(points[len(points) // 2 :])

    def over_time(self, name: str, looks: int = 5) -> list[float]:
        """MB at so many moments from the first to the last."""
        points = self.points[name]
        return [points[round(i * (len(points) - 1) / (looks - 1))][1] / 1024 for i in range(looks)]
