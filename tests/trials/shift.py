"""A shift of staff on a driven clock: who waits, who is told, who answers, who forgets, and what customers are told."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.staff import desk
from crm.staff import Role
from simulator import speech
from simulator.people import MESSENGER, ZALO, ZALO_BOT
from storage import jobs
from tests.chat import BOT_TOKEN, Chat, chatting
from tests.conftest import Clock
from tests.staff import pair
from tests.trials import sayings
from tests.trials.shift_figures import (
    AFTER_THE_HOLIDAY,
    AHEAD,
    ALARMS,
    CODE,
    FIRST_ANSWERS,
    HOURS,
    NOTICES,
    OVERDUE_UNTOLD,
    PROMISES,
    REFUSED,
    UNOWNED,
    UNTRUE_NOTICES,
    WAITING,
    ZONE,
    Worked,
    answers_to,
    ask,
    at,
    due_by,
    is_open,
    leaks,
    middle_and_longest,
    offers,
)

OWNED_WITHIN = timedelta(seconds=25)
"""Collected for twenty seconds, looked at every five."""
UPKEEP = (desk.JOB, "conversations.watch", "staff.receipts", "ratings.ask")

_AHEAD = re.compile(r"[Tt]rước bạn còn (\d+) khách đang chờ")
_OPENS = re.compile(r"shop mở lại lúc (\S+ [^.;]+)[.;]")
_PROMISED = re.compile(r"hẹn trước ([^.\n]+)\.")
_NOTICE = re.compile(r"^\[#(\d+)\] (\S+) · \S+ · ⏱")
_ASKED = re.compile(r"/ok (\d{4})")


@dataclass(slots=True)
class Member:
    """Somebody of staff: their chat, their hours, and what they mean to do next."""

    name: str
    chat: Chat
    hours: tuple[tuple[datetime, datetime], ...]
    says_goodbye: bool = True
    """Whether they leave with `/nghi`; who does not has told the end when they came."""
    is_there: bool = False
    plans: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    """When, what, the number in their list, the customer."""


@dataclass(slots=True)
class Customer:
    """Somebody who writes: what they still mean to say, and when."""

    chat: Chat
    lines: list[tuple[datetime, str]]


@dataclass(slots=True)
class Shift:
    """The shop, the people on both sides of it, and what is counted."""

    chat: Chat
    chance: random.Random
    staff: list[Member] = field(default_factory=list)
    people: dict[str, Customer] = field(default_factory=dict)
    count: Counter[str] = field(default_factory=Counter)
    meant: dict[str, str] = field(default_factory=dict)
    """Each code that was explicitly sent, and to whom."""
    complaints: list[str] = field(default_factory=list)
    _read: int = 0
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    # --- time -----------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The time in the shop."""
        return self.chat.clock().astimezone(ZONE)

    def moves_to(self, when: datetime) -> None:
        """It is so late now, unless it is later."""
        self.chat.clock.now = max(self.chat.clock.now, when.astimezone(UTC))

    async def types(self, chat: Chat, words: str, quoting: str = "") -> list[str]:
        """Somebody writes; what they hear at once. What a busy door does not take is brought again by the platform."""
        self.chat.clock.pass_by(seconds=1)
        before = len(self.chat.platform.journal)
        said = speech.say_text(self.chat.platform, chat.contact, words, quote=quoting)
        if said.delivery is None:
            await self.chat.platform.bot.heard()
        elif await said.delivery.status != 200:
            await self.chat.platform.courier.idle()
        await self.chat.passes(seconds=0)
        calls = self.chat.platform.journal[before:]
        return [call.text for call in calls if call.message_id and call.contact is chat.contact]

    async def upkeep(self) -> None:
        """Sends that waited go out, and the desk looks, as it does every few seconds."""
        await self.chat.passes(seconds=7)
        self.chat.clock.pass_by(seconds=18)
        due = [jobs.row(kind, "", {}, self.chat.clock()) for kind in UPKEEP]
        await self.chat.does(lambda session: jobs.add_many(session, due))
        await self.chat.passes(seconds=0)

    async def passes(self, until: datetime) -> None:
        """One step of the shift: customers speak, staff come, read, act and go, and the house is kept."""
        await self.customers_speak(until)
        self.moves_to(until)
        await self.staff_come_and_go()
        await self._cut_off(self.staff[1])
        self.staff_read()
        await self.staff_act()
        await self.upkeep()
        await self.look_who_waits()

    async def _cut_off(self, member: Member) -> None:
        """For a while the platform lets nothing through to them; then they check in again."""
        contact, cut = member.chat.contact, NOBODY_HEARS[0] <= self.now < NOBODY_HEARS[1]
        if contact.blocked and not cut and member.is_there:
            contact.blocked = False
            await self.types(member.chat, "/ca")
        contact.blocked = cut

    # --- customers ------------------------------------------------------------------------------------------------

    async def customers_speak(self, until: datetime) -> None:
        """Everything that customers mean to say by then, in its order."""
        due = sorted(
            (when, key, words) for key, each in self.people.items() for when, words in each.lines if when <= until
        )
        for when, key, words in due:
            customer = self.people[key]
            customer.lines.remove((when, words))
            self.moves_to(when)
            heard = await self.types(customer.chat, words)
            self.count["said"] += 1
            await self._is_true(key, "\n".join(heard))

    async def _is_true(self, key: str, heard: str) -> None:
        """What the customer was told about the queue and the hours, held against what is."""
        self.count["checked"] += sum(len(each.findall(heard)) for each in (_AHEAD, _OPENS, _PROMISED))
        for found in _AHEAD.findall(heard):
            ((right,),) = await ask(self.chat, AHEAD, user=self.people[key].chat.contact.user_id)
            if int(found) != right:
                self.untrue(f"{key} at {self.now:%H:%M}: {right}, not {found} wait before them")
        for opening in _OPENS.findall(heard):
            right = "13:00 hôm nay" if self.now.hour == 12 else AFTER_THE_HOLIDAY
            if is_open(self.now) or opening != right:
                self.untrue(f"{key} at {self.now:%H:%M}: it does not open {opening}")
        for promised in _PROMISED.findall(heard):
            if promised != due_by(self.now, 60):
                self.untrue(f"{key} at {self.now:%H:%M}: an answer is not due {promised}")

    def untrue(self, why: str) -> None:
        """Words to a customer were not so."""
        self.count["untrue"] += 1
        self.complaints.append(why)

    # --- staff ----------------------------------------------------------------------------------------------------

    async def staff_come_and_go(self) -> None:
        """Who is due comes in or leaves."""
        for each in self.staff:
            hours = next((hours for hours in each.hours if hours[0] <= self.now < hours[1]), None)
            if hours and not each.is_there:
                each.chat.contact.blocked = False
                until = "" if each.says_goodbye else f" {hours[1]:%Hh%M}"
                heard = await self.types(each.chat, f"/ca{until}")
                assert heard[0].startswith("✓ Bạn vào ca"), heard
            elif each.is_there and not hours and each.says_goodbye:
                await self.types(each.chat, "/nghi")
            each.is_there = hours is not None

    def staff_read(self) -> None:
        """Who was told of a customer makes up their mind."""
        calls, self._read = self.chat.platform.journal[self._read :], len(self.chat.platform.journal)
        for call in sorted(calls, key=lambda call: call.text):
            member = next((each for each in self.staff if each.chat.contact is call.contact), None)
            found = _NOTICE.match(call.text) if call.message_id else None
            if member and found and found[2] in self.people:
                quote = call.message_id if member.chat.channel != ZALO_BOT else ""
                how = self.chance.choices(*zip(*_MANNERS.items(), strict=True))[0]
                when = self.now + timedelta(minutes=self.chance.choice((0, 1, 2, 4, 8)))
                member.plans.append((when, f"{how} {quote}", found[1], found[2]))

    async def staff_act(self) -> None:
        """Who is there does what is due, and now and then types what is for nobody."""
        for each in self.staff:
            if not each.is_there or each.chat.contact.blocked:
                continue
            due = [plan for plan in each.plans if plan[0] <= self.now]
            each.plans = [plan for plan in each.plans if plan[0] > self.now]
            for _, manner, number, key in due:
                how, _, quote = manner.partition(" ")
                await self._does(each, how, number, key, quote)
            if self.chance.random() < 0.1:
                self.count["slips"] += 1
                words = f"{self.chance.choice(sayings.SLIPS)} [S{next(self._numbers):04}]"
                await self.types(each.chat, words)

    async def _does(self, member: Member, how: str, number: str, key: str, quote: str) -> None:
        words = f"{self.chance.choice(sayings.ANSWERS)} [A{next(self._numbers):04}]"
        if how == "forgets":
            return
        if how == "puts_off":
            await self.types(member.chat, f"/hen {number} 20p nữa")
            return
        if how == "quotes" and quote:
            sent = await self._sends(member, words, key, "replies", quote)
        elif how == "enters":
            await self.types(member.chat, f"/vao {number}")
            sent = await self._sends(member, words, key, "entered")
            await self.types(member.chat, "/ra")
        else:
            sent = await self._sends(member, f"/r {number} {words}", key, "orders")
        if sent and how == "takes_back":
            await self._takes_back(member, words)
        elif sent and how == "closes":
            await self.chat.passes(seconds=7)
            await self.types(member.chat, f"/dong {number}")
        elif sent and self.chance.random() < 0.5:
            when = self.now + timedelta(minutes=self.chance.randrange(1, 15))
            self.people[key].lines.append((when, self.chance.choice(sayings.MORE)))

    async def _sends(self, member: Member, line: str, key: str, way: str, quote: str = "") -> bool:
        """Send by one of the ways; asked whether they mean it, they mostly do. Whether it is on its way."""
        heard = await self.types(member.chat, line, quote)
        asked = next((found for found in map(_ASKED.search, heard) if found), None)
        if asked and self.chance.random() < 0.7:
            heard = await self.types(member.chat, f"/ok {asked[1]}")
        if not any(each.startswith("⏳") for each in heard):
            return False
        self.meant[CODE.findall(line)[0]] = key
        self.count[way] += 1
        return True

    async def _takes_back(self, member: Member, words: str) -> None:
        """Undo what was just sent."""
        if any(each.startswith("✓ Đã rút lại") for each in await self.types(member.chat, "/huy")):
            self.meant.pop(CODE.findall(words)[0])
            self.count["taken_back"] += 1

    # --- what is seen ---------------------------------------------------------------------------------------------

    async def look_who_waits(self) -> None:
        """Whoever waits beyond the limit has an owner who is on shift, where somebody is."""
        if not is_open(self.now) or not any(each.is_there for each in self.staff):
            return
        found = await ask(self.chat, UNOWNED, before=self.chat.clock() - OWNED_WITHIN)
        self.complaints += [f"{name} has no owner at {self.now:%H:%M}" for (name,) in found]
        self.count["unowned"] += len(found)

    async def worked(self) -> Worked:
        """What it came to, once it is the next working day and everybody is back."""
        chat, journal = self.chat, self.chat.platform.journal
        waiting = {user for (user,) in await ask(chat, WAITING)}
        for key, each in self.people.items():
            contact = each.chat.contact
            heard = [line.text for line in contact.lines if line.side != "person"]
            for said, answer in answers_to(contact.lines):
                kind = "staff" if CODE.search(answer) else "bot" if answer else "waiting"
                if kind == "waiting" and said in sayings.NOTHING_ASKED:
                    kind = "asked_nothing"
                if kind == "waiting" and contact.user_id not in waiting:
                    kind = "silent"
                    self.complaints.append(f"{key}: nobody answers {said!r}")
                self.count[kind] += 1
                if kind == "waiting" and not any(promise in line for line in heard for promise in PROMISES):
                    self.count["without_promise"] += 1
                    self.complaints.append(f"{key} waits with {said!r} and was told nothing of it")
        leaked = leaks(journal, {key: each.chat for key, each in self.people.items()}, self.meant)
        await self._back_at_work()
        states = {str(state): count for state, count in await ask(chat, NOTICES)}
        ((refused,),) = await ask(chat, REFUSED)
        ((untrue_notices,),) = await ask(chat, UNTRUE_NOTICES)
        ((untold,),) = await ask(chat, OVERDUE_UNTOLD)
        left = await ask(chat, ALARMS)
        middle, longest = middle_and_longest(await ask(chat, FIRST_ANSWERS))  # type: ignore[arg-type]
        self.complaints += [f"leaked: {each}" for each in leaked] + [f"rings: {each}" for each in left]
        count = self.count
        return Worked(
            customers=len(self.people), said=count["said"], by_bot=count["bot"], by_staff=count["staff"],
            waiting=count["waiting"], asked_nothing=count["asked_nothing"], silent=count["silent"],
            without_promise=count["without_promise"], checked=count["checked"],
            untrue=count["untrue"], unowned=count["unowned"], replies=count["replies"], orders=count["orders"],
            entered=count["entered"], taken_back=count["taken_back"], slips=count["slips"], leaked=len(leaked),
            notices=sum(states.values()), refused=int(str(refused)),
            lost=states.get("held", 0) + states.get("queued", 0) + int(str(untrue_notices)),
            voided=states.get("void", 0), offers=offers(journal), overdue_untold=int(str(untold)),
            middle_wait_min=middle, longest_wait_min=longest, alarms_left=len(left),
            complaints=tuple(self.complaints),
        )  # fmt: skip

    async def _back_at_work(self) -> None:
        """The shop opens after the holiday: all are there, and whoever waits is given to somebody."""
        self.moves_to(at(8) + timedelta(days=2))
        for each in self.staff:
            each.chat.contact.blocked = False
            await self.types(each.chat, "/ca")
        for _ in range(3):
            await self.upkeep()
        found = await ask(self.chat, UNOWNED, before=self.chat.clock() - OWNED_WITHIN)
        self.complaints += [f"{name} has no owner after the holiday" for (name,) in found]
        self.count["unowned"] += len(found)


_MANNERS = {"quotes": 30, "orders": 25, "enters": 15, "puts_off": 8, "forgets": 8, "takes_back": 5, "closes": 9}
"""What staff do when they are told of a customer, and how often."""
NOBODY_HEARS = (at(10), at(10, 40))
"""Meanwhile the platform lets nothing through to one of them."""


async def lived(url: str, customers: int, step: timedelta, seed: int = 1, others: Sequence[str] = ()) -> Worked:
    """The whole shift, `step` by step; of `others` each customer says one line besides."""
    clock = Clock()
    clock.now = at(7, 50).astimezone(UTC)
    async with chatting(url, clock, opening_hours=HOURS, zalo_bot_token=BOT_TOKEN) as chat:
        shift = Shift(chat, random.Random(seed))
        shift.staff = [
            Member("Minh", await pair(chat.of("minh", ZALO), "Minh", Role.LEAD), (_MORNING, (at(13), at(17)))),
            Member("Hoa", await pair(chat.of("hoa", MESSENGER), "Hoa"), (_MORNING, (at(13), at(14, 30)))),
            Member("Tuấn", await pair(chat.of("tuan", ZALO_BOT), "Tuấn"), (_MORNING, (at(13, 10), at(17)))),
            Member("Ngọc", await pair(chat.of("ngoc", ZALO), "Ngọc"), (_MORNING, (at(13), at(15))), says_goodbye=False),
        ]
        for number in range(customers):
            key = f"k{number:03}"
            shift.people[key] = Customer(
                chat.of(key, (ZALO, MESSENGER)[number % 2]), _means_to_say(shift.chance, others)
            )
        for number, minute in enumerate((5, 8, 11, 14)):
            key = f"c{number:03}"
            lines = [(at(10, minute), sayings.CALLING[number])]
            shift.people[key] = Customer(chat.of(key, (ZALO, MESSENGER)[number % 2]), lines)
        while shift.now < at(17, 30):
            await shift.passes(shift.now + step)
        return await shift.worked()


def timed(url: str, what: tuple[int, timedelta, int, Sequence[str]]) -> tuple[Worked, float]:
    """The same in a process of its own, with how many seconds it took; `what` is all but the database."""
    began = time.monotonic()
    return asyncio.run(lived(url, *what)), time.monotonic() - began


_MORNING = (at(8), at(12))


def _means_to_say(chance: random.Random, others: Sequence[str]) -> list[tuple[datetime, str]]:
    """What somebody will say, and when; some come while the shop is closed."""
    begins = at(8) + timedelta(minutes=chance.randrange(9 * 60 + 20))
    kind = chance.choices(("asks", "calls", "complains", "scolds", "puzzles"), (35, 28, 17, 6, 14))[0]
    match kind:
        case "asks":
            said = chance.sample(sayings.ASKING, chance.randrange(1, 3))
        case "calls":
            said = [*chance.sample(sayings.ASKING, chance.randrange(2)), chance.choice(sayings.CALLING),
                    *chance.sample(sayings.MORE, chance.randrange(2))]  # fmt: skip
        case "complains":
            said = ["mình cần hỗ trợ", chance.choice(sayings.COMPLAINTS)]
        case "scolds":
            said = [chance.choice(sayings.ANGRY)]
        case _:
            said = [*chance.sample(sayings.PUZZLING, 2), *chance.sample(sayings.CALLING, chance.randrange(2))]
    said += chance.sample(others, min(1, len(others)))
    pauses = itertools.accumulate(timedelta(minutes=chance.randrange(1, 6)) for _ in said)
    return [(begins + pause, words) for pause, words in zip(pauses, said, strict=True)]
