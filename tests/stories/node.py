"""The node under test, asked past the service: what SIP objects it holds, and what its console says."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from service.stack.process import output
from service.stack.tree import Tree
from tests.stories.client import until
from tests.stories.media import Media, media


class NodeView:
    """One node of a stack, by its own ARI."""

    def __init__(self, stack: Any, part: str = "asterisk") -> None:
        number = part.removeprefix("asterisk")
        suffix = f"_{number}" if number else ""
        env = stack.env
        self._url = env[f"ORBIT_ARI_URL{suffix}"] + "/"
        self._login = aiohttp.encode_basic_auth(env["ORBIT_ARI_USER"], env["ORBIT_ARI_PASSWORD"])
        self._tree, self._config = Tree(stack.settings.tree), Path(stack.home.folder) / part / "etc/asterisk.conf"

    async def __aenter__(self) -> "NodeView":
        self.session = aiohttp.ClientSession(self._url, headers={"Authorization": self._login})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def holds(self, kind: str, object_id: str) -> dict[str, list[str]] | None:
        """A SIP object's fields, each with its values; None where there is none of that name."""
        async with self.session.get(f"asterisk/config/dynamic/res_pjsip/{kind}/{object_id}") as answer:
            if answer.status == 404:
                return None
            assert answer.status == 200, await answer.text()
            fields: dict[str, list[str]] = {}
            for field in await answer.json():
                fields.setdefault(field["attribute"], []).append(field["value"])
            return fields

    async def forgets(self, kind: str, object_id: str) -> None:
        """Somebody deletes an object behind the service's back."""
        async with self.session.delete(f"asterisk/config/dynamic/res_pjsip/{kind}/{object_id}") as answer:
            assert answer.status == 204, await answer.text()

    async def endpoints(self) -> set[str]:
        async with self.session.get("endpoints/PJSIP") as answer:
            return {each["resource"] for each in await answer.json()}

    async def says(self, command: str) -> str:
        """The console's answer."""
        return await output(*self._tree.asterisk, "-C", str(self._config), "-rx", command)

    async def media(self, channel: str) -> Media:
        """Of a live channel."""
        return await media(self.session, channel)

    async def caller(self, number: str) -> str:
        """The live channel of a call from that number, once there is one."""

        async def found() -> str | None:
            async with self.session.get("channels") as answer:
                calling = [each["id"] for each in await answer.json() if each["caller"]["number"] == number]
            return calling[0] if calling else None

        return str(await until(found))

    async def hears(self, channel: str, file: Path) -> None:
        """Writes what the channel hears from now on to a file, samples of 8 kHz."""
        async with self.session.get(f"channels/{channel}") as answer:
            name = (await answer.json())["name"]
        await self.says(f"mixmonitor start {name} {file}.both.sln,r({file})")

    async def booted(self) -> None:
        """Returns once ARI answers again."""
        for _ in range(200):
            try:
                async with self.session.get("asterisk/ping") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
        raise AssertionError("the node does not come back")
