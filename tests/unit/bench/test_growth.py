import pytest

from bench.growth import Growth


def test_growth_of_the_second_half():
    warming = [(x, 60_000 - 1000 * x) for x in range(10)]
    growth = Growth({"service 1": warming + [(x, 50_000 + x / 10) for x in range(10, 20)]})
    assert growth.per_thousand("service 1") == pytest.approx(100)


def test_over_time():
    growth = Growth({"redis": [(x, 1024 * x) for x in range(9)]})
    assert growth.over_time("redis") == [0, 2, 4, 6, 8]
