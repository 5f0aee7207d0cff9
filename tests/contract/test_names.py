"""Names of trunks' hosts, as this system knows them while its name servers are silent."""

import socket

import dns.asyncresolver
import pytest

from service.asterisk import names
from service.asterisk.names import Names
from service.control.loops import LoopCheck


class SilentResolver(dns.asyncresolver.Resolver):
    """Its name server gets every question, and answers none."""

    port_of_nobody = 0

    def __init__(self):
        super().__init__(configure=False)
        self.nameservers, self.port = ["127.0.0.1"], self.port_of_nobody


@pytest.fixture
def silent(monkeypatch):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as black_hole:
        black_hole.bind(("127.0.0.1", 0))
        SilentResolver.port_of_nobody = black_hole.getsockname()[1]
        monkeypatch.setattr(names, "Resolver", SilentResolver)
        yield


@pytest.mark.parametrize("name", ["a" * 64 + ".example.com", "x..example.com"])
async def test_what_is_no_name_does_not_resolve(name):
    with pytest.raises(OSError, match="no name of a host"):
        await Names().addresses(name)


async def test_while_name_servers_are_silent_the_hosts_file_is_heard(silent):
    assert {"127.0.0.1", "::1"} & set(await Names().of("localhost", 0.2))


async def test_while_name_servers_are_silent_a_name_of_ours_is_known_as_ours(silent, monkeypatch):
    monkeypatch.setattr(names, "_look_up", {"us.example.com": ("192.0.2.7",)}.__getitem__)
    fault = await LoopCheck(["192.0.2.7:5060"], False, Names().of).fault("sip:us.example.com")
    assert "an address of ours" in fault
