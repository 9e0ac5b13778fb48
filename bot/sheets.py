"""A report as the sheets of a workbook: all figures, each day of it, and every member of staff."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from crm.reports import Report, Waits

Row = Sequence[str | int | float | None]
Sheets = list[tuple[str, list[Row]]]

_WORDS = {
    "vi": {
        "figures": "Tổng quan", "days": "Theo ngày", "staff": "Nhân viên", "what": "Chỉ số", "value": "Giá trị",
        "from": "Từ ngày", "to": "Đến hết ngày", "day": "Ngày", "name": "Nhân viên", "new": "Khách mới",
        "answers": "Tin trả lời", "conversations": "Cuộc trò chuyện", "waiting": "Đang chờ", "waited": "Lượt chờ",
        "middle": "Phản hồi đầu, giữa (phút)", "longest": "Phản hồi đầu, lâu nhất (phút)", "opened": "Phiếu mở",
        "closed": "Phiếu đóng", "open": "Phiếu còn mở", "first": "Trễ hẹn: trả lời đầu",
        "next": "Trễ hẹn: trả lời tiếp", "resolution": "Trễ hẹn: xong việc",
        "ratings": "Lượt đánh giá", "average": "Điểm hài lòng (trên 5)",
        "low": "Đánh giá thấp",
    },
    "en": {
        "figures": "Figures", "days": "Days", "staff": "Staff", "what": "Figure", "value": "Value", "from": "From",
        "to": "To the end of", "day": "Day", "name": "Name", "new": "New customers", "answers": "Answers",
        "conversations": "Conversations", "waiting": "Waiting now", "waited": "Waits",
        "middle": "First response, median (min)", "longest": "First response, longest (min)",
        "opened": "Tickets opened", "closed": "Tickets closed", "open": "Tickets open now",
        "first": "Broken: first answer", "next": "Broken: next answer", "resolution": "Broken: done",
        "ratings": "Ratings", "average": "Average rating (of 5)", "low": "Low ratings",
    },
}  # fmt: skip


def of(report: Report, days: Sequence[Report], locale: str) -> Sheets:
    """The sheets of a report; `days` are the reports of its days, where it has several."""
    words = _WORDS.get(locale, _WORDS["en"])
    sheets: Sheets = [(words["figures"], [(words["what"], words["value"]), *_figures(report, words)])]
    if days:
        sheets.append((words["days"], _days(days, words)))
    staff: list[Row] = [
        tuple(words[key] for key in ("name", "answers", "conversations", "waited", "middle", "longest"))
    ]
    staff += [(line.name, line.answers, line.conversations, *_waits(line.waits)) for line in report.staff]
    return [*sheets, (words["staff"], staff)]


def _figures(report: Report, words: dict[str, str]) -> list[Row]:
    waited, middle, longest = _waits(report.waits)
    found: list[tuple[str, str | int | float | None]] = [
        ("from", f"{report.start:%d/%m/%Y}"), ("to", f"{report.end - timedelta(days=1):%d/%m/%Y}"),
        ("new", report.new_customers), ("answers", report.answers), ("conversations", report.conversations),
        ("waiting", report.waiting), ("waited", waited), ("middle", middle), ("longest", longest),
        ("opened", report.tickets.opened), ("closed", report.tickets.closed), ("open", report.tickets.open_now),
        *((kind, report.breaches.get(kind, 0)) for kind in ("first", "next", "resolution")),
        ("ratings", report.ratings.given), ("average", _average(report)), ("low", report.ratings.low),
    ]  # fmt: skip
    return [(words[key], value) for key, value in found]


def _days(days: Sequence[Report], words: dict[str, str]) -> list[Row]:
    keys = (
        "day", "new", "answers", "conversations", "waited", "middle", "longest", "opened", "closed", "ratings",
        "average", "low",
    )  # fmt: skip
    rows = [
        (
            f"{each.start:%d/%m/%Y}", each.new_customers, each.answers, each.conversations, *_waits(each.waits),
            each.tickets.opened, each.tickets.closed, each.ratings.given, _average(each), each.ratings.low,
        )
        for each in days
    ]  # fmt: skip
    return [tuple(words[key] for key in keys), *rows]


def _average(report: Report) -> float | None:
    return round(report.ratings.total / report.ratings.given, 2) if report.ratings.given else None


def _waits(waits: Waits) -> tuple[int, float | None, float | None]:
    """How many waited, and minutes; None where nobody did."""
    if not waits.count:
        return 0, None, None
    return waits.count, round(waits.middle.total_seconds() / 60, 1), round(waits.longest.total_seconds() / 60, 1)
