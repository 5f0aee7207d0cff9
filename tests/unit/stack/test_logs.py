"""The logs of all parts as one stream."""

import pytest

from service.stack import logs
from service.stack.logs import Log


def test_it_begins_with_the_last_lines_and_goes_on_with_what_comes(tmp_path):
    path = tmp_path / "redis.log"
    path.write_text("1\n2\n3\n")
    log = Log(path)
    assert log.last(2) == ["2", "3"]
    with path.open("a") as file:
        file.write("4\n5")
        file.flush()
        assert log.added() == ["4"]
        file.write("0\n")
        file.flush()
        assert log.added() == ["50"]


def test_a_log_that_was_put_aside_goes_on_in_the_new_file(tmp_path):
    path = tmp_path / "redis.log"
    path.write_text("1\n")
    log = Log(path)
    assert log.last(9) == ["1"]
    path.replace(tmp_path / "redis.log.1")
    assert log.added() == []
    path.write_text("2\n")
    assert log.added() == ["2"]


def test_no_lines_may_be_wanted(tmp_path):
    (tmp_path / "redis.log").write_text("1\n")
    log = Log(tmp_path / "redis.log")
    assert log.last(0) == []
    assert log.added() == []


def test_each_line_bears_its_part(tmp_path):
    (tmp_path / "redis.log").write_text("1\n2\n")
    (tmp_path / "service.log").write_text("3\n")
    written = []
    logs.show(tmp_path, 1, follow=False, write=written.append)
    assert written == ["redis    | 2", "service  | 3"]


def test_a_log_that_appears_later_is_followed_too(tmp_path, monkeypatch):
    written = []

    def later(_seconds):
        if (tmp_path / "late.log").exists():
            raise KeyboardInterrupt
        (tmp_path / "late.log").write_text("here\n")

    monkeypatch.setattr(logs.time, "sleep", later)
    with pytest.raises(KeyboardInterrupt):
        logs.show(tmp_path, 1, follow=True, write=written.append)
    assert written == ["late     | here"]
