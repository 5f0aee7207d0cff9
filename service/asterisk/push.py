"""What one node holds of our trunks: read, put and deleted, at once and without a reload.

ARI's push configuration (Asterisk documentation, "ARI Push Configuration") changes an object in the running node and
writes it to AstDB, with every field there is, and with only the last of several values of one field. So the row is
written once more by AMI, with what we set and no more: that is what the node finds after its own restart, and what a
comparison reads.
"""

import orjson

from service.asterisk.ami import Ami
from service.asterisk.ari import Ari, AriRefused
from service.asterisk.pjsip import KINDS, PjsipObject
from service.errors import AsteriskUnavailable

LONGEST = 1000  # bytes of a row: AMI takes lines of 1,024

Rows = dict[tuple[str, str], dict[str, str]]


class Pushed:
    """The pushed objects of one node. All methods raise `AsteriskUnavailable`, `put` and `delete` also `AriRefused`."""

    def __init__(self, ari: Ari, ami: Ami) -> None:
        self._ari, self._ami = ari, ami

    async def rows(self, trunk_id: str = "") -> Rows:
        """(kind, id) → fields of what is there, of one trunk or of all. A row that is none of ours is empty."""
        found: Rows = {}
        for kind in KINDS:
            prefix = f"/{_family(kind)}/"
            key = {"Key": f"{kind}/{trunk_id}%"} if trunk_id else {}  # it becomes a LIKE of SQLite
            for message in await self._ami.action("DBGetTree", Family=f"pjsip_{kind}", **key):
                if "Key" in message:
                    found[kind, str(message["Key"]).removeprefix(prefix)] = _fields(str(message["Val"]))
        return found

    async def put(self, made: PjsipObject) -> None:
        row = orjson.dumps(made.fields).decode()
        if len(row.encode()) > LONGEST:
            raise ValueError(f"the row of {made.kind} {made.id} is longer than {LONGEST} bytes")
        await self._ari.push(made.kind, made.id, made.fields)
        [answer] = await self._ami.action("DBPut", Family=_family(made.kind), Key=made.id, Val=row)
        if answer.get("Response") != "Success":  # a full disk
            raise AsteriskUnavailable("The node cannot write its database.")

    async def look(self, trunk_id: str, *, register: bool) -> None:
        """Has the node ask a trunk's far end, and register, now and not when it is their turn."""
        await self._ami.action("PJSIPQualify", Endpoint=trunk_id)
        if register:
            await self._ami.action("PJSIPRegister", Registration=trunk_id)

    async def delete(self, kind: str, object_id: str) -> None:
        """One that is gone is no error."""
        try:
            await self._ari.call(
                "asterisk", "deleteObject", configClass="res_pjsip", objectType=kind, id=object_id
            )
        except AriRefused as refusal:
            if refusal.status != 404:
                raise
            await self._ami.action("DBDel", Family=_family(kind), Key=object_id)


def _family(kind: str) -> str:
    return f"pjsip_{kind}/{kind}"


def _fields(row: str) -> dict[str, str]:
    try:
        fields = orjson.loads(row)
    except orjson.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}
