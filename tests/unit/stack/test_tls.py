"""The stack's own certificate."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509

from service.stack import tls


@pytest.fixture
def files(tmp_path):
    return tls.ensure(tmp_path)


def test_a_client_that_trusts_the_authority_trusts_the_certificate(files):
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=files.ca)
    server.load_cert_chain(files.cert, files.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    far = server.wrap_bio(to_server, to_client, server_side=True)
    near = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    for _ in range(3):
        for side in (near, far):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert near.getpeercert()["subject"] == ((("commonName", "localhost"),),)


def test_it_is_for_this_machine(files):
    certificate = x509.load_pem_x509_certificate(files.cert.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("::1")]


def test_the_keys_are_private(files):
    for key in (files.key, files.key.with_name("ca-key.pem")):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_second_start_keeps_it(files, tmp_path):
    before = files.cert.read_bytes()
    assert tls.ensure(tmp_path) == files
    assert files.cert.read_bytes() == before


def test_one_that_runs_out_soon_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(tls, "VALID", timedelta(days=30))
    before = tls.ensure(tmp_path).cert.read_bytes()
    monkeypatch.undo()
    after = tls.ensure(tmp_path).cert.read_bytes()
    assert after != before
    assert x509.load_pem_x509_certificate(after).not_valid_after_utc > datetime.now(UTC) + timedelta(days=800)
