"""The two protocols by which a service process gets its socket and says that it is ready."""

import os
import socket
import subprocess
import sys

import pytest

from service import handover
from service.fleet.child import handed

TOLD = """
import socket, sys
sys.path.insert(0, sys.argv[1])
from service import handover
handover.tell(sys.argv[2])
"""


@pytest.fixture
def notices(monkeypatch):
    heard = handover.Notices()
    monkeypatch.setenv("NOTIFY_SOCKET", heard.address)
    yield heard
    heard.close()


def test_it_is_handed_a_socket_when_the_variables_say_so_for_this_process(monkeypatch):
    monkeypatch.setenv("LISTEN_FDS", "1")
    for pid, mine in ((os.getpid(), True), (os.getpid() + 1, False)):
        monkeypatch.setenv("LISTEN_PID", str(pid))
        assert handover.inherited() is mine
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "0")
    assert handover.inherited() is False
    monkeypatch.delenv("LISTEN_FDS")
    assert handover.inherited() is False


def test_a_child_takes_the_socket_that_its_parent_listens_on():
    takes = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); from service import handover; assert handover.inherited();"
        "taken = handover.listener(); os.set_blocking(3, True); taken.accept()[0].send(b'taken');"
        "assert not handover.inherited() and not os.get_inheritable(3) and os.read(0, 1) == b''"
    )
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as client:
        listening.bind("")
        listening.listen()
        client.connect(listening.getsockname())
        argv = handed([sys.executable, "-c", takes, os.getcwd()])  # noqa: PTH109
        subprocess.run(argv, stdin=listening, env={**os.environ, "LISTEN_FDS": "1"}, check=True, timeout=20)
        assert client.recv(5) == b"taken"


def test_what_a_process_tells_is_heard_with_its_number(notices):
    handover.tell("STOPPING=1")
    handover.tell("READY=1\nSTATUS=serves")
    child = subprocess.Popen([sys.executable, "-c", TOLD, os.getcwd(), "READY=1"])  # noqa: PTH109
    assert child.wait(20) == 0
    assert list(notices.ready()) == [os.getpid(), child.pid]
    assert list(notices.ready()) == []


def test_it_is_told_to_a_socket_in_the_file_system_too(monkeypatch, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        handover.tell("READY=1")
        assert heard.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "@gone", "/nowhere/at/all"])
def test_where_nobody_listens_telling_does_nothing(monkeypatch, address):
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    handover.tell("READY=1")
