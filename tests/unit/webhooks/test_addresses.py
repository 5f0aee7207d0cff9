"""Which addresses a webhook may reach."""

import pytest

from service.webhooks.addresses import refusal

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]
PRIVATE = {
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "10.0.0.1": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "private",
    "198.18.0.1": "private",
    "192.0.2.7": "private",
    "::1": "loopback",
    "fc00::1": "private",
    "fdff::1": "private",
    "fec0::1": "private",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:10.0.0.1": "private",
    "::ffff:0:192.168.0.1": "private",
    "64:ff9b::10.0.0.1": "private",
    "64:ff9b:1::1": "private",
    "2002:7f00:1::": "loopback",
    "2002:c0a8:101::1": "private",
}
NEVER = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "169.254.169.254": "link-local",
    "169.254.0.1": "link-local",
    "100.100.100.200": "a metadata service",
    "fd00:ec2::254": "a metadata service",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "ff02::1": "multicast",
    "::ffff:169.254.169.254": "link-local",
    "::ffff:0.0.0.0": "unspecified",
    "64:ff9b::169.254.169.254": "link-local",
    "2002:a9fe:a9fe::": "link-local",
    "2001:0:a9fe:a9fe::1": "link-local",  # Teredo, its server
    "2001:0:808:808:0:0:5601:5601": "link-local",  # Teredo, its client, inverted
    "2001:470::5efe:a9fe:a9fe": "link-local",  # ISATAP
    "::169.254.169.254": "reserved",
    "4000::1": "reserved",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address):
    assert refusal(address, allow_private=False) is None
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize(("address", "reason"), PRIVATE.items())
def test_loopback_and_private_ones_pass_where_the_operator_allows_it(address, reason):
    assert refusal(address, allow_private=False) == reason
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize(("address", "reason"), NEVER.items())
def test_others_never_pass(address, reason):
    assert refusal(address, allow_private=False)
    assert refusal(address, allow_private=True) == reason
