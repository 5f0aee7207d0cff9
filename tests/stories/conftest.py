"""The stack that the stories run on: the embedded tree, or containers where TEST_STACK=containers."""

import os

import pytest

from service.stack import tree as trees
from service.stack.progress import Progress
from service.stack.tree import Tree
from tests.stories.client import Api
from tests.stories.farends.callers import Callers
from tests.stories.farends.certificates import Authority
from tests.stories.farends.far_asterisk import FarAsterisk
from tests.stories.menus import Menus
from tests.stories.network import Network
from tests.stories.node import NodeView
from tests.stories.receiver import Receiver
from tests.stories.sayings import Sayings
from tests.stories.sound import prompt
from tests.stories.trunks import Trunks

FASTER = {
    "ORBIT_WEBHOOK_RETRY_SECONDS": "[0.2, 0.2, 0.2]",
    "ORBIT_CALLS_PER_SECOND": "0",
    "ORBIT_RATE_PER_MINUTE": "60000",
    "ORBIT_RATE_BURST": "20000",
    "ORBIT_LOG_LEVEL": "info",
}


@pytest.fixture(scope="session")
async def stack(tmp_path_factory):
    home = tmp_path_factory.mktemp("orbit")
    if os.environ.get("TEST_STACK") == "containers":
        from tests.stories.containers import ContainerStack

        made = ContainerStack(home, FASTER)
    else:
        from service.stack.stack import Stack

        made = Stack.apart(home, FASTER)
    async with made as running:
        yield running


@pytest.fixture(scope="session")
async def api(stack):
    async with Api(stack.env["ORBIT_URL"], stack.env["ORBIT_TEST_KEY"]) as client:
        yield client


@pytest.fixture(scope="session")
async def live(stack):
    """The API with a key whose calls leave the sandbox."""
    async with Api(stack.env["ORBIT_URL"], stack.env["ORBIT_LIVE_KEY"]) as client:
        yield client


@pytest.fixture
async def trunks(live):
    async with Trunks(live) as made:
        yield made


@pytest.fixture
async def network(stack):
    """The far end of every call: the sandbox carrier, seen through its own ARI."""
    async with Network(stack.env) as carrier:
        yield carrier


@pytest.fixture
async def node(stack):
    async with NodeView(stack) as view:
        yield view


@pytest.fixture
async def receiver():
    """A webhook receiver on loopback."""
    async with Receiver() as server:
        yield server


@pytest.fixture(scope="session")
def tree(stack):
    """The programs of far ends."""
    return Tree(stack.settings.tree)


@pytest.fixture(scope="session")
async def telephones(tree, tmp_path_factory):
    """A carrier whose customers call us, and press keys."""
    async with FarAsterisk(tree, tmp_path_factory.mktemp("telephones")) as far:
        yield far


@pytest.fixture(scope="module")
async def menus(stack, live, telephones):
    """Menus, and those who call them."""
    at = f"127.0.0.1:{stack.env['ORBIT_SIP_UDP']};transport=udp"
    async with Trunks(live) as trunks, Callers(telephones, at) as callers:
        own = {"origination_uris": [f"sip:{telephones.host}"], "allow_sip_destinations": True, "codecs": ["PCMU"]}
        async with Menus(live, telephones, await trunks.make(telephones.at(), **own), callers) as made:
            yield made


@pytest.fixture(scope="session")
async def says(stack):
    """What a text of a menu sounds like."""
    async with Sayings(stack) as voice:
        yield voice


@pytest.fixture(scope="session")
async def baresip_tree(stack):
    return await trees.baresip_ready(stack.settings.tree, Progress(None))


@pytest.fixture(scope="session")
def authority(stack, tmp_path_factory):
    """The one that the stack trusts."""
    return Authority(tmp_path_factory.mktemp("authority"), of=stack.home.tls)


@pytest.fixture(scope="session")
def speech(tree):
    """What far ends say."""
    return prompt(tree.data / "sounds/en/demo-congrats.wav")


@pytest.fixture(scope="session")
def hold(tree):
    """What a held party hears, its first half minute."""
    return prompt(sorted((tree.data / "moh").glob("*.wav"))[0])[: 30 * 8000]
