"""The highest rate that holds, found by steps."""

from collections.abc import Awaitable, Callable


async def highest(holds: Callable[[float], Awaitable[bool]], start: float, coarse: float, fine: float) -> float:
    """The highest rate that held. From `start` up by the factor `coarse` until one fails, then from the last good one
    up by `fine`. Where `start` itself fails, down by `coarse` first; 0 where nothing down to 5 holds."""
    good, rate = 0.0, start
    while not good:
        if await holds(rate):
            good = rate
        elif rate / coarse < 5:
            return 0.0
        else:
            rate /= coarse
    failed = rate * coarse if good < start else 0.0
    for factor in (coarse, fine):
        while not failed or good * factor < failed * 0.999:
            if await holds(good * factor):
                good *= factor
            else:
                failed = good * factor
                break
    return good
