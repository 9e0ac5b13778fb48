"""The figures of the shift: the shop's hours reckoned anew, what the database and the platforms hold at the end."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, bindparam, text
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

from simulator.chat import Line
from simulator.platform import Call
from tests.chat import Chat

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HOURS = "8h–12h, 13h–17h mỗi ngày"
MINUTE = timedelta(minutes=1)
DAY = datetime(2026, 11, 23, tzinfo=ZONE)
"""A Monday; the Tuesday after it is a public holiday."""
AFTER_THE_HOLIDAY = "8:00 thứ Tư 25/11"
CODE = re.compile(r"\[([AS]\d{4})\]")
PROMISES = ("Nhân viên sẽ", "nhân viên sẽ", "đã báo nhân viên", "nhân viên chưa trả lời kịp")
_OFFER = "Xin lỗi bạn phải đợi"


def at(hour: int, minute: int = 0) -> datetime:
    """A time of the day of the shift."""
    return DAY.replace(hour=hour, minute=minute)


def is_open(when: datetime) -> bool:
    """Whether the shop is open on this day: the rule written anew, for the product's own is on trial."""
    here = when.astimezone(ZONE)
    return here.date() == DAY.date() and (8 <= here.hour < 12 or 13 <= here.hour < 17)


def working_minutes(start: datetime, end: datetime) -> int:
    """How many minutes of this span the shop is open."""
    span = int((end - start) / MINUTE)
    return sum(is_open(start + number * MINUTE) for number in range(span))


def due_by(start: datetime, minutes: int) -> str:
    """When so many minutes of working time are over, as customers are told."""
    by, left = start.astimezone(ZONE).replace(second=0, microsecond=0), minutes
    while left and by.date() == DAY.date():
        left -= is_open(by)
        by += MINUTE
    return f"{by.hour}:{by:%M} hôm nay" if not left else f"{8 + left // 60}:{left % 60:02} thứ Tư 25/11"


@dataclass(frozen=True, slots=True)
class Worked:
    """What a shift came to."""

    customers: int
    said: int
    by_bot: int
    by_staff: int
    waiting: int
    asked_nothing: int
    """Thanks, or a yes to what asked nothing, after which the brand said nothing more."""
    silent: int
    """Lines that nobody answered, of customers who do not wait either."""
    without_promise: int
    checked: int
    """Words about the queue, the opening or the time of an answer; `untrue` ones were not so."""
    untrue: int
    unowned: int
    """How often somebody waited beyond the limit for an owner who is on shift."""
    replies: int
    """Sent as the answer to a notice; then by `/r`, in an entered conversation, and what was taken back."""
    orders: int
    entered: int
    taken_back: int
    slips: int
    leaked: int
    """Words that reached a customer and were not sent, or to somebody else, or twice, or never came."""
    notices: int
    refused: int
    """What the platform did not let through to staff at first."""
    lost: int
    voided: int
    offers: int
    overdue_untold: int
    middle_wait_min: float
    longest_wait_min: float
    alarms_left: int
    complaints: tuple[str, ...]
    """What was wrong, in words."""

    def told(self) -> dict[str, object]:
        """The figures, for a table."""
        return {key: value for key, value in asdict(self).items() if key != "complaints"}

    def check(self) -> None:
        """AssertionError where something was said that should not be, or not said that should."""
        assert self.said > self.customers > 0 and self.by_bot > 0 and self.by_staff > 0, self
        done = (self.checked, self.replies, self.orders, self.entered, self.slips, self.notices, self.refused)
        assert min(done) > 0, self
        wrong = (self.silent, self.without_promise, self.untrue, self.unowned, self.leaked, self.lost)
        assert (wrong, self.overdue_untold, self.alarms_left) == ((0,) * 6, 0, 0), self


def answers_to(lines: Iterable[Line]) -> list[tuple[str, str]]:
    """Each line of a customer with the brand's next words; "" where none came."""
    found: list[tuple[str, str]] = []
    said: list[str] = []
    for line in lines:
        if line.side == "person":
            said.append(line.text)
        else:
            found += [(each, line.text or "card") for each in said]
            said = []
    return found + [(each, "") for each in said]


def leaks(calls: Iterable[Call], people: Mapping[str, Chat], meant: Mapping[str, str]) -> list[str]:
    """What reached a customer otherwise than it was meant to: somebody else, twice, never, or not meant at all."""
    whose = {id(chat.contact): key for key, chat in people.items()}
    came = Counter(
        (code, whose[id(call.contact)])
        for call in calls
        if call.message_id and id(call.contact) in whose
        for code in CODE.findall(call.text)
    )
    wanted = Counter(meant.items())
    wrong = [f"{code} came to {key}" for code, key in came - wanted]
    return wrong + [f"{code} did not come to {key}" for code, key in wanted - came]


def offers(calls: Iterable[Call]) -> int:
    """How often the bot said that it is the bot and nobody came yet."""
    return sum(_OFFER in call.text for call in calls if call.message_id)


def middle_and_longest(spans: Iterable[tuple[datetime, datetime]]) -> tuple[float, float]:
    """Of how long customers waited for the first answer of staff, in minutes of working time."""
    waited = [working_minutes(start, end) for start, end in spans] or [0]
    return statistics.median(waited), max(waited)


async def ask(chat: Chat, query: TextClause, **values: object) -> list[tuple[object, ...]]:
    """The rows of a query, of now."""

    def read(session: Session) -> list[tuple[object, ...]]:
        given = {"now": chat.clock(), **values}
        named = {name: value for name, value in given.items() if f":{name}" in str(query)}
        return [tuple(row) for row in session.connection().execute(query, named)]

    return await chat.service.database.read(read)


def _query(words: str, *moments: str) -> TextClause:
    return text(words).bindparams(*(bindparam(name, type_=UTCDateTime()) for name in moments))


_AWAKE = "(c.snoozed_until IS NULL OR c.snoozed_until <= {at} OR i.last_interaction_at > c.snoozed_at)"
AHEAD = _query(
    "SELECT count(*) FROM conversation c JOIN identity i ON i.id = c.id WHERE i.staff_id IS NULL AND "
    + _AWAKE.format(at=":now")
    + " AND c.waiting_since < (SELECT m.waiting_since FROM conversation m JOIN identity mi ON mi.id = m.id"
    " WHERE mi.user_id = :user)",
    "now",
)
UNOWNED = _query(
    "SELECT i.name FROM conversation c JOIN identity i ON i.id = c.id LEFT JOIN staff s ON s.id = c.assigned_to"
    " WHERE i.staff_id IS NULL AND c.waiting_since <= :before AND c.holder <> 'elsewhere' AND "
    + _AWAKE.format(at=":before")
    + " AND (s.id IS NULL OR s.shift_until IS NULL OR s.shift_until <= :before)",
    "before",
)
WAITING = _query(
    "SELECT i.user_id FROM conversation c JOIN identity i ON i.id = c.id WHERE c.waiting_since IS NOT NULL"
)
REFUSED = _query(
    "SELECT count(*) FROM outbox o JOIN identity i ON i.id = o.identity_id"
    " WHERE i.staff_id IS NOT NULL AND o.error <> ''"
)
NOTICES = _query("SELECT state, count(*) FROM notice GROUP BY state")
UNTRUE_NOTICES = _query(
    "SELECT count(*) FROM notice n LEFT JOIN outbox o ON o.id = n.outbox_id"
    " WHERE n.state = 'sent' AND (o.id IS NULL OR o.state <> 'sent')"
)
OVERDUE_UNTOLD = _query(
    "SELECT count(*) FROM ticket_clock WHERE ended_at IS NULL AND due_at <= :now AND breached_at IS NULL", "now"
)
FIRST_ANSWERS = _query(
    "SELECT waited_since, min(at) AS at FROM staff_send WHERE waited_since IS NOT NULL"
    " GROUP BY conversation_id, waited_since"
).columns(waited_since=UTCDateTime(), at=UTCDateTime())
ALARMS = _query(
    "SELECT kind, subject FROM alarm WHERE solved_at IS NULL AND kind IN ('notice_lost', 'nobody_on_shift')"
)
