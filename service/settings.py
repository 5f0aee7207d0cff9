"""What an operator sets for the service: environment variables `ORBIT_…`, each with its unit in its description.

`docs/settings.md` lists them; a test compares that page with these fields.
"""

import re
import socket
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

NAME = r"^[a-z0-9][a-z0-9-]{0,31}$"
ARI_URL = r"^https?://[^@/\s]+/\S*$"  # the login has settings of its own
ADDRESS = r"^\S+:[0-9]{1,5}$"
Pause = Annotated[float, Field(gt=0, le=604_800, allow_inf_nan=False)]


class NodeSettings(BaseModel):
    """One Asterisk of several. What is left out is taken from the settings of the single node."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=NAME)
    ari_url: str = Field(pattern=ARI_URL)
    ami_addr: str = Field(pattern=ADDRESS)
    ari_user: str = ""
    ari_password: SecretStr = SecretStr("")
    ami_user: str = ""
    ami_password: SecretStr = SecretStr("")
    sip_addr: str = ""


class Settings(BaseSettings):
    """The settings of one service process."""

    model_config = SettingsConfigDict(env_prefix="ORBIT_", extra="ignore", frozen=True, hide_input_in_errors=True)

    process: str = Field(
        "",
        pattern=r"^([a-z0-9][a-z0-9-]{0,34})?$",
        description="name of this process, its own among all that share a Redis; empty: the host's name",
    )
    processes: int = Field(
        1, ge=1, le=64, description="processes that `serve` runs side by side, each named <ORBIT_PROCESS>-<number>"
    )
    lease_ms: int = Field(
        3000, ge=500, le=60000, description="a process that gave no sign for so long is dead, milliseconds"
    )
    home: Path = Field(
        Path(".stack/home"), description="folder of all state: recordings, and in the embedded stack everything"
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")

    api_host: str = Field("127.0.0.1", description="address the API binds")
    api_port: int = Field(8080, ge=0, le=65535, description="TCP port of the API")
    public_url: str = Field("", description="base URL clients reach the API by; empty: http://<api_host>:<api_port>")
    node_url: str = Field(
        "", description="URL by which Asterisk nodes fetch prompts from here; empty: http://<api_host>:<api_port>"
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, description="largest request body, bytes")

    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="URL of Redis: redis://, rediss://, redis+sentinel://host:port,…/<master>/<db>, "
        "redis+cluster://host:port,…",
    )
    redis_timeout_ms: int = Field(800, ge=50, description="longest wait for one Redis answer, milliseconds")

    asterisk_nodes: tuple[NodeSettings, ...] = Field(
        (),
        description="several Asterisk nodes, a JSON list of {name, ari_url, ami_addr, sip_addr, ari_user, …}; "
        "empty: the one node of the next settings",
    )
    node: str = Field("node1", pattern=NAME, description="name of the Asterisk node (its systemname)")
    ari_url: str = Field("http://127.0.0.1:8088/ari", pattern=ARI_URL, description="URL of the node's ARI")
    ari_user: str = Field("orbit", description="ARI user")
    ari_password: SecretStr = Field(SecretStr(""), description="ARI password")
    ami_addr: str = Field("127.0.0.1:5038", pattern=ADDRESS, description="host:port of the node's AMI")
    ami_user: str = Field("orbit", description="AMI user")
    ami_password: SecretStr = Field(SecretStr(""), description="AMI password")
    sip_addr: str = Field("", description="host:port that carriers reach the node's SIP by")
    ari_timeout_ms: int = Field(5000, ge=100, description="longest wait for one ARI or AMI answer, milliseconds")
    pulse_ms: int = Field(
        1000, ge=100, le=3000, description="pause between two proofs that a node's event stream is alive, milliseconds"
    )

    node_lost_seconds: float = Field(
        300, gt=0, description="calls of a node that nobody has reached for so long are given up, seconds"
    )

    inbound_max_duration: int = Field(
        3600, ge=1, le=86400, description="longest inbound call, seconds from answer; Asterisk is given the same"
    )

    rate_per_minute: int = Field(6000, ge=0, description="requests per key and minute; 0 switches the limit off")
    rate_burst: int = Field(1000, ge=1, description="requests of one key at once")
    calls_per_second: int = Field(50, ge=0, description="new calls per key and second; 0 switches the limit off")
    max_live_calls: int = Field(0, ge=0, description="calls alive at once; 0 switches the limit off")
    idempotency_hours: int = Field(24, ge=1, description="how long a first answer is given again, hours")

    webhook_allow_private: bool = Field(False, description="let webhook URLs point to loopback and private addresses")
    webhook_timeout_seconds: float = Field(10, gt=0, description="longest wait for a webhook's answer, seconds")
    webhook_retry_seconds: tuple[Pause, ...] = Field(
        (5, 60, 300, 1800, 7200, 28800, 86400), description="pauses before each further attempt, seconds (JSON list)"
    )
    webhook_per_endpoint: int = Field(16, ge=1, description="requests at once to one webhook endpoint, per process")

    live_key: SecretStr = Field(
        SecretStr(""), description="a live key to register at start, `dv_live_sk_…`; empty: none"
    )
    test_key: SecretStr = Field(
        SecretStr(""), description="a test key to register at start, `dv_test_sk_…`; empty: none"
    )
    webhook_secret: SecretStr = Field(
        SecretStr(""), description="the account's webhook secret, `whsec_…`; empty: made once and kept in Redis"
    )
    seed_numbers: str = Field(
        "",
        pattern=r"^(\+[1-9][0-9]{6,14}(, *\+[1-9][0-9]{6,14})*)?$",
        description="numbers to register at start, E.164, separated by commas; their calls are held",
    )
    sandbox: bool = Field(
        False, description="register the sandbox carrier as a trunk, the default where there is no other"
    )

    trunk_keepalive_seconds: int = Field(
        30, ge=1, le=3600, description="pause between two OPTIONS to a trunk, by which it is known to be there, seconds"
    )
    trunk_allow_loopback: bool = Field(
        False, description="let trunks and SIP destinations point to loopback and to own addresses: a routing loop"
    )
    external_address: str = Field(
        "", description="address that carriers know this site by; Asterisk is given the same, see docs/trunks.md"
    )
    tls_ca: Path | None = Field(
        None, description="PEM file of the authorities that carriers' certificates are checked by; empty: the system's"
    )

    retention_days: float = Field(
        90, ge=0, le=36_500, description="how long an ended call is kept with its recording, days; 0: for ever"
    )
    recordings: Path | None = Field(None, description="folder of finished recordings; empty: <home>/recordings")
    recording_url_hours: int = Field(24, ge=1, description="how long a recording's signed URL is valid, hours")

    prompts: Path | None = Field(None, description="folder of rendered prompts; empty: <home>/prompts")
    speech_models: Path = Field(
        Path(".stack/speech"), description="folder of the models of speech, shared by all homes; see docs/speech.md"
    )
    speech_url: str = Field(
        "",
        pattern=r"^(https?://[^@/\s]+\S*)?$",
        description="URL of an OpenAI-compatible API that speaks every text, up to before `/audio/speech`; empty: none",
    )
    speech_key: SecretStr = Field(SecretStr(""), description="its key; empty: none")
    speech_model: str = Field("gpt-4o-mini-tts", description="the model that it is asked for")
    speech_voice: str = Field("alloy", description="the voice that it is asked for")
    recognition_url: str = Field(
        "",
        pattern=r"^(https?://[^@/\s]+\S*)?$",
        description="URL of an OpenAI-compatible API that understands speech, up to before `/audio/transcriptions`; "
        "empty: none",
    )
    recognition_key: SecretStr = Field(SecretStr(""), description="its key; empty: none")
    recognition_model: str = Field("whisper-1", description="the model that it is asked for")
    listeners: int = Field(
        4, ge=0, le=100, description="callers at once who can say what they choose, per process; 0: keys alone"
    )

    @property
    def base_url(self) -> str:
        """The URL that answers and webhooks name, without a trailing slash."""
        return (self.public_url or f"http://{self.api_host}:{self.api_port}").rstrip("/")

    @property
    def nodes_url(self) -> str:
        """The URL that nodes reach this process by, without a trailing slash."""
        host = "127.0.0.1" if self.api_host in ("0.0.0.0", "::") else self.api_host
        return (self.node_url or f"http://{f'[{host}]' if ':' in host else host}:{self.api_port}").rstrip("/")

    @property
    def recordings_dir(self) -> Path:
        """Where finished recordings lie."""
        return self.recordings or self.home / "recordings"

    @property
    def prompts_dir(self) -> Path:
        """Where rendered prompts lie."""
        return self.prompts or self.home / "prompts"

    @property
    def process_name(self) -> str:
        """`process`, or the host's name in the letters that a process may have."""
        return self.process or re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().lower()).strip("-")[:20] or "process"

    @property
    def nodes(self) -> tuple[NodeSettings, ...]:
        """Every node with all it needs."""
        single = NodeSettings(
            name=self.node,
            ari_url=self.ari_url,
            ari_user=self.ari_user,
            ari_password=self.ari_password,
            ami_addr=self.ami_addr,
            ami_user=self.ami_user,
            ami_password=self.ami_password,
            sip_addr=self.sip_addr,
        )
        shared = single.model_dump(include={"ari_user", "ari_password", "ami_user", "ami_password"})
        return tuple(
            node.model_copy(update={k: v for k, v in shared.items() if k not in node.model_fields_set})
            for node in self.asterisk_nodes
        ) or (single,)

    @model_validator(mode="after")
    def _one_of_a_kind(self) -> "Settings":
        for what in ("name", "ari_url", "ami_addr"):
            values = [getattr(node, what) for node in self.asterisk_nodes]
            if len(set(values)) < len(values):
                raise ValueError(f"ORBIT_ASTERISK_NODES: each node needs its own {what}")
        return self


class BadSettings(ValueError):
    """What is wrong with the environment, in one line that shows no value: it may be a secret."""


S = TypeVar("S", bound=BaseSettings)


def read(kind: type[S]) -> S:
    """The settings of the environment. Raises `BadSettings`."""
    try:
        return kind()
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_url=False, include_input=False):
            name = "_".join(["ORBIT", *map(str, fault["loc"])]).upper()
            faults.append(f"{name}: {fault['msg']}" if fault["loc"] else fault["msg"].removeprefix("Value error, "))
        raise BadSettings("; ".join(faults)) from None
    except SettingsError as error:
        named = re.search(r'field "(\w+)"', str(error))
        raise BadSettings(f"ORBIT_{named[1].upper() if named else '…'}: no valid JSON") from None
