"""What the core asks of the rest, as values. The switch carries out those about channels."""

from dataclasses import dataclass

from service.calls.call import Call


@dataclass(frozen=True, slots=True)
class Originate:
    """Dial the call's destination on its node under its channel id."""

    call: Call


@dataclass(frozen=True, slots=True)
class Accept:
    """Take a claimed inbound call: answer it and hold it under our control."""

    call: Call


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call's channel. One that is gone already is no error."""

    call: Call


@dataclass(frozen=True, slots=True)
class ForgetOutcome:
    """The outcome is stored: the node's ledger need not keep it."""

    call: Call


@dataclass(frozen=True, slots=True)
class ForgetSteps:
    """All steps in menus are stored: the node need not keep them."""

    call: Call


Command = Originate | Accept | HangUp | ForgetOutcome | ForgetSteps
