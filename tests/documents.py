"""A `Collection` in memory, as exact as the one in Redis: documents are JSON, a write names what it replaces."""

import orjson

from service.control.ports import Page
from service.errors import Conflict, Fault


class FakeDocuments:
    """`unique` and `sole` as of `store/documents.py`. `before_write` runs before the next write, for another request to
    be faster."""

    def __init__(self, unique="", sole=""):
        self.rows, self.unique, self.sole = {}, unique, sole
        self.before_write = None

    async def create(self, document):
        await self._write(document)

    async def replace(self, document, before):
        if self.before_write is not None:
            hook, self.before_write = self.before_write, None
            await hook()
        if self.rows.get(document["id"]) != orjson.dumps(before):
            return False
        await self._write(document)
        return True

    async def _write(self, document):
        value = document.get(self.unique)
        if value is not None and any(d[self.unique] == value and d["id"] != document["id"] for d in await self.all()):
            raise Conflict(f"{self.unique} {value} is taken.", Fault(self.unique, value, "one that is not taken"))
        if document.get(self.sole):
            for other in await self.all():
                self.rows[other["id"]] = orjson.dumps({**other, self.sole: False})
        self.rows[document["id"]] = orjson.dumps(document)

    async def get(self, document_id):
        found = self.rows.get(document_id)
        return orjson.loads(found) if found else None

    async def find(self, value):
        return next((d for d in await self.all() if d[self.unique] == value), None)

    async def flagged(self, field):
        return next((d for d in await self.all() if d.get(field)), None)

    async def delete(self, document):
        return self.rows.pop(document["id"], None) is not None

    async def all(self):
        return [orjson.loads(self.rows[each]) for each in sorted(self.rows)]

    async def naming(self, text):
        part = orjson.dumps(text)[1:-1]
        return [orjson.loads(row) for _, row in sorted(self.rows.items()) if part in row]

    async def page(self, cursor, limit):
        return Page((await self.all())[::-1][:limit], None, len(self.rows))
