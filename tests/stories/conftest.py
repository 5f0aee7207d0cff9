"""The stack that the stories run on: the embedded tree, or containers where TEST_STACK=containers."""

import os

import pytest

from tests.stories.client import Api
from tests.stories.network import Network
from tests.stories.receiver import Receiver

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


@pytest.fixture
async def network(stack):
    """The far end of every call: the sandbox carrier, seen through its own ARI."""
    async with Network(stack.env) as carrier:
        yield carrier


@pytest.fixture
async def receiver():
    """A webhook receiver on loopback."""
    async with Receiver() as server:
        yield server
