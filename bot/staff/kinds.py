"""What the arguments of commands may be: how each is read from a line, kept for `/ok`, and made again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, NewType

from bot.staff.context import StaffContext
from bot.staff.grammar import Misread, first_word
from crm import categories, customers, numbers, phones, staff, tickets, times, words
from crm.categories import Category
from crm.errors import Invalid, NotFound
from crm.sla import Priority
from storage import customers as people
from storage.customers import Person
from storage.desks import Binding
from storage.staff import StaffRow
from storage.tickets import TicketRow

Text = NewType("Text", str)
"""The rest of the line as it was typed, line breaks and all."""
Blanks = NewType("Blanks", tuple[str, ...])
"""What fills the blanks of a text, in their order; typed with `|` between."""
Pictures = NewType("Pictures", tuple[str, ...])
"""The pictures that came with the line, as messages name them."""
Points = NewType("Points", int)
"""A number of points to add (+50) or take (-50)."""

_NUMBER = re.compile(r"#?([0-9]{1,2})")
_NAMED_TICKET = re.compile(r"#?t#?([0-9]{1,9})")
_TICKET = re.compile(r"#?t?#?([0-9]{1,9})")
_POINTS = re.compile(r"([+-])([0-9]{1,3}(?:[.,][0-9]{3})+|[0-9]{1,7})")


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


class ConversationRef(NamedTuple):
    """A conversation that somebody named, with the person behind it."""

    id: int
    person: Person

    @property
    def name(self) -> str:
        """Who it is, as staff see them."""
        return self.person.customer_name or self.person.identity_name or "khách"


class CustomerRef(NamedTuple):
    """A customer that somebody named."""

    id: int
    name: str


class StaffRef(NamedTuple):
    """A member of staff that somebody named."""

    id: int
    member: StaffRow


class TicketRef(NamedTuple):
    """A ticket that somebody named."""

    id: int
    row: TicketRow


class Matter(NamedTuple):
    """Something that can be closed and opened again: a ticket where its number was named (`T12`), else a
    conversation."""

    conversation: ConversationRef | None = None
    ticket: TicketRef | None = None

    @property
    def id(self) -> str:
        """What a preview keeps of it."""
        return f"T{self.ticket.id}" if self.ticket else str(self.conversation.id if self.conversation else "")


class When(NamedTuple):
    """A moment to come that somebody named."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of argument. `read` takes it from the front of the words and gives what is left; it raises CrmError.

    `dump` is what a preview keeps of it as JSON, `load` makes it again. `implied` is what is meant where nothing is
    named, None where something must be.
    """

    vi: str
    en: str
    read: Callable[[StaffContext, str], tuple[Any, str]]
    dump: Callable[[Any], Any]
    load: Callable[[StaffContext, Any], Any]
    implied: Callable[[StaffContext], Any] | None = None


def conversation(ctx: StaffContext, conversation_id: int) -> ConversationRef:
    """The conversation with this id. Raises NotFound, also for one of staff."""
    person = people.person(ctx.session, conversation_id)
    if person is None or person.staff_id is not None:
        raise NotFound("Không có cuộc trò chuyện này.", "There is no such conversation.")
    return ConversationRef(conversation_id, person)


def _conversation(ctx: StaffContext, rest: str) -> tuple[ConversationRef, str]:
    word, rest = first_word(rest)
    return conversation(ctx, _meant(ctx, word)), rest


def _meant(ctx: StaffContext, word: str) -> int:
    """The conversation behind a short number."""
    binding = _bound(ctx, word)
    if binding.kind == numbers.CUSTOMER:
        raise NotFound(f"Khách {word} chưa từng nhắn ở đây.", f"The customer {word} never wrote here.")
    return binding.target_id


def _bound(ctx: StaffContext, word: str) -> Binding:
    """What a short number means here."""
    found = _NUMBER.fullmatch(word)
    if found is None:
        raise Misread("conversation", f"“{word}” không phải số trong danh sách (ví dụ 12). Xem /ds.",
                      f"“{word}” is no number of your list (such as 12). See /ds.")  # fmt: skip
    binding = numbers.meaning(ctx.session, ctx.member.id, ctx.surface, int(found[1]), ctx.now)
    if binding is None or binding.kind not in (numbers.CONVERSATION, numbers.CUSTOMER):
        raise NotFound(f"#{found[1]} không còn trong danh sách của bạn. Xem lại bằng /ds.",
                       f"#{found[1]} is not in your list any more. See /ds.")  # fmt: skip
    return binding


def _entered(ctx: StaffContext) -> ConversationRef | None:
    return conversation(ctx, ctx.target) if ctx.target is not None else None


def _customer(ctx: StaffContext, rest: str) -> tuple[CustomerRef, str]:
    """By the number in the list, the phone number, what the POS calls them, or their id in a chat."""
    word, left = first_word(rest)
    if _NUMBER.fullmatch(word):
        binding = _bound(ctx, word)
        if binding.kind == numbers.CUSTOMER:
            return customer(ctx, binding.target_id), left
        person = conversation(ctx, binding.target_id).person
        return customer(ctx, person.customer_id), left
    number = phones.normalise(word)
    if number is not None:
        ids = people.ids_by_phone(ctx.session, number, chat_born=False)
        ids = ids or people.ids_by_phone(ctx.session, number, chat_born=True)
        if len(ids) == 1:
            return customer(ctx, ids[0]), left
        if ids:
            raise Invalid("customer", f"{len(ids)} khách có số này; dùng mã khách.",
                          f"{len(ids)} customers have this number; use the customer's code.")  # fmt: skip
    found = people.external(ctx.session, word.removeprefix("@"))
    customer_id = found.id if found else customers.in_chat(ctx.session, word)
    if customer_id is None:
        raise NotFound(
            f"Không có khách “{word}”: dùng số trong danh sách, số điện thoại hoặc mã khách.",
            f"No customer is “{word}”: use a number of your list, a phone number or the POS's code.",
        )
    return customer(ctx, customer_id), left


def customer(ctx: StaffContext, customer_id: int) -> CustomerRef:
    """The customer with this id. Raises NotFound."""
    found = people.profile(ctx.session, customer_id)
    if found is None:
        raise NotFound("Không có khách hàng này.", "There is no such customer.")
    if found.merged_into is not None:
        return customer(ctx, found.merged_into)
    return CustomerRef(found.id, found.name or found.external_id or "khách")


def _entered_customer(ctx: StaffContext) -> CustomerRef | None:
    ref = _entered(ctx)
    return customer(ctx, ref.person.customer_id) if ref else None


def _member(ctx: StaffContext, rest: str) -> tuple[StaffRef, str]:
    """`@Minh`, or the whole name; `tôi` and `me` are oneself."""
    word, left = first_word(rest)
    if words.plain(word) in ("toi", "me", "@toi", "@me"):
        return StaffRef(ctx.member.id, ctx.member), left
    whole = staff.leading_name(ctx.session, rest.removeprefix("@"))
    if whole is not None:
        return StaffRef(whole.member.id, whole.member), whole.rest
    member = staff.named(ctx.session, word.removeprefix("@"))
    return StaffRef(member.id, member), left


def _ticket(ctx: StaffContext, rest: str) -> tuple[TicketRef, str]:
    word, left = first_word(rest)
    found = _TICKET.fullmatch(word.lower())
    if found is None:
        raise Misread("ticket", f"“{word}” không phải số phiếu (ví dụ T12).", f"“{word}” is no ticket, such as T12.")
    return _the_ticket(ctx, int(found[1])), left


def _the_ticket(ctx: StaffContext, number: int) -> TicketRef:
    return TicketRef(number, tickets.find(ctx.session, number))


def _matter(ctx: StaffContext, rest: str) -> tuple[Matter, str]:
    word, left = first_word(rest)
    if _NAMED_TICKET.fullmatch(word.lower()):
        return Matter(ticket=_ticket(ctx, word)[0]), left
    found, left = _conversation(ctx, rest)
    return Matter(conversation=found), left


def _entered_matter(ctx: StaffContext) -> Matter | None:
    ref = _entered(ctx)
    return Matter(conversation=ref) if ref else None


def _the_matter(ctx: StaffContext, raw: str) -> Matter:
    if raw.startswith("T"):
        return Matter(ticket=_the_ticket(ctx, int(raw[1:])))
    return Matter(conversation=conversation(ctx, int(raw)))


def _category(ctx: StaffContext, rest: str) -> tuple[Category, str]:
    word, left = first_word(rest)
    found = categories.chosen(word)
    if found is None:
        raise Misread("category", f"“{word}” không phải số từ 1 tới 8; xem các loại: /loai và số phiếu.",
                      f"“{word}” is no number from 1 to 8; to see what they mean: /loai and the ticket.")  # fmt: skip
    return found, left


_PRIORITIES = {
    "gap": Priority.URGENT, "cao": Priority.HIGH, "thuong": Priority.NORMAL, "thap": Priority.LOW,
    **{str(each): each for each in Priority},
}  # fmt: skip


def _priority(ctx: StaffContext, rest: str) -> tuple[Priority, str]:
    word, left = first_word(rest)
    found = _PRIORITIES.get(words.plain(word))
    if found is None:
        raise Misread("priority", f"“{word}”: dùng gấp, cao, thường hoặc thấp.",
                      f"“{word}”: use urgent, high, normal or low.")  # fmt: skip
    return found, left


def _when(ctx: StaffContext, rest: str) -> tuple[When, str]:
    found = times.leading_time(rest, ctx.now, ctx.office.zone)
    if found is None:
        raise Misread("when", f"Không hiểu giờ “{rest[:40]}”. Ví dụ: 9h mai, 20h thứ 6, 30p nữa.",
                      f"“{rest[:40]}” is no time. For example: 9h mai, 20h thứ 6, in 30 minutes.")  # fmt: skip
    if found.at <= ctx.now:
        told = times.told(found.at, ctx.office.zone, ctx.now, ctx.locale)
        raise Invalid("when", f"{told} đã qua rồi.", f"{told} is over.")
    return When(found.at), found.rest


def _blanks(ctx: StaffContext, rest: str) -> tuple[Blanks, str]:
    return Blanks(tuple(part.strip() for part in rest.split("|"))), ""


_SWITCHES = {
    "on": Switch.ON, "bat": Switch.ON, "mo": Switch.ON, "off": Switch.OFF, "tat": Switch.OFF, "dong": Switch.OFF,
}  # fmt: skip


def _switch(ctx: StaffContext, rest: str) -> tuple[Switch, str]:
    word, left = first_word(rest)
    found = _SWITCHES.get(words.plain(word))
    if found is None:
        raise Misread("switch", f"“{word}”: dùng on hoặc off.", f"“{word}”: use on or off.")
    return found, left


def _points(ctx: StaffContext, rest: str) -> tuple[Points, str]:
    word, left = first_word(rest)
    found = _POINTS.fullmatch(word)
    if found is None or not int(re.sub(r"\D", "", found[2])):
        raise Misread("points", f"“{word}”: ghi +50 để cộng, -50 để trừ.", f"“{word}”: write +50 to add, -50 to take.")
    return Points(int(found[1] + re.sub(r"\D", "", found[2]))), left


def _whole(ctx: StaffContext, rest: str) -> tuple[int, str]:
    word, left = first_word(rest)
    if not (word.isascii() and word.isdecimal() and len(word) < 16):
        raise Misread("number", f"“{word}” không phải số.", f"“{word}” is no number.")
    return int(word), left


def _word(ctx: StaffContext, rest: str) -> tuple[str, str]:
    return first_word(rest)


def _rest(ctx: StaffContext, rest: str) -> tuple[Text, str]:
    return Text(rest), ""


def _same(value: Any) -> Any:
    return value


def _again(ctx: StaffContext, raw: Any) -> Any:
    return raw


def _by_id(value: Any) -> int:
    return int(value.id)


def _the_member(ctx: StaffContext, staff_id: int) -> StaffRef:
    return StaffRef(staff_id, staff.find(ctx.session, staff_id))


KINDS: dict[Any, Kind] = {
    ConversationRef: Kind("khách (số trong /ds)", "a customer (a number of /ds)", _conversation, _by_id, conversation,
                          _entered),
    CustomerRef: Kind("khách", "a customer", _customer, _by_id, customer, _entered_customer),
    StaffRef: Kind("nhân viên (@tên)", "a member of staff (@name)", _member, _by_id, _the_member),
    TicketRef: Kind("số phiếu", "a ticket's number", _ticket, _by_id, _the_ticket),
    Matter: Kind("khách hoặc phiếu (12, T12)", "a customer or a ticket (12, T12)", _matter, lambda value: value.id,
                 _the_matter, _entered_matter),
    Category: Kind("loại việc (1–8)", "a category (1–8)", _category, str, lambda ctx, raw: Category(raw)),
    Priority: Kind("mức gấp", "how urgent", _priority, str, lambda ctx, raw: Priority(raw)),
    When: Kind("giờ (9h mai)", "a time (9h mai)", _when, lambda value: value.at.isoformat(),
               lambda ctx, raw: When(datetime.fromisoformat(raw))),
    Switch: Kind("on hoặc off", "on or off", _switch, str, lambda ctx, raw: Switch(raw)),
    Blanks: Kind("chỗ trống", "what fills the blanks", _blanks, list, lambda ctx, raw: Blanks(tuple(raw))),
    Pictures: Kind("ảnh", "pictures", lambda ctx, rest: (Pictures(ctx.pictures), rest), list,
                   lambda ctx, raw: Pictures(tuple(raw)), lambda ctx: Pictures(ctx.pictures)),
    Points: Kind("số điểm (+50, -50)", "points (+50, -50)", _points, int, _again),
    int: Kind("một số", "a number", _whole, _same, _again),
    str: Kind("một từ", "a word", _word, _same, _again),
    Text: Kind("nội dung", "some words", _rest, _same, _again, lambda ctx: Text("") if ctx.pictures else None),
}  # fmt: skip
"""Every kind of argument, by the annotation that asks for it."""


def names_one(kind: Any, rest: str) -> bool:
    """Whether the words do name such a thing, though one that is not there: then nothing else is meant."""
    return kind in (ConversationRef, CustomerRef, Matter) and _NUMBER.fullmatch(first_word(rest)[0]) is not None
