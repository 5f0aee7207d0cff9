"""The files that Asterisk speaks TLS with: copies of the operator's where they are set, else of the stack's own.

They keep their names, because Asterisk takes up a new certificate at a reload only where the file is called as before;
and they are checked before they replace what works, because it would take up a bad one as well.
"""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from service.stack import tls
from service.stack.errors import StackError
from service.stack.home import write_private
from service.stack.settings import StackSettings
from service.stack.tls import Certificate

# Where a system keeps the authorities that it trusts, in one file.
SYSTEM = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def ensure(folder: Path, settings: StackSettings) -> Certificate:
    """The files in `folder`, up to date. Raises `StackError`, naming the setting, and changes none where one is bad."""
    own = tls.ensure(folder)
    if settings.tls_cert and settings.tls_key:
        cert, key = _pair(settings.tls_cert, settings.tls_key)
    else:
        cert, key = own.cert.read_bytes(), own.key.read_bytes()
    ca = _authorities(settings.tls_ca) if settings.tls_ca else _system() + own.ca.read_bytes()
    files = Certificate(*(folder / f"asterisk-{kind}.pem" for kind in ("ca", "cert", "key")))
    for path, content in ((files.ca, ca), (files.key, key), (files.cert, cert)):
        if not path.exists() or path.read_bytes() != content:
            write_private(path, content)
    return files


def _pair(cert_file: Path, key_file: Path) -> tuple[bytes, bytes]:
    cert, key = _read("ORBIT_TLS_CERT", cert_file), _read("ORBIT_TLS_KEY", key_file)
    try:
        first = x509.load_pem_x509_certificate(cert)
    except ValueError:
        raise StackError(f"ORBIT_TLS_CERT={cert_file} holds no PEM certificate") from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert_file, key_file, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            why = f"is not the key of ORBIT_TLS_CERT={cert_file} (its first certificate must be the node's own)"
        else:
            why = f"does not go with ORBIT_TLS_CERT={cert_file}: a PEM key without a passphrase is needed"
        raise StackError(f"ORBIT_TLS_KEY={key_file} {why}") from None
    now = datetime.now(UTC)
    if not first.not_valid_before_utc <= now <= first.not_valid_after_utc:
        valid = f"{first.not_valid_before_utc:%F %R} to {first.not_valid_after_utc:%F %R} UTC"
        raise StackError(f"ORBIT_TLS_CERT={cert_file} is valid from {valid}, not now")
    return cert, key


def _authorities(path: Path) -> bytes:
    content = _read("ORBIT_TLS_CA", path)
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        raise StackError(f"ORBIT_TLS_CA={path} holds no PEM certificate") from None
    return content


def _system() -> bytes:
    """The authorities that this machine trusts; nothing where it keeps none in one file."""
    places = (ssl.get_default_verify_paths().cafile, *SYSTEM)
    found = next((Path(place) for place in places if place and Path(place).is_file()), None)
    return found.read_bytes() + b"\n" if found else b""


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StackError(f"{setting}={path} cannot be read: {error.strerror}") from None
