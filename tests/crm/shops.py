"""Small shops at random, written to the database, and a plain evaluation of segments over them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from sqlmodel import Session

from bot.channels.messenger.rules import RULES as MESSENGER
from bot.channels.zalo.rules import RULES as ZALO
from crm.segment_clauses import Clause, Span, Value, Wish
from crm.segments import AsOf
from storage import consent
from storage.balances import PointBalance
from storage.columns import new_id
from storage.customers import Customer, Identity
from storage.members import LoyaltyMember
from storage.orders import SalesOrder
from storage.segment_tree import All, No, Some
from storage.tags import TagRow

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
AT = AsOf(NOW, ZONE, {"messenger": MESSENGER, "zalo": ZALO})
PROGRAMME = """
[[rule]]
id = "base"
vi = "1 điểm cho mỗi 10.000đ"
en = "1 point for every 10.000đ"
per = 10000
points = 1

[[tier]]
code = "dong"
vi = "Đồng"
en = "Bronze"
at = 0

[[tier]]
code = "bac"
vi = "Bạc"
en = "Silver"
at = 1000000

[[tier]]
code = "vang"
vi = "Vàng"
en = "Gold"
at = 5000000
"""
LEVELS = ("dong", "bac", "vang")
_OPS: dict[str, Callable[[object, object], bool]] = {
    "<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt, "!=": operator.ne,
}  # fmt: skip


@dataclass(frozen=True)
class Buy:
    """An order: so many hours ago, in this state, for so much."""

    hours: int
    status: str
    total: int


@dataclass(frozen=True)
class Chat:
    """An identity: on this channel, last heard of so many hours ago."""

    channel: str
    hours: int | None
    gone: bool


@dataclass(frozen=True)
class Said:
    """A yes or no to marketing, about this channel or about all (""), so many hours ago."""

    channel: str
    granted: bool
    hours: int


@dataclass(frozen=True)
class Someone:
    """A customer with all that segments may ask."""

    name: str
    phone: str | None
    birthday: str
    locale: str
    said: tuple[Said, ...]
    hours: int
    tags: frozenset[str]
    points: int
    tier: str
    buys: tuple[Buy, ...]
    chats: tuple[Chat, ...]
    kind: str
    ids: list[int] = field(default_factory=list)


DAYS = st.sampled_from([0, 1, 2, 7, 30, 31, 90, 365])
HOURS = st.builds(lambda days, more: days * 24 + more, DAYS, st.sampled_from([0, 0, 1, 23]))
BUYS = st.builds(Buy, HOURS, st.sampled_from(["delivered", "shipping", "cancelled", "returned"]),
                 st.sampled_from([0, 1000, 5000]))  # fmt: skip
CHATS = st.builds(
    Chat, st.sampled_from(["zalo", "messenger"]), st.none() | HOURS | st.sampled_from([47, 167, 168]), st.booleans()
)
SAID = st.builds(Said, st.sampled_from(["", "zalo", "messenger"]), st.booleans(), st.sampled_from([0, 1, 2]))
PEOPLE = st.builds(
    Someone,
    name=st.sampled_from(["", "Lan"]),
    phone=st.sampled_from([None, "", "+84901234567"]),
    birthday=st.sampled_from(["", "1990-11-23", "1992-02-29", "2000-11-24", "1988-12-01", "--11-22"]),
    locale=st.sampled_from(["", "vi", "en"]),
    said=st.lists(SAID, max_size=3).map(tuple),
    hours=HOURS,
    tags=st.frozensets(st.sampled_from(["khach si", "vip", "khieu_nai"])),
    points=st.sampled_from([-5, 0, 0, 100, 500]),
    tier=st.sampled_from(["", "dong", "bac", "vang", "old"]),
    buys=st.lists(BUYS, max_size=3).map(tuple),
    chats=st.lists(CHATS, max_size=2).map(tuple),
    kind=st.sampled_from(["served", "served", "served", "merged", "staff"]),
)


def _age(word: str) -> st.SearchStrategy[Clause]:
    spans = st.builds(Span, DAYS, st.just("ngay")) | st.builds(Span, st.sampled_from([24, 48]), st.just("gio"))
    days = st.sampled_from([date(2026, 11, 22), date(2026, 11, 23), date(2026, 8, 25)])
    return st.builds(Clause, st.just(word), st.sampled_from(list(_OPS)), spans | days)


def _number(word: str, values: Sequence[int], spans: st.SearchStrategy[Span | None]) -> st.SearchStrategy[Clause]:
    return st.builds(Clause, st.just(word), st.sampled_from(list(_OPS)), st.sampled_from(values), spans)


def _name(word: str, values: Sequence[str]) -> st.SearchStrategy[Clause]:
    return st.builds(Clause, st.just(word), st.sampled_from(["=", "!="]), st.sampled_from(values))


SPANS = st.none() | st.builds(Span, DAYS, st.just("ngay"))
CLAUSES = st.one_of(
    st.builds(Clause, st.sampled_from(
        ["tatca", "ten", "sdt", "sinhnhat", "mua", "hoatdong", "lienhe", "dongy", "tuchoi", "vip"])),
    _name("dongy", ["zalo", "messenger"]),
    _name("tuchoi", ["zalo", "messenger"]),
    _name("tag", ["khách sỉ", "khach_si", "VIP", "khieu_nai"]),
    _name("kenh", ["zalo", "messenger"]),
    _name("lienhe", ["zalo", "messenger"]),
    _name("ngonngu", ["vi", "en"]),
    _name("trangthai", ["delivered", "shipping", "cancelled"]),
    _name("sinhnhat", ["homnay", "homnay+1", "homnay-1", "thangnay", "thangsau", "thang2"]),
    st.builds(Clause, st.just("sinhnhat"), st.sampled_from(["<", "<="]), st.builds(Span, DAYS, st.just("ngay"))),
    st.builds(Clause, st.just("hang"), st.sampled_from(list(_OPS)), st.sampled_from(LEVELS)),
    _age("tao"), _age("mua"), _age("muadau"), _age("hoatdong"),
    _number("don", [0, 1, 2], SPANS), _number("chi", [0, 1000, 6000], SPANS), _number("diem", [0, 100], st.none()),
)  # fmt: skip
WISHES: st.SearchStrategy[Wish] = st.recursive(
    CLAUSES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Some(tuple(parts))),
        inner.map(No),
    ),
    max_leaves=4,
)


def write(session: Session, people: Sequence[Someone]) -> dict[int, Someone]:
    """Put them into the database; by id."""
    connection = session.connection()
    rows: dict[str, list[dict[str, object]]] = {}
    keep = lambda table, **row: rows.setdefault(table, []).append(row)  # noqa: E731
    target, written = new_id(), {}
    keep("customer", id=target, **_blank(NOW), merged_into=None)
    for each in people:
        own = new_id()
        written[own] = each
        keep("customer", id=own, **_blank(NOW - timedelta(hours=each.hours)) | {
            "name": each.name, "phone": each.phone, "birthday": each.birthday, "locale": each.locale,
            "merged_into": target if each.kind == "merged" else None,
        })  # fmt: skip
        for tag in each.tags:
            keep("tag", customer_id=own, folded=tag, name=tag, set_by="", set_at=NOW)
        for number, buy in enumerate(each.buys):
            at = NOW - timedelta(hours=buy.hours)
            code = f"{own}-{number}"
            order = {"source": "pos", "external_id": code, "code": code, "code_key": code, "version": 1}
            keep("order", id=new_id(), customer_id=own, status=buy.status, total=buy.total, placed_at=at,
                 updated_at=at, **order)  # fmt: skip
        if each.points:
            pending = 100 if each.points > 0 else 0
            keep("balance", customer_id=own, currency="spend", balance=each.points + pending, pending=pending,
                 held=0, debt=0)  # fmt: skip
        if each.tier:
            keep("member", customer_id=own, joined_at=NOW, tier=each.tier, tier_since=NOW, window_from=NOW,
                 review_at=NOW)  # fmt: skip
        chats = each.chats or ((Chat("zalo", None, False),) if each.kind == "staff" else ())
        for chat in chats:
            own_id = new_id()
            last = None if chat.hours is None else NOW - timedelta(hours=chat.hours)
            keep("identity", id=own_id, customer_id=own, channel=chat.channel, account_id="oa", user_id=str(own_id),
                 last_interaction_at=last, unreachable_since=NOW if chat.gone else None,
                 staff_only=each.kind == "staff", created_at=NOW)  # fmt: skip
    tables = {
        "customer": Customer, "tag": TagRow, "order": SalesOrder, "balance": PointBalance, "member": LoyaltyMember,
        "identity": Identity,
    }  # fmt: skip
    for name, table in tables.items():
        if name in rows:
            connection.execute(table.__table__.insert(), rows[name])  # type: ignore[attr-defined]
    for own, each in written.items():
        for said in each.said:
            at = NOW - timedelta(hours=said.hours)
            consent.add(
                session,
                {"customer_id": own, "purpose": "marketing", "granted": said.granted, "covers": said.channel, "at": at},
            )
    return written


def _blank(at: datetime) -> dict[str, object]:
    return {"name": "", "phone": None, "email": "", "birthday": "", "locale": "", "marketing": "",
            "created_at": at, "updated_at": at}  # fmt: skip


def belongs(someone: Someone, wish: Wish) -> bool:
    """Whether they are in the segment, found out the long way."""
    if someone.kind != "served":
        return False
    return _holds(someone, wish)


def _holds(one: Someone, wish: Wish) -> bool:
    match wish:
        case All(parts):
            return all(_holds(one, part) for part in parts)
        case Some(parts):
            return any(_holds(one, part) for part in parts)
        case No(part):
            return not _holds(one, part)
    assert isinstance(wish, Clause)
    if wish.op == "!=":
        return not _says(one, Clause(wish.word, "=", wish.value, wish.within))
    return _says(one, wish)


def _says(one: Someone, clause: Clause) -> bool:
    value, op = clause.value, clause.op
    bought = [buy for buy in one.buys if buy.status not in ("cancelled", "returned")]
    heard = [chat.hours for chat in one.chats if chat.hours is not None]
    if clause.within:
        bought = [buy for buy in bought if buy.hours <= _hours(clause.within)]
    match clause.word:
        case "tatca":
            return True
        case "ten":
            return bool(one.name)
        case "sdt":
            return bool(one.phone)
        case "dongy":
            return any(_agrees(one, channel) for channel in _asked(value))
        case "tuchoi":
            said = any(not each.granted for each in one.said if each.channel in ("", *_asked(value)))
            return said and not any(_agrees(one, channel) for channel in _asked(value))
        case "vip":
            return "vip" in one.tags
        case "tag":
            return {"khách sỉ": "khach si", "khach_si": "khach si", "VIP": "vip"}.get(str(value), value) in one.tags
        case "kenh":
            return any(chat.channel == value for chat in one.chats)
        case "lienhe":
            return any(_open(chat) for chat in one.chats if value in (None, chat.channel))
        case "ngonngu":
            return one.locale == value or (value == "vi" and not one.locale)
        case "trangthai":
            return any(buy.status == value for buy in one.buys)
        case "hang":
            place = LEVELS.index(one.tier) if one.tier in LEVELS else 0
            return _OPS[op](place, LEVELS.index(str(value)))
        case "tao":
            return _aged(one.hours, op, value)
        case "mua":
            return bool(bought) and (not op or _aged(min(buy.hours for buy in bought), op, value))
        case "muadau":
            return bool(bought) and _aged(max(buy.hours for buy in bought), op, value)
        case "hoatdong":
            return bool(heard) and (not op or _aged(min(heard), op, value))
        case "don":
            return _OPS[op](len(bought), value)
        case "chi":
            return _OPS[op](sum(buy.total for buy in bought), value)
        case "diem":
            return _OPS[op](one.points, value)
        case "sinhnhat":
            return bool(one.birthday) and (not op or _born(one.birthday[-5:], op, value))
    raise AssertionError(clause)


def _asked(value: Value) -> Sequence[str]:
    return [str(value)] if value else ["zalo", "messenger"]


def _agrees(one: Someone, channel: str) -> bool:
    """The latest word about this channel or about all is a yes; a no goes before a yes of the same moment."""
    words = [each for each in one.said if each.channel in ("", channel)]
    return bool(words) and min(words, key=lambda each: (each.hours, each.granted)).granted


def _hours(span: Span) -> int:
    return span.count * (24 if span.unit == "ngay" else 1)


def _aged(hours: int, op: str, value: Value) -> bool:
    day = (NOW - timedelta(hours=hours)).astimezone(ZONE).date()
    if isinstance(value, date):
        return _OPS[op](day, value)
    assert isinstance(value, Span)
    if op == "=":
        return day == (NOW - timedelta(hours=_hours(value))).astimezone(ZONE).date()
    return _OPS[op](hours, _hours(value))


def _open(chat: Chat) -> bool:
    within = {"zalo": 168, "messenger": 24}[chat.channel]
    return chat.hours is not None and not chat.gone and timedelta(hours=chat.hours, minutes=2) < timedelta(hours=within)


def _born(day: str, op: str, value: Value) -> bool:
    today = NOW.astimezone(ZONE).date()
    if isinstance(value, Span):
        last = value.count - (op == "<")
        return any(_is_birthday(day, today + timedelta(days=number)) for number in range(last + 1))
    word = str(value)
    if word.startswith("homnay"):
        return _is_birthday(day, today + timedelta(days=int(word[6:] or 0)))
    return int(day[:2]) == {"thangnay": 11, "thangsau": 12, "thang2": 2}[word]


def _is_birthday(day: str, when: date) -> bool:
    shifted = day == "02-29" and when.year % 4 != 0 and (when.month, when.day) == (2, 28)
    return shifted or day == f"{when:%m-%d}"
