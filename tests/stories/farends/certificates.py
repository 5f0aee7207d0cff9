"""Certificates for far ends, good and bad, signed by an authority of the test's own or by a stack's."""

import secrets
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.stack import tls
from service.stack.tls import Certificate

LOCAL = ("localhost", "127.0.0.1", "::1")


class Authority:
    """Signs with the authority in the folder `of`, by default `folder`, where one is made if there is none; what it
    signs goes to `folder`. `Authority(tmp_path, of=stack.home.tls)` is the authority that the stack trusts.

    In each `Certificate`, `ca` is this authority's own certificate: what the holder trusts.
    """

    def __init__(self, folder: Path, of: Path | None = None) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._home = of or folder
        self._pattern = tls.ensure(self._home)
        self.ca = self._pattern.ca

    def good(self, *hosts: str) -> Certificate:
        """For these names and addresses, and those of this machine."""
        return self._issue((*LOCAL, *hosts))

    def wrong_name(self) -> Certificate:
        """For another host than any of ours."""
        return self._issue(("sip.example.net",))

    def expired(self, *hosts: str) -> Certificate:
        """A good one until yesterday."""
        return self._issue((*LOCAL, *hosts), until=datetime.now(UTC) - timedelta(days=1))

    def unknown(self, *hosts: str) -> Certificate:
        """A good one, but by an authority that nobody trusts."""
        stranger = Authority(self._folder / f"stranger-{secrets.token_hex(4)}").good(*hosts)
        return Certificate(self.ca, stranger.cert, stranger.key)

    def _issue(self, hosts: tuple[str, ...], until: datetime | None = None) -> Certificate:
        """As the stack's own certificate is made, for other hosts."""
        ca = x509.load_pem_x509_certificate(self.ca.read_bytes())
        ca_key = serialization.load_pem_private_key((self._home / "ca-key.pem").read_bytes(), None)
        pattern = x509.load_pem_x509_certificate(self._pattern.cert.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        until = until or pattern.not_valid_after_utc
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[-1])]))
            .issuer_name(ca.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(until - timedelta(days=826))
            .not_valid_after(until)
            .add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
        )
        for extension in pattern.extensions:
            if extension.oid != x509.SubjectAlternativeName.oid:
                builder = builder.add_extension(extension.value, extension.critical)
        stem = self._folder / f"leaf-{secrets.token_hex(4)}"
        certificate = Certificate(self.ca, stem.with_suffix(".pem"), stem.with_suffix(".key"))
        certificate.cert.write_bytes(builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        certificate.key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        )
        certificate.key.chmod(0o600)
        return certificate


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
