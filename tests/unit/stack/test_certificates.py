"""The files that Asterisk speaks TLS with."""

import ssl
import stat
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from service.stack import certificates, tls
from service.stack.errors import StackError
from service.stack.settings import StackSettings


@pytest.fixture
def folder(tmp_path):
    return made(tmp_path / "stack")


def made(folder):
    folder.mkdir()
    return folder


@pytest.fixture
def operator(tmp_path):
    """A certificate of the operator's: certificate, key and authority."""
    return tls.ensure(made(tmp_path / "operator"))


def written(path):
    return path.stat().st_ino, path.stat().st_mtime_ns


def pair(files, **more):
    return StackSettings(tls_cert=files.cert, tls_key=files.key, **more)


def test_without_files_of_the_operators_they_are_the_stacks_own(folder):
    files, own = certificates.ensure(folder, StackSettings()), tls.ensure(folder)
    assert (files.cert.read_bytes(), files.key.read_bytes()) == (own.cert.read_bytes(), own.key.read_bytes())
    trusted = ssl.create_default_context(cafile=str(files.ca)).get_ca_certs()
    assert {"commonName": "Orbit Voice local authority"} in [dict(part[0] for part in ca["subject"]) for ca in trusted]


def test_those_of_the_operator_win(folder, operator):
    files = certificates.ensure(folder, pair(operator, tls_ca=operator.ca))
    for theirs, ours in ((operator.ca, files.ca), (operator.cert, files.cert), (operator.key, files.key)):
        assert ours.read_bytes() == theirs.read_bytes()
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_names_stay_and_what_is_the_same_is_left_alone(folder, operator):
    before = certificates.ensure(folder, StackSettings())
    kept = written(before.cert)
    assert certificates.ensure(folder, StackSettings()) == before
    assert written(before.cert) == kept
    assert certificates.ensure(folder, pair(operator)) == before
    assert written(before.cert) != kept


def test_a_bad_file_is_named_and_nothing_is_changed(folder, operator, tmp_path):
    works = certificates.ensure(folder, StackSettings())
    kept = [path.read_bytes() for path in (works.ca, works.cert, works.key)]
    other, text = tls.ensure(made(tmp_path / "other")), tmp_path / "text"
    text.write_text("no certificate")
    locked = tmp_path / "locked"
    key = load_pem_private_key(operator.key.read_bytes(), None)
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    cases = [
        (
            {"tls_cert": tmp_path / "none", "tls_key": operator.key},
            "ORBIT_TLS_CERT=.*none cannot be read: No such file",
        ),
        ({"tls_cert": operator.cert, "tls_key": tmp_path}, "ORBIT_TLS_KEY=.* cannot be read: Is a directory"),
        ({"tls_cert": text, "tls_key": operator.key}, "ORBIT_TLS_CERT=.*text holds no PEM certificate"),
        ({"tls_cert": operator.cert, "tls_key": other.key}, "ORBIT_TLS_KEY=.* is not the key of ORBIT_TLS_CERT="),
        ({"tls_cert": operator.cert, "tls_key": text}, "ORBIT_TLS_KEY=.*text does not go with .*without a passphrase"),
        ({"tls_cert": operator.cert, "tls_key": locked}, "ORBIT_TLS_KEY=.*locked does not go with .*passphrase"),
        ({"tls_ca": text}, "ORBIT_TLS_CA=.*text holds no PEM certificate"),
        ({"tls_ca": tmp_path / "none"}, "ORBIT_TLS_CA=.*none cannot be read"),
    ]
    for given, said in cases:
        with pytest.raises(StackError, match=said) as fault:
            certificates.ensure(folder, StackSettings(**given))
        assert "\n" not in str(fault.value)
    assert [path.read_bytes() for path in (works.ca, works.cert, works.key)] == kept


def test_one_that_ran_out_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(tls, "VALID", timedelta(seconds=-1))
    old = tls.ensure(made(tmp_path / "old"))
    monkeypatch.undo()
    with pytest.raises(StackError, match=r"ORBIT_TLS_CERT=.* is valid from .*, not now"):
        certificates.ensure(folder, pair(old))
