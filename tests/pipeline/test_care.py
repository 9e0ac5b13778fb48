"""A care message through the whole product: enrolled by the job, taken by the one way out, said once."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot import upkeep
from bot.care import JOB
from crm import care, care_report
from simulator.people import ZALO
from tests.conftest import Clock
from tests.pipeline.stage import Stage
from tests.pipeline.test_broadcasts import agree

HELLO = """
name = "hello"
vi = "Chào"
en = "Hello"
moment = "joined"
minutes = 5
late = "skip"

[text]
vi = "Chào {{ khach.ten or \\"bạn\\" }}, cảm ơn bạn đã ghé."
en = "Hi {{ khach.ten or \\"there\\" }}, thank you for coming."

[[button]]
vi = "Điểm của tôi"
en = "My points"
value = "kq:points"
"""


async def test_who_came_and_agreed_hears_of_us_once_and_who_did_not_agree_has_a_reason(
    stage: Stage, clock: Clock
) -> None:
    await stage.service.database.write(partial(_turned_on, now=clock()))
    for who in ("lan", "minh"):
        await stage.said(ZALO, "xin chào", who)
    await agree(stage, "lan")
    clock.pass_by(minutes=10)
    for _ in range(2):
        await upkeep.enqueue(stage.service.database, JOB, clock())
        await stage.jobs_done(JOB)
        await stage.until(lambda session: care_report.counts(session, "hello").waiting == 0)
        await stage.quiet()
    assert await stage.read(partial(care_report.counts, name="hello")) == (0, 1, 1)
    (heard,) = [words for words in stage.heard(ZALO) if "cảm ơn bạn đã ghé" in words]
    assert heard.startswith("Chào ")


def _turned_on(session: Session, now: datetime) -> None:
    care.load(session, HELLO, "test", now)
    care.turn_on(session, "hello", "test", now)
