"""Bodies of IVR flows."""

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from service.api.fields import Name, Url
from service.api.schemas import Body
from service.ivr.flow import KEYS, MENU_PHRASES, PHRASE, PHRASES, Action, Fallback

_OPTIONS = [
    {"key": "1", "action": "transfer_number", "target": "+14155552671"},
    {"key": "2", "action": "say", "target": "We are open from 9 to 5."},
    {"key": "9", "action": "repeat"},
]


def _spoken(value: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in value):
        raise PydanticCustomError("control_characters", "text without control characters")
    if not value.strip():
        raise PydanticCustomError("blank", "text that can be spoken")
    return value


def _https(url: str) -> str:
    if not url.lower().startswith("https://"):
        raise PydanticCustomError("greeting_url", "a URL that starts with https://")
    return url


Greeting = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_spoken)]
Saying = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_spoken)]
Phrase = Annotated[str, Field(min_length=1, max_length=PHRASE), AfterValidator(_spoken)]
Language = Annotated[str, Field(min_length=2, max_length=35)]
AudioUrl = Annotated[Url, AfterValidator(_https)]


class OptionBody(Body):
    key: Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"] = Field(description="the key")
    action: Action = Field(strict=False, description="what it does: " + ", ".join(Action))
    target: Saying | None = Field(
        None, description="a number in E.164, a SIP URI, the id of a flow or the text to say, as the action has it"
    )
    phrases: list[Phrase] = Field(
        default=[],
        max_length=PHRASES,
        description=f"what a caller may say instead of pressing it, up to {PHRASES}, {MENU_PHRASES} in a menu",
    )


class MenuBody(Body):
    options: list[OptionBody] = Field(min_length=1, max_length=len(KEYS), description="keys", examples=[_OPTIONS])


class UpdateFlow(Body):
    """What is named is replaced; null clears."""

    name: Name = Field(default="", description="a name for people", examples=["Main Menu"])
    greeting: Greeting = Field(
        default="", description="what callers hear, as plain text", examples=["Press 1 for sales, or 2 for our hours."]
    )
    language: Language = Field("en-US", description="the language in which all is spoken, and understood")
    menu: MenuBody = Field(default_factory=lambda: MenuBody.model_construct(options=[]), description="what keys do")
    timeout_seconds: int = Field(10, ge=1, le=60, description="how long to wait for a key, seconds")
    max_retries: int = Field(3, ge=0, le=10, description="how often the menu is played again")
    fallback_action: Fallback = Field(
        Fallback.VOICEMAIL, strict=False, description="what happens then, and when a transfer fails"
    )
    fallback_target: Name | None = Field(None, description="the number of a transfer_number fallback, E.164")
    greeting_url: AudioUrl | None = Field(
        None, description="audio that is played instead of the greeting; fetched once, https alone"
    )
    invalid_prompt: Saying | None = Field(None, description="said after a key that has no option")


class CreateFlow(UpdateFlow):
    name: Name = Field(description="a name for people", examples=["Main Menu"])
    greeting: Greeting = Field(
        description="what callers hear, as plain text", examples=["Press 1 for sales, or 2 for our hours."]
    )
    menu: MenuBody = Field(description="what keys do")


class Simulate(Body):
    keys: str = Field(
        max_length=4000, description="what a caller does: keys, timeout, or what they say", examples=["2,timeout,1"]
    )
