"""Care rules from the chat: which there are, on and off, and what one will do for a customer."""

from __future__ import annotations

from bot.staff.context import StaffContext
from bot.staff.kinds import Text
from bot.staff.router import Group, StaffRouter
from crm import care, care_report, unsent, words
from crm.care_rules import Words
from crm.errors import Invalid
from crm.staff import Permission
from storage.recipients import FAILED, SKIPPED

router = StaffRouter("care")

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
        found = [(each, care_report.counts(ctx.session, each.rule.name)) for each in care.everything(ctx.session)]
        ctx.reply("care_list", rows=tuple(found))
        return
    known = care.named(ctx.session, words.plain(rule).replace("-", "_"))
    name, wish = known.rule.name, words.plain(order or "")
    if not wish:
        ctx.reply("care_one", known=known, counts=care_report.counts(ctx.session, name), reasons=_reasons(ctx, name))
        return
    actor = f"staff:{ctx.member.id}"
    if wish in _ON:
        ctx.needs(Permission.BROADCAST)
        if not ctx.confirmed("care_preview", known=known):
            return
        care.turn_on(ctx.session, name, actor, ctx.now)
    elif wish in _PAUSE:
        care.pause(ctx.session, name, actor, ctx.now)
    elif wish in _OFF:
        care.turn_off(ctx.session, name, actor, ctx.now)
    else:
        raise Invalid("order", f"“{order}”: dùng bật, dừng hoặc tắt.", f"“{order}”: say on, pause or off.")
    ctx.audit("care.change", "care_rule", known.version.id, f"{name} {wish}")
    ctx.reply("care_changed", known=care.named(ctx.session, name))


def _reasons(ctx: StaffContext, name: str) -> list[tuple[Words, int]]:
    """Why how many messages of a rule did not go out, the most frequent reason first."""
    found = [each for each in care_report.tally(ctx.session, name) if each.state in (SKIPPED, FAILED)]
    return [(unsent.words(each.reason), each.people) for each in sorted(found, key=lambda each: -each.people)]
