import math

import pytest

from bench.figures import Row, middle, percentile, slope


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1, 100), (0, 1)])
def test_percentile(share, expected):
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_percentile_of_one():
    assert percentile([7], 0.99) == 7


def test_slope():
    assert slope([(x, 3 * x + 1) for x in range(10)]) == pytest.approx(3)
    assert slope([(1, 5)]) == 0


def test_middle():
    assert middle([9, 1, 2]) == 2
    assert math.isnan(middle([]))


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("f", 1.2, 1.2), True),
        (Row("f", 1.21, 1.2), False),
        (Row("f", 0.85, 0.85, least=True), True),
        (Row("f", 0.8, 0.85, least=True), False),
        (Row("f", 5, None), None),
        (Row("f", math.nan, 1), False),
    ],
)
def test_target(row, met):
    assert row.met is met
