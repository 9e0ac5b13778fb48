"""Each class of a platform's errors, and what becomes of the message: later, held, dead, unreachable, found out."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from bot.channels.base import SendErrorKind, Subject
from bot.channels.messenger.errors import FAULTS
from bot.channels.zalo.errors import OA, OAUTH
from simulator.people import MESSENGER, ZALO
from storage import alarms, outbox
from tests.pipeline.stage import ANSWER, Stage

RETRY, SNOOZE, PERMANENT = SendErrorKind.RETRY, SendErrorKind.SNOOZE, SendErrorKind.PERMANENT
UNREACHABLE, AUTH, UNKNOWN = SendErrorKind.UNREACHABLE, SendErrorKind.AUTH, SendErrorKind.UNKNOWN
ELSEWHERE = SendErrorKind.ELSEWHERE
MESSAGE, UPLOAD, PERSON, ACCOUNT = Subject.MESSAGE, Subject.UPLOAD, Subject.PERSON, Subject.ACCOUNT
ALLOWANCE = Subject.ALLOWANCE


class Played(NamedTuple):
    """One error of a class; `says` is a part of the words that stay with a message that is given up."""

    channel: str
    kind: SendErrorKind
    subject: Subject
    code: int
    subcode: int = 0
    hours: float = 0.0
    says: str = ""


PLAYED = [
    Played(ZALO, RETRY, MESSAGE, -200, hours=0.1),
    Played(ZALO, RETRY, UPLOAD, -100, hours=0.1),
    Played(ZALO, SNOOZE, MESSAGE, -234, hours=1.01),
    Played(ZALO, SNOOZE, ALLOWANCE, -211, hours=6.01),
    Played(ZALO, SNOOZE, PERSON, -218, hours=24.01),
    Played(ZALO, SNOOZE, ACCOUNT, -204, hours=0.3),
    Played(ZALO, AUTH, ACCOUNT, -216),
    Played(ZALO, PERMANENT, MESSAGE, -210, says="-210: The message is longer than Zalo allows"),
    Played(ZALO, PERMANENT, PERSON, -244, says="staff must reach the person another way"),
    Played(ZALO, UNREACHABLE, PERSON, -227, says="offline for over 45 days"),
    Played(MESSENGER, RETRY, MESSAGE, 1200, hours=0.1),
    Played(MESSENGER, RETRY, PERSON, 2018321, hours=0.1),
    Played(MESSENGER, SNOOZE, MESSAGE, 2300012, hours=1.01),
    Played(MESSENGER, RETRY, UPLOAD, 100, 2018074, hours=0.1),
    Played(MESSENGER, SNOOZE, PERSON, 613, 2018338, hours=1.01),
    Played(MESSENGER, ELSEWHERE, PERSON, 10, 2018300),
    Played(MESSENGER, SNOOZE, ACCOUNT, 10, 1893063, hours=1.01),
    Played(MESSENGER, PERMANENT, ACCOUNT, 200, 2018028, hours=0.3),
    Played(MESSENGER, AUTH, ACCOUNT, 190, 460),
    Played(MESSENGER, PERMANENT, MESSAGE, 100, 2018109, says="100/2018109: Facebook refused the picture or file"),
    Played(MESSENGER, PERMANENT, PERSON, 10, 2018278, says="once the person writes to the Page"),
    Played(MESSENGER, UNREACHABLE, PERSON, 551, 1545041, says="they blocked the Page"),
    Played(MESSENGER, UNKNOWN, MESSAGE, 1, 1357046, hours=0.1),
]


def of(*classes: tuple[SendErrorKind, Subject]) -> pytest.MarkDecorator:
    """The errors of these classes."""
    found = [each for each in PLAYED if (each.kind, each.subject) in classes]
    return pytest.mark.parametrize("error", found, ids=[f"{each.channel}{each.code}" for each in found])


async def refused(stage: Stage, error: Played) -> None:
    """Somebody writes, and the answer is refused with this error."""
    stage.goes_wrong("code", path="message", code=error.code, subcode=error.subcode)
    await stage.said(error.channel)
    assert stage.platform.faults.calls == [], await stage.fates()
    assert stage.heard() == []


def test_every_class_that_the_tables_have_is_played() -> None:
    zalo = {(ZALO, fault.kind, fault.subject) for fault in OA.values()}
    messenger = {(MESSENGER, fault.kind, fault.subject) for fault in FAULTS.values()}
    assert {(each.channel, each.kind, each.subject) for each in PLAYED} == zalo | messenger


@of((RETRY, MESSAGE), (RETRY, UPLOAD), (RETRY, PERSON), (SNOOZE, MESSAGE), (SNOOZE, PERSON), (SNOOZE, ALLOWANCE))
async def test_what_passes_goes_out_later_and_holds_up_nobody_else(stage: Stage, error: Played) -> None:
    await refused(stage, error)
    assert await stage.states() == ["waiting"]
    await stage.said(error.channel, who="minh")
    assert stage.heard(who="minh") == [ANSWER]
    stage.clock.pass_by(hours=error.hours)
    await stage.quiet()
    assert await stage.states() == ["sent", "sent"]
    assert await stage.read(alarms.unsolved) == []


async def test_a_spent_quota_of_free_answers_rings_until_one_goes_out(stage: Stage) -> None:
    stage.goes_wrong("code", path="message", code=-211, times=2)
    for who in ("lan", "minh"):
        await stage.said(ZALO, who=who)
    (alarm,) = await stage.read(alarms.unsolved)
    assert (alarm.kind, alarm.words) == ("account_refused", OA[-211].words.en)
    assert await stage.states() == ["waiting", "waiting"]
    stage.clock.pass_by(hours=6.01)
    await stage.quiet()
    assert await stage.states() == ["sent", "sent"]
    assert await stage.read(alarms.unsolved) == []


@of((SNOOZE, ACCOUNT), (PERMANENT, ACCOUNT))
async def test_a_refused_account_is_held_with_an_alarm_and_loses_nothing(stage: Stage, error: Played) -> None:
    await refused(stage, error)
    await stage.taken(stage.says(error.channel, who="minh"))
    await stage.until(lambda session: outbox.totals(session).waiting == 2)
    (alarm,) = await stage.read(alarms.unsolved)
    fault = FAULTS[error.code, error.subcode] if error.channel == MESSENGER else OA[error.code]
    assert (alarm.kind, alarm.words) == ("account_refused", fault.words.en)
    assert stage.heard() == []
    stage.clock.pass_by(hours=error.hours)
    await stage.quiet()
    assert await stage.states() == ["sent", "sent"]
    assert await stage.read(alarms.unsolved) == []


@of((PERMANENT, MESSAGE), (PERMANENT, PERSON))
async def test_what_can_never_go_out_is_dead_with_its_words_and_the_next_one_goes(stage: Stage, error: Played) -> None:
    await refused(stage, error)
    (dead,) = await stage.read(outbox.dead)
    assert error.says in dead.error
    stage.clock.pass_by(seconds=5)
    await stage.said(error.channel)
    assert await stage.states() == ["dead", "sent"]


@of((ELSEWHERE, PERSON))
async def test_an_answer_where_another_app_holds_the_conversation_is_withdrawn(stage: Stage, error: Played) -> None:
    await refused(stage, error)
    assert await stage.states() == ["withdrawn"]
    assert (await stage.person(error.channel)).holder == "elsewhere"


@of((UNREACHABLE, PERSON))
async def test_a_person_out_of_reach_is_noted_and_is_back_with_their_next_word(stage: Stage, error: Played) -> None:
    await refused(stage, error)
    (dead,) = await stage.read(outbox.dead)
    assert error.says in dead.error
    assert (await stage.person(error.channel)).unreachable_since == stage.clock()
    stage.clock.pass_by(seconds=5)
    await stage.said(error.channel)
    assert await stage.states() == ["dead", "sent"]
    assert (await stage.person(error.channel)).unreachable_since is None


DEAD_TOKENS = {"its code": {"fault": "code"}, "HTTP 401": {"fault": "status", "status": 401}}


def dead_token(stage: Stage, channel: str, how: str) -> None:
    """The next send is told that the token is dead."""
    (error,) = (each for each in PLAYED if (each.channel, each.kind) == (channel, AUTH))
    stage.goes_wrong(path="message", code=error.code, subcode=error.subcode, **DEAD_TOKENS[how])


@pytest.mark.parametrize("how", DEAD_TOKENS)
async def test_a_dead_token_of_zalos_is_renewed_and_the_message_goes_out(stage: Stage, how: str) -> None:
    dead_token(stage, ZALO, how)
    await stage.said(ZALO)
    assert stage.platform.faults.calls == []
    assert stage.platform.zalo_tokens.pairs_issued == 1
    assert await stage.states() == ["sent"]
    assert await stage.read(alarms.unsolved) == []


async def held(stage: Stage, channel: str) -> None:
    """The account's token is dead: one alarm rings, and the message waits."""
    await stage.until(lambda session: bool(alarms.unsolved(session)))
    (alarm,) = await stage.read(alarms.unsolved)
    assert alarm.kind == "token_dead"
    await stage.until(lambda session: outbox.totals(session).waiting == 1)
    assert stage.heard(channel) == []


@pytest.mark.parametrize("how", DEAD_TOKENS)
async def test_a_dead_token_of_a_page_holds_it_and_rings(stage: Stage, how: str) -> None:
    dead_token(stage, MESSENGER, how)
    await stage.taken(stage.says(MESSENGER))
    await held(stage, MESSENGER)


@pytest.mark.parametrize("code", [*OAUTH, -14999])
async def test_a_refused_refresh_holds_the_account_and_rings(stage: Stage, code: int) -> None:
    stage.platform.zalo_tokens.expire()
    stage.goes_wrong("code", host="zalo-oauth", code=code, times=99)
    await stage.taken(stage.says(ZALO))
    await held(stage, ZALO)


@of((UNKNOWN, MESSAGE))
async def test_what_may_have_gone_out_is_looked_for_and_settled(stage: Stage, error: Played) -> None:
    await refused(stage, error)
    assert await stage.states() == ["unknown"]
    stage.clock.pass_by(hours=error.hours)
    await stage.tick("outbox.sweep")
    await stage.quiet()
    assert await stage.states() == ["sent"]
    assert stage.heard() == [ANSWER]
