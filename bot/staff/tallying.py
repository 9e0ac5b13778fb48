"""How care rules stand, as staff read it; where they meant very many messages these are counted beside the chat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot import failures
from bot.jobs import Payload, Work
from bot.staff import hearing
from bot.staff.context import Office, StaffContext
from crm import care, care_report
from crm.care_rules import Words
from crm.staff import Permission
from storage.database import Database
from storage.recipients import FAILED, SKIPPED, Tally

JOB = "staff.care"
AT_ONCE = 5_000
"""So many messages are counted while the chat waits."""
ALL, ONE, CHANGED = "care_list", "care_one", "care_changed"
"""What is said, and the templates that say it: of all rules, of one, and of one that was changed just now."""


class Tallying:
    """The job that counts, and tells in the chat in which it was asked for."""

    def __init__(self, database: Database, office: Office, clock: Callable[[], datetime]) -> None:
        self._database, self._office, self._clock = database, office, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.count}

    async def count(self, payload: Payload) -> None:
        """Count, and tell."""
        found = await self._database.read_long(partial(_counted, rule=payload["rule"]))
        tell = partial(_tell, office=self._office, payload=payload, found=found, now=self._clock())
        await self._database.write(tell, name=JOB)


def show(ctx: StaffContext, what: str, rule: str = "") -> None:
    """Say how all rules stand, or this one, at once or a little later."""
    if ctx.chat is None or not care_report.are_more(ctx.session, _names(ctx.session, rule), AT_ONCE):
        _say(ctx, what, rule, _counted(ctx.session, rule))
        return
    payload = {"staff": ctx.member.id, "chat": ctx.chat.identity_id, "what": what, "rule": rule}
    ctx.later(JOB, f"{ctx.surface}:{what}:{rule}", payload)
    ctx.reply("care_counting", known=care.named(ctx.session, rule) if rule else None)


def _names(session: Session, rule: str) -> list[str]:
    return [rule] if rule else [each.rule.name for each in care.everything(session)]


def _counted(session: Session, rule: str) -> dict[str, list[Tally]]:
    return {name: care_report.tally(session, name) for name in _names(session, rule)}


def _say(ctx: StaffContext, what: str, rule: str, found: Mapping[str, Sequence[Tally]]) -> None:
    if what == ALL:
        known = [each for each in care.everything(ctx.session) if each.rule.name in found]
        rows = tuple((each, care_report.counted(found[each.rule.name])) for each in known)
        ctx.reply(ALL, rows=rows)
        return
    counts = care_report.counted(found[rule])
    ctx.reply(what, known=care.named(ctx.session, rule), counts=counts, reasons=_reasons(found[rule]))


def _reasons(found: Sequence[Tally]) -> list[tuple[Words, int]]:
    """Why how many messages did not go out, the most frequent reason first."""
    unsent = [each for each in found if each.state in (SKIPPED, FAILED)]
    return [(failures.words(each.reason), each.people) for each in sorted(unsent, key=lambda each: -each.people)]


def _tell(
    session: Session, office: Office, payload: Payload, found: Mapping[str, Sequence[Tally]], now: datetime
) -> None:
    """Tell it, if the chat is still that of somebody who may see it."""
    ctx = hearing.told_later(session, office, payload, now, Permission.WRITE_BROADCASTS)
    if ctx is None:
        return
    _say(ctx, payload["what"], payload["rule"], found)
    hearing.tell(ctx)
