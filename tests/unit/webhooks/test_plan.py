"""Who hears of which event."""

import pytest

from service.calls.ids import is_id
from service.control.ports import OutboxEntry
from service.webhooks.plan import endpoint_of, is_webhook, matches, targets
from service.webhooks.ports import Subscription


def event(kind: str = "call.ringing", url: str = "") -> OutboxEntry:
    return OutboxEntry("evt_1", kind, "call_1", url, b"{}")


def webhook(name: str, *events: str) -> Subscription:
    return Subscription(f"wh_{name}", f"https://{name}.example/", events, b"whsec_x")


@pytest.mark.parametrize(
    ("pattern", "kind", "heard"),
    [
        ("*", "call.ringing", True),
        ("call.ringing", "call.ringing", True),
        ("call.ringing", "call.answered", False),
        ("call.*", "call.ringing", True),
        ("call.*", "call.recording.ready", True),
        ("call.*", "callback.x", False),
        ("call.recording.*", "call.recording.ready", True),
        ("call.recording.*", "call.ringing", False),
        ("conference.*", "call.ringing", False),
        ("call", "call.ringing", False),
        ("call*", "call.ringing", False),
        ("", "call.ringing", False),
    ],
)
def test_patterns(pattern, kind, heard):
    assert matches(pattern, kind) is heard


def test_an_event_goes_to_each_webhook_that_asked_for_it_once():
    found = targets(event(), [webhook("all", "*", "call.*", "call.ringing"), webhook("other", "conference.*")])
    assert [(t.endpoint, t.url) for t in found] == [("wh_all", "https://all.example/")]
    assert is_id(found[0].delivery_id, "dlv")


def test_an_event_goes_to_the_own_url_of_its_resource_too():
    found = targets(event(url="https://mine.example/cb?call=7"), [webhook("all", "*")])
    assert [t.url for t in found] == ["https://all.example/", "https://mine.example/cb?call=7"]
    assert [is_webhook(t.endpoint) for t in found] == [True, False]


def test_an_event_that_nobody_asked_for_goes_nowhere():
    assert targets(event(), [webhook("other", "conference.*")]) == []


def test_own_urls_share_an_endpoint_where_scheme_host_and_port_are_the_same():
    one = endpoint_of("https://mine.example/a?call=1")
    assert one == endpoint_of("https://MINE.example:443/b?call=2")
    assert one != endpoint_of("http://mine.example/a?call=1")
    assert one != endpoint_of("https://mine.example:8443/a")
    assert one != endpoint_of("https://yours.example/a")
    assert endpoint_of("no url at all").startswith("url_")
