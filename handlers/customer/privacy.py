"""A customer's own data: to see, correct or erase it, or to take consent back, whoever holds the conversation."""

from __future__ import annotations

from datetime import timedelta

from bot.context import Context
from bot.router import Router
from bot.understanding import understand
from crm import privacy
from crm.events import Inbound
from crm.privacy import Kind

router = Router("privacy")

CONFIRM_WITHIN = timedelta(minutes=30)


@router.intent("data.see", while_held=True)
def ask_to_see(ctx: Context) -> None:
    """Note that they want to see what is kept of them."""
    ctx.reply("privacy/noted", kind=Kind.SEE.value, first=_note(ctx, Kind.SEE))


@router.intent("data.correct", while_held=True)
def ask_to_correct(ctx: Context) -> None:
    """Note that something that is kept of them is wrong; a person reads what."""
    ctx.reply("privacy/noted", kind=Kind.CORRECT.value, first=_note(ctx, Kind.CORRECT))
    ctx.call_person()


@router.intent("data.withdraw", while_held=True)
def withdraw_consent(ctx: Context) -> None:
    """They take back all consent: it ends at once, and the request is kept as done."""
    _note(ctx, Kind.WITHDRAW)
    ctx.reply("privacy/withdrawn")


@router.intent("data.erase", while_held=True)
def ask_erasure(ctx: Context) -> None:
    """Ask once whether it is meant; beside staff, and where it was said before, note it."""
    said_before = "erase" in ctx.data or privacy.awaits(ctx.session, ctx.customer.customer_id, Kind.ERASE)
    if said_before or ctx.conversation.staff_holds:
        note_erasure(ctx)
    else:
        ctx.ask("privacy/confirm", then=confirm_erasure, within=CONFIRM_WITHIN, data={"erase": ctx.text})


@router.answer
def confirm_erasure(ctx: Context) -> bool:
    """A yes notes the request, a no leaves it there; everything else does not answer the question."""
    intent = understand(ctx.text).intent
    if intent in ("yes", "data.confirm"):
        note_erasure(ctx)
    elif intent == "no":
        ctx.reply("privacy/kept", withdrawn=False)
    else:
        return False
    return True


@router.button("erase", while_held=True)
def note_erasure(ctx: Context) -> None:
    """Note the request, and say by when it is answered and done (Decree 356/2025: 2 working days, 20 days)."""
    ctx.reply("privacy/erasure", first=_note(ctx, Kind.ERASE))


@router.intent("data.keep", while_held=True)
def keep_data(ctx: Context) -> None:
    """Withdraw the request, if one is open."""
    withdrawn = privacy.take_back(ctx.session, ctx.customer.customer_id, Kind.ERASE, ctx.now)
    ctx.reply("privacy/kept", withdrawn=withdrawn)


def _said(ctx: Context) -> str:
    """Their words, after those that we asked about: a bare yes tells nothing of what it was said to."""
    return " → ".join(words for words in (str(ctx.data.get("erase", "")), ctx.text) if words)


def _note(ctx: Context, kind: Kind) -> bool:
    """Whether it is noted now, and was not before."""
    noted = privacy.ask(
        ctx.session, ctx.customer.customer_id, kind, now=ctx.now, zone=ctx.policy.calendar.zone,
        identity_id=ctx.customer.identity_id, wording=_said(ctx) if kind is Kind.ERASE else ctx.text,
        message_id=ctx.event.message_id if isinstance(ctx.event, Inbound) else "",
    )  # fmt: skip
    return noted is not None
