"""Flows as the API shows them."""

from dataclasses import asdict
from typing import Any, Protocol

from service.calls.times import rfc3339
from service.ivr.flow import Flow


class Voice(Protocol):
    """Who speaks a language."""

    @property
    def engine(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def language(self) -> str: ...


def present_flow(flow: Flow, voice: Voice | None) -> dict[str, Any]:
    """The resource. `voice` is None where no engine speaks its language any more."""
    live = flow.live
    return {
        "id": flow.id,
        "name": flow.name,
        "status": flow.status,
        "error": flow.error,
        "options_count": len(flow.options),
        "greeting": flow.greeting,
        "greeting_url": flow.greeting_url,
        "greeting_audio": "url" if flow.greeting_url else "uploaded" if flow.greeting_audio else None,
        "language": flow.language,
        "voice": {"engine": voice.engine, "name": voice.name, "language": voice.language} if voice else None,
        "menu": {"options": menu(flow)},
        "invalid_prompt": flow.invalid_prompt,
        "timeout_seconds": flow.timeout_seconds,
        "max_retries": flow.max_retries,
        "fallback_action": flow.fallback_action,
        "fallback_target": flow.fallback_target,
        "version": flow.version,
        "live_version": live.version if live else None,
        "created_at": rfc3339(flow.created_at),
        "updated_at": rfc3339(flow.updated_at or flow.created_at),
    }


def menu(flow: Flow) -> list[dict[str, Any]]:
    """Its options, as JSON has them."""
    return [{**asdict(option), "phrases": list(option.phrases)} for option in flow.options]
