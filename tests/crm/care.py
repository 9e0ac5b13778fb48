"""A small shop whose clock is driven: what happens there, what the rules make of it, and what goes out when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zlib import crc32

from sqlmodel import Session

from bot.care import Rules
from crm import care, care_enrolment, care_preview, consent, customers, orders, recipients, tags
from crm.caps import Caps
from crm.care_preview import Driven
from crm.choice import Option
from crm.consent import Standing
from crm.content import ByTemplate
from crm.lawful import LawfulHours
from crm.messages import Message, Purpose
from crm.orders import Item, News, Status
from crm.reach import Lane, Reach, ReachFacts, reach
from crm.reach import Rules as LaneRules
from crm.segments import AsOf
from crm.verdicts import Held, Policy
from storage import care_recipients, outbox, search
from storage import customers as people_rows
from storage import recipients as rows
from storage.outbox import Sent
from storage.turns import Place
from tests.conftest import Clock
from tests.crm import people
from tests.crm.programme import ZONE

LANES = LaneRules((Lane("always", None, date.min),))
"""A channel on which one may always write to who wrote once."""
SHOP = {"ten": "Mây Trưa", "sdt": "0901 234 500", "dia_chi": "24 Hoa Sữa"}
BEANS = Item("Cà phê hạt rang mộc 500 g", 1, 185_000)
CUP = Item("Cà phê sữa đá", 1, 32_000)


def at(month: int, day: int, hour: int, minute: int = 0, year: int = 2027) -> datetime:
    """A moment of the shop's zone."""
    return datetime(year, month, day, hour, minute, tzinfo=ZONE)


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """The sending side of a channel without a limit of its own."""

    now: datetime

    def reach(self, place: Place, purpose: Purpose, standing: Standing, template: ByTemplate | None) -> Reach:
        """What the lane and the consent say."""
        facts = ReachFacts(
            purpose, place.last_interaction_at, self.now, consented=standing is Standing.GRANTED,
            opted_out=standing is Standing.WITHDRAWN,
        )  # fmt: skip
        return reach(LANES, facts)

    def held(self, place: Place, purpose: Purpose, option: Option) -> Held | None:
        """Nothing."""
        return None

    def fitted(self, place: Place, message: Message) -> Message | None:
        """As it is."""
        return message

    def spend(self, place: Place, option: Option) -> None:
        """It costs nothing."""


@dataclass(slots=True)
class Shop:
    """The shop, its clock, and what went out: when, by which rule, to whom, and the words."""

    session: Session
    clock: Clock
    caps: Caps = field(default_factory=lambda: Caps(0, 0))
    sent: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    hours: LawfulHours = field(default_factory=lambda: LawfulHours(ZONE))

    def rule(self, text: str | Path) -> str:
        """Keep a rule and turn it on; its name."""
        source = text.read_text("utf-8") if isinstance(text, Path) else text
        version, _ = care.load(self.session, source, "test", self.clock())
        care.turn_on(self.session, version.name, "test", self.clock())
        return version.name

    def joins(self, name: str, *, birthday: str = "", consents: bool = True) -> int:
        """Somebody writes for the first time, whom the POS knows under this name; the customer's id."""
        person = people.born(self.session, self.clock(), user_id=name)
        phone = f"090{crc32(name.encode()) % 10**7:07}"
        customers.put_customer(
            self.session, name, now=self.clock(), name=name.title(), phone=phone, birthday=birthday, version=1
        )
        customers.join_by_phone(self.session, person, phone, self.clock())
        people_rows.set_identities(self.session, [{"id": person.identity_id, "last_interaction_at": self.clock()}])
        owner = customers.find(self.session, name).id
        if consents:
            consent.say(self.session, owner, granted=True, at=self.clock())
        return owner

    def tells(self, code: str, who: str, status: Status, *items: Item, placed_at: datetime | None = None) -> None:
        """The POS tells of an order now."""
        version = int(self.clock().timestamp())
        placed = placed_at or self.clock()
        total = sum(int(item.quantity) * item.price for item in items)
        news = News("pos", code, who, status, total, version, placed, self.clock(), items or (CUP,), code)
        orders.put(self.session, news, self.clock())

    def tick(self) -> None:
        """What a minute brings: moments are looked through, and what is due goes out."""
        now = self.clock()
        for name in care.names_on(self.session):
            while care_enrolment.follow(self.session, name, now, self.hours, 2):
                pass
        self.send()

    def send(self) -> None:
        """What is due goes out."""
        now = self.clock()
        source = Rules(AsOf(now, ZONE), SHOP)
        taken = recipients.take(self.session, OpenDoor(now), Policy(self.caps, self.hours, SHOP), source, now, 100)
        recipients.write(self.session, taken, "test", now + timedelta(seconds=20), now)
        outbox.sent(self.session.connection(), [Sent(each.outbox_id, "", "", now) for each in taken.ready])
        rows.sent(self.session.connection(), [rows.Went(each.outbox_id, now) for each in taken.ready])
        for each in taken.ready:
            rule = care.of_version(self.session, each.recipient.care_rule_id or 0)
            self.sent.append((now, rule.name, each.recipient.name, each.message.text))

    def passes(self, until: datetime, *happenings: tuple[datetime, Callable[[], None]]) -> None:
        """The time passes, with all that happens meanwhile."""
        waiting = sorted(happenings, key=lambda each: each[0])
        while self.clock() < until:
            looks = [self._next_look(), *([waiting[0][0]] if waiting else [])]
            sends = [until, self.hours.next_moment(self.clock()), care_recipients.next_due(self.session, self.clock())]
            stops = [stop for stop in (*looks, *sends) if stop is not None and stop > self.clock()]
            self.clock.now = min(stops).astimezone(UTC)
            while waiting and waiting[0][0] <= self.clock():
                waiting.pop(0)[1]()
            if self.clock() in (*looks, until):
                self.tick()
            else:
                self.send()

    def told(self) -> list[tuple[str, str, datetime]]:
        """What went out: the rule, to whom, when in the shop's zone."""
        return [(rule, who, when.astimezone(ZONE)) for when, rule, who, _ in self.sent]

    def _next_look(self) -> datetime:
        """Once a day somebody looks, whatever is due."""
        tomorrow = self.clock().astimezone(ZONE).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(0, 5), tzinfo=ZONE)

    def writes(self, who: str) -> None:
        """Somebody writes."""
        owner = customers.find(self.session, who).id
        chat = search.chats(self.session, owner, 1)[0]
        people_rows.set_identities(self.session, [{"id": chat, "last_interaction_at": self.clock()}])

    def tagged(self, who: str, tag: str) -> None:
        """Somebody gets a tag."""
        tags.put_on(self.session, [customers.find(self.session, who).id], tag, by="test", at=self.clock())

    def preview(self, rule: str, customer_id: int, until: datetime) -> list[care_preview.Step]:
        """What a rule will do for a customer until then."""
        as_of = AsOf(self.clock(), ZONE, {"zalo": LANES}, "vi")
        driven = Driven(self.clock(), until, self.hours, as_of, SHOP)
        return care_preview.timeline(self.session, rule, customer_id, driven)
