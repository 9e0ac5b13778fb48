"""What a segment's clauses mean at a moment: facts with nothing left to look up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import consent, fields, programmes, reach, rfm, segment_language, tags
from crm.errors import CrmError, Invalid
from crm.orders import Status
from crm.programme import HOME, Programme, days_in, midnight, midnight_after, months_later
from crm.reach import Rules
from crm.rfm import Measure
from crm.segment_clauses import Clause, Span, Wish
from crm.tickets import State
from crm.words import plain
from storage import saved_segments
from storage.customers import VIP_TAG
from storage.saved_segments import SegmentRow
from storage.segment_facts import REACH
from storage.segment_tree import About, All, Fact, No, Some, Tree, mapped

_MOMENT = timedelta(microseconds=1)
_UNITS = {"gio": timedelta(hours=1), "ngay": timedelta(days=1), "tuan": timedelta(days=7)}
_MONTHS = {"thang": 1, "nam": 12}
_SHOWN = 10
_DEEPEST = 10

Condition = Tree[Fact]


@dataclass(frozen=True, slots=True)
class AsOf:
    """The moment for which a segment is asked, where the brand is, its language, and the channels' rules of writing.

    Without rules there is no channel: then nobody can be reached, and nobody agrees to be.
    """

    now: datetime
    zone: ZoneInfo = HOME
    rules: Mapping[str, Rules] = field(default_factory=dict)
    locale: str = "vi"


@dataclass(frozen=True, slots=True)
class _Shop:
    """What clauses are read with."""

    session: Session
    at: AsOf
    programme: Programme
    path: tuple[str, ...]
    """The saved segments that are being read, one within the other."""


def meant(session: Session, wish: Wish, at: AsOf, path: tuple[str, ...] = ()) -> Condition:
    """The facts that this asks for at this moment. Raises CrmError where it names what is not there.

    `path`: saved segments that it may not lead to, as it stands for one of them itself.
    """
    shop = _Shop(session, at, programmes.at(session, at.now), path)
    return mapped(wish, lambda clause: _meaning(clause, shop))


def key_of(name: str) -> str:
    """What a saved segment is kept under."""
    return plain(name).replace(" ", "_")


def before(at: AsOf, span: Span) -> datetime:
    """So long before the moment; months by the calendar of the brand's time zone."""
    return _shifted(at, span, -1)


def after(at: AsOf, span: Span) -> datetime:
    """So long after the moment."""
    return _shifted(at, span, 1)


def _shifted(at: AsOf, span: Span, sign: int) -> datetime:
    if span.unit in _UNITS:
        return at.now + sign * span.count * _UNITS[span.unit]
    here = at.now.astimezone(at.zone)
    day = months_later(here.date(), sign * span.count * _MONTHS[span.unit])
    return here.replace(year=day.year, month=day.month, day=day.day).astimezone(at.now.tzinfo)


def _meaning(clause: Clause, shop: _Shop) -> Condition:
    if clause.op == "!=":
        return No(_meaning(replace(clause, op="="), shop))
    return _MEANINGS[clause.word](clause, shop)


def _is(about: About, *words: str) -> Callable[[Clause, _Shop], Condition]:
    return lambda clause, shop: Fact(about, words=words)


def _counted(about: About) -> Callable[[Clause, _Shop], Condition]:
    def meaning(clause: Clause, shop: _Shop) -> Condition:
        assert isinstance(clause.value, int)
        return Fact(about, clause.op, clause.value, since=_since(clause, shop))

    return meaning


def _since(clause: Clause, shop: _Shop) -> datetime | None:
    return before(shop.at, clause.within) if clause.within else None


def _span(clause: Clause, at: AsOf) -> tuple[datetime | None, datetime | None]:
    """From when until before when a moment must lie, so that it compares like this with the clause's value."""
    value, op = clause.value, clause.op
    if isinstance(value, date):
        return _day_span(value, op, at.zone)
    assert isinstance(value, Span)
    moment = before(at, value)
    if op == "=":
        return _day_span(moment.astimezone(at.zone).date(), "=", at.zone)
    since = {"<": moment + _MOMENT, "<=": moment}.get(op)
    until = {">": moment, ">=": moment + _MOMENT}.get(op)
    return since, until


def _day_span(day: date, op: str, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    starts, ends = midnight(day, zone), midnight_after(day, zone)
    return {"<": (None, starts), "<=": (None, ends), ">": (ends, None), ">=": (starts, None)}.get(op, (starts, ends))


def _created(clause: Clause, shop: _Shop) -> Condition:
    since, until = _span(clause, shop.at)
    return Fact(About.CREATED, since=since, until=until)


def _latest(about: About) -> Callable[[Clause, _Shop], Condition]:
    """The last time lies in the span: there is one in it, and none behind it."""

    def meaning(clause: Clause, shop: _Shop) -> Condition:
        if not clause.op:
            return Fact(about)
        since, until = _span(clause, shop.at)
        within = Fact(about, since=since, until=until)
        return within if until is None else All((within, No(Fact(about, since=until))))

    return meaning


def _first_order(clause: Clause, shop: _Shop) -> Condition:
    since, until = _span(clause, shop.at)
    within = Fact(About.ORDERED, since=since, until=until)
    return within if since is None else All((within, No(Fact(About.ORDERED, until=since))))


def _tag(clause: Clause, shop: _Shop) -> Condition:
    """Underscores may stand for spaces."""
    name = str(clause.value)
    return Fact(About.TAG, words=tuple(dict.fromkeys((tags.folded(name), tags.folded(name.replace("_", " "))))))


def _field(clause: Clause, shop: _Shop) -> Condition:
    known = {each.folded: each for each in fields.everything(shop.session)}
    found = known.get(plain(clause.key)) or known.get(plain(clause.key.replace("_", " ")))
    if found is None:
        told = ", ".join(each.name for each in known.values()) or "—"
        raise Invalid("segment", f"Không có trường “{clause.key}”. Các trường: {told}",
                      f"There is no field “{clause.key}”. Fields: {told}")  # fmt: skip
    if not clause.op:
        return Fact(About.FIELD, key=found.id)
    raw = str(clause.value)
    try:
        kept = fields.read(found, raw)
    except CrmError:
        kept = fields.read(found, raw.replace("_", " "))
    kind = fields.Kind(found.kind)
    if kind is fields.Kind.NUMBER:
        return Fact(About.FIELD, clause.op, kept.number or 0, key=found.id)
    if kind is not fields.Kind.DATE and clause.op != "=":
        raise Invalid("segment", f"Trường “{found.name}” chỉ so sánh bằng =", f"Compare “{found.name}” by = alone")
    return Fact(About.FIELD, clause.op, words=(kept.value,), key=found.id)


def _birthday(clause: Clause, shop: _Shop) -> Condition:
    today = shop.at.now.astimezone(shop.at.zone).date()
    match clause.value:
        case None:
            return Fact(About.BIRTHDAY)
        case Span():
            return _birthdays(clause, today, shop.at)
    word = str(clause.value)
    if word.startswith("homnay"):
        return Fact(About.BIRTHDAY, words=_days(today + timedelta(days=int(word[6:] or 0)), 1))
    month = today.month if word == "thangnay" else today.month % 12 + 1 if word == "thangsau" else int(word[5:])
    return Fact(About.BIRTH_MONTH, words=(f"{month:02}",))


def _birthdays(clause: Clause, today: date, at: AsOf) -> Condition:
    """Birthdays that come within a span from today on."""
    assert isinstance(clause.value, Span)
    last = after(at, clause.value).astimezone(at.zone).date()
    if clause.op not in ("<", "<="):
        raise Invalid("segment", "Viết sinhnhat<=7ngay (sắp tới)", "Write birthday<=7d (to come)")
    count = min((last - today).days + (clause.op == "<="), 366)
    return Fact(About.BIRTHDAY, words=_days(today, count)) if count > 0 else Some(())


def _days(first: date, count: int) -> tuple[str, ...]:
    """So many days of the year from one on; one on 29 February is on the 28th in other years."""
    found = [first + timedelta(days=number) for number in range(count)]
    leap = [day for day in found if (day.month, day.day) == (2, 28) and days_in(day.year, 2) == 28]
    return tuple(dict.fromkeys([f"{day:%m-%d}" for day in found] + ["02-29" for _ in leap]))


def _status(clause: Clause, shop: _Shop) -> Condition:
    given = plain(str(clause.value)).replace("_", " ")
    for status, names in _STATUSES.items():
        if given in (status.value, *names):
            return Fact(About.ORDERED, words=(status.value,), since=_since(clause, shop))
    told = ", ".join(status.value for status in _STATUSES)
    raise Invalid("segment", f"Không có trạng thái “{clause.value}”. Có: {told}",
                  f"There is no state “{clause.value}”. There are: {told}")  # fmt: skip


_STATUSES: Mapping[Status, tuple[str, ...]] = {
    Status.PENDING: ("cho", "moi", "cho xac nhan"),
    Status.CONFIRMED: ("da xac nhan", "xac nhan"),
    Status.SHIPPING: ("dang giao", "giao"),
    Status.DELIVERED: ("da giao", "xong"),
    Status.CANCELLED: ("huy", "da huy"),
    Status.RETURNED: ("tra", "da tra", "hoan"),
}


def _expiring(clause: Clause, shop: _Shop) -> Condition:
    """Without a span, the days by which the programme warns."""
    within = clause.within or Span(shop.programme.points.warn_days, "ngay")
    assert clause.value is None or isinstance(clause.value, int)
    op, number = (clause.op, clause.value or 0) if clause.op else (">", 0)
    now = shop.at.now + _MOMENT
    return Fact(About.EXPIRING, op, number, since=now, until=after(shop.at, within) + _MOMENT)


def _tier(clause: Clause, shop: _Shop) -> Condition:
    levels = shop.programme.tiers.levels
    given = plain(str(clause.value)).replace("_", " ")
    names = [{tier.code, plain(tier.code), plain(tier.vi), plain(tier.en)} for tier in levels]
    place = next((number for number, known in enumerate(names) if given in known or clause.value in known), None)
    if place is None:
        vi, en = (", ".join(each) or "—" for each in ([tier.vi for tier in levels], [tier.en for tier in levels]))
        raise Invalid("segment", f"Không có hạng “{clause.value}”. Có: {vi}",
                      f"There is no tier “{clause.value}”. There are: {en}")  # fmt: skip
    low, high = {
        "<": (0, place), "<=": (0, place + 1), ">": (place + 1, len(levels)), ">=": (place, len(levels)),
    }.get(clause.op, (place, place + 1))  # fmt: skip
    if low == 0 and high > 0:
        above = tuple(tier.code for tier in levels[high:])
        return No(Fact(About.TIER, words=above)) if above else All(())
    codes = tuple(tier.code for tier in levels[low:high])
    return Fact(About.TIER, words=codes) if codes else Some(())


def _tickets(clause: Clause, shop: _Shop) -> Condition:
    assert clause.value is None or isinstance(clause.value, int)
    op, number = (clause.op, clause.value or 0) if clause.op else (">", 0)
    return Fact(About.TICKETS, op, number, words=(State.OPEN.value, State.ANSWERED.value))


def _channel(clause: Clause, shop: _Shop) -> Condition:
    return Fact(About.CHANNEL, words=(plain(str(clause.value)),))


def _reachable(clause: Clause, shop: _Shop) -> Condition:
    """By a lane that needs no template and that marketing may take, open now."""
    asked = plain(str(clause.value)) if clause.value else ""
    known = {name: rules for name, rules in shop.at.rules.items() if asked in ("", name)}
    facts = []
    for name, rules in sorted(known.items()):
        window = reach.marketing_window(rules, shop.at.now)
        if window is not None:
            since = shop.at.now - window + reach.MARGIN + _MOMENT
            facts.append(Fact(About.CHANNEL, REACH, words=(name,), since=since))
    return Some(tuple(facts))


def _agreed(clause: Clause, shop: _Shop) -> Condition:
    """As sending sees it: on this channel, or on any."""
    channels = sorted(shop.at.rules) if clause.value is None else [_known_channel(clause, shop)]
    return Fact(About.AGREED, consent.MARKETING, words=tuple(channels))


def _refused(clause: Clause, shop: _Shop) -> Condition:
    """A no that no later yes outweighs, as sending sees it."""
    about = () if clause.value is None else ("", _known_channel(clause, shop))
    return All((Fact(About.REFUSED, consent.MARKETING, words=about), No(_agreed(clause, shop))))


def _known_channel(clause: Clause, shop: _Shop) -> str:
    """The channel that it names. Raises Invalid where there is none such."""
    channel = plain(str(clause.value))
    if channel not in shop.at.rules:
        told = ", ".join(sorted(shop.at.rules)) or "—"
        raise Invalid("segment", f"Không có kênh “{clause.value}”. Có: {told}",
                      f"There is no channel “{clause.value}”. There are: {told}")  # fmt: skip
    return channel


def _locale(clause: Clause, shop: _Shop) -> Condition:
    """Of whom no language is known speaks the shop's."""
    given = plain(str(clause.value))
    return Fact(About.LOCALE, words=(given, "") if given == shop.at.locale else (given,))


def _saved(clause: Clause, shop: _Shop) -> Condition:
    """What a saved segment asks for."""
    found = saved(shop.session, clause)
    if found.name in shop.path or len(shop.path) > _DEEPEST:
        around = " → ".join((*shop.path, found.name))
        raise Invalid("segment", f"Các nhóm dẫn vòng tròn: {around}", f"These segments lead in a circle: {around}")
    inner = replace(shop, path=(*shop.path, found.name))
    return mapped(segment_language.read(found.text), lambda each: _meaning(each, inner))


def saved(session: Session, clause: Clause) -> SegmentRow:
    """The saved segment that a clause names: its last version, or the one behind an `@`. Raises Invalid."""
    name, _, number = str(clause.value).partition("@")
    found = saved_segments.find(session, key_of(name), int(number) if number.isdecimal() else None)
    if found is None or (number and not number.isdecimal()):
        told = ", ".join(each.name for each in saved_segments.everyone(session)[:_SHOWN]) or "—"
        raise Invalid("segment", f"Không có nhóm “{clause.value}”. Có: {told}",
                      f"There is no segment “{clause.value}”. There are: {told}")  # fmt: skip
    return found


def _product(clause: Clause, shop: _Shop) -> Condition:
    """An order with a line whose code or name is so; underscores may stand for spaces."""
    name = str(clause.value)
    return Fact(About.BOUGHT, words=tuple(dict.fromkeys((name, name.replace("_", " ")))), since=_since(clause, shop))


def _scored(clause: Clause, shop: _Shop) -> Condition:
    assert isinstance(clause.value, int)
    day = rfm.day_of(shop.at.now, shop.at.zone)
    return rfm.condition(shop.session, Measure(clause.word), clause.op, clause.value, day)


def _voucher(clause: Clause, shop: _Shop) -> Condition:
    return Fact(About.VOUCHER, since=shop.at.now)


_MEANINGS: Mapping[str, Callable[[Clause, _Shop], Condition]] = {
    "tatca": lambda clause, shop: All(()),
    "tag": _tag,
    "truong": _field,
    "ten": _is(About.NAME),
    "sdt": _is(About.PHONE),
    "email": _is(About.EMAIL),
    "sinhnhat": _birthday,
    "tao": _created,
    "don": _counted(About.ORDERS),
    "chi": _counted(About.SPENT),
    "mua": _latest(About.ORDERED),
    "muadau": _first_order,
    "trangthai": _status,
    "sanpham": _product,
    **dict.fromkeys(Measure, _scored),
    "diem": _counted(About.POINTS),
    "hethan": _expiring,
    "hang": _tier,
    "phieu": _tickets,
    "hoatdong": _latest(About.WROTE),
    "kenh": _channel,
    "lienhe": _reachable,
    "dongy": _agreed,
    "tuchoi": _refused,
    "ngonngu": _locale,
    "vip": _is(About.TAG, VIP_TAG),
    "tem": _counted(About.STAMPS),
    "voucher": _voucher,
    "nhom": _saved,
}
