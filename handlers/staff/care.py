"""Care rules from the chat: which there are, on and off, and what they will do for a customer."""

from __future__ import annotations

from datetime import timedelta

from bot.staff import tallying
from bot.staff.context import StaffContext
from bot.staff.kinds import CustomerRef, Text
from bot.staff.router import Group, StaffRouter
from crm import care, care_preview, times, unsent, words
from crm.errors import Invalid
from crm.staff import Permission

router = StaffRouter("care")

FORETOLD = timedelta(days=90)
ROWS = 10
_ON = ("bat", "on")
_PAUSE = ("dung", "tam dung", "pause")
_OFF = ("tat", "off")


@router.command(
    "chamsoc", "chăm sóc", "care", usage="/chamsoc [quy tắc] [bật | dừng | tắt]",
    vi="tin chăm sóc tự động: danh sách, bật, dừng, tắt", group=Group.REACH, may=Permission.WRITE_BROADCASTS,
    examples=("/chamsoc", "/chamsoc birthday bật", "/chamsoc win_back tắt"),
)  # fmt: skip
def manage(ctx: StaffContext, rule: str = "", order: Text | None = None) -> None:
    """List the rules, show one, or turn one on, off, or let it rest."""
    if not rule:
        tallying.show(ctx, tallying.ALL)
        return
    known = care.named(ctx.session, words.plain(rule).replace("-", "_"))
    name, wish = known.rule.name, words.plain(order or "")
    if not wish:
        tallying.show(ctx, tallying.ONE, name)
        return
    actor = f"staff:{ctx.member.id}"
    if wish in _ON:
        ctx.needs(Permission.BROADCAST)
        unmet = care.unmet(ctx.session, known.rule, ctx.office.sender.frame(ctx.now))
        warned = unmet.words(ctx.locale).rstrip(".") if unmet else ""
        if not ctx.confirmed("care_preview", known=known, warned=warned):
            return
        care.turn_on(ctx.session, name, actor, ctx.now)
    elif wish in _PAUSE:
        care.pause(ctx.session, name, actor, ctx.now)
    elif wish in _OFF:
        care.turn_off(ctx.session, name, actor, ctx.now)
    else:
        raise Invalid("order", f"“{order}”: dùng bật, dừng hoặc tắt.", f"“{order}”: say on, pause or off.")
    ctx.audit("care.change", "care_rule", known.version.id, f"{name} {wish}")
    tallying.show(ctx, tallying.CHANGED, name)


@router.command(
    "sapgui", "sắp gửi", "upcoming", usage="/sapgui <khách>", vi="tin chăm sóc sắp gửi cho một khách, từng ngày",
    group=Group.REACH, may=Permission.LOOK_UP, examples=("/sapgui 12", "/sapgui 0901234501"),
)  # fmt: skip
def foretell(ctx: StaffContext, customer: CustomerRef) -> None:
    """Say which care messages a customer will get in the next 90 days, and which not and why."""
    driven = ctx.office.sender.driven(ctx.now, ctx.now + FORETOLD)
    found = care_preview.upcoming(ctx.session, customer.id, driven)
    titles = {each.rule.name: each.rule.title for each in care.everything(ctx.session)}
    rows = [
        (step, titles[step.rule], times.told(step.at, ctx.office.zone, ctx.now, ctx.locale), unsent.words(step.reason))
        for step in found[:ROWS]
    ]
    ctx.reply("care_upcoming", customer=customer, rows=rows, more=len(found) - len(rows), days=FORETOLD.days)
