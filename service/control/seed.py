"""What is there from the first start on: keys, the sandbox trunk, the numbers of the settings."""

from dataclasses import asdict, dataclass
from typing import Any, Protocol

from service.calls.ids import mint
from service.calls.times import now_ms
from service.control.collections import Collection
from service.errors import Conflict
from service.numbers.number import Number
from service.numbers.route import Route, RouteType
from service.trunks.trunk import Codec, Encryption, Trunk

SCOPES = ("voice:read", "voice:write", "admin")


class Keys(Protocol):
    """Where API keys are registered."""

    async def register(self, api_key: str, scopes: tuple[str, ...], sandbox: bool) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Seeds:
    """Empty keys are not planted. `numbers` are E.164."""

    live_key: str = ""
    test_key: str = ""
    numbers: tuple[str, ...] = ()
    sandbox: bool = False


async def plant(seeds: Seeds, keys: Keys, numbers: Collection, trunks: Collection) -> None:
    """Makes what is missing; what is there stays as the user left it."""
    for api_key, sandbox in ((seeds.live_key, False), (seeds.test_key, True)):
        if api_key:
            await keys.register(api_key, SCOPES, sandbox)
    if seeds.sandbox and not any(trunk.get("sandbox") for trunk in await trunks.all()):
        await _add(trunks, asdict(built_in()))
    for number in seeds.numbers:
        if await numbers.find(number) is None:
            await _add(numbers, asdict(Number(mint("num"), number, now_ms(), route=Route(RouteType.HOLD))))


def built_in() -> Trunk:
    """The sandbox carrier, as `asterisk-config/pjsip.conf` has its endpoint."""
    now = now_ms()
    return Trunk(
        mint("trunk"),
        "Sandbox",
        now,
        now,
        codecs=(Codec.PCMU, Codec.PCMA),
        encryption=Encryption.NONE,
        allow_sip_destinations=True,
        sandbox=True,
    )


async def _add(collection: Collection, document: dict[str, Any]) -> None:
    try:
        await collection.create(document)
    except Conflict:  # another process was faster
        return
