"""What a called number can mean."""

import pytest

from service.numbers.number import Number, as_e164, number_of
from service.numbers.route import BEFORE_ROUTES


@pytest.mark.parametrize(
    ("dialled", "country", "found"),
    [
        ("+12025550100", None, ("+12025550100",)),
        ("+12025550100", "DE", ("+12025550100",)),
        ("12025550100", None, ("+12025550100",)),
        ("12025550100", "US", ("+12025550100",)),
        ("2025550100", "US", ("+12025550100", "+2025550100")),
        ("(202) 555-0100", "US", ("+12025550100", "+2025550100")),
        ("00442071838750", None, ("+442071838750",)),
        ("011442071838750", None, ("+442071838750",)),
        ("011442071838750", "US", ("+442071838750",)),
        ("442071838750", "US", ("+442071838750",)),
        ("0442071838750", None, ()),
        ("020 7183 8750", "GB", ("+442071838750",)),
        ("030123456", "DE", ("+4930123456",)),
        ("030123456", None, ()),
        ("0612345678", "IT", ("+390612345678",)),
        ("0011442071838750", "AU", ("+442071838750", "+11442071838750")),
        ("911", "US", ()),
    ],
)
def test_a_called_number_in_the_forms_that_carriers_send(dialled, country, found):
    assert as_e164(dialled, country) == found


@pytest.mark.parametrize(
    "junk",
    ["", "+", "00", "s", "alice", "++12025550100", "+1202555010x", "+0123456789", "1" * 21, "+12025550100;ext=1",
     "\n12025550100", "12025550100\r\n", "${EXTEN}", "١٢٠٢٥٥٥٠١٠٠", "&PJSIP/x"],
)  # fmt: skip
@pytest.mark.parametrize("country", [None, "US"])
def test_junk_is_no_number(junk, country):
    assert as_e164(junk, country) == ()


def test_a_number_that_an_older_version_stored():
    stored = {"id": "num_1", "number": "+12025550100", "created_at": 1, "trunk_id": None, "colour": "blue"}
    assert number_of(stored) == Number("num_1", "+12025550100", 1, route=BEFORE_ROUTES)
    assert number_of({**stored, "trunk_ids": ["trunk_1"]}).trunk_ids == ("trunk_1",)
