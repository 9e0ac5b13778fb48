"""The API against its own description: generated requests, good and bad, over HTTP."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler

from tests.conftest import Clock
from tests.web.conftest import KEY

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_generated_requests_find_nothing_that_is_not_described(
    app: web.Application, tmp_path: Path, clock: Clock
) -> None:
    seen: Counter[int] = Counter()

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        clock.pass_by(seconds=5)
        response = await handler(request)
        seen[response.status] += 1
        return response

    app.middlewares.append(count)
    async with TestServer(app) as server:
        status, report = await _run(str(server.make_url("/api/v1/openapi.json")), tmp_path)
    assert status == 0, report
    assert seen[200] > 50 and seen[422] > 50 and not seen[429], f"the requests said too little: {seen}"


async def _run(url: str, folder: Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "run", url,
        "--header", f"Authorization: Bearer {KEY}",
        "--checks", ",".join(CHECKS),
        "--phases", "examples,coverage,fuzzing",
        "--mode", "all",
        "--max-examples", "15",
        "--seed", "7",
        "--generation-database", "none",
        "--continue-on-failure",
        "--no-color",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode, output.decode()
