"""Trunks reach the nodes without a file or a reload, and stay there."""

import asyncio
import socket
import sqlite3
from contextlib import closing
from functools import partial

import pytest

from tests.stories.client import until


@pytest.fixture
def trunk(trunks):
    """A trunk to nobody in particular."""
    return partial(trunks.make, "127.0.0.1:9")


async def put(live, trunk_id, **fields):
    status, _, answer = await live.ask("PUT", f"/v1/voice/sip-trunks/{trunk_id}", json=fields)
    assert status == 200, answer


def knock(stack, source):
    """The status line that an unknown INVITE's sender gets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        sender.settimeout(5)
        here = f"{source}:{sender.getsockname()[1]}"
        sender.sendto(
            f"OPTIONS sip:orbit@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKknock{here};rport\r\n"
            f"From: <sip:a@{here}>;tag=1\r\nTo: <sip:orbit@127.0.0.1>\r\nCall-ID: {here}\r\nCSeq: 1 OPTIONS\r\n"
            f"Max-Forwards: 5\r\nContent-Length: 0\r\n\r\n".encode(),
            ("127.0.0.1", int(stack.env["ORBIT_SIP_UDP"])),
        )
        return sender.recv(4096).split(b"\r\n")[0].decode()


async def written(stack, trunk_id):
    """Asterisk has committed the trunk's rows: its database is written once a second, and this test pulls the plug."""
    database = stack.home.folder / "asterisk/lib/astdb.sqlite3"

    async def there():
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as file:
            return file.execute("SELECT key FROM astdb WHERE value LIKE ?", (f'%"endpoint":"{trunk_id}"%',)).fetchall()

    await until(there)


def known(stack, source):
    return "401" not in knock(stack, source)


async def test_a_trunk_is_on_the_node_when_its_creation_is_answered(trunk, node):
    trunk_id = await trunk(codecs=["OPUS", "PCMA"], auth_username="u", auth_password='p;w,"\\ä')
    endpoint = await node.holds("endpoint", trunk_id)
    assert endpoint["allow"] == ["(opus|alaw)"]
    assert endpoint["outbound_auth"] == [trunk_id]
    assert (await node.holds("auth", trunk_id))["password"] == ['p;w,"\\ä']
    assert (await node.holds("aor", endpoint["aors"][0]))["contact"] == ["sip:127.0.0.1:9"]


async def test_only_the_origins_are_let_in_and_a_change_counts_at_once(trunk, live, stack):
    assert not known(stack, "127.0.0.21")
    trunk_id = await trunk(origination_uris=["sip:127.0.0.21", "sip:127.0.0.32/30"])
    assert known(stack, "127.0.0.21")
    assert known(stack, "127.0.0.33")
    await put(live, trunk_id, origination_uris=["sip:127.0.0.22"])
    assert known(stack, "127.0.0.22")
    assert not known(stack, "127.0.0.21")
    await put(live, trunk_id, enabled=False)
    assert not known(stack, "127.0.0.22")


async def test_a_login_that_is_taken_away_leaves_the_node(trunk, live, node):
    trunk_id = await trunk(auth_username="u", auth_password="p")
    await put(live, trunk_id, auth_username=None, auth_password=None)
    assert (await node.holds("endpoint", trunk_id))["outbound_auth"] == [""]
    assert await node.holds("auth", trunk_id) is None


async def test_nothing_is_left_of_a_deleted_trunk(trunk, live, node):
    trunk_id = await trunk(origination_uris=["sip:127.0.0.23"], auth_username="u", auth_password="p", register=True)
    assert trunk_id in await node.endpoints()
    status, _, _ = await live.ask("DELETE", f"/v1/voice/sip-trunks/{trunk_id}")
    assert status == 204
    for kind in ("auth", "aor", "endpoint", "identify", "registration"):
        assert trunk_id not in await node.says(f"database show pjsip_{kind}")


async def test_the_node_keeps_its_trunks_over_a_restart_with_nobody_there(trunk, node, stack, live):
    trunk_id = await trunk(origination_uris=["sip:127.0.0.24", "sip:127.0.0.25"], codecs=["G722", "PCMU"])
    await written(stack, trunk_id)
    await stack.kill("service")
    try:
        await stack.kill("asterisk")
        await stack.start("asterisk")
        await node.booted()
        assert (await node.holds("endpoint", trunk_id))["allow"] == ["(g722|ulaw)"]
        assert known(stack, "127.0.0.24")
        assert known(stack, "127.0.0.25")
        assert not known(stack, "127.0.0.26")
        log = (stack.home.folder / "asterisk/log/messages.log").read_text()
        assert "stir_shaken" not in log.rpartition("built by")[2]
    finally:
        await stack.start("service")
        await live.ready()


async def test_what_somebody_deleted_on_the_node_comes_back(trunk, node, stack, live):
    trunk_id = await trunk(origination_uris=["sip:127.0.0.27"])
    await node.forgets("endpoint", trunk_id)
    await stack.kill("asterisk")
    await stack.start("asterisk")
    await until(lambda: node.holds("endpoint", trunk_id), seconds=20)
    await live.ready()
    assert known(stack, "127.0.0.27")


async def test_a_node_that_lost_everything_is_given_all_again(trunk, node, stack, live):
    trunk_id = await trunk(origination_uris=["sip:127.0.0.28"])
    await stack.kill("asterisk")
    (stack.home.folder / "asterisk/lib/astdb.sqlite3").unlink()
    await stack.start("asterisk")
    await until(lambda: node.holds("endpoint", trunk_id), seconds=20)
    await live.ready()
    assert known(stack, "127.0.0.28")


async def test_a_stranger_among_the_pushed_objects_is_removed(node, stack, live):
    stranger = "trunk_00000000000000000000000000"
    async with node.session.put(
        f"asterisk/config/dynamic/res_pjsip/endpoint/{stranger}",
        json={"fields": [{"attribute": "context", "value": "orbit-inbound"}]},
    ) as answer:
        assert answer.status == 200
    await stack.kill("service")
    await stack.start("service")
    await live.ready()

    async def gone():
        return await node.holds("endpoint", stranger) is None

    await until(gone, seconds=20)


async def test_an_operators_own_endpoint_stands_beside(trunk, node, stack):
    """Written into pjsip.conf and read by Asterisk's own reload, while trunks come and go."""
    config = stack.home.folder / "asterisk/etc/pjsip.conf"
    before = config.read_text()
    own = "\n[desk](trunk)\nallow=ulaw\naors=desk\n[desk]\ntype=aor\nmax_contacts=1\n"
    try:
        config.write_text(before + own)
        await node.says("module reload res_pjsip.so")

        async def there():
            return "desk" in await node.endpoints()

        await until(there)
        trunk_id = await trunk(origination_uris=["sip:127.0.0.29"])
        assert {"desk", "sandbox", trunk_id} <= await node.endpoints()
        assert known(stack, "127.0.0.29")
    finally:
        config.write_text(before)
        await node.says("module reload res_pjsip.so")


async def test_two_that_write_at_once_leave_the_node_with_what_is_stored(trunk, live, node):
    trunk_id = await trunk()
    orders = [["PCMU"], ["PCMA"], ["G722"], ["OPUS"], ["PCMA", "PCMU"]] * 4
    await asyncio.gather(*(put(live, trunk_id, codecs=order) for order in orders))
    stored = (await live.get(f"/voice/sip-trunks/{trunk_id}"))["codecs"]
    names = {"PCMU": "ulaw", "PCMA": "alaw", "G722": "g722", "OPUS": "opus"}
    assert (await node.holds("endpoint", trunk_id))["allow"] == [f"({'|'.join(names[c] for c in stored)})"]
