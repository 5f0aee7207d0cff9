"""What Asterisk's lists say of trunks' far ends. The lines are as 22.10.1 wrote them."""

from collections import deque

import pytest

from service.asterisk import contacts as module
from service.asterisk.contacts import AsteriskContacts, contacts_of, registrations_of
from service.errors import AsteriskUnavailable
from service.trunks.findings import Answer
from service.trunks.health import Registration, Seen

T = "trunk_01JABCDEFGHJKMNPQRSTVW000"
CONTACTS = f"""
  Contact:  <Aor/ContactUri..............................> <Hash....> <Status> <RTT(ms)..>
==========================================================================================

  Contact:  my-own/sip:192.0.2.9                           fddb4527e8 Avail         4.100
  Contact:  sandbox/sip:127.0.0.1:24004                    fddb4527e8 NonQual        -nan
  Contact:  {T}0-abcdef123456/ d0e33b55fb Avail         0.606
  Contact:  {T}1-abcdef123456/ 66bdabca86 Unavail        -nan
  Contact:  {T}2-abcdef123456/ d0e33b55fb NonQual        -nan

Objects found: 5
"""
REGISTRATIONS = f"""
 <Registration/ServerURI..............................>  <Auth....................>  <Status.......>
==========================================================================================

 {T}0/sip:127.0.0.1:24102    {T}0                          Registered        (exp. 47s)
 {T}1/sip:127.0.0.1:24103    {T}1                          Rejected          (exp. 54s)
 {T}2/sip:127.0.0.1:24104                                                    Unregistered      (exp. 5s ago)

Objects found: 3
"""


def detail(status, usec, frequency="30"):
    return [
        {"Response": "Success"},
        {"Event": "EndpointDetail", "Allow": "(opus|g722|ulaw|slin16)"},
        {"Event": "AorDetail", "QualifyFrequency": frequency},
        {"Event": "AuthDetail", "Password": "hunter2"},
        {"Event": "ContactStatusDetail", "Status": status, "RoundtripUsec": usec, "QualifyFrequency": "0"},
        {"Event": "EndpointDetailComplete"},
    ]


class FakeAmi:
    """Answers each action with the next of what a test put there, the last one for good."""

    news = None

    def __init__(self, **answers):
        self.answers = {name: deque(given) for name, given in answers.items()}
        self.asked = []

    async def action(self, name, **fields):
        self.asked.append((name, *fields.values()))
        left = self.answers.get(name if name != "Command" else fields["Command"].split()[-1])
        if not left:
            return [{"Response": "Success"}]
        return left.popleft() if len(left) > 1 else left[0]


def test_contacts():
    assert dict(contacts_of(CONTACTS.splitlines())) == {
        "my": Seen("my-own", True, 4.1),
        "sandbox": Seen("sandbox", None),
        f"{T}0": Seen(f"{T}0-abcdef123456", True, 0.6),
        f"{T}1": Seen(f"{T}1-abcdef123456", False),
        f"{T}2": Seen(f"{T}2-abcdef123456", None),
    }


def test_registrations():
    assert dict(registrations_of(REGISTRATIONS.splitlines())) == {
        f"{T}0": Registration.REGISTERED,
        f"{T}1": Registration.REJECTED,
        f"{T}2": Registration.TRYING,
    }


@pytest.mark.parametrize("lines", [[], ["", "Objects found: 0"], ["No such command 'pjsip list contacts'"]])
def test_nothing_is_listed(lines):
    assert dict(contacts_of(lines)) == {}
    assert dict(registrations_of(lines)) == {}


async def test_a_look_is_two_questions():
    ami = FakeAmi(
        contacts=[[{"Output": CONTACTS.splitlines()}]], registrations=[[{"Output": REGISTRATIONS.splitlines()}]]
    )
    seen = await AsteriskContacts({"n1": ami}).look("n1")
    assert seen[f"{T}1"] == Seen(f"{T}1-abcdef123456", False, None, Registration.REJECTED)
    assert seen["sandbox"].registration is None
    assert len(ami.asked) == 2


async def test_a_node_with_nothing_says_so_in_one_line():
    ami = FakeAmi(contacts=[[{"Output": "No objects found."}]])
    assert await AsteriskContacts({"n1": ami}).look("n1") == {}


async def test_an_answer_shows_in_another_round_trip_time():
    ami = FakeAmi(PJSIPShowEndpoint=[detail("Reachable", "500")] * 3 + [detail("Reachable", "23411")])
    answer = await AsteriskContacts({"n1": ami}).check("n1", T)
    assert answer == Answer(True, True, 23.4, ("OPUS", "G722", "PCMU"))
    assert ("PJSIPQualify", T) in ami.asked


async def test_a_miss_shows_at_once():
    ami = FakeAmi(PJSIPShowEndpoint=[detail("Reachable", "500"), detail("Unreachable", "0")])
    assert (await AsteriskContacts({"n1": ami}).check("n1", T)).reachable is False


async def test_what_does_not_change_is_as_it_was(monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_MS", 60)
    monkeypatch.setattr(module, "LATE_SECONDS", 0)
    for status, reached in (("Unreachable", False), ("Reachable", True), ("NonQualified", None)):
        ami = FakeAmi(PJSIPShowEndpoint=[detail(status, "700" if reached else "0")])
        answer = await AsteriskContacts({"n1": ami}).check("n1", T)
        assert (answer.known, answer.reachable) == (True, reached)


async def test_one_that_asterisk_never_asks_is_not_waited_for():
    ami = FakeAmi(PJSIPShowEndpoint=[detail("NonQualified", "N/A", frequency="0")])
    assert await AsteriskContacts({"n1": ami}).check("n1", T) == Answer(True, None, None, ("OPUS", "G722", "PCMU"))
    assert len(ami.asked) == 1


@pytest.mark.parametrize(
    ("transport", "error"),
    [
        ("transport-udp6", "The node has no transport for UDP over IPv6; ORBIT_SIP_BIND6 makes one."),
        ("transport-tls6-unverified", "The node has no transport for TLS over IPv6; ORBIT_SIP_BIND6 makes one."),
        ("transport-tls", "The node has no transport for TLS."),
    ],
)
async def test_a_node_without_the_transport_says_so(transport, error):
    lacks = {"Response": "Error", "Message": f"Unable to retrieve transport {transport}"}
    ami = FakeAmi(PJSIPShowEndpoint=[[*detail("", "")[:2], lacks]])
    answer = await AsteriskContacts({"n1": ami}).check("n1", T)
    assert answer == Answer(True, None, None, ("OPUS", "G722", "PCMU"), error)
    assert len(ami.asked) == 1


async def test_an_endpoint_that_is_not_there():
    ami = FakeAmi(PJSIPShowEndpoint=[[{"Response": "Error"}]])
    assert await AsteriskContacts({"n1": ami}).check("n1", T) == Answer()


@pytest.mark.parametrize(("response", "asks"), [("Success", True), ("Error", False)])
async def test_a_question_that_a_node_does_not_ask_is_none(response, asks):
    ami = FakeAmi(PJSIPQualify=[[{"Response": response}]])
    assert await AsteriskContacts({"n1": ami}).ask("n1", T) is asks


async def test_a_node_that_is_not_there():
    with pytest.raises(AsteriskUnavailable):
        await AsteriskContacts({}).look("n1")


def test_news_name_the_node():
    heard, nodes = [], {"n1": FakeAmi(), "n2": FakeAmi()}
    AsteriskContacts(nodes).listen(heard.append)
    nodes["n2"].news()
    assert heard == ["n2"]
