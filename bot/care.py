"""Care messages by themselves: the job that follows the rules' moments, and what sending asks of the rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot.jobs import Payload, Work
from crm import care, care_checks, care_enrolment, care_said
from crm.care_checks import Meant
from crm.lawful import LawfulHours
from crm.segments import AsOf
from crm.verdicts import Batch, Held
from storage.database import Database
from storage.turns import Waiting

JOB = "care.turn"
AT_ONCE = 100
"""How many moments are looked through in one transaction, to begin with."""


class Care:
    """Enrols whom the rules that are on are about."""

    def __init__(self, database: Database, hours: LawfulHours, clock: Callable[[], datetime]) -> None:
        self._database, self._hours, self._clock = database, hours, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.turn}

    async def turn(self, payload: Payload) -> None:
        """Look through what happened since the last time, rule by rule. Many may do so at once."""
        now = self._clock()
        for name in await self._database.read(care.names_on):
            await self._database.bulk(partial(_step, name=name, now=now, hours=self._hours), 0, size=AT_ONCE)


def _step(session: Session, turn: int, size: int, *, name: str, now: datetime, hours: LawfulHours) -> int | None:
    return turn + 1 if care_enrolment.follow(session, name, now, hours, size) else None


class Rules:
    """What sending asks of the care rules; see `crm.recipients.Source`."""

    def __init__(self, frame: AsOf, shop: Mapping[str, str]) -> None:
        """`frame` is what conditions are read with, at any moment; `shop` what texts say of it."""
        self._at, self._shop = frame, shop

    def recheck(self, session: Session, rows: Sequence[Waiting], now: datetime) -> Mapping[int, str | Held]:
        """Those that do not go out now: why they never will, or until when they wait."""
        return care_checks.ended(session, [_meant(row) for row in rows], replace(self._at, now=now))

    def batches(self, session: Session, rows: Sequence[Waiting], now: datetime) -> list[Batch]:
        """What these are told, by rule and language."""
        at, found = replace(self._at, now=now), []
        alike: dict[tuple[int, str], list[Waiting]] = {}
        for row in rows:
            alike.setdefault((row.care_rule_id or 0, row.locale or self._at.locale), []).append(row)
        for (rule_id, locale), some in sorted(alike.items()):
            rule = care.of_version(session, rule_id)
            values = care_said.values(session, rule, [_meant(row) for row in some], at, self._shop)
            found.append(Batch(None, care_said.content(rule, locale), some, values))
        return found


def _meant(row: Waiting) -> Meant:
    assert row.care_rule_id is not None and row.happened_at is not None and row.meant_at is not None
    return Meant(
        row.id, row.care_rule_id, row.customer_id, row.subject, row.happened_at, row.meant_at, row.due_at, row.name,
        row.locale,
    )  # fmt: skip
