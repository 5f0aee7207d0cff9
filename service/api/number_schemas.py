"""Bodies of numbers."""

from pydantic import Field

from service.api.fields import Identifier, Phone, Target, Text, TrunkIds, Url
from service.api.schemas import Body
from service.numbers.route import RouteType

_TYPE = "agent, ivr, voicemail, conference, number, sip, hold or reject"
_TARGET = "the id of a flow, a number in E.164, or a SIP URI, as the type has it; hold and reject have none"


class RouteBody(Body):
    type: RouteType = Field(strict=False, description=_TYPE, examples=["number"])
    target: Target | None = Field(None, description=_TARGET, examples=["+14155552671"])


class RoutingBody(Body):
    """A route as a body of its own."""

    type: RouteType | None = Field(strict=False, description=f"{_TYPE}; null: no route")
    target: Target | None = Field(None, description=_TARGET)


class UpdateNumber(Body):
    """What is named is replaced; null clears."""

    urls = ("webhook_url",)

    number: Phone = Field(default="", description="the number, E.164; it stays what it is", examples=["+12025550100"])
    friendly_name: Text | None = Field(None, description="a name for people")
    trunk_id: Identifier | None = Field(None, description="trunk for calls from this number")
    trunk_ids: TrunkIds | None = Field(
        None, description="trunks for calls from this number, the next where one fails; instead of trunk_id"
    )
    webhook_url: Url | None = Field(None, description="URL that receives events of the number's inbound calls")
    route: RouteBody | None = Field(None, description="where calls to the number go; null: they are turned away")


class CreateNumber(UpdateNumber):
    number: Phone = Field(description="the number, E.164", examples=["+12025550100"])
