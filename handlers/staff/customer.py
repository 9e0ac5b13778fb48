"""Knowing customers: the card, the search, notes, tags and the shop's own fields."""

from __future__ import annotations

import re

from bot.staff import finding, sending
from bot.staff.context import StaffContext
from bot.staff.grammar import Misread
from bot.staff.kinds import KINDS, ConversationRef, CustomerRef, Text, names_one
from bot.staff.router import Group, StaffRouter
from crm import cards, customers, fields, loyalty, notes, numbers, replies, said, search, tags
from crm.cards import Card
from crm.errors import Conflict, CrmError
from crm.staff import Permission
from storage.columns import new_id
from storage.customers import Person

router = StaffRouter("customer")

NOTHING = "-"
_QUOTED = re.compile(r"""["“”](?P<words>[^"“”]+)["“”]\s*(?P<before>[0-9]{1,19})?""")
"""Words of messages, and the line before which they are looked for."""
_TAGS = re.compile(r"(?:^|\s+)(?=[+-]\S)")


@router.command(
    "kh", "c", "card", usage="/kh <khách | tên>", vi="thẻ khách: kênh, điểm, đơn, phiếu, ghi chú",
    group=Group.CUSTOMER, may=Permission.LOOK_UP, examples=("/kh 12", "/kh 0901234501", "/kh lan"),
)  # fmt: skip
def show_card(ctx: StaffContext, which: Text | None = None) -> None:
    """Show a customer at a glance: chats, points, orders, tickets, notes."""
    customer, rest = _named(ctx, which or "")
    if customer is None and not which:
        raise Misread("customer", "Thiếu khách hoặc tên khách.", "Missing: a customer, or a name.")
    if customer is None or rest:
        if names_one(CustomerRef, which or ""):
            raise Misread("", f"Thừa: “{rest}”.", f"Too much: “{rest}”.")
        look_for(ctx, Text(which or ""))
    else:
        _show(ctx, cards.of(ctx.session, customer.id, ctx.now))


def _named(ctx: StaffContext, words: str) -> tuple[CustomerRef | None, str]:
    """Who is named, with what stands behind; who is meant where nobody is; None where it is a name to look for.

    Raises CrmError for a number of a list that means nobody.
    """
    kind = KINDS[CustomerRef]
    if not words:
        return kind.implied(ctx) if kind.implied else None, ""
    try:
        return kind.read(ctx, words)
    except CrmError:
        if names_one(CustomerRef, words):
            raise
        return None, ""


def _show(ctx: StaffContext, card: Card) -> None:
    bound = ctx.numbers(numbers.CONVERSATION, [chat.identity_id for chat in card.chats])
    if not bound:
        (number,) = ctx.numbers(numbers.CUSTOMER, [card.profile.id])
        chats = []
    else:
        number = bound[0]
        chats = [(each, chat.channel, *_left(ctx, chat)) for each, chat in zip(bound, card.chats, strict=True)]
    name = card.profile.name or next((chat.identity_name for chat in card.chats if chat.identity_name), "")
    ctx.reply("card", card=card, name=name, number=number, chats=chats)


def _left(ctx: StaffContext, chat: Person) -> tuple[bool, int | None]:
    """Whether one may write there, and for how many more minutes."""
    reach = replies.may_send(chat, ctx.office.channels[chat.channel].rules, ctx.now)
    return reach.allowed, sending.remaining(reach, ctx.now)


@router.command(
    "tim", "tìm", "find", "search", usage='/tim <tên | cuối số điện thoại | mã đơn | "lời trong tin nhắn">',
    vi="tìm khách, có dấu hay không", group=Group.CUSTOMER, may=Permission.LOOK_UP,
    examples=("/tim nguyen van a", "/tim 4501", "/tim DH1024", '/tim "hộp móp"'),
)  # fmt: skip
def look_for(ctx: StaffContext, name: Text) -> None:
    """Find customers by words of their name, the end of their number, an order's code, or "words of messages"."""
    quoted = _QUOTED.fullmatch(name.strip())
    if quoted:
        _look_in_messages(ctx, quoted["words"], int(quoted["before"] or said.NEWEST))
        return
    found = search.find(ctx.session, name)
    if len(found.customers) == 1 and not found.more:
        _show(ctx, cards.of(ctx.session, found.customers[0].id, ctx.now))
        return
    talking = [each.conversation_id for each in found.customers if each.conversation_id is not None]
    silent = [each.id for each in found.customers if each.conversation_id is None]
    of_chat = dict(zip(talking, ctx.numbers(numbers.CONVERSATION, talking), strict=True))
    of_silent = dict(zip(silent, ctx.numbers(numbers.CUSTOMER, silent), strict=True))
    rows = [
        (of_silent[each.id] if each.conversation_id is None else of_chat[each.conversation_id], each)
        for each in found.customers
    ]
    ctx.reply("found", rows=rows, more=found.more, text=name)


def _look_in_messages(ctx: StaffContext, words: str, before: int) -> None:
    """Looking through all messages takes seconds, so the answer comes by itself."""
    said.wanted(words)
    if ctx.chat is None:
        raise Conflict("Trên máy chủ dùng khachquen find.", "On the server use khachquen find.")
    payload = {"staff": ctx.member.id, "surface": ctx.surface, "words": words, "before": min(before, said.NEWEST)}
    ctx.later(finding.JOB, f"{ctx.surface}:{new_id()}", payload)
    ctx.reply("said_asked", words=words)


@router.command(
    "noi", "nối", "lienket", "liên kết", "join", usage="/noi <khách trong chat> <mã khách POS | số điện thoại>",
    vi="chat này là khách nào của POS (PIN, xem trước, /ok)", group=Group.CUSTOMER, may=Permission.ADJUST_POINTS,
    examples=("/noi 12 KH001", "/noi 12 0901234501"),
)  # fmt: skip
def join(ctx: StaffContext, chat: CustomerRef, owner: CustomerRef) -> None:
    """Join a chat to a customer of the POS, whose points it sees and may spend from then on."""
    customers.refuse_join(ctx.session, chat.id, owner.id)
    held = loyalty.card(ctx.session, owner.id, ctx.now)
    code = customers.name_of(ctx.session, owner.id)
    if not ctx.confirmed("join_preview", chat=chat.name, name=owner.name, code=code, points=held.spendable):
        return
    customers.join_by_staff(ctx.session, chat.id, owner.id, ctx.now)
    ctx.audit("customer.join", "customer", owner.id, f"chat:{chat.id}")
    ctx.reply("joined", chat=chat.name, name=owner.name, code=code)


@router.command(
    "tach", "tách", "split", usage="/tach <khách trong chat>",
    vi="chat này không phải của khách POS đó: tách ra (PIN, xem trước, /ok)", group=Group.CUSTOMER,
    may=Permission.ADJUST_POINTS, examples=("/tach 12",),
)  # fmt: skip
def split_off(ctx: StaffContext, chat: ConversationRef) -> None:
    """Undo `/noi`, or any other link of a chat to a customer of the POS: it sees their points no more."""
    customers.refuse_split(chat.person)
    name, code = chat.person.customer_name, chat.person.external_id
    if not ctx.confirmed("split_preview", chat=chat.person.identity_name, name=name, code=code):
        return
    customers.split_off(ctx.session, chat.id, ctx.now)
    ctx.audit("customer.split", "customer", chat.person.customer_id, f"chat:{chat.id}")
    ctx.reply("split", chat=chat.person.identity_name, name=name, code=code)


@router.command(
    "gc", "ghichu", "note", usage="/gc <khách> [nội dung | -]", vi="ghi chú về khách; - để bỏ ghi chú cuối của bạn",
    group=Group.CUSTOMER, may=Permission.ANSWER, examples=("/gc 12 thích màu xanh", "/gc 12", "/gc 12 -"),
)  # fmt: skip
def note(ctx: StaffContext, customer: CustomerRef, text: Text | None = None) -> None:
    """Write a note about a customer, or show the last ones; `-` takes your last one away."""
    if not text:
        ctx.reply("notes", name=customer.name, notes=notes.latest(ctx.session, customer.id))
        return
    if text.strip() == NOTHING:
        gone = notes.take_away(ctx.session, customer.id, ctx.member.id, ctx.now)
        ctx.audit("note.take_away", "customer", customer.id, f"note:{gone}")
        ctx.reply("note_gone", name=customer.name)
        return
    kept = notes.write(ctx.session, customer.id, ctx.member.id, text, ctx.now)
    ctx.audit("note", "customer", customer.id, f"note:{kept}")
    ctx.reply("note_kept", name=customer.name)


@router.command(
    "the", "thẻ", "nhan", "nhãn", "tag", usage="/the <khách> [+nhãn] [-nhãn]", vi="gắn (+) hoặc gỡ (-) nhãn của khách",
    group=Group.CUSTOMER, may=Permission.ANSWER, examples=("/the 12 +vip", "/the 12 +khách sỉ -mới", "/the 12"),
)  # fmt: skip
def tag(ctx: StaffContext, customer: CustomerRef, changes: Text | None = None) -> None:
    """Put tags on a customer (+) or take them off (-); without any, show them."""
    parts = [part.strip() for part in _TAGS.split(changes or "") if part.strip()]
    if any(part[0] not in "+-" for part in parts):
        raise Misread("tags", "Ghi +nhãn để gắn, -nhãn để gỡ.", "Write +tag to put one on, -tag to take it off.")
    on, off = ([tags.tidy(part[1:]) for part in parts if part[0] == sign] for sign in "+-")
    by = f"staff:{ctx.member.id}"
    added = [each for each in on if tags.put_on(ctx.session, [customer.id], each, by=by, at=ctx.now)]
    gone = [each for each in off if tags.take_off(ctx.session, [customer.id], each, at=ctx.now)]
    if added or gone:
        ctx.audit("tag", "customer", customer.id, f"+{len(added)} -{len(gone)}")
    names = [each.name for each in tags.of_customer(ctx.session, customer.id)]
    ctx.reply("tags", name=customer.name, tags=names, changed=bool(parts), missed=len(parts) - len(added) - len(gone))


@router.command(
    "tt", "thongtin", "field", usage="/tt <khách> [<trường> <giá trị | ->]", vi="xem, ghi, xóa (-) trường của khách",
    group=Group.CUSTOMER, may=Permission.ANSWER, examples=("/tt 12 size M", "/tt 12 size -", "/tt 12"),
)  # fmt: skip
def field(ctx: StaffContext, customer: CustomerRef, change: Text | None = None) -> None:
    """Show a customer's fields, or write one; `-` empties it."""
    if not change:
        known = fields.everything(ctx.session)
        ctx.reply("fields", name=customer.name, known=known, fields=fields.of_customer(ctx.session, customer.id))
        return
    which, raw = fields.leading(ctx.session, change)
    if not raw:
        raise Misread("value", f"Thiếu giá trị cho “{which.name}”.", f"Missing: what stands in “{which.name}”.")
    if raw == NOTHING:
        was, now = fields.clear(ctx.session, customer.id, which), ""
    else:
        before = fields.value(ctx.session, customer.id, which)
        was = fields.shown(which.kind, before.value) if before else ""
        now = fields.put(ctx.session, customer.id, which, raw, ctx.member.id, ctx.now)
    ctx.audit("field", "customer", customer.id, f"field:{which.id}")
    ctx.reply("field_put", name=customer.name, field=which.name, was=was, now=now)
