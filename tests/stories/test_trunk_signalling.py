"""What a carrier is told by SIP: codecs, the caller's number, a password."""

import itertools

import pytest

from tests.stories.farends.codecs import CODECS
from tests.stories.farends.far_asterisk import FarAsterisk

OURS, BUSY = "+12025551234", "+15005550001"
LOGIN = ("acme", "s3cret")
ORDERS = [
    ["PCMU", "PCMA", "OPUS"],
    ["OPUS", "PCMU"],
    ["G722", "OPUS", "PCMA", "PCMU"],
    ["PCMA", "G722"],
    *map(list, itertools.permutations(["OPUS", "G722", "PCMU"])),
]


@pytest.fixture(scope="module")
async def carrier(tree, authority, tmp_path_factory):
    """It asks for a password."""
    own = {"encryption": "tls", "authority": authority, "verify": True, "login": LOGIN, "codecs": tuple(CODECS)}
    async with FarAsterisk(tree, tmp_path_factory.mktemp("carrier"), **own) as far:
        yield far


@pytest.fixture
async def trunk(carrier, trunks):
    user, password = LOGIN
    return await trunks.make(carrier.at(), encryption="tls", auth_username=user, auth_password=password)


@pytest.fixture
def invites(carrier, live):
    """Places a call that has just reached the far end; returns its INVITEs."""

    async def offers(trunk_id):
        before = len(carrier.messages("INVITE"))
        call = await live.call(BUSY, trunk_id=trunk_id)
        assert (await live.ends(call["id"]))["status"] == "busy"
        return [message for message in carrier.messages("INVITE")[before:] if message.status is None]

    return offers


async def test_codecs_are_offered_in_the_order_of_the_trunk(trunks, trunk, invites):
    for order in ORDERS:
        await trunks.change(trunk, codecs=order)
        for offer in await invites(trunk):
            assert offer.sdp.codecs == order


async def test_the_caller_id_is_in_from_and_in_p_asserted_identity(carrier, trunk, invites):
    for offer in await invites(trunk):
        assert offer.start.startswith(f"INVITE sip:{BUSY}@{carrier.host}:")
        assert f"<sip:{OURS}@{carrier.host}>" in offer.header("From")  # the carrier's domain, as it knows its customer
        assert f"<sip:{OURS}@" in offer.header("P-Asserted-Identity")


async def test_a_carrier_that_challenges_is_given_the_password(carrier, trunk, invites):
    bare, answered = await invites(trunk)
    assert bare.header("Authorization") is None
    assert 'username="acme"' in answered.header("Authorization")
    said = [
        message.status for message in carrier.messages("INVITE") if message.header("Call-ID") == bare.header("Call-ID")
    ]
    assert [each for each in said if each not in (100, 180)] == [None, 401, None, 486]
