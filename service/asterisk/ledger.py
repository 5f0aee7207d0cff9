"""The ledger: one AstDB row per ended channel, written by `orbit-ledger` in asterisk-config/extensions.conf.

It holds what happened while nobody listened. Rows are read through AMI and deleted once their outcome is stored.
"""

import structlog

from service.asterisk.ami import Ami
from service.asterisk.channel import clean, endpoint_of, seconds_to_ms
from service.control.inbound import Offer
from service.control.node_state import Outcome

log = structlog.get_logger()

FAMILY = "ledger"


def parse(channel_id: str, row: str, node: str, app: str) -> Outcome | None:
    """`cause|sip|answered|ended|end|created|called|caller|channel|state|steps`, times in seconds since 1970; None for
    a foreign row. Rows of the version before end with the caller."""
    try:
        cause, sip, answered, ended, end, created, called, caller, *later = row.split("|")
        channel, state, steps, *_ = (*later, "", "", "")
        ended_at, made_at = seconds_to_ms(ended), seconds_to_ms(created)
        if ended_at is None:
            return None
        return Outcome(
            channel_id,
            ended_at,
            int(cause or 0),
            int(sip) if sip else None,
            seconds_to_ms(answered),
            end,
            Offer(channel_id, node, app, called, clean(caller), made_at, endpoint_of(channel))
            if called and made_at
            else None,
            rang=state == "Ringing",
            steps=int(steps or 0),
        )
    except ValueError:
        return None


class Ledger:
    """The ledger of one node."""

    def __init__(self, ami: Ami, node: str, app: str) -> None:
        self._ami, self._node, self._app = ami, node, app

    async def read(self) -> list[Outcome]:
        """All rows. One that cannot be read is logged and deleted: it would stand in the way for ever."""
        outcomes = []
        for message in await self._ami.action("DBGetTree", Family=FAMILY):
            if "Key" not in message:
                continue
            channel_id = str(message["Key"]).removeprefix(f"/{FAMILY}/")
            outcome = parse(channel_id, str(message["Val"]), self._node, self._app)
            if outcome is not None:
                outcomes.append(outcome)
            else:
                log.error("unreadable row in the ledger", node=self._node, channel=channel_id)
                await self.forget(channel_id)
        return outcomes

    async def forget(self, channel_id: str) -> None:
        """Deletes a row; one that is gone is no error."""
        await self._ami.action("DBDel", Family=FAMILY, Key=channel_id)
