"""With which settings a running stack is reloaded."""

import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from service.stack.errors import StackError
from service.stack.reload import adopt


def test_it_keeps_the_settings_and_the_folder_that_it_was_started_with(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    env = {"ORBIT_TLS_CERT": "a=b.pem", "PATH": "/bin", "OTHER": "1"}
    script = "print('here', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], env=env, cwd=tmp_path, stdin=PIPE, stdout=PIPE) as running:
        running.stdout.readline()
        mine = {"ORBIT_HOME": "elsewhere", "ORBIT_EXTERNAL_ADDRESS": "198.51.100.7", "HOME": "/root"}
        adopt(running.pid, mine)
        assert mine == {"ORBIT_TLS_CERT": "a=b.pem", "HOME": "/root"}
        assert Path.cwd() == tmp_path


def test_one_that_has_gone_is_named():
    gone = subprocess.Popen(["true"])
    gone.wait()
    with pytest.raises(StackError, match=f"process {gone.pid}"):
        adopt(gone.pid, {})
