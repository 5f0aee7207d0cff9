"""How long it took until everything worked again.

From the moment when the fault was lifted (or struck, where nothing lifts it) to the last sign that something did not
work: a request that failed; a call that was accepted and dialled more than a second later; a caller who was not
answered within two; a terminal webhook that was taken more than a second after the call's end; and, where the fault
concerns recordings, a recording that was ready more than two seconds after it.
"""

from collections.abc import Iterable, Iterator

from service.errors import Fenced
from tests.chaos.compare import TERMINAL, Books
from tests.chaos.outcome import NODE_LOST, outcome
from tests.chaos.receiver import Arrival
from tests.chaos.records import party
from tests.chaos.sip_book import Sighting

HELD = TimeoutError.__name__, Fenced.message
DIALLED, ANSWERED, TOLD, READY = 1.0, 2.0, 1.0, 2.0  # seconds that are no delay yet


def recovery(books: Books, since: float, recordings: bool, held: bool = False) -> tuple[float, str]:
    """Seconds after `since`, and what came last; 0 where nothing was late. `held`: a frozen process holds connections,
    and what is asked on those is answered by nobody, or by the process itself when it wakes up. Such a request counts
    for its repetition, on a new connection."""
    late = max(_late(books, recordings, HELD if held else ()), default=(since, "nothing was late"))
    return max(0.0, late[0] - since), late[1] if late[0] > since else "nothing was late"


def _late(books: Books, recordings: bool, held: tuple[str, ...]) -> Iterator[tuple[float, str]]:
    seen = {each.number: each for each in books.sightings}
    for number, order in books.orders.items():
        yield from ((at, f"a request failed: {why}") for at, why in order.failures if not why.endswith(held))
        invited = seen[number].invited if number in seen else None
        if invited and order.accepted and invited - order.accepted > DIALLED:
            yield invited, f"{number} was dialled late"
    for number in books.callers & seen.keys():
        yield from _answer(seen[number])
    yield from _webhooks(books, seen, recordings)


def _answer(seen: Sighting) -> Iterator[tuple[float, str]]:
    if seen.answered is None:
        yield seen.invited, f"{seen.number} was not answered"
    elif seen.answered - seen.invited > ANSWERED:
        yield seen.answered, f"{seen.number} was answered late"


def _webhooks(books: Books, seen: dict[str, Sighting], recordings: bool) -> Iterator[tuple[float, str]]:
    records = {record["id"]: record for record in books.records}
    for arrival in _taken(books.arrivals):
        record = records.get(arrival.call_id)
        call = seen.get(party(record)) if record else None
        if call is None:
            continue
        ended = books.death.at if books.death and outcome(record) == NODE_LOST else call.ended
        if ended is None:
            continue
        if arrival.type in TERMINAL and arrival.at - ended > TOLD:
            yield arrival.at, f"the end of {call.number} was told late"
        elif recordings and arrival.type == "call.recording.ready" and arrival.at - ended > READY:
            yield arrival.at, f"the recording of {call.number} was ready late"


def _taken(arrivals: Iterable[Arrival]) -> Iterator[Arrival]:
    """Each event when it was first taken; one that comes again is not late."""
    known: set[str] = set()
    for arrival in arrivals:
        if arrival.taken and arrival.id not in known:
            known.add(arrival.id)
            yield arrival
