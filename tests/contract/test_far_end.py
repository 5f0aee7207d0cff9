"""The service's own look at a far end: names, and TLS as it is answered on loopback."""

import asyncio
import os
import socket
import ssl
import threading
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dns.exception import DNSException

from service.asterisk import far_end as module
from service.asterisk import names
from service.asterisk.far_end import FarEndProbe
from service.trunks.findings import Place
from service.trunks.trunk import Encryption, Trunk

LOOPBACK = ip_address("127.0.0.1")


def certificate(folder, name, issuer=None, days=(-1, 90), host=LOOPBACK):
    """A certificate and its key in one file; without an issuer an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    from_, until = (datetime.now(UTC) + timedelta(days=each) for each in days)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(from_)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        built = built.add_extension(x509.SubjectAlternativeName([x509.IPAddress(host)]), critical=False)
    made = built.sign(issuer[1] if issuer else key, hashes.SHA256())
    file = folder / f"{name}.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made, key, file


@pytest.fixture
def ca(tmp_path):
    return certificate(tmp_path, "authority")


@asynccontextmanager
async def far_end(file=None, handle=None):
    """A server on loopback; with a certificate it speaks TLS."""
    context = None
    if file:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)

    async def hold(reader, writer):
        await (handle(reader, writer) if handle else reader.read())
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0, ssl=context)
    yield Place("127.0.0.1", server.sockets[0].getsockname()[1], ("127.0.0.1",))
    server.close()


async def test_a_good_certificate(tmp_path, ca):
    async with far_end(certificate(tmp_path, "carrier", ca)[2]) as place:
        found = await FarEndProbe(ca[2]).handshake(place, verify=True)
    assert (found.verified, found.error, found.subject, found.issuer) == (True, None, "CN=carrier", "CN=authority")
    assert found.protocol.startswith("TLSv1.")
    assert abs(found.expires_at / 1000 - (datetime.now(UTC) + timedelta(days=90)).timestamp()) < 60


@pytest.mark.parametrize(
    ("days", "host", "error"),
    [
        ((-9, -1), "127.0.0.1", "the certificate has expired"),
        ((1, 9), "127.0.0.1", "the certificate is not valid yet"),
        ((-1, 9), "192.0.2.1", "the certificate is for another host"),
    ],
)
async def test_a_bad_certificate_is_told_and_shown(tmp_path, ca, days, host, error):
    async with far_end(certificate(tmp_path, "carrier", ca, days, ip_address(host))[2]) as place:
        found = await FarEndProbe(ca[2]).handshake(place, verify=True)
        unverified = await FarEndProbe(ca[2]).handshake(place, verify=False)
    assert (found.verified, found.error, found.subject) == (False, error, "CN=carrier")
    assert found.expires_at
    assert (unverified.verified, unverified.error, unverified.subject) == (False, None, "CN=carrier")


async def test_an_authority_that_is_not_trusted(tmp_path, ca):
    other = certificate(tmp_path, "other")
    async with far_end(certificate(tmp_path, "carrier", other)[2]) as place:
        found = await FarEndProbe(ca[2]).handshake(place, verify=True)
        assert (await FarEndProbe(None).handshake(place, verify=True)).error == found.error
    assert found.error == "the certificate's authority is not trusted"


async def test_nobody_listens():
    async with far_end() as place:
        pass
    assert (await FarEndProbe(None).handshake(place, verify=True)).error == "the connection is refused"


async def test_one_that_speaks_no_tls():
    async def plain(reader, writer):
        await reader.read(1)
        writer.write(b"SIP/2.0 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with far_end(handle=plain) as place:
        found = await FarEndProbe(None).handshake(place, verify=True)
    assert found.error == "the far end does not speak TLS on this port"


async def test_one_that_says_nothing(monkeypatch):
    monkeypatch.setattr(module, "TLS_SECONDS", 0.05)
    async with far_end() as place:
        assert (await FarEndProbe(None).handshake(place, verify=True)).error == "no answer in time"


async def test_one_that_hangs_up():
    async def away(reader, writer):
        await reader.read(1)

    async with far_end(handle=away) as place:
        assert (await FarEndProbe(None).handshake(place, verify=True)).error == "the far end closes the connection"


async def test_authorities_that_cannot_be_read(tmp_path):
    (tmp_path / "no.pem").write_text("nothing")
    for file in (tmp_path / "no.pem", tmp_path / "none.pem"):
        found = await FarEndProbe(file).handshake(Place("127.0.0.1", 9, ("127.0.0.1",)), verify=True)
        assert found.error == "the file of trusted authorities cannot be read"


async def test_authorities_are_read_when_their_file_changes_and_else_not(tmp_path, ca, monkeypatch):
    made, create = [], ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda **options: made.append(1) or create(**options))
    other, file = certificate(tmp_path, "other"), tmp_path / "trusted.pem"
    file.write_bytes(other[2].read_bytes())
    probe = FarEndProbe(file)
    async with far_end(certificate(tmp_path, "carrier", ca)[2]) as place:
        for _ in range(3):
            assert (await probe.handshake(place, verify=True)).error == "the certificate's authority is not trusted"
            assert (await probe.handshake(place, verify=False)).error is None
        assert len(made) == 1
        file.write_bytes(ca[2].read_bytes())
        os.utime(file, (5, 5))
        for _ in range(3):
            assert (await probe.handshake(place, verify=True)).verified
    assert len(made) == 2


async def test_names_are_looked_up_while_everybody_else_waits():
    """The loop's own threads, which others use too, all hang."""
    go_on, loop = threading.Event(), asyncio.get_running_loop()
    trunk = Trunk("trunk_1", "one", 1, termination_uri="sip:localhost:5060", encryption=Encryption.NONE)
    with ThreadPoolExecutor(1) as everybody:
        loop.set_default_executor(everybody)
        try:
            hanging = loop.run_in_executor(None, go_on.wait, 10)
            assert (await FarEndProbe(None).place(trunk)).addresses
        finally:
            go_on.set()
            loop.set_default_executor(ThreadPoolExecutor())  # other tests have the same loop
        await hanging


@pytest.mark.parametrize(
    ("uri", "encryption", "host", "port"),
    [
        ("sip:192.0.2.1", Encryption.NONE, "192.0.2.1", 5060),
        ("sip:192.0.2.1", Encryption.TLS, "192.0.2.1", 5061),
        ("sip:[2001:db8::1]:5070;transport=tcp", Encryption.NONE, "[2001:db8::1]", 5070),
        ("sip:localhost:5090", Encryption.TLS_SRTP, "localhost", 5090),
    ],
)
async def test_where_calls_go(uri, encryption, host, port):
    place = await FarEndProbe(None).place(Trunk("trunk_1", "one", 1, termination_uri=uri, encryption=encryption))
    assert (place.host, place.port, place.error) == (host, port, None)
    assert place.addresses


def unknown(*_, **__):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def test_a_name_that_leads_nowhere(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    trunk = Trunk("trunk_1", "one", 1, termination_uri="sip:nowhere.example:5060", encryption=Encryption.NONE)
    place = await FarEndProbe(None).place(trunk)
    assert (place.addresses, place.error) == ((), "there is no address for it")


class Records:
    """A resolver that knows one service."""

    asked = ()

    async def resolve(self, name, kind, lifetime):
        Records.asked += ((name, kind),)
        if name != "_sip._tcp.carrier.example":
            raise DNSException
        return [
            Record(20, 0, Name.from_text("second.example"), 5070),
            Record(10, 5, Name.from_text("localhost"), 5080),
        ]


Record = namedtuple("Record", "priority weight target port")


class Name(str):
    from_text = classmethod(lambda cls, text: cls(text))

    def to_text(self, omit_final_dot):
        return str(self)


async def test_a_name_without_a_port_is_a_service(monkeypatch):
    monkeypatch.setattr(names, "Resolver", Records)
    trunk = Trunk("trunk_1", "one", 1, termination_uri="sip:carrier.example", encryption=Encryption.NONE)
    place = await FarEndProbe(None).place(trunk)
    assert (place.host, place.port) == ("carrier.example", 5080)
    assert {"127.0.0.1", "::1"} & set(place.addresses)
    assert Records.asked == (("_sip._udp.carrier.example", "SRV"), ("_sip._tcp.carrier.example", "SRV"))
