"""Versions of the programme: loaded from a file, each with the day from which it holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import programme_file
from crm.errors import Invalid, NotFound
from crm.programme import DEFAULT, Programme
from crm.programme_file import Draft
from storage import loyalty
from storage import programmes as store
from storage.programmes import Version as Version


def at(session: Session, moment: datetime) -> Programme:
    """The programme that holds, or held, at a moment."""
    found = store.at(session, moment)
    return _read(found) if found else DEFAULT


def during(session: Session, since: datetime, until: datetime) -> list[tuple[datetime, Programme]]:
    """The programmes that held in a span, the last first, each with the moment from which it did."""
    found: list[tuple[datetime, Programme]] = []
    for version in store.until(session, until):
        found.append((version.effective_from, _read(version)))
        if version.effective_from <= since:
            break
    return found


def of(session: Session, number: int | None) -> Programme:
    """The programme of a version; None is the one before the first was loaded."""
    return DEFAULT if number is None else version(session, number)[1]


def versions(session: Session) -> list[Version]:
    """All versions, the newest first."""
    return store.everyone(session)


def version(session: Session, number: int) -> tuple[Version, Programme]:
    """One version with what it says. Raises NotFound."""
    found = store.one(session, number)
    if found is None:
        raise NotFound("Không có phiên bản này.", "There is no such version.", field="version")
    return found, _read(found)


def load(session: Session, source: str, zone: ZoneInfo, now: datetime, actor: str = "") -> tuple[int, Draft]:
    """Let this file be the programme from its `from` on, or from now on; its number and what was noticed.

    The same file again gives the same number. What was earned stays as it was; so only while nothing was ever earned
    may `from` lie in the past. Raises Invalid for the first problem that is more than a warning.
    """
    draft = programme_file.read(source, zone, now.astimezone(zone).date())
    for problem in draft.problems:
        if not problem.is_warning:
            raise Invalid(problem.place or "file", problem.words, f"{problem.place or 'file'}: {problem.words}")
    effective_from = (draft.effective_from or now).astimezone(UTC)
    for known in store.everyone(session):
        if known.source == source and known.timezone == zone.key:
            if draft.effective_from is not None or store.at(session, now) == known:
                return known.id, draft
            break
    if effective_from < now and loyalty.has_entries(session):
        raise Invalid("from", "Ngày bắt đầu đã qua.", "from: it lies in the past, and points were earned already")
    row = {
        "effective_from": effective_from, "timezone": zone.key, "source": source, "loaded_at": now, "actor": actor,
    }  # fmt: skip
    return store.add(session, row), draft


def _read(found: Version) -> Programme:
    return _parsed(found.id, found.source, found.timezone)


@lru_cache(maxsize=64)
def _parsed(number: int, source: str, timezone: str) -> Programme:
    draft = programme_file.read(source, ZoneInfo(timezone), date.min)
    return replace(draft.programme, version=number)
