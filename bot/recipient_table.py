"""Whom a broadcast was meant for and what became of each, as the rows of a file that people open."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from bot import failures, lanes
from crm import unsent
from storage import recipient_pages
from storage.database import Database
from storage.recipient_pages import Told

Row = tuple[str, ...]

CSV, XLSX = ".csv", ".xlsx"
MARK = "\ufeff"
"""What a CSV file begins with, so that spreadsheets read its accents."""
_PAGE = 5_000
_HEADS: dict[str, Row] = {
    "vi": ("Mã khách", "Tên", "Trạng thái", "Lý do", "Cách gửi", "Lúc gửi"),
    "en": ("Customer", "Name", "State", "Reason", "Way", "Sent at"),
}


def head(locale: str) -> Row:
    """The titles of the columns."""
    return _HEADS.get(locale, _HEADS["en"])


def title(locale: str) -> str:
    """What the table is called."""
    return "Người nhận" if locale == "vi" else "Recipients"


async def pages(
    database: Database, broadcast_id: int, zone: ZoneInfo, locale: str, state: str = "", reason: str = ""
) -> AsyncIterator[list[Row]]:
    """All of them, or those in one state or for one reason, some thousand at a time."""
    after = 0
    ask = partial(recipient_pages.page, broadcast_id=broadcast_id, most=_PAGE, state=state, reason=reason)
    while page := await database.read(partial(ask, after=after)):
        yield [_row(each, zone, locale) for each in page]
        after = page[-1].id


def write(file: io.TextIOBase, rows: Iterable[Sequence[str]]) -> None:
    """Rows as CSV, none of whose cells is a formula."""
    csv.writer(file).writerows([_safe(cell) for cell in row] for row in rows)


def _row(each: Told, zone: ZoneInfo, locale: str) -> Row:
    return (
        each.external_id or str(each.customer_id), each.name, unsent.state(each.state).of(locale),
        failures.words(each.reason).of(locale) if each.reason else "", lanes.words(each.lane).of(locale),
        f"{each.sent_at.astimezone(zone):%d/%m/%Y %H:%M}" if each.sent_at else "",
    )  # fmt: skip


def _safe(cell: str) -> str:
    """No cell begins as a formula does: spreadsheets would run it."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
