"""Two channels become one file, in step."""

import array

import pytest

from service.asterisk.stereo import interleave


def samples(path, values, rest=b""):
    path.write_bytes(array.array("h", values).tobytes() + rest)
    return path


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        ([1, 2, 3], [-1, -2, -3], [1, -1, 2, -2, 3, -3]),
        ([1, 2, 3], [-1], [1, -1, 2, 0, 3, 0]),
        ([], [-1], [0, -1]),
        ([], [], []),
    ],
)
def test_the_shorter_is_silent_to_the_end(tmp_path, left, right, both):
    interleave(samples(tmp_path / "l", left), samples(tmp_path / "r", right, b"x"), tmp_path / "both")
    assert list(array.array("h", (tmp_path / "both").read_bytes())) == both


def test_long_ones_are_read_in_pieces(tmp_path):
    values = [n % 30_000 for n in range(200_000)]
    interleave(samples(tmp_path / "l", values), samples(tmp_path / "r", values[:150_000]), tmp_path / "both")
    found = array.array("h", (tmp_path / "both").read_bytes())
    assert list(found[0::2]) == values
    assert list(found[1::2]) == values[:150_000] + [0] * 50_000


def test_one_that_is_missing_is_silent(tmp_path):
    interleave(tmp_path / "none", samples(tmp_path / "r", [1, 2]), tmp_path / "both")
    assert list(array.array("h", (tmp_path / "both").read_bytes())) == [0, 1, 0, 2]
