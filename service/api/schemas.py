"""Bodies and queries of requests. Strict: a wrong type is a fault, never a guess."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from service.api.fields import (
    Codecs,
    Country,
    Destination,
    Identifier,
    Metadata,
    Moment,
    Name,
    OriginationUris,
    Password,
    Phone,
    TerminationUri,
    Text,
    TrunkIds,
    Url,
    Username,
    YesNo,
)
from service.calls.call import Direction
from service.calls.status import Status
from service.trunks.trunk import Codec, Encryption


class Body(BaseModel):
    """Base of bodies. `urls` names fields that hold webhook URLs, `secret` those that no answer may repeat."""

    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=False)
    urls: ClassVar[tuple[str, ...]] = ()
    secret: ClassVar[tuple[str, ...]] = ()


class CreateCall(Body):
    urls = ("webhook_url",)

    to: Destination = Field(
        description="destination, E.164, or a SIP URI where the trunk allows them", examples=["+14155552671"]
    )
    from_: Phone = Field(alias="from", description="caller ID, a number of this account", examples=["+12025551234"])
    agent_id: Identifier | None = Field(None, description="agent that handles the call")
    ivr_id: Identifier | None = Field(None, description="IVR flow that runs when the call is answered")
    trunk_id: Identifier | None = Field(None, description="trunk that carries the call")
    trunk_ids: TrunkIds | None = Field(
        None, description="trunks to try in this order, the next where one fails; instead of trunk_id"
    )
    webhook_url: Url | None = Field(None, description="URL that receives the call's events")
    record: bool = Field(False, description="record the call, both sides")
    max_duration: int = Field(3600, ge=1, le=86400, description="longest duration from answer, seconds")
    timeout: int = Field(60, ge=1, le=600, description="how long it may ring, seconds")
    metadata: Metadata = Field(default_factory=dict, description="your own key-value pairs, up to 16 KB")


class UpdateTrunk(Body):
    """What is named is replaced; null clears."""

    secret = ("auth_password",)

    name: Name = Field(default_factory=str, description="a name of its own", examples=["Primary Carrier"])
    termination_uri: TerminationUri = Field(
        default_factory=str, description="where calls go", examples=["sip:trunk.carrier.com:5060"]
    )
    origination_uris: OriginationUris | None = Field(
        default_factory=list, description="hosts and networks that calls come from, up to 64"
    )
    auth_username: Username | None = Field(None, description="SIP user name", examples=["orbit_user"])
    auth_password: Password | None = Field(None, description="SIP password; no answer shows it", repr=False)
    codecs: Codecs = Field([Codec.PCMU, Codec.PCMA, Codec.OPUS], description="codecs to offer, in this order")
    encryption: Encryption = Field(
        Encryption.TLS_SRTP, strict=False, description="tls_srtp, tls (signalling alone) or none"
    )
    tls_verify: bool = Field(True, description="check the far end's certificate")
    register_: bool = Field(
        False, alias="register", description="register at termination_uri, so that calls find their way here"
    )
    country: Country | None = Field(
        None, description="whose national forms called numbers come in, ISO 3166", examples=["US"]
    )
    max_channels: int | None = Field(None, ge=1, le=100_000, description="most calls at once")
    calls_per_second: int | None = Field(None, ge=1, le=1_000, description="most new calls a second")
    allow_sip_destinations: bool = Field(False, description="let calls go to SIP URIs too")
    default: bool = Field(False, description="calls that name no trunk go here; taken from the trunk that had it")
    enabled: bool = Field(True, description="false: no calls, either way")


class CreateTrunk(UpdateTrunk):
    name: Name = Field(description="a name of its own", examples=["Primary Carrier"])
    termination_uri: TerminationUri = Field(description="where calls go", examples=["sip:trunk.carrier.com:5060"])


class CreateWebhook(Body):
    urls = ("url",)

    url: Url = Field(description="where events are sent", examples=["https://example.com/hooks"])
    events: list[str] = Field(
        default=["*"], min_length=1, max_length=64, description="event types; * for all, call.* for a kind"
    )
    description: Text | None = Field(None, description="a note for people")


class UpdateWebhook(Body):
    """What is named is replaced."""

    urls = ("url",)

    url: Url = Field(default="", description="where events are sent", examples=["https://example.com/hooks"])
    events: list[str] = Field(default=["*"], min_length=1, max_length=64, description="event types")
    description: Text | None = Field(None, description="a note for people")


class Paging(BaseModel):
    """Queries arrive as text; numbers in them are read."""

    model_config = ConfigDict(extra="ignore")

    cursor: str | None = Field(None, description="where the page before this one ended")
    limit: int = Field(20, ge=1, le=100, description="results per page")


class CallQuery(Paging):
    status: Status | None = Field(None, description="only calls of this status")
    from_: str | None = Field(None, alias="from", max_length=255, description="only calls from this number")
    to: str | None = Field(None, max_length=255, description="only calls to this number")
    direction: Direction | None = Field(None, description="only calls of this direction")
    agent_id: str | None = Field(None, max_length=64, description="only calls of this agent")
    created_after: Moment | None = Field(None, description="only calls created then or later, RFC 3339")
    created_before: Moment | None = Field(None, description="only calls created earlier, RFC 3339")


class DeleteTrunkQuery(BaseModel):
    model_config = ConfigDict(extra="ignore")

    force: YesNo = Field(False, description="also a trunk with live calls, which go on to their end")


class RecordingQuery(BaseModel):
    model_config = ConfigDict(extra="ignore")

    expires: str = Field("", description="until when the signature is valid, seconds since 1970")
    signature: str = Field("", description="what makes the URL play without a key")
