"""`Menus` of what callers may say, over the collection of flows."""

from service.control.listening import Phrases
from service.ivr.flow import flow_of
from service.store.documents import Documents


class RedisPhraseBook:
    """Of the published version that a caller is in; who is in an older one presses keys."""

    def __init__(self, flows: Documents) -> None:
        self._flows = flows

    async def phrases(self, flow: str, version: str) -> Phrases | None:
        document = await self._flows.get(flow)
        live = flow_of(document).live if document else None
        if live is None or str(live.version) != version or not live.listens:
            return None
        return Phrases(live.language, live.phrases, "" if live.greeting_audio else live.greeting)
