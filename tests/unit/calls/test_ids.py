"""Ids sort by time, have one shape, and tell a call from its channel."""

import pytest

from service.calls.ids import call_of, channel_of, derive, is_id, lowest, mint


def test_ids_sort_by_time_and_have_twenty_six_characters():
    made = [mint("call", at) for at in (1, 1_000, 1_795_361_262_236, (1 << 48) - 1)]
    assert made == sorted(made)
    assert {len(i.split("_")[1]) for i in made} == {26}
    assert all(is_id(i, "call") for i in made)


def test_no_two_ids_are_alike():
    assert len({mint("call", 5) for _ in range(10_000)}) == 10_000


def test_a_derived_id_follows_from_channel_and_secret_alone():
    one = derive("call", 5_000, b"secret", "node1-1795361353.1")
    assert one == derive("call", 5_000, b"secret", "node1-1795361353.1")
    assert one != derive("call", 5_000, b"other", "node1-1795361353.1")
    assert one != derive("call", 5_000, b"secret", "node1-1795361353.2")
    assert is_id(one, "call")
    assert one >= lowest("call", 5_000)


def test_a_call_is_found_from_its_channel():
    call_id = mint("call")
    assert call_of(channel_of(call_id)) == call_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "call_",
        "call_abc123",
        "num_01J00000000000000000000000",
        "call_01j00000000000000000000000",
        "call_01J0000000000000000000000I",
        "call_01J00000000000000000000000\n",
        "call_81J00000000000000000000000",
    ],
)
def test_what_is_no_id(text):
    assert not is_id(text, "call")
    assert call_of(text) is None


def test_ids_of_one_millisecond_sort_as_they_were_made():
    made = [mint("evt", 1_700_000_000_000) for _ in range(2_000)]
    assert made == sorted(set(made))
