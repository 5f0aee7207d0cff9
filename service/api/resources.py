"""What answers hold, described for the OpenAPI page. A test compares real answers with these."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from service.calls.call import Direction, Side
from service.calls.status import Status
from service.numbers.route import RouteType
from service.trunks.health import Registration, State
from service.trunks.trunk import Codec, Encryption

TrunkStatus = Literal["active", "unreachable", "rejected", "disabled"]


class Resource(BaseModel):
    model_config = ConfigDict(extra="forbid")


class HangupShown(Resource):
    by: Side
    cause: int = Field(description="Q.850 cause")
    sip_code: int | None = Field(description="the far end's final SIP answer, where it gave one")
    reason: str = Field(description="the cause in a word")
    message: str = Field(description="what happened, in one sentence")


class Call(Resource):
    id: str
    direction: Direction
    to: str
    from_: str = Field(alias="from")
    status: Status
    agent_id: str | None
    ivr_id: str | None
    trunk_id: str | None
    record: bool
    max_duration: int = Field(description="seconds from answer")
    timeout: int = Field(description="seconds to ring")
    metadata: dict[str, Any]
    webhook_url: str | None
    created_at: AwareDatetime
    ringing_at: AwareDatetime | None
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    duration_seconds: int | None = Field(description="from answer to end")
    recording_url: str | None = Field(description="plays without a key until its signature expires")
    hangup: HangupShown | None
    agent_summary: dict[str, Any] | None


class TimelineRow(Resource):
    id: str
    type: str
    created_at: AwareDatetime
    sequence: int
    recovered: bool = Field(description="found out later, by a comparison or from the ledger")
    detail: dict[str, Any]


class RouteShown(Resource):
    type: RouteType
    target: str | None


class Number(Resource):
    id: str
    number: str
    friendly_name: str | None
    trunk_id: str | None
    trunk_ids: list[str] = Field(description="trunks for calls from this number, in the order in which they are tried")
    webhook_url: str | None
    route: RouteShown | None = Field(description="where calls to it go; null: they are turned away")
    created_at: AwareDatetime


class TrunkHealth(Resource):
    state: State
    rtt_ms: float | None = Field(description="how long the last answer took, milliseconds")
    checked_at: AwareDatetime | None
    registration: Registration | None = Field(description="null where the trunk does not register")
    error: str | None = Field(description="what is wrong, in one sentence")


class Trunk(Resource):
    id: str
    name: str
    termination_uri: str | None = Field(description="null for the built-in sandbox")
    origination_uris: list[str]
    auth_username: str | None
    codecs: list[Codec]
    encryption: Encryption
    tls_verify: bool
    register_: bool = Field(alias="register")
    country: str | None
    max_channels: int | None
    calls_per_second: int | None
    allow_sip_destinations: bool
    default: bool
    enabled: bool
    status: TrunkStatus
    health: TrunkHealth
    created_at: AwareDatetime
    updated_at: AwareDatetime


class OptionsShown(Resource):
    node: str
    reachable: bool | None = Field(description="null where the node could not find out")
    rtt_ms: float | None
    error: str | None


class DnsShown(Resource):
    host: str
    port: int
    addresses: list[str]
    error: str | None


class TlsShown(Resource):
    ok: bool
    verified: bool = Field(description="the certificate was checked and is good")
    protocol: str | None
    cipher: str | None
    subject: str | None
    issuer: str | None
    expires_at: AwareDatetime | None
    days_left: int | None
    warning: str | None
    error: str | None


class TrunkCheck(Resource):
    trunk_id: str
    status: TrunkStatus
    explanation: str = Field(description="what was found, in one sentence")
    checked_at: AwareDatetime
    health: TrunkHealth
    options: list[OptionsShown] = Field(description="OPTIONS, sent now by each node")
    codecs: list[Codec] = Field(description="what nodes offer, in this order")
    dns: DnsShown | None
    tls: TlsShown | None = Field(description="null where the trunk has no TLS, or its host was not found")


class Webhook(Resource):
    id: str
    url: str
    events: list[str]
    description: str | None
    created_at: AwareDatetime


class NewWebhook(Webhook):
    signing_secret: str = Field(description="shown this once")


class Delivery(Resource):
    id: str
    webhook_id: str | None
    event_id: str
    event_type: str
    resource_id: str
    url: str
    status: Literal["pending", "retrying", "delivered", "dead"]
    attempts: int
    next_attempt_at: AwareDatetime | None
    response_status: int | None
    error: str | None
    created_at: AwareDatetime
    delivered_at: AwareDatetime | None


class Meta(BaseModel):
    request_id: str
    timestamp: AwareDatetime
    warnings: list[str] = Field(default=[], description="unknown fields of the body")


class Pagination(Resource):
    cursor: str | None
    has_more: bool
    total: int


class FaultShown(Resource):
    field: str
    value: Any
    expected: str


class CodedFault(FaultShown):
    code: str


class ErrorShown(Resource):
    code: str
    message: str
    status: int
    details: FaultShown | None
    errors: list[CodedFault] = []


class Error(BaseModel):
    error: ErrorShown
    meta: Meta


SHOWN: tuple[type[BaseModel], ...] = (
    Call,
    TimelineRow,
    Number,
    Trunk,
    TrunkCheck,
    Webhook,
    NewWebhook,
    Delivery,
    Meta,
    Pagination,
    Error,
)
