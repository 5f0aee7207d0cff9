"""Lets a running stack take up new certificates and an edited configuration. Calls go on."""

import asyncio
import json
import os
import ssl
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from service.stack import certificates, secrets_file
from service.stack.asterisk import Asterisk
from service.stack.errors import StackError
from service.stack.home import Home, forget_sourced
from service.stack.parts import asterisks
from service.stack.settings import StackSettings
from service.stack.tls import Certificate
from service.stack.tree import Tree
from service.stack.variables import reachable, variables

# What Asterisk takes up without a start. Of its transports that is the certificate, and how NAT is met.
COMMANDS = (
    "module reload res_pjsip.so",
    "module reload res_pjsip_endpoint_identifier_ip.so",
    "module reload res_pjsip_outbound_registration.so",
    "dialplan reload",
    "logger reload",
)
LOOKS, PAUSE = 50, 0.1  # how often, and every how many seconds, the new certificate is looked for


def adopt(owner: int, environ: MutableMapping[str, str]) -> None:
    """Gives `environ` the ORBIT_ variables, and this process the folder, that the process which runs the stack was
    started with (proc_pid_environ(5)): its settings hold until it ends."""
    try:
        lines = Path(f"/proc/{owner}/environ").read_bytes().decode(errors="surrogateescape").split("\0")
        os.chdir(f"/proc/{owner}/cwd")
    except OSError as error:
        raise StackError(f"the stack, process {owner}, cannot be asked for its settings: {error.strerror}") from None
    for name in [name for name in environ if name.startswith("ORBIT_")]:
        del environ[name]
    for name, _, value in (line.partition("=") for line in lines if line.startswith("ORBIT_")):
        environ[name] = value
    forget_sourced(environ)


async def reload(settings: StackSettings, shell: Mapping[str, str], say: Callable[[str], None]) -> None:
    """`settings` and `shell` are those that the stack was started with. Raises `StackError` and changes nothing where a
    file is bad; where a part is down it is left out, and takes the new configuration when it starts."""
    home = Home(settings.home)
    ports = json.loads(home.ports.read_text())
    try:
        env = variables(settings, ports, secrets_file.ensure(home.secrets), shell)
    except KeyError as missing:
        raise StackError(f"the stack was started by another version ({missing}); `make down && make up`") from None
    files = certificates.ensure(home.tls, settings)
    every = asterisks(settings, home, Tree(settings.tree), ports, env)
    await asyncio.gather(*(each.render(files) for each in every))
    for each in every:
        say(f"  {each.name:<9} {await _one(each, files, settings)}")


async def _one(asterisk: Asterisk, files: Certificate, settings: StackSettings) -> str:
    """What became of it, in words."""
    try:
        for command in COMMANDS:
            await asterisk.console(command)
    except StackError:
        return "is down; it takes the new configuration when it starts"
    if asterisk.name == "carrier":
        return "reloaded"
    new = x509.load_pem_x509_certificate(files.cert.read_bytes())
    address = (reachable(settings.sip_bind).strip("[]"), int(asterisk.env["ORBIT_SIP_TLS"]))
    for _ in range(LOOKS):
        if await asyncio.to_thread(_served, address) == new.public_bytes(Encoding.DER):
            return f"reloaded; its certificate is valid until {new.not_valid_after_utc:%F}"
        await asyncio.sleep(PAUSE)
    raise StackError(f"{asterisk.name} does not show the new certificate; see {asterisk.folder / 'log/messages.log'}")


def _served(address: tuple[str, int]) -> bytes:
    """The certificate that a new connection gets, DER; nothing where it gets none."""
    try:
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(address, timeout=2))
    except OSError:
        return b""
