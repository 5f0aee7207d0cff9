"""The lines that tell what is being done."""

import io
import re

import pytest

from service.stack.progress import Progress


class Ascii(io.StringIO):
    encoding = "ascii"


class Utf8(io.StringIO):
    encoding = "utf-8"


def test_a_step_is_told_when_it_is_done_and_before_where_it_takes_a_while():
    said = Utf8()
    with Progress(said).step("tree", "unpacking") as step:
        step.result = "Redis 8"
    before, after = said.getvalue().splitlines()
    assert before == "  tree      unpacking ..."
    assert re.fullmatch(r"✓ tree +0\.0 s  Redis 8", after)


@pytest.mark.parametrize(("stream", "sign"), [(Ascii, "!!"), (Utf8, "✗ ")])
def test_one_that_fails_is_told_too(stream, sign):
    said = stream()
    with pytest.raises(ZeroDivisionError), Progress(said).step("redis"):
        _ = 1 / 0
    assert said.getvalue().startswith(f"{sign}redis")


def test_a_terminal_that_is_gone_stops_nothing():
    class Gone(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    Progress(Gone()).line("x")


def test_none_is_silent(capsys):
    Progress(None).line("x")
    assert capsys.readouterr().out == ""
