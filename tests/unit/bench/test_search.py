import pytest

from bench.search import highest


async def found(limit, start, coarse=1.4, fine=1.05):
    tried = []

    async def holds(rate):
        tried.append(rate)
        return rate <= limit

    return await highest(holds, start, coarse, fine), tried


@pytest.mark.parametrize("limit", [12, 40, 55, 100, 381, 999])
async def test_comes_close_from_below(limit):
    rate, _ = await found(limit, 40)
    assert limit / 1.05 <= rate <= limit


async def test_nothing_holds():
    rate, tried = await found(0, 40)
    assert rate == 0
    assert min(tried) >= 5


async def test_a_rate_that_failed_is_not_passed():
    _, tried = await found(100, 40)
    failed = min(rate for rate in tried if rate > 100)
    assert tried.index(failed) >= tried.index(max(tried))
