"""The eight statuses of a call and the order they can take."""

from enum import StrEnum


class Status(StrEnum):
    """One word per state, as the API writes it."""

    INITIATING = "initiating"  # stored; Asterisk is asked to dial
    RINGING = "ringing"  # the far end says that it rings (SIP 180 or 183)
    IN_PROGRESS = "in_progress"  # answered, audio flows
    COMPLETED = "completed"  # was answered and has ended
    FAILED = "failed"  # could not be connected, or was lost with its node
    BUSY = "busy"  # the far end is busy (SIP 486, 600)
    NO_ANSWER = "no_answer"  # nobody answered in time
    CANCELLED = "cancelled"  # hung up by the API before an answer


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.BUSY, Status.NO_ANSWER, Status.CANCELLED})
LIVE = frozenset(Status) - TERMINAL
