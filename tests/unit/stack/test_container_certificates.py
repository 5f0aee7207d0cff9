"""What a container's start does with certificates: `asterisk-config/certificates`."""

import shutil
import subprocess

import pytest

from service.stack import tls
from service.stack.asterisk import CONFIG

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="the image has openssl, this machine has not")


@pytest.fixture
def run(tmp_path):
    """Runs it from `from` to `to`; returns its complaint."""
    (tmp_path / "from").mkdir()

    def ran():
        argv = ["sh", str(CONFIG / "certificates"), str(tmp_path / "from"), str(tmp_path / "to")]
        return subprocess.run(argv, stderr=subprocess.PIPE, text=True, check=False).stderr

    return ran


def put(folder, files):
    for path, name in ((files.cert, "cert.pem"), (files.key, "key.pem")):
        shutil.copy(path, folder / name)


def test_a_folder_without_one_gets_one_and_keeps_it(run, tmp_path):
    assert run() == ""
    made = (tmp_path / "to/cert.pem").stat().st_mtime_ns
    assert (tmp_path / "to/key.pem").stat().st_mode & 0o777 == 0o600
    assert run() == ""
    assert (tmp_path / "to/cert.pem").stat().st_mtime_ns == made


def test_a_new_one_is_taken_and_a_bad_one_is_not(run, tmp_path):
    run()
    mine = tls.ensure(tmp_path)
    put(tmp_path / "from", mine)
    assert run() == ""
    assert (tmp_path / "to/cert.pem").read_bytes() == mine.cert.read_bytes()
    shutil.copy(tmp_path / "ca-key.pem", tmp_path / "from/key.pem")
    assert "key.pem is not the key of the first certificate in" in run()
    assert (tmp_path / "to/key.pem").read_bytes() == mine.key.read_bytes()
    put(tmp_path / "from", mine)
    (tmp_path / "from/ca.pem").write_text("none")
    assert "ca.pem holds no PEM certificate" in run()
    shutil.copy(mine.ca, tmp_path / "from/ca.pem")
    assert run() == ""
    assert (tmp_path / "to/ca.pem").read_bytes() == mine.ca.read_bytes()
