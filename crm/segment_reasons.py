"""Why somebody is in a segment or not: clause by clause, with what is so of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from crm import consent, fields, ledger, membership, rfm, segment_language, segment_meaning, tags, tickets, words
from crm.consent import Standing
from crm.errors import NotFound
from crm.messages import Purpose
from crm.rfm import Measure
from crm.segment_clauses import Clause, Wish, printed
from crm.segment_meaning import AsOf
from storage import customers
from storage import segments as store
from storage.segment_tree import leaves

_SHOWN = 8
_UNKNOWN = ("chưa biết", "not known")
_TODAY = ("hôm nay", "today")
_NEVER = ("chưa từng", "never")
_SAID = {
    Standing.GRANTED: ("đã đồng ý", "agreed"), Standing.WITHDRAWN: ("đã từ chối", "opted out"),
    Standing.NONE: ("chưa nói gì", "said nothing"),
}  # fmt: skip
_YES_NO = {True: ("có", "yes"), False: ("không", "no")}


@dataclass(frozen=True, slots=True)
class Reason:
    """One clause as text, whether it is true of somebody, and what they have instead or because of it."""

    clause: str
    holds: bool
    value: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether somebody is in a segment. `is_served` False: staff, or joined to another, and so in none."""

    is_member: bool
    is_served: bool
    reasons: tuple[Reason, ...]


def explain(session: Session, wish: Wish, customer_id: int, at: AsOf, locale: str = "vi") -> Explanation:
    """Every clause of a segment for one customer, judged as the whole is; of a saved one named alone those that it asks
    for, too. Raises CrmError, NotFound too.
    """
    whole = segment_meaning.meant(session, wish, at)
    clauses = list(dict.fromkeys(_unfolded(session, wish)))
    each = [segment_meaning.meant(session, clause, at) for clause in clauses]
    found = store.verdicts(session, [whole, *each], customer_id)
    if found is None:
        raise NotFound("Không có khách này.", "There is no such customer.", field="customer")
    reasons = tuple(
        Reason(printed(clause, locale), holds, _VALUES[clause.word](_Person(session, customer_id, clause, at, locale)))
        for clause, holds in zip(clauses, found[1:], strict=True)
    )
    is_member = store.is_member(session, whole, customer_id)
    return Explanation(is_member, is_member or not found[0], reasons)


def _unfolded(session: Session, wish: Wish) -> list[Clause]:
    """All clauses of a segment; behind the name of a saved one, where that is all, what it asks for."""
    clauses = list(leaves(wish))
    if [each.word for each in clauses] != ["nhom"]:
        return clauses
    return [*clauses, *_unfolded(session, segment_language.read(segment_meaning.saved(session, clauses[0]).text))]


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody, and the clause for which a value of theirs is told."""

    session: Session
    id: int
    clause: Clause
    at: AsOf
    locale: str

    def said(self, pair: tuple[str, str]) -> str:
        """One of two languages."""
        return pair[0] if self.locale == "vi" else pair[1]

    def moment(self, moment: datetime | None) -> str:
        """A day and how long ago it is."""
        if moment is None:
            return self.said(_NEVER)
        days = (self.at.now.astimezone(self.at.zone).date() - moment.astimezone(self.at.zone).date()).days
        day = moment.astimezone(self.at.zone).strftime("%d/%m/%Y")
        if not days:
            return f"{day} ({self.said(_TODAY)})"
        return f"{day} ({days} {self.said(('ngày trước', 'day ago' if days == 1 else 'days ago'))})"

    @property
    def profile(self) -> customers.Profile:
        """What is known of them."""
        found = customers.profile(self.session, self.id)
        assert found is not None
        return found

    @property
    def orders(self) -> store.Own:
        """Their orders within the clause's span."""
        within = self.clause.within
        since = segment_meaning.before(self.at, within) if within else None
        return store.own_orders(self.session, self.id, since)


Value = Callable[[_Person], str]


def _is_known(name: str) -> Value:
    """What is personal is not repeated."""
    return lambda who: who.said(_YES_NO[bool(getattr(who.profile, name))])


def _tags(who: _Person) -> str:
    names = [each.name for each in tags.of_customer(who.session, who.id)]
    return ", ".join(names[:_SHOWN]) or "—"


def _field(who: _Person) -> str:
    known = dict(fields.of_customer(who.session, who.id))
    wanted = words.plain(who.clause.key.replace("_", " "))
    return next((value for name, value in known.items() if words.plain(name) == wanted), "—")


def _points(who: _Person) -> str:
    return words.number(ledger.holding(who.session, who.id).spendable, who.locale)


def _tier(who: _Person) -> str:
    tier = membership.standing(who.session, who.id, who.at.now).tier
    return tier.name(who.locale) if tier else "—"


def _tickets(who: _Person) -> str:
    live = [each for each in tickets.of_customer(who.session, who.id, 100) if each.state != tickets.State.CLOSED]
    return ", ".join(tickets.label(each.id) for each in live[:_SHOWN]) or "0"


def _activity(who: _Person) -> str:
    return who.moment(max((at for _, at, _ in store.channels(who.session, who.id) if at is not None), default=None))


def _channels(who: _Person) -> str:
    found = {channel: at for channel, at, _ in store.channels(who.session, who.id)}
    return ", ".join(f"{channel} {who.moment(at)}" for channel, at in sorted(found.items())) or "—"


def _marketing(who: _Person) -> str:
    """By channel."""
    asked = [words.plain(str(who.clause.value))] if who.clause.value else sorted(who.at.rules)
    stands = {each: consent.standing(who.session, [who.id], Purpose.BROADCAST, each)[who.id] for each in asked}
    return ", ".join(f"{channel} {who.said(_SAID[standing])}" for channel, standing in stands.items()) or "—"


def _score(who: _Person) -> str:
    day = rfm.day_of(who.at.now, who.at.zone)
    found = rfm.score(who.session, Measure(who.clause.word), who.orders, day)
    return "—" if found is None else str(found)


def _birthday(who: _Person) -> str:
    """Day and month."""
    day = who.profile.birthday[-5:]
    return f"{day[3:]}/{day[:2]}" if day else who.said(_UNKNOWN)


def _nothing(who: _Person) -> str:
    return ""


_VALUES: Mapping[str, Value] = {
    "tatca": _nothing,
    "tag": _tags,
    "vip": _tags,
    "truong": _field,
    "ten": _is_known("name"),
    "sdt": _is_known("phone"),
    "email": _is_known("email"),
    "sinhnhat": _birthday,
    "tao": lambda who: who.moment(who.profile.created_at),
    "don": lambda who: words.number(who.orders.orders, who.locale),
    "chi": lambda who: words.money(who.orders.spent),
    "mua": lambda who: who.moment(who.orders.last),
    "muadau": lambda who: who.moment(who.orders.first),
    **dict.fromkeys(Measure, _score),
    "sanpham": _nothing,
    "trangthai": _nothing,
    "diem": _points,
    "hethan": _nothing,
    "hang": _tier,
    "phieu": _tickets,
    "hoatdong": _activity,
    "kenh": _channels,
    "lienhe": _channels,
    "dongy": _marketing,
    "tuchoi": _marketing,
    "ngonngu": _nothing,
    "tem": _nothing,
    "voucher": _nothing,
    "nhom": _nothing,
}
