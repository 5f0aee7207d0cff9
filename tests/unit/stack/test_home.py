"""The folder of a stack's state: one holder at a time, private files."""

import os
import stat
import subprocess

import pytest

from service.stack.errors import StackError
from service.stack.home import ENV, NODE_ENV, Home, forget_sourced, read_variables, write_private, write_variables
from service.stack.nodes import numbered


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_held_by_one_stack_at_a_time(tmp_path):
    first, second = Home(tmp_path / "home"), Home(tmp_path / "home")
    assert first.owner() is None
    first.hold()
    assert second.owner() == os.getpid()
    with pytest.raises(StackError, match=f"in use by process {os.getpid()}"):
        second.hold()
    first.release()
    assert second.owner() is None
    second.hold()
    second.release()


def test_a_lock_file_without_a_holder_names_no_owner(tmp_path):
    home = Home(tmp_path)
    (tmp_path / "lock").write_text("1\n")  # what a killed launcher leaves, its pid in use by another process
    assert home.owner() is None


def test_holding_it_clears_what_a_killed_launcher_left(tmp_path):
    home = Home(tmp_path)
    home.make()
    home.pid_file("redis").write_text("1\n")
    home.ready.touch()
    home.hold()
    assert not home.pid_file("redis").exists()
    assert not home.ready.exists()
    home.release()


def test_its_folders_are_private(tmp_path):
    home = Home(tmp_path / "home")
    home.make()
    assert {mode(folder) for folder in (home.folder, *home.folder.iterdir())} == {0o700}


def test_env_holds_its_names_and_nothing_else_and_a_shell_can_source_it(tmp_path):
    home = Home(tmp_path)
    values = {name: f"value of {name}; $HOME 'x'" for name in ENV}
    assert home.write_env(values | {"ORBIT_OTHER": "x"}) == values | {"ORBIT_ENV_FILE": str(home.env)}
    assert mode(home.env) == 0o600
    shown = subprocess.run(
        ["sh", "-c", f'. "{home.env}"; printf %s "$ORBIT_TEST_KEY"; set | grep -c ^ORBIT_'],
        capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]},
    ).stdout  # fmt: skip
    assert shown == f"value of ORBIT_TEST_KEY; $HOME 'x'{len(ENV) + 1}\n"


def test_env_names_further_nodes_too(tmp_path):
    two = {numbered(name, 2): "2" for name in NODE_ENV}
    written = Home(tmp_path).write_env(dict.fromkeys(ENV, "1") | two | {"ORBIT_SIP_ADDR_2": "x"})
    assert {name for name in written if name.endswith("_2")} == two.keys()


def test_variables_are_read_as_they_were_written(tmp_path):
    values = {"A": "plain", "B": "with 'quotes' and  spaces", "C": ""}
    write_variables(tmp_path / "file", values)
    assert read_variables(tmp_path / "file") == values
    assert read_variables(tmp_path / "none") == {}


def test_what_a_shell_has_from_another_stack_is_no_wish_for_this_one(tmp_path):
    home = Home(tmp_path)
    sourced = home.write_env(dict.fromkeys(ENV, "theirs"))
    environ = {**sourced, "ORBIT_HOME": "mine", "ORBIT_SIP_UDP": "5160", "ORBIT_LOG_LEVEL": "debug", "PATH": "/bin"}
    forget_sourced(environ)
    assert environ == {"ORBIT_HOME": "mine", "ORBIT_SIP_UDP": "5160", "ORBIT_LOG_LEVEL": "debug", "PATH": "/bin"}
    forget_sourced(environ)
    assert environ["ORBIT_HOME"] == "mine"


def test_a_private_file_replaces_a_public_one(tmp_path):
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]
