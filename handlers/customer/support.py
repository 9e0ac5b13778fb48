"""Support requests: opened by saying what happened, with photos before, meanwhile or soon after."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.context import Context
from bot.photos import JOB
from bot.router import Router
from bot.understanding import SURE, order_codes, tells, understand
from crm import orders, sla, tickets
from crm.events import MediaKind, MediaReceived
from crm.tickets import State, TicketRow

router = Router("support")

Photos = Sequence[Mapping[str, str]]

DESCRIBE_WITHIN = timedelta(hours=2)
PHOTOS_WITHIN = timedelta(minutes=30)
MOST_PHOTOS = 10
SHOWN = 5
LOOKED_AT = 100
MOST_CODES = 5

_NUMBER = re.compile(r"[tT]?(\d{1,9})")

_SAYS_NOTHING = frozenset({"greeting", "thanks", "yes", "unclear"})
_SAYS_NO_MORE = frozenset({"thanks", "yes", "no"})
_DESCRIBES = frozenset({"support.open", "loyalty.no_code"})


@router.intent("support.open")
@router.button("support")
def open_support(ctx: Context) -> None:
    """Ask what happened. Words that say it already are kept, and with a photo they are enough."""
    photos: Photos = ctx.data.get("photos", ())
    words = words_of(ctx)
    if photos and tells(words):
        open_ticket(ctx, words, photos)
    else:
        _ask(ctx, _question(words), words, photos)


@router.answer
def describe(ctx: Context) -> bool:
    """Open the request with what the customer says; photos are collected until there are words.

    Who said before what is wrong needs no more than a photo, or a word that there is no more. A line that only says
    another wish is no description; words under a photo always are one.
    """
    said, photos = ctx.data.get("said", ""), [*ctx.data.get("photos", ()), *photos_of(ctx)][:MOST_PHOTOS]
    words = words_of(ctx)
    meaning = understand(words)
    is_sure = meaning.confidence >= SURE
    says_no_more = photos_of(ctx) if not words else meaning.intent in _SAYS_NO_MORE and is_sure
    if tells(said) and says_no_more:
        open_ticket(ctx, said, photos)
    elif meaning.intent == "no" and is_sure:
        ctx.reply("welcome/left")
    elif not words or (meaning.intent in _SAYS_NOTHING and is_sure):
        _ask(ctx, "support/photo_kept" if photos_of(ctx) else _question(said), said, photos)
    elif is_sure and ctx.text and meaning.intent not in _DESCRIBES:
        return False
    else:
        open_ticket(ctx, "\n".join(filter(None, (said, words))), photos)
    return True


@router.resumes(describe)
def keep_what_was_told(ctx: Context) -> None:
    """What somebody complained about is not lost by another wish in between."""
    said = ctx.data.get("said", "")
    if tells(said):
        _ask(ctx, "support/still_open", said, ctx.data.get("photos", ()))


@dataclass(frozen=True, slots=True)
class Standing:
    """A request as it is told: `by` is when an answer was promised in words, "" where none is."""

    id: int
    state: str
    summary: str
    created_at: datetime
    by: str
    is_late: bool


@router.intent("support.status")
def show_tickets(ctx: Context) -> None:
    """Tell where the customer's own requests stand, or the one whose number they say."""
    number = ctx.slots.get("ticket", "")
    mine = () if number else tickets.of_customer(ctx.session, ctx.customer.customer_id, SHOWN)
    if mine:
        _tell(ctx, mine)
    elif not number:
        ctx.reply("support/none")
    elif not show_ticket(ctx, number):
        ctx.reply("support/not_found", number=int(number))


def show_ticket(ctx: Context, code: str) -> bool:
    """Tell where one of the customer's own requests stands ("12", "T12"); False where none has this number."""
    number = _NUMBER.fullmatch(code)
    if number is None:
        return False
    mine = tickets.of_customer(ctx.session, ctx.customer.customer_id, LOOKED_AT)
    found = [ticket for ticket in mine if ticket.id == int(number[1])]
    if found:
        _tell(ctx, found)
    return bool(found)


@router.intent("support.reopen")
@router.button("reopen")
def reopen(ctx: Context) -> None:
    """Open the request again that ended lately; where there is none, it is a new one."""
    ticket = _reopened(ctx)
    if ticket is None:
        open_support(ctx)
        return
    tickets.reopened_by_customer(ctx.session, ticket, ctx.now, ctx.policy)
    ctx.call_person()
    ctx.reply("support/reopened", number=ticket.id, by=_promised(ctx, ticket.id), away=ctx.away())


def open_ticket(ctx: Context, words: str, photos: Photos) -> None:
    """Start a request, put the photos to it, and tell its number and by when it is answered."""
    person = ctx.customer
    order = _order_in(ctx, words)
    number = tickets.open(
        ctx.session, person.customer_id, person.identity_id, words, ctx.now, ctx.policy, order.id if order else None
    )
    _attach(ctx, number, photos)
    ctx.call_person()
    code = order.code if order else ""
    ctx.reply(
        "support/opened", number=number, photos=len(photos), order=code, by=_promised(ctx, number), away=ctx.away()
    )


def attach_to_latest(ctx: Context, photos: Photos) -> int | None:
    """Put photos to the request that the customer opened a moment ago; its number, None where there is none."""
    latest = tickets.latest(ctx.session, ctx.customer.customer_id)
    if latest is None or ctx.now - latest.created_at > PHOTOS_WITHIN:
        return None
    _attach(ctx, latest.id, photos)
    return latest.id


def photos_of(ctx: Context) -> Photos:
    """The pictures of this event, as a dialog remembers them."""
    event = ctx.event
    if not isinstance(event, MediaReceived):
        return ()
    return [
        {"url": media.url, "message_id": event.message_id}
        for media in event.media
        if media.kind is MediaKind.IMAGE and media.url
    ]


def words_of(ctx: Context) -> str:
    """What the customer wrote, with or without a picture; "" for a pressed button."""
    return (ctx.event.text if isinstance(ctx.event, MediaReceived) else ctx.text).strip()


def _tell(ctx: Context, mine: Sequence[TicketRow]) -> None:
    """Each request with what was promised; one that ended lately may be opened again."""
    promised = sla.promises(ctx.session, [ticket.id for ticket in mine]) if _has_hours(ctx) else {}
    standing = [
        Standing(
            ticket.id, ticket.state, ticket.summary, ticket.created_at,
            ctx.soon(promised[ticket.id]) if ticket.id in promised else "",
            ticket.id in promised and promised[ticket.id] <= ctx.now,
        )
        for ticket in mine
    ]  # fmt: skip
    again = next((ticket.id for ticket in mine if tickets.may_reopen(ticket, ctx.now)), 0)
    ctx.reply("support/status", tickets=standing, again=again)


def _promised(ctx: Context, number: int) -> str:
    """By when this request is answered, in words; "" where the shop does not say when it is open."""
    by = sla.promises(ctx.session, [number]).get(number) if _has_hours(ctx) else None
    return ctx.soon(by) if by else ""


def _has_hours(ctx: Context) -> bool:
    return not ctx.policy.calendar.is_always_open


def _reopened(ctx: Context) -> TicketRow | None:
    """The request that the button names, else the latest; None where it is too old or not the customer's."""
    if not ctx.argument:
        return tickets.reopenable(ctx.session, ctx.customer.customer_id, ctx.now)
    mine = tickets.of_customer(ctx.session, ctx.customer.customer_id, LOOKED_AT)
    named = (ticket for ticket in mine if str(ticket.id) == ctx.argument and ticket.state == State.CLOSED)
    return next((ticket for ticket in named if tickets.may_reopen(ticket, ctx.now)), None)


def _order_in(ctx: Context, words: str) -> orders.OrderRow | None:
    """The customer's own order that these words name; somebody else's is none."""
    codes = order_codes(words)[:MOST_CODES]
    own = (orders.by_code(ctx.session, ctx.customer.customer_id, code) for code in codes)
    return next((order for order in own if order), None)


def _question(said: str) -> str:
    return "support/tell_more" if tells(said) else "support/what_happened"


def _ask(ctx: Context, template: str, said: str, photos: Photos) -> None:
    ctx.ask(template, then=describe, within=DESCRIBE_WITHIN, data={"said": said, "photos": list(photos)})


def _attach(ctx: Context, number: int, photos: Photos) -> None:
    """Put photos to a request, and let them be copied before their addresses expire."""
    for photo in photos:
        added = tickets.attach(ctx.session, number, photo["url"], photo["message_id"], ctx.now)
        if added is not None:
            what = {"photo": added, "channel": ctx.customer.channel, "url": photo["url"]}
            ctx.later(JOB, str(added), what)
