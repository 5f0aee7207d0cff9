"""What answers about IVR flows and speech hold."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from service.api.resources import Resource
from service.ivr.flow import Action, Fallback, Status


class OptionShown(Resource):
    key: str
    action: Action
    target: str | None
    phrases: list[str]


class MenuShown(Resource):
    options: list[OptionShown]


class VoiceShown(Resource):
    engine: str
    name: str = Field(description="as the engine calls it")
    language: str = Field(description="what is spoken")


class Flow(Resource):
    id: str
    name: str
    status: Status = Field(description="active once callers hear this version")
    error: str | None = Field(description="why prompts are not made, in one sentence")
    options_count: int
    greeting: str
    greeting_url: str | None
    greeting_audio: Literal["uploaded", "url"] | None = Field(description="null: the greeting is spoken")
    language: str
    voice: VoiceShown | None = Field(description="who speaks; null: no engine does now")
    menu: MenuShown
    invalid_prompt: str | None = Field(description="null: a sentence of ours")
    timeout_seconds: int
    max_retries: int
    fallback_action: Fallback
    fallback_target: str | None
    version: int = Field(description="counts from 1 with each change")
    live_version: int | None = Field(description="the version that callers hear; null: none yet")
    created_at: AwareDatetime
    updated_at: AwareDatetime


class WalkStep(Resource):
    ivr_id: str
    name: str
    said: list[str] = Field(description="what the caller hears there")
    input: str | None = Field(description="what the caller does; null: the way ends here")
    key: str | None = Field(description="the key, pressed or said; null: none")
    action: Action | None = Field(description="null: no option has that key")
    target: str | None
    result: str = Field(description="what comes of it")


class Walk(Resource):
    ivr_id: str
    version: int
    path: list[WalkStep]
    outcome: Literal["transferred", "hangup", "unavailable", "waiting"]
    end: str = Field(description="how it ends, in words")
    unused: list[str] = Field(description="inputs that came after the end")


class SpeechEngine(Resource):
    name: str
    installed: bool
    languages: list[str] = Field(description="what it speaks here")
    chosen_for: list[str] = Field(description="what it is the best engine for")
    quality: str
    error: str | None = Field(description="what it lacks")


FLOWS_SHOWN: tuple[type[BaseModel], ...] = (Flow, Walk, SpeechEngine)
