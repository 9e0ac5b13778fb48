"""Planted phones, texts and tokens never reach a log or a reason of failure, whatever goes wrong with them."""

from __future__ import annotations

import json
import logging
import re

import pytest
from sqlalchemy import text

from bot import logs
from simulator import speech
from simulator.people import MESSENGER, ZALO
from storage import faults
from tests.conftest import Clock
from tests.pipeline.stage import ASK, playing
from tests.storage.rows import transaction

PHONE = "0987001234"
WORDS = "chim hoàng yến hót trong hầm mỏ"
TOKENS = {"zalo_access_token": "canary-access-1", "zalo_refresh_token": "canary-refresh-1",
          "messenger_page_token": "canary-page-1"}  # fmt: skip
CANARIES = (PHONE, PHONE[1:], "hoàng yến", "canary", "ho\\u00e0ng")


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    """Logs as `khachquen serve` writes them: JSON on standard error. Only test servers keep access logs."""
    return capsys


async def test_no_log_holds_a_phone_a_text_or_a_token(
    sqlite_url: str, clock: Clock, written: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.configure(as_json=True)
    root.setLevel(logging.INFO)
    try:
        await everything_goes_wrong(sqlite_url, clock)
    finally:
        root.handlers[:], root.level = before, level
    output = written.readouterr().err
    ours = [line for line in output.splitlines() if "aiohttp.access" not in line]
    events = {json.loads(line)["event"] for line in ours if line.startswith("{")}
    assert {"a send of unknown outcome was settled", "an account is held"} <= events
    assert [line for line in ours if any(canary in line for canary in CANARIES)] == []


async def test_no_reason_of_a_failure_holds_what_the_platform_quoted(sqlite_url: str, clock: Clock) -> None:
    await everything_goes_wrong(sqlite_url, clock)
    with transaction(sqlite_url) as session:
        queues = " UNION ALL ".join(f"SELECT error FROM {table}" for table in ("inbox", "outbox", "job"))
        reasons = list(session.connection().execute(text(f"{queues} UNION ALL SELECT words FROM alarm")).scalars())
    assert [reason for reason in reasons if any(canary in reason for canary in CANARIES)] == []
    assert any(re.fullmatch(r"100: .+ \(A[\w-]{12}\)", reason) for reason in reasons), reasons
    assert any(reason.startswith("-201: ") for reason in reasons), reasons


async def everything_goes_wrong(sqlite_url: str, clock: Clock) -> None:
    """People say and share the canaries while calls, handlers and tokens fail."""
    settings = {name.upper(): value for name, value in TOKENS.items()}
    async with playing(sqlite_url, clock, settings=settings, echoes=False, **TOKENS) as stage:
        for channel in (ZALO, MESSENGER):
            for fault in ("reset", "html_502", "half_body", "hang"):
                stage.goes_wrong(fault, path="message", seconds=0.05)
                await stage.said(channel, f"{WORDS} {PHONE}")
            stage.goes_wrong("code", path="message", code=-201 if channel == ZALO else 100, message=WORDS)
            await stage.said(channel, WORDS)
            shared = speech.share_phone(stage.platform, stage.contact(channel)).delivery
            await stage.taken(shared)
            await stage.quiet()
            for point in ("t2.taken", "t3.written", "t5.written"):
                faults.arm(f"{point}:raise")
                await stage.taken(stage.says(channel, f"{WORDS} {PHONE}"))
                clock.pass_by(seconds=5)
                await stage.quiet()
                faults.arm("")
            broken = json.dumps({"event_name": WORDS, "text": PHONE}).encode()
            assert await stage.post(channel, broken, stage.signed(channel, broken)) == 200
            assert await stage.post(channel, broken, {"X-Hub-Signature-256": "sha256=canary"}) in (200, 403)
        clock.pass_by(minutes=1)
        await stage.tick("outbox.sweep")
        await stage.quiet()
        stage.platform.zalo_tokens.expire()
        stage.platform.zalo_tokens.refresh = "another canary"
        await stage.taken(stage.says(ZALO, ASK))
        await stage.until(
            lambda session: session.connection().exec_driver_sql("SELECT count(*) FROM alarm").scalar() == 1
        )
