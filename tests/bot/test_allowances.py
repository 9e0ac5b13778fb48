"""A lane that is paid for again before its time: what waits for it goes on, broadcasts, too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from bot import allowances
from bot.channels.zalo.quotas import TEMPLATE_DAILY
from bot.channels.zalo.rules import RULES, TEMPLATE_PHONE
from crm import broadcasts
from crm.allowances import Allowance
from crm.broadcasts import Pause
from storage import jobs
from storage.allowances import Shut
from tests.crm import test_broadcast_rests as rests
from tests.crm.test_unasked import START

QUARTER_DAY = timedelta(hours=6)
LANE = Shut("zalo", "oa1", TEMPLATE_PHONE, False, "it is used up", START + QUARTER_DAY)


@pytest.mark.parametrize(("wait", "goes_on"), [(timedelta(hours=1), True), (QUARTER_DAY, False)])
def test_a_broadcast_that_rests_for_a_quota_goes_on_when_there_is_one_before_its_time(
    session: Session, wait: timedelta, goes_on: bool
) -> None:
    number = rests.running(session, "z" * 9)
    rests.turn(session, rests.Shut(reason=Pause.QUOTA, wait=QUARTER_DAY))
    assert rests.stands(session, number) == ("paused", Pause.QUOTA, START + QUARTER_DAY)
    allowances.shut(session, LANE, START)
    now = START + wait
    allowances.keep(session, ("zalo", "oa1"), [Allowance(TEMPLATE_DAILY, 5000, 5000)], RULES, now)
    assert rests.stands(session, number)[0] == ("running" if goes_on else "paused"), "a turn looks at it by then"
    assert jobs.waits(session, broadcasts.HASTEN, str(number)) is goes_on
