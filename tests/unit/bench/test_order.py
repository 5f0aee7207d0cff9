from bench.order import Attempt, Report, number


def test_numbers_are_their_own():
    assert len({number(serial) for serial in range(50_000)}) == 50_000
    assert number(1) == "+12025550001"


def test_what_went_wrong():
    good = Attempt("+1", due=10, asked=10, accepted=10.1, answered=11, ended=12)
    late = Attempt("+1", due=10, asked=10, accepted=10.1, answered=12.1, ended=12.2)
    failed = Attempt("+1", due=10, asked=10, fault="429")
    assert Report([good, good], []).wrong == ""
    assert Report([good, late, failed], []).wrong == "1 of 3 calls: late, 1 of 3 calls: 429"
