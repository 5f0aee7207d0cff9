"""What must fit together in a trunk."""

import pytest

from service.trunks.rules import faults

GOOD = {"termination_uri": "sip:trunk.carrier.com:5060", "encryption": "tls_srtp", "register": False}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"encryption": "none"},
        {"encryption": "none", "termination_uri": "sip:h;transport=tcp"},
        {"encryption": "tls", "termination_uri": "sips:h;transport=tls"},
        {"auth_username": "u"},
        {"auth_username": "u", "auth_password": "p", "register": True},
    ],
)
def test_what_fits(change):
    assert faults({**GOOD, **change}) == []


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"termination_uri": "sip:h;transport=udp"}, ["termination_uri"]),
        ({"encryption": "tls", "termination_uri": "sip:h;transport=TCP"}, ["termination_uri"]),
        ({"encryption": "none", "termination_uri": "sips:h"}, ["termination_uri"]),
        ({"encryption": "none", "termination_uri": "sip:h;transport=tls"}, ["termination_uri"]),
        ({"auth_password": "p"}, ["auth_username"]),
        ({"register": True}, ["auth_username", "auth_password"]),
        ({"register": True, "auth_username": "u"}, ["auth_password"]),
        ({"register": True, "auth_password": "p"}, ["auth_username"]),
    ],
)
def test_what_does_not_fit(change, fields):
    assert [fault.field for fault in faults({**GOOD, **change})] == fields


@pytest.mark.parametrize("value", [None, 5, [], {}, "x", True])
@pytest.mark.parametrize("field", ["termination_uri", "encryption", "register", "auth_username", "auth_password"])
def test_values_of_another_kind_are_passed_over(field, value):
    faults({**GOOD, field: value})
    faults({field: value})


def test_a_password_is_never_told():
    assert "hunter2" not in repr(faults({**GOOD, "auth_password": "hunter2", "register": True}))
