"""The simulator against npm `messaging-api-messenger`, a client that others wrote for the real Graph API."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from simulator import comments
from simulator.messenger_events import INBOX_APP_ID
from tests.simulator.stage import playing

pytestmark = [pytest.mark.conformance, pytest.mark.npm]

PACKAGE = "messaging-api-messenger@1.1.0"
SCRIPT = Path(__file__).with_name("messaging_api.js")
PATIENCE_S = 90
QUIET = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--loglevel=error", "--fetch-retries=1")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client in it; skips where Node, npm or its registry is not there."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("Node with npm is not installed")
    folder = tmp_path_factory.mktemp("npm")
    try:
        done = subprocess.run(
            [npm, "install", *QUIET, PACKAGE], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install {PACKAGE} in {PATIENCE_S} s")
    if done.returncode:
        pytest.skip(f"npm cannot install {PACKAGE}: its registry is not reached, or does not have it")
    return folder / "node_modules"


async def played(packages: Path, **told: str) -> dict[str, Any]:
    """What the client found."""
    direct = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPT), json.dumps(told), env={**direct, "NODE_PATH": str(packages)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, errors = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0, errors.decode()
    found: dict[str, Any] = json.loads(out)
    return found


async def test_messaging_api_messenger_does_here_what_it_does_at_facebook(packages: Path) -> None:
    async with playing(inbox_takes_threads=True) as stage:
        config, lan = stage.platform.config, stage.contact("messenger")
        origin = str(stage.http._base_url).rstrip("/") + "/graph"
        asked = comments.write(stage.platform, lan, "Giá bao nhiêu?").message_id
        found = await played(
            packages, origin=origin, token=config.messenger_page_token, secret=config.messenger_app_secret,
            psid=lan.user_id, comment=asked, stranger="9",
        )  # fmt: skip
    assert found["page"] == {"name": config.brand_name, "id": config.messenger_page_id}
    assert found["person"]["name"] == "Nguyễn Thị Lan"
    assert found["seen"] == found["typing"] == {"recipientId": lan.user_id}
    assert [each["name"] for each in found["personas"]] == ["Thảo"]
    assert found["no longer named"] == [100, None]
    sent = [name for name, told in found.items() if isinstance(told, dict) and "messageId" in told]
    assert sent == ["named", "buttons", "cards", "receipt", "media", "comment", "back"]
    assert found["media nobody holds"] == [100, 2018074]
    assert (found["comment"]["recipientId"], found["comment again"]) == (lan.user_id, [10900, None])
    start, greeting, menu = found["profile"]
    assert (start["payload"], greeting[0]["text"], menu[0]["callToActions"][0]["title"]) == (
        "GET_STARTED",
        "Xin chào!",
        "Điểm",
    )
    assert found["menu without start"] == [100, 2018145]
    assert (found["passed"], found["taken"]) == ({"success": True}, {"success": True})
    assert found["owner"]["appId"] == INBOX_APP_ID
    assert found["shut out"] == [10, 2018300]
    assert (found["stranger"], found["too late"]) == ([100, 2018001], [100, 1893061])
