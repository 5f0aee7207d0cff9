"""A trunk's far end as the service itself sees it: where its name leads, and its certificate. `Probe`.

Asterisk tells nobody but its log why TLS failed.
"""

import asyncio
import socket
import ssl
from pathlib import Path

from cryptography import x509

from service.asterisk.names import Names
from service.trunks.findings import Handshake, Place
from service.trunks.trunk import Encryption, Trunk
from service.trunks.uri import parse

NAME_SECONDS = 2.0
TLS_SECONDS = 2.0
PORTS = {"tls": 5061}
SERVICES = {"tls": ("_sips._tcp",), "tcp": ("_sip._tcp",), "udp": ("_sip._udp",), "": ("_sip._udp", "_sip._tcp")}

FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (ConnectionRefusedError, "the connection is refused"),
    (ConnectionResetError, "the far end closes the connection"),
    (TimeoutError, "no answer in time"),
    (socket.gaierror, "the name does not resolve"),
    (OSError, "there is no connection"),
)
REASONS = {
    "WRONG_VERSION_NUMBER": "the far end does not speak TLS on this port",
    "UNSUPPORTED_PROTOCOL": "the far end has no version of TLS that is allowed",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the far end has no version of TLS that is allowed",
    "NO_SHARED_CIPHER": "there is no cipher in common",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the far end refuses the handshake",
    "UNEXPECTED_EOF_WHILE_READING": "the far end closes the connection",
}
CERTIFICATE = {
    # X.509 verification results of OpenSSL
    10: "the certificate has expired",
    9: "the certificate is not valid yet",
    18: "the certificate is self-signed",
    19: "the certificate's authority is not trusted",
    20: "the certificate's authority is not trusted",
    62: "the certificate is for another host",
    64: "the certificate is for another host",
}


class FarEndProbe:
    """`ca`: PEM file of the authorities to trust; None: the system's."""

    def __init__(self, ca: Path | None) -> None:
        self._ca = ca
        self._names = Names()
        self._verifying: tuple[int, ssl.SSLContext] | None = None  # with when the file it was made of was changed
        self._unverified = _context(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self._unverified.check_hostname = False
        self._unverified.verify_mode = ssl.CERT_NONE

    async def place(self, trunk: Trunk) -> Place:
        """Where the trunk's calls go (RFC 3263: a name without a port is looked up as a service first)."""
        uri = parse(trunk.termination_uri)
        if uri is None:
            return Place("", 0, error="the URI is not understood")
        transport = "tls" if trunk.encryption is not Encryption.NONE else uri.transport
        host, port = uri.host.strip("[]"), uri.port or PORTS.get(transport, 5060)
        hosts = [(host, port)]
        if uri.port is None and uri.address is None:
            found = await self._names.services(uri.host, SERVICES[transport], NAME_SECONDS)
            hosts = next(filter(None, found), hosts)
        host, port = hosts[0]
        addresses = await self._addresses(host)
        return Place(uri.host, port, addresses, None if addresses else "there is no address for it")

    async def handshake(self, place: Place, verify: bool) -> Handshake:
        if not verify:
            return await self._shake(place, self._unverified)
        try:
            context = self._authorities()
        except OSError:
            return Handshake(error="the file of trusted authorities cannot be read")
        found = await self._shake(place, context)
        if found.error is None or found.expires_at is not None:
            return found
        bad = await self._shake(place, self._unverified)  # to see what was refused
        return Handshake(False, found.error, bad.protocol, bad.cipher, bad.subject, bad.issuer, bad.expires_at)

    def _authorities(self) -> ssl.SSLContext:
        """What verifies. Reading the authorities takes long: they are read again where their file has changed. Raises
        `OSError`."""
        system = ssl.get_default_verify_paths().cafile
        file = self._ca or (Path(system) if system else None)
        changed = file.stat().st_mtime_ns if file else 0
        if self._verifying is None or self._verifying[0] != changed:
            made = ssl.create_default_context(cafile=str(self._ca) if self._ca else None)
            self._verifying = changed, _context(made)
        return self._verifying[1]

    async def _addresses(self, host: str) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(NAME_SECONDS):
                return await self._names.addresses(host)
        except (OSError, TimeoutError):
            return ()

    async def _shake(self, place: Place, context: ssl.SSLContext) -> Handshake:
        try:
            async with asyncio.timeout(TLS_SECONDS):
                _, writer = await asyncio.open_connection(
                    place.addresses[0], place.port, ssl=context, server_hostname=place.host.strip("[]").rstrip(".")
                )
        except ssl.SSLCertVerificationError as error:
            return Handshake(error=CERTIFICATE.get(error.verify_code, "the certificate is not trusted"))
        except ssl.SSLError as error:
            return Handshake(error=REASONS.get(error.reason or "", "the handshake fails"))
        except (OSError, TimeoutError) as error:
            return Handshake(error=next(words for kind, words in FAILURES if isinstance(error, kind)))
        try:
            return _told(writer.get_extra_info("ssl_object"), context.verify_mode is ssl.CERT_REQUIRED)
        finally:
            writer.transport.abort()


def _context(made: ssl.SSLContext) -> ssl.SSLContext:
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def _told(connection: ssl.SSLObject, verified: bool) -> Handshake:
    cipher, raw = connection.cipher(), connection.getpeercert(binary_form=True)
    found = x509.load_der_x509_certificate(raw) if raw else None
    return Handshake(
        verified,
        None,
        connection.version(),
        cipher[0] if cipher else None,
        found.subject.rfc4514_string() if found else None,
        found.issuer.rfc4514_string() if found else None,
        int(found.not_valid_after_utc.timestamp() * 1000) if found else None,
    )
