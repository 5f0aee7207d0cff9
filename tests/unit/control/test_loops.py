"""Calls do not come back to where they started."""

import pytest

from service.control.loops import LoopCheck

NAMES = {
    "carrier.example": ["192.0.2.9", "2001:db8::9"],
    "lo.example": ["192.0.2.9", "127.0.0.5"],
    "us.example": ["10.0.0.1"],
    "sip.us.example": ["10.0.0.2"],
    "all.example": ["255.255.255.255"],
    "0x7f.1": ["127.0.0.1"],
}
OWN = ("10.0.0.1:5060", "[2001:db8::1]:5060", "2001:db8::2", "sip.us.example:5060", "198.51.100.7", "")


async def look_up(host, seconds):
    return NAMES.get(host, []) if seconds > 0 else []


@pytest.mark.parametrize(
    "uri",
    ["sip:192.0.2.9", "sip:carrier.example:5060", "sip:alice@carrier.example", "sip:gone.example", "sip:[2001:db8::9]",
     "no uri"],
)  # fmt: skip
@pytest.mark.parametrize("allowed", [True, False])
async def test_elsewhere(uri, allowed):
    assert await LoopCheck(OWN, allowed, look_up).fault(uri) is None


@pytest.mark.parametrize(
    "uri",
    ["sip:127.0.0.1", "sip:127.9.9.9:5060", "sip:[::1]", "sip:[::ffff:127.0.0.1]", "sip:localhost",
     "sip:LOCALHOST.:5060", "sip:a.localhost", "sip:lo.example", "sip:0x7f.1", "sip:10.0.0.1:5080",
     "sip:us.example", "sip:10.0.0.2", "sip:sip.us.example", "sip:[2001:db8::1]", "sip:[2001:DB8:0::2]",
     "sip:198.51.100.7", "sip:x@198.51.100.7"],
)  # fmt: skip
async def test_here(uri):
    assert "another host" in await LoopCheck(OWN, False, look_up).fault(uri)
    assert await LoopCheck(OWN, True, look_up).fault(uri) is None


@pytest.mark.parametrize(
    "uri",
    ["sip:0.0.0.0", "sip:0.1.2.3", "sip:[::]", "sip:224.0.0.1", "sip:[ff02::1]", "sip:255.255.255.255",
     "sip:all.example"],
)  # fmt: skip
@pytest.mark.parametrize("allowed", [True, False])
async def test_nowhere(uri, allowed):
    assert "the address of a host" in await LoopCheck(OWN, allowed, look_up).fault(uri)
