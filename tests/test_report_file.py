"""The report as a workbook: every figure of it, the days of a week, and words that stay words."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlmodel import Session

from bot import sheets
from bot.drawing.sheets import workbook
from crm import customers, reports
from crm.reports import Line, Span, Waits
from storage.reports import Ratings, Tickets
from tests.conftest import Clock
from tests.crm.test_reports import ZONE, open_hours
from tests.storage.rows import transaction
from tests.test_commands import SECRET
from tests.test_commands import Line as Typed

NOBODY = Waits(0, timedelta(), timedelta())


def read(content: bytes) -> dict[str, list[tuple[Any, ...]]]:
    """The sheets of a workbook as they are read."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def report(span: Span, start: datetime, days: int, *staff: Line) -> reports.Report:
    """A report of made-up figures."""
    return reports.Report(
        span=span, start=start, end=start + timedelta(days=days), new_customers=7, answers=3, conversations=2,
        waits=Waits(2, timedelta(minutes=4, seconds=30), timedelta(minutes=20)), waiting=1, tickets=Tickets(5, 4, 6),
        breaches={"next": 2}, ratings=Ratings(3, 13, 1), staff=list(staff),
    )  # fmt: skip


def test_every_figure_and_everybody_stands_in_the_workbook() -> None:
    monday = datetime(2026, 11, 23, tzinfo=ZONE)
    people = [Line(f"Người {number}", number, 1, NOBODY) for number in range(20)]
    found = sheets.of(report(Span.WEEK, monday, 7, *people), [report(Span.DAY, monday, 1)], "vi")
    told = read(workbook(found))
    assert list(told) == ["Tổng quan", "Theo ngày", "Nhân viên"]
    figures = {row[0]: row[1] for row in told["Tổng quan"]}
    assert figures["Từ ngày"] == "23/11/2026" and figures["Đến hết ngày"] == "29/11/2026"
    assert figures["Phản hồi đầu, giữa (phút)"] == 4.5 and figures["Phản hồi đầu, lâu nhất (phút)"] == 20
    assert (figures["Phiếu mở"], figures["Phiếu đóng"], figures["Phiếu còn mở"]) == (5, 4, 6)
    assert figures["Trễ hẹn: trả lời tiếp"] == 2 and figures["Trễ hẹn: xong việc"] == 0
    assert figures["Điểm hài lòng (trên 5)"] == 4.33
    assert told["Theo ngày"][1] == ("23/11/2026", 7, 3, 2, 2, 4.5, 20, 5, 4, 3, 4.33, 1)
    assert len(told["Nhân viên"]) == 21 and told["Nhân viên"][20] == ("Người 19", 19, 1, 0, None, None)


@pytest.mark.parametrize("name", ["=1+2", "+84", "@SUM(A1)", "-3", "a\x07b\nc", "Nguyễn 🌸"])
def test_words_stay_words_in_a_workbook(name: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook([("a/b [1]", [("x",), (name,)])])))
    cell = book.worksheets[0]["A2"]
    assert (cell.data_type, cell.value) == ("s", name.replace("\x07", ""))


def test_the_days_of_a_week_are_counted_until_today(session: Session, clock: Clock) -> None:
    week = reports.of(session, Span.WEEK, 1, clock(), ZONE, open_hours())
    before = reports.days_of(session, week, clock(), ZONE, open_hours())
    assert [each.start for each in before] == [week.start + timedelta(days=place) for place in range(7)]
    this = reports.of(session, Span.WEEK, 0, clock(), ZONE, open_hours())
    assert len(reports.days_of(session, this, clock(), ZONE, open_hours())) == clock().astimezone(ZONE).weekday() + 1
    assert reports.days_of(session, before[0], clock(), ZONE, open_hours()) == []


@pytest.fixture
def typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str
) -> Typed:
    """A command line on each engine, in a shop that one customer found today."""
    line = Typed(capsys, monkeypatch)
    line.set(SECRET_KEY=SECRET, DATABASE_URL=database_url)
    monkeypatch.chdir(tmp_path)
    with transaction(database_url) as session:
        customers.put_customer(session, "KH1", now=datetime.now(UTC), name="Lan")
    return line


def test_the_report_is_written_into_a_file(typed: Typed, tmp_path: Path) -> None:
    told = typed("report", "week", "--xlsx", "week.xlsx", "--json").json
    figures = {row[0]: row[1] for row in read((tmp_path / "week.xlsx").read_bytes())["Tổng quan"]}
    assert told["file"] == "week.xlsx" and figures["Khách mới"] == told["new_customers"] == 1
    assert figures["Từ ngày"] == f"{datetime.fromisoformat(told['start']).astimezone(ZONE):%d/%m/%Y}"
    refused = typed("report", "day", "--xlsx", "nowhere/day.xlsx")
    assert refused.status == 1 and "nowhere/day.xlsx cannot be written" in refused.err


def test_what_makes_workbooks_is_not_loaded_by_the_service() -> None:
    loaded = "import main, sys; sys.exit(any(name in sys.modules for name in ('openpyxl', 'PIL')))"
    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
