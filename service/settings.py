"""What an operator sets for the service: environment variables `ORBIT_…`, each with its unit in its description.

`docs/settings.md` lists them; a test compares that page with these fields.
"""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of one service process."""

    model_config = SettingsConfigDict(env_prefix="ORBIT_", extra="ignore", frozen=True)

    process: str = Field(
        "p1", pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="name of this process; keep it over restarts"
    )
    home: Path = Field(
        Path(".stack/home"), description="folder of all state: recordings, and in the embedded stack everything"
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")

    api_host: str = Field("127.0.0.1", description="address the API binds")
    api_port: int = Field(8080, ge=0, le=65535, description="TCP port of the API")
    public_url: str = Field("", description="base URL clients reach the API by; empty: http://<api_host>:<api_port>")
    max_body_bytes: int = Field(1_048_576, ge=1024, description="largest request body, bytes")

    redis_url: str = Field("redis://127.0.0.1:6379/0", description="URL of Redis")
    redis_timeout_ms: int = Field(800, ge=50, description="longest wait for one Redis answer, milliseconds")

    node: str = Field(
        "node1", pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="name of the Asterisk node (its systemname)"
    )
    ari_url: str = Field("http://127.0.0.1:8088/ari", description="URL of the node's ARI")
    ari_user: str = Field("orbit", description="ARI user")
    ari_password: SecretStr = Field(SecretStr(""), description="ARI password")
    ami_addr: str = Field("127.0.0.1:5038", description="host:port of the node's AMI")
    ami_user: str = Field("orbit", description="AMI user")
    ami_password: SecretStr = Field(SecretStr(""), description="AMI password")
    ari_timeout_ms: int = Field(5000, ge=100, description="longest wait for one ARI or AMI answer, milliseconds")
    pulse_ms: int = Field(
        2000, ge=100, le=3000, description="pause between two proofs that a node's event stream is alive, milliseconds"
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
    webhook_retry_seconds: tuple[float, ...] = Field(
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
        description="numbers to register at start, E.164, separated by commas",
    )
    sandbox: bool = Field(
        False, description="register the sandbox carrier as a trunk, the default where there is no other"
    )

    recordings: Path | None = Field(None, description="folder of finished recordings; empty: <home>/recordings")
    recording_url_hours: int = Field(24, ge=1, description="how long a recording's signed URL is valid, hours")

    @property
    def base_url(self) -> str:
        """The URL that answers and webhooks name, without a trailing slash."""
        return (self.public_url or f"http://{self.api_host}:{self.api_port}").rstrip("/")

    @property
    def recordings_dir(self) -> Path:
        """Where finished recordings lie."""
        return self.recordings or self.home / "recordings"
