"""What an operator sets for the embedded stack: environment variables `ORBIT_…`, each with its unit in its description.

A port that is set must be free; one that is left alone moves where its default is taken, and keeps its new number. 0 is
any free port. The service's own settings are in `service/settings.py`; the launcher hands them on.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.stack.nodes import MOST

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
PRIVATE = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,127.0.0.0/8"


class StackSettings(BaseSettings):
    """The settings of one embedded stack."""

    model_config = SettingsConfigDict(env_prefix="ORBIT_", env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(Path(".stack/home"), description="folder of all state of this stack")
    tree: Path = Field(Path(".stack/tree"), description="folder of the Debian tree with Asterisk, Redis and SIPp")
    speech_models: Path = Field(
        Path(".stack/speech"), description="folder of the models of speech; one that is set is left as it is"
    )
    node: str = Field("node1", pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="name of the Asterisk node")
    nodes: int = Field(1, ge=1, le=MOST, description="Asterisk nodes, further ones named like the first")
    processes: int = Field(1, ge=1, le=64, description="processes of the service, side by side")

    api_host: str = Field("127.0.0.1", description="address the API binds")
    api_port: Port = Field(8080, description="TCP port of the API")
    redis_port: Port = Field(6390, description="TCP port of the stack's Redis, on 127.0.0.1")

    sip_bind: str = Field("127.0.0.1", description="address that SIP binds")
    sip_udp: Port = Field(5060, description="UDP and TCP port of SIP")
    sip_tls: Port = Field(5061, description="TCP port of SIP over TLS")
    sip_tls_unverified: Port = Field(
        5065, description="TCP port of SIP over TLS with trunks whose certificate is not verified"
    )
    sip_bind6: IPv6Address | None = Field(None, description="IPv6 address that SIP binds as well; empty: none")
    external_address: IPv4Address | None = Field(
        None, description="IPv4 address that peers outside of the local nets see this machine by; empty: its own"
    )
    local_nets: str = Field(
        "",
        description="IPv4 networks inside, as CIDR, separated by commas; empty: the private ones and loopback, where "
        "an external address is set",
    )
    tls_cert: Path | None = Field(
        None, description="PEM file of the certificate of SIP over TLS, the whole chain; empty: the stack's own"
    )
    tls_key: Path | None = Field(None, description="PEM file of its key")
    tls_ca: Path | None = Field(
        None,
        description="PEM file of the authorities that carriers' certificates are checked with; empty: the system's "
        "and the stack's own",
    )
    asterisk_bind: str = Field("127.0.0.1", description="address that ARI and AMI bind, out of callers' reach")
    http_port: Port = Field(8088, description="TCP port of ARI")
    ami_port: Port = Field(5038, description="TCP port of AMI")
    rtp_start: Port = Field(10000, description="first UDP port of RTP")
    rtp_size: int = Field(800, ge=100, le=20000, description="ports of RTP of each Asterisk; a call needs 2")
    inbound_max_duration: int = Field(3600, ge=1, le=86400, description="longest inbound call, seconds from answer")

    carrier_sip_port: Port = Field(5070, description="UDP port of the sandbox carrier's SIP, on 127.0.0.1")
    carrier_http_port: Port = Field(8098, description="TCP port of the sandbox carrier's ARI, on 127.0.0.1")
    carrier_ami_port: Port = Field(5048, description="TCP port of the sandbox carrier's AMI, on 127.0.0.1")
    carrier_rtp_start: Port = Field(12000, description="first UDP port of the sandbox carrier's RTP")

    start_seconds: Seconds = Field(30, description="longest wait for one part of the stack to be ready, seconds")
    stop_seconds: Seconds = Field(10, description="longest wait for one part to stop before it is killed, seconds")

    @field_validator("home", "tree")
    @classmethod
    def _plain_path(cls, value: Path) -> Path:
        """These paths go into Asterisk's configuration and dialplan, where other characters have a meaning."""
        path = value.expanduser().absolute()
        if not re.fullmatch(r"[A-Za-z0-9_./+-]+", str(path)):
            raise ValueError(f"{path}: only letters, digits and _ . / + - can be in this path")
        return path

    @field_validator("tls_cert", "tls_key", "tls_ca", "speech_models")
    @classmethod
    def _whole_path(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().absolute()

    @field_validator("local_nets")
    @classmethod
    def _networks(cls, value: str) -> str:
        """Raises `ValueError` where one is none, or has bits behind its mask."""
        return ",".join(str(IPv4Network(net.strip())) for net in value.split(",") if net.strip())

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("ORBIT_TLS_CERT and ORBIT_TLS_KEY are set together or not at all")
        return self

    @property
    def inside(self) -> str:
        """The local nets; empty where nothing is translated."""
        return (self.local_nets or PRIVATE) if self.external_address else ""
