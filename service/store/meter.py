"""New calls of a trunk in a second, counted in Redis for all processes."""

from service.store.admission import Admission


class TrunkMeter:
    """`Meter` over token buckets."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    async def take(self, trunk_id: str, per_second: int) -> int:
        left = await self._admission.take(f"trunk:{trunk_id}", per_second, per_second)
        return 0 if left.taken else max(1, left.wait_ms)
