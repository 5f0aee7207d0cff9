from bench.growth import Growth
from bench.soak import growing, wrong_ends

ENDS = {"": 720, "call.busy": 90, "call.no_answer": 90}


def test_all_ended_as_they_should():
    assert wrong_ends(ENDS, (100, 100)) == []


def test_calls_that_ended_otherwise():
    wrong = wrong_ends({**ENDS, "": 717, "TimeoutError: ": 3}, (100, 98))
    assert wrong == [
        "3 calls ended with TimeoutError: ",
        "717 of 900 calls ended with completed, 80% were to",
        "2 inbound calls failed",
    ]


def test_what_grows():
    growth = Growth({
        "service 7": [(x, x) for x in range(0, 10_000, 100)],
        "service 8": [(x, 0.1 * x) for x in range(0, 10_000, 100)],
        "redis": [(x, 9 * x) for x in range(0, 10_000, 100)],
    })
    assert growing(growth) == ["service 7 grows by 1000 KB per 1,000 calls, more than 200"]
