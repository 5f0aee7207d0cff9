"""Links by which nodes fetch prompts from the service: signed, so that nobody else does."""

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PromptLinks:
    """`base` is the URL that nodes reach the service by, `folder` where prompts lie, each under its hash. (In a link is
    no `=`: the dialplan has it on the left side of one.)"""

    base: str
    secret: bytes = field(repr=False)
    folder: Path

    def of(self, name: str) -> str:
        return f"{self.base}/prompts/{self._signature(name)}/{name}.wav"

    def file(self, name: str) -> Path | None:
        """The file of a prompt that is there."""
        path = self.folder / f"{name}.wav"
        return path if name.isalnum() and path.is_file() else None

    def signed(self, name: str, signature: str) -> Path | None:
        """The same, for who shows a link of ours."""
        good = name.isascii() and signature.isascii() and hmac.compare_digest(self._signature(name), signature)
        return self.file(name) if good else None

    def _signature(self, name: str) -> str:
        return hmac.digest(self.secret, f"prompt|{name}".encode(), hashlib.sha256).hex()
