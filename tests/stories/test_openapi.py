"""The API does what its description says, for any input that can be thought of."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.api.openapi import document
from service.api.resources import Call, Number, TimelineRow, Webhook
from service.api.table import ROUTES
from tests.stories.conftest import FASTER


@pytest.fixture
async def spare(tmp_path):
    """A stack of its own: the tool deletes what it finds."""
    from service.stack.stack import Stack

    async with Stack.apart(tmp_path / "spare", FASTER) as stack:
        yield stack


async def test_schemathesis_finds_no_server_error_and_no_undocumented_answer(spare, tmp_path):
    """Runs the tool itself, with a bounded number of examples."""
    command = [
        Path(sys.executable).with_name("schemathesis"), "run", f"{spare.env['ORBIT_URL']}/openapi.json",
        "--header", f"X-API-Key: {spare.env['ORBIT_TEST_KEY']}", "--checks", "all", "--max-examples", "25",
        "--phases", "examples,coverage,fuzzing", "--workers", "1", "--generation-deterministic", "--no-color",
        # Valid by its grammar is not yet a number that is registered or a cursor that was given out.
        "--exclude-checks", "positive_data_acceptance",
    ]  # fmt: skip
    env = {**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)}
    tool = await asyncio.create_subprocess_exec(*map(str, command), cwd=tmp_path, env=env, stdout=subprocess.PIPE)
    said = (await tool.communicate())[0].decode()
    assert tool.returncode == 0, said[-6000:]
    assert f"{len(ROUTES)} selected" in said


async def test_real_answers_are_as_described(api):
    call = await api.call("+15005550006", record=True)
    await api.ends(call["id"])
    await api.recording(call["id"])
    Call.model_validate(await api.get(f"/voice/calls/{call['id']}"))
    for row in await api.get(f"/voice/calls/{call['id']}/events"):
        TimelineRow.model_validate(row)
    for number in await api.get("/numbers"):
        Number.model_validate(number)
    for webhook in await api.get("/webhooks"):
        Webhook.model_validate(webhook)


async def test_the_document_names_every_route():
    described = document(ROUTES)["paths"]
    assert {(r.method.lower(), f"/v1{r.path}") for r in ROUTES} == {
        (method, path) for path, methods in described.items() for method in methods
    }
