"""The short version of `make chaos`: two of its faults, with fewer calls in flight. See docs/reliability.md."""

import os

import pytest

from tests.chaos import row
from tests.chaos.faults import FAULTS
from tests.chaos.numbers import plans
from tests.chaos.scene import Scene

FAULT = {fault.name: fault for fault in FAULTS}


@pytest.fixture(scope="module")
async def scene(tmp_path_factory):
    if os.environ.get("TEST_STACK") == "containers":
        pytest.skip("the embedded stack's own story")
    async with Scene(tmp_path_factory.mktemp("chaos")) as made:
        yield made


@pytest.fixture(scope="module")
def calls():
    return plans(seed=2)


@pytest.mark.parametrize("name", ["process-killed", "redis-killed"])
async def test_no_call_is_lost_doubled_or_wrong_when_a_part_dies(scene, calls, name):
    done = await row.run(scene, FAULT[name], calls, wanted=20)
    assert await row.failures(scene, done) == []
    assert done.in_flight >= 20
