"""What a number, a trunk and a flow are as rows that the dialplan reads."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.asterisk.plan import LONGEST, of_flow, of_number, of_trunks, sip_target
from service.ivr.flow import KEYS, Fallback, flow_of
from service.ivr.rules import faults
from service.numbers.number import Number
from service.numbers.route import Route, RouteType
from service.trunks.trunk import Encryption, Trunk
from tests.unit.ivr.menus import flow

HOSTILE = '|"],${SHELL(id)}&;\r\n,1)'


def made(menu):
    """With a prompt of each of its texts: `h0`, `h1` …, the greeting's first."""
    return replace(menu, prompts={text: f"h{place}" for place, text in enumerate(menu.texts)})


def row_of(menu):
    [(key, row)] = of_flow(made(menu)).items()
    assert key == f"flow/{menu.id}"
    return row.split("|")


def test_a_flow_is_its_numbers_its_prompts_its_fallback_and_its_keys():
    fields = row_of(flow("a", ("1", "hangup"), version=7, timeout_seconds=5, max_retries=2))
    assert fields[:9] == ["7", "5", "2", "h0", "h1", "h2", "", "voicemail", ""]
    assert fields[9:] == ["", "hangup:", *[""] * 10]


@pytest.mark.parametrize(
    ("action", "target", "field"),
    [
        ("transfer_number", "+14155552671", "transfer_number:+14155552671"),
        ("transfer_sip", "sip:desk@PBX.example.com:5070", "transfer_sip:desk@pbx.example.com:5070"),
        ("ivr", "ivr_b", "ivr:ivr_b"),
        ("repeat", None, "repeat:"),
        ("hangup", None, "hangup:"),
        ("say", "We are open.", "say:h3"),
        ("voicemail", None, "voicemail:"),
    ],
)
def test_every_action_of_a_key(action, target, field):
    assert row_of(flow("a", ("0", action, target)))[9] == field


@pytest.mark.parametrize(("key", "place"), [("0", 9), ("9", 18), ("*", 19), ("#", 20)])
def test_every_key_has_its_place(key, place):
    fields = row_of(flow("a", (key, "hangup")))
    assert (len(fields), fields[place]) == (21, "hangup:")
    assert fields[9:].count("") == len(KEYS) - 1


def test_a_greeting_of_ones_own_a_fallback_and_a_menu_that_listens():
    fields = row_of(
        flow(
            "a",
            ("1", "hangup", None, ["goodbye"]),
            greeting_audio="abc",
            fallback_action=Fallback.TRANSFER_NUMBER,
            fallback_target="+14155552671",
        )
    )
    assert (fields[3], fields[6:9]) == ("abc", ["1", "transfer_number", "+14155552671"])


def test_nothing_that_people_write_is_in_a_row():
    hostile = flow("a", ("1", "say", HOSTILE, [HOSTILE]), invalid_prompt=HOSTILE + "!", language=HOSTILE)
    fields = row_of(replace(hostile, name=HOSTILE, greeting=HOSTILE + "?"))
    assert len(fields) == 21
    assert all(each.replace(":", "").isalnum() for each in fields if each)


def test_a_flow_whose_prompts_are_not_made_has_no_row():
    with pytest.raises(KeyError):
        of_flow(flow("a", ("1", "hangup")))


HOSTS = st.text("abc.-", min_size=1, max_size=150).map(lambda text: f"h{text}h")
OPTIONS = st.one_of(
    st.tuples(st.just("ivr"), st.text("abc_", min_size=1, max_size=64)),
    st.tuples(st.just("transfer_sip"), st.builds("{}:u@{}".format, st.sampled_from(["sip", "sips"]), HOSTS)),
    st.tuples(st.just("say"), st.text(min_size=1, max_size=50)),
    st.tuples(st.just("transfer_number"), st.just("+14155552671")),
)


@example([("transfer_sip", f"sips:u@{'h' * 55}")] * 10, 1)  # `sips:` is longer in a row than in the URI
@given(st.lists(OPTIONS, max_size=12), st.integers(1, 10**9))
def test_no_row_of_a_flow_that_is_taken_is_too_long_or_has_a_field_too_many(options, version):
    listed = [{"key": key, "action": a, "target": t} for key, (a, t) in zip(KEYS, options, strict=False)]
    document = {"greeting": "Hello.", "fallback_action": "transfer_number", "fallback_target": "+14155552671"}
    if any(fault.field == "menu.options" for fault in faults({**document, "menu": {"options": listed}})):
        return
    menu = flow_of({**document, "id": "ivr_a", "name": "A", "created_at": 1, "options": listed, "version": version})
    row = of_flow(replace(menu, prompts=dict.fromkeys(menu.texts, "f" * 40)))["flow/ivr_a"]
    assert len(row.encode()) <= LONGEST
    assert row.count("|") == 20


NUMBER = Number("num_1", "+12025551234", 0)


@pytest.mark.parametrize(
    ("route", "trunks", "row"),
    [
        (None, (), "none||"),
        (Route(RouteType.HOLD), ("trunk_a",), "hold||trunk_a"),
        (Route(RouteType.REJECT), (), "reject||"),
        (Route(RouteType.IVR, "ivr_a"), ("trunk_a", "trunk_b"), "ivr|ivr_a|trunk_a&trunk_b"),
        (Route(RouteType.NUMBER, "+14155552671"), (), "number|+14155552671|"),
        (Route(RouteType.SIP, "sips:desk@PBX.example.com"), (), "sip|desk@pbx.example.com;transport=tls|"),
    ],
)
def test_where_a_number_leads(route, trunks, row):
    found = of_number(replace(NUMBER, route=route, trunk_ids=trunks, friendly_name=HOSTILE))
    assert found["number/+12025551234"] == row


def test_a_number_of_one_trunk():
    assert of_number(replace(NUMBER, trunk_id="trunk_a"))["number/+12025551234"] == "none||trunk_a"


@pytest.mark.parametrize(
    ("number", "code", "forms"),
    [
        ("+12025551234", 1, {"2025551234", "12025551234"}),
        ("+493012345678", 49, {"3012345678", "03012345678"}),
        ("+390612345678", 39, {"0612345678"}),  # the zero is the number's own
        ("+442079460018", 44, {"2079460018", "02079460018"}),
        ("+61291234567", 61, {"291234567", "0291234567"}),
        ("+551123456789", 55, {"1123456789", "01123456789"}),  # written without a prefix, dialled with one
        ("+74951234567", 7, {"4951234567", "84951234567"}),
        ("+80012345678", 800, {"12345678"}),  # of no country
    ],
)
def test_a_number_in_the_forms_of_its_own_country(number, code, forms):
    rows = of_number(replace(NUMBER, number=number))
    del rows[f"number/{number}"]
    assert rows == {f"national/{code}/{each}": number for each in forms}


def test_what_is_no_number_has_no_national_form():
    assert of_number(replace(NUMBER, number="+999")) == {"number/+999": "none||"}


TRUNK = Trunk("trunk_a", HOSTILE, 1, termination_uri="sip:PBX.example.com:5070", encryption=Encryption.NONE)
SANDBOX = Trunk("trunk_s", "Sandbox", 0, sandbox=True)


@pytest.mark.parametrize(
    ("country", "dialling"),
    [
        (None, "|"),
        ("US", "1|011"),
        ("DE", "49|00"),
        ("AU", "61|0011"),
        ("RU", "7|810"),
        ("PL", "48|00"),
        ("BR", "55|"),  # by carrier
        ("AQ", "|"),  # has no plan
    ],
)
def test_how_a_trunks_country_dials(country, dialling):
    row = of_trunks([replace(TRUNK, country=country)])["trunk/trunk_a"]
    assert row == f"trunk_a|PBX.example.com:5070||{dialling}"


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, ""),
        ({"allow_sip_destinations": True}, "*"),
        ({"allow_sip_destinations": True, "auth_username": "u"}, "pbx.example.com"),
        ({"auth_username": "u"}, ""),
    ],
)
def test_the_sip_destinations_of_a_trunk(changes, allowed):
    assert of_trunks([replace(TRUNK, **changes)])["trunk/trunk_a"].split("|")[2] == allowed


def test_a_trunk_that_encrypts_names_its_transport():
    row = of_trunks([replace(TRUNK, encryption=Encryption.TLS_SRTP, auth_password=HOSTILE)])["trunk/trunk_a"]
    assert row == "trunk_a|PBX.example.com:5070;transport=tls|||"


def test_a_trunk_that_is_switched_off_has_no_row():
    assert of_trunks([replace(TRUNK, enabled=False)]) == {}


def test_the_sandbox_has_its_own_name_and_is_the_default_while_no_other_is():
    rows = of_trunks([TRUNK, SANDBOX])
    assert rows["trunk/sandbox"] == rows["trunk/trunk_s"] == "sandbox||*||"
    assert rows["trunk/default"] == "trunk_s"
    assert of_trunks([replace(TRUNK, default=True), SANDBOX])["trunk/default"] == "trunk_a"
    assert "trunk/default" not in of_trunks([TRUNK])


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("sip:desk@PBX.example.com", "desk@pbx.example.com"),
        ("sip:desk@pbx.example.com:5070;transport=tcp", "desk@pbx.example.com:5070"),
        ("sip:desk@pbx.example.com;transport=TLS", "desk@pbx.example.com;transport=tls"),
        ("sips:desk@pbx.example.com:5071", "desk@pbx.example.com:5071;transport=tls"),
        ("sip:desk@[2001:db8::1]:5070", "desk@[2001:db8::1]:5070"),
        ("sip:desk|x@pbx.example.com", ""),
        ("sip:desk@pbx.example.com&PJSIP/1", ""),
        ("+14155552671", ""),
        ("", ""),
    ],
)
def test_a_sip_uri_as_transfers_take_it(uri, target):
    assert sip_target(uri) == target
