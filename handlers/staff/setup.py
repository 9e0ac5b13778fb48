"""Setting up what staff work with: the fields that the shop adds to its customers."""

from __future__ import annotations

from bot.staff.context import StaffContext
from bot.staff.grammar import Misread
from bot.staff.kinds import Text
from bot.staff.router import Group, StaffRouter
from crm import fields, words
from crm.errors import Invalid
from crm.fields import Kind
from crm.staff import Permission

router = StaffRouter("setup")

_KINDS = {
    "chu": Kind.TEXT, "text": Kind.TEXT, "so": Kind.NUMBER, "number": Kind.NUMBER, "ngay": Kind.DATE,
    "date": Kind.DATE, "chon": Kind.CHOICE, "choice": Kind.CHOICE,
}  # fmt: skip


@router.command(
    "truong", "trường", "fields", usage="/truong [+ <tên>: chữ | số | ngày | chọn A, B] [- <tên>]",
    vi="các trường của khách: thêm (+), bỏ (-)", group=Group.SYSTEM, may=Permission.SET_UP,
    examples=("/truong", "/truong + Size: chọn S, M, L", "/truong + Ngày cưới: ngày", "/truong - Size"),
)  # fmt: skip
def set_fields(ctx: StaffContext, change: Text | None = None) -> None:
    """List the fields that customers have, add one (+), or remove one with all that stands in it (-)."""
    sign, rest = (change or " ")[0], (change or "")[1:].strip()
    if not change:
        ctx.reply("field_list", fields=fields.everything(ctx.session))
    elif sign == "+":
        _add(ctx, rest)
    elif sign == "-":
        _remove(ctx, rest)
    else:
        raise Misread("change", "Ghi + để thêm, - để bỏ.", "Write + to add one, - to remove one.")


def _add(ctx: StaffContext, told: str) -> None:
    name, _, what = told.partition(":")
    word, _, choices = what.strip().partition(" ")
    kind = _KINDS.get(words.plain(word))
    if kind is None:
        raise Invalid("kind", "Ghi loại sau dấu hai chấm: chữ, số, ngày, hoặc chọn A, B.",
                      "Name the kind behind a colon: text, number, date, or choice A, B.")  # fmt: skip
    made = fields.define(ctx.session, name, kind, choices.split(","), ctx.now)
    ctx.audit("field.define", "field", made.id, kind)
    ctx.reply("field_made", field=made)


def _remove(ctx: StaffContext, name: str) -> None:
    found = fields.named(ctx.session, name)
    filled = fields.count(ctx.session, found)
    if not ctx.confirmed("field_removing", field=found, filled=filled):
        return
    fields.remove(ctx.session, found)
    ctx.audit("field.remove", "field", found.id, f"{filled}")
    ctx.reply("field_removed", field=found)
