"""What a care message is about, in words: people read no keys."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session

from crm.care_rules import Words
from storage import orders

_BY_KIND = {
    "customer": Words("lần đầu nhắn hoặc quan tâm", "their first message or follow"),
    "tier": Words("lên hạng", "a higher tier"),
    "sent": Words("tin trước đó", "the message before"),
}
_GONE = Words("một đơn không còn nữa", "an order that is gone")


def words(session: Session, subject: str) -> Words:
    """What stands behind the key of a subject, which `care_enrolment` makes."""
    kind, _, rest = subject.partition(":")
    match kind:
        case "birthday":
            year = rest.rpartition(":")[2]
            return Words(f"sinh nhật năm {year}", f"the birthday in {year}")
        case "points":
            day = date.fromisoformat(rest.rpartition(":")[2])
            return Words(f"điểm dùng tới {day:%d/%m/%Y}", f"points to be used until {day:%d/%m/%Y}")
        case "order":
            return _order(session, *rest.split(":", 1))
    return _BY_KIND[kind]


def _order(session: Session, number: str, cycle: str = "") -> Words:
    """An order, and which of its products are used up."""
    row = orders.some(session, {int(number)}).get(int(number))
    if row is None:
        return _GONE
    which = f" ({cycle})" if cycle else ""
    return Words(f"đơn {row.code}{which}", f"the order {row.code}{which}")
