"""Bodies and queries of requests. Strict: a wrong type is a fault, never a guess."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from service.api.fields import Destination, Identifier, Metadata, Moment, Phone, Text, Url
from service.calls.call import Direction
from service.calls.status import Status


class Body(BaseModel):
    """Base of bodies. `urls` names fields that hold webhook URLs."""

    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=False)
    urls: ClassVar[tuple[str, ...]] = ()


class CreateCall(Body):
    urls = ("webhook_url",)

    to: Destination = Field(
        description="destination, E.164, or a SIP URI where the trunk allows them", examples=["+14155552671"]
    )
    from_: Phone = Field(alias="from", description="caller ID, a number of this account", examples=["+12025551234"])
    agent_id: Identifier | None = Field(None, description="agent that handles the call")
    ivr_id: Identifier | None = Field(None, description="IVR flow that runs when the call is answered")
    trunk_id: Identifier | None = Field(None, description="trunk that carries the call")
    webhook_url: Url | None = Field(None, description="URL that receives the call's events")
    record: bool = Field(False, description="record the call, both sides")
    max_duration: int = Field(3600, ge=1, le=86400, description="longest duration from answer, seconds")
    timeout: int = Field(60, ge=1, le=600, description="how long it may ring, seconds")
    metadata: Metadata = Field(default_factory=dict, description="your own key-value pairs, up to 16 KB")


class CreateNumber(Body):
    urls = ("webhook_url",)

    number: Phone = Field(description="the number, E.164", examples=["+12025550100"])
    friendly_name: Text | None = Field(None, description="a name for people")
    trunk_id: Identifier | None = Field(None, description="trunk for calls from this number")
    webhook_url: Url | None = Field(None, description="URL that receives events of the number's inbound calls")


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


class RecordingQuery(BaseModel):
    model_config = ConfigDict(extra="ignore")

    expires: str = Field("", description="until when the signature is valid, seconds since 1970")
    signature: str = Field("", description="what makes the URL play without a key")
