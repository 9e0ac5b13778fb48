"""What staff settle for themselves: their PIN, and playing a customer to see what customers see."""

from __future__ import annotations

from datetime import timedelta

from bot.staff import dispatch
from bot.staff.context import StaffContext
from bot.staff.kinds import Text
from bot.staff.router import Group, StaffRouter
from crm import staff, words
from crm.errors import Conflict
from crm.staff import Permission, Pin

router = StaffRouter("oneself")

PLAYS_FOR = timedelta(hours=1)
SWITCHES = {"on": True, "bat": True, "off": False, "tat": False}
CARD = "kh"
"""The command that shows a customer's card."""


@router.command(
    "pin", usage="/pin", vi="đặt hoặc đổi PIN của bạn", group=Group.SHIFT, may=Permission.LOOK_UP, examples=("/pin",)
)
def change_pin(ctx: StaffContext) -> None:
    """Set or change your PIN; it is asked for, never written behind the command."""
    ctx.put(entered_id=None, entered_until=None)
    if ctx.member.pin:
        ctx.ask("pin_old", then=check_old)
    else:
        ctx.ask("pin_new", then=set_new)


@router.pin
def check_old(ctx: StaffContext, text: str) -> None:
    """The PIN until now, before a new one; what else is said leaves it as it was."""
    ctx.is_secret = True
    if not staff.is_pin(text):
        ctx.reply("pin_no_digits")
        return
    outcome = staff.try_pin(ctx.session, ctx.member.id, text, ctx.office.secret_key, ctx.now)
    if outcome is Pin.RIGHT:
        ctx.ask("pin_new", then=set_new)
    elif outcome is Pin.LOCKED:
        ctx.audit("pin.locked")
        ctx.reply("pin_locked")
    else:
        ctx.audit("pin.wrong")
        ctx.ask("pin_wrong", then=check_old)


@router.pin
def set_new(ctx: StaffContext, text: str) -> None:
    """The new PIN. Raises Invalid for one that is none."""
    ctx.is_secret = True
    staff.set_pin(ctx.session, ctx.member.id, text.strip(), ctx.office.secret_key)
    ctx.put(pin_asked_until=None)
    ctx.audit("pin.set")
    ctx.reply("pin_set")


@router.command(
    "khach", "khách", "customer", usage="/khach on|off | <khách | tên>",
    vi="on, off: thử nhắn như một khách (1 giờ); không thì như /kh", group=Group.SYSTEM, may=Permission.LOOK_UP,
    examples=("/khach on", "/khach off", "/khach 12"),
)  # fmt: skip
def play_customer(ctx: StaffContext, which: Text | None = None) -> None:
    """Be answered like a customer in this chat, for an hour or until `/khach off`; else show a card like `/kh`."""
    if words.plain(which or "") not in SWITCHES:
        dispatch.obey(ctx, CARD, which or "")
        return
    if ctx.chat is None:
        raise Conflict("Chỉ dùng được trong chat.", "This works in a chat only.")
    if ctx.office.channels[ctx.chat.channel].staff_only:
        raise Conflict("Chat này chỉ có nhân viên, không có khách.", "This chat is for staff; no customer writes here.")
    until = ctx.now + PLAYS_FOR if SWITCHES[words.plain(which or "")] else None
    ctx.put(as_customer_until=until, entered_id=None, entered_until=None)
    ctx.reply("plays_customer", until=until)
