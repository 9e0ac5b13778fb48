"""Macros: lists of commands under a name, tried first so that everybody sees what each would do, then done whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from bot.staff import dispatch
from bot.staff.context import StaffContext
from bot.staff.grammar import order_in
from bot.staff.kinds import ConversationRef, Text
from bot.staff.router import Group, StaffRouter
from crm import numbers, ready
from crm.errors import Conflict, Invalid
from crm.messages import Message
from crm.ready import Kind
from crm.staff import STEPPED_UP, Permission
from storage.database import attempt
from storage.ready import ReadyRow

router = StaffRouter("macros")

CUSTOMER = "{khach}"
"""Stands in a macro's line for the customer whom it is run on."""
MOST_LINES = 10
LONGEST = 1500
_GROUPS = (Group.ANSWER, Group.QUEUE, Group.CUSTOMER, Group.TICKET)
_NEVER = frozenset({"macro", "vao", "ra", "huy"})
"""What makes sense by itself only; a macro within a macro could go on for ever."""


class Played(NamedTuple):
    """One line of a macro that was tried or done; `finished` is False where it was refused, or asks back."""

    line: str
    said: list[Message]
    finished: bool


@router.command(
    "macro", usage="/macro [tên] [khách]", vi="chạy nhiều lệnh một lúc, xem trước rồi /ok; không tên: các macro",
    group=Group.QUEUE, may=Permission.ANSWER, examples=("/macro", "/macro doi-hang 12"),
)  # fmt: skip
def run_macro(ctx: StaffContext, name: str | None = None, customer: ConversationRef | None = None) -> None:
    """Run a macro on a customer, after a preview of what each line does; without a customer show it."""
    if name is None:
        ctx.reply("macro_list", rows=ready.everything(ctx.session, Kind.MACRO))
        return
    row = ready.named(ctx.session, Kind.MACRO, name)
    if customer is None:
        ctx.reply("macro_shown", row=row)
        return
    (number,) = ctx.numbers(numbers.CONVERSATION, [customer.id])
    lines = [line.replace(CUSTOMER, str(number)) for line in row.text.split("\n")]
    tried = attempt(ctx.session, lambda: _play(ctx, lines), keep=lambda _: False)
    _check(tried)
    about = f"{row.id}\0{row.text}\0{customer.id}"
    if not ctx.confirmed("macro_preview", about=about, row=row, name=customer.name, tried=tried):
        return
    done = attempt(ctx.session, lambda: _play(ctx, lines), keep=lambda played: all(each.finished for each in played))
    _check(done)
    ctx.audit("macro", "conversation", customer.id, f"ready:{row.id}")
    for each in done:
        ctx.said += each.said


def _play(ctx: StaffContext, lines: Sequence[str]) -> list[Played]:
    """Let each line do its work, until one is refused or asks back."""
    played: list[Played] = []
    for line in lines:
        _checked(ctx, line)
        each = replace(
            ctx, said=[], command=None, given={}, data={}, confirming="", asks=False, ok=True, named_only=True
        )
        dispatch.hear(each, line)
        played.append(Played(line, each.said, each.ok and not each.asks))
        if not played[-1].finished:
            break
    return played


def _check(played: Sequence[Played]) -> None:
    """Raise Conflict where a line was not done; then none was."""
    last = played[-1]
    if not last.finished:
        words = "\n".join(message.text for message in last.said)
        raise Conflict(f"Chưa làm gì, vì dòng {len(played)} ({last.line}) không chạy được:\n{words}",
                       f"Nothing was done, for line {len(played)} ({last.line}) does not go:\n{words}")  # fmt: skip


@router.command(
    "macrosua", "macrosửa", "macroedit", usage="/macrosua <tên> [các dòng lệnh]", vi="thêm hoặc sửa macro",
    group=Group.SYSTEM, may=Permission.WRITE_REPLIES, examples=("/macrosua doi-hang",),
)  # fmt: skip
def edit_macro(ctx: StaffContext, name: str, lines: Text | None = None) -> None:
    """Write a macro: one command a line, with {khach} where the customer goes."""
    if not lines:
        ctx.ask("macro_asked", then=keep, data={"name": name}, macro=name)
        return
    told = [line.strip() for line in lines.split("\n") if line.strip()]
    if len(told) > MOST_LINES or len(lines) > LONGEST:
        raise Invalid("lines", f"Tối đa {MOST_LINES} dòng, {LONGEST} ký tự.",
                      f"{MOST_LINES} lines and {LONGEST} characters at most.")  # fmt: skip
    for line in told:
        _checked(ctx, line)
    before = ready.put(ctx.session, Kind.MACRO, name, "\n".join(told), ctx.member.id, ctx.now)
    row = ready.named(ctx.session, Kind.MACRO, name)
    ctx.audit("macro.edit", "ready", row.id)
    ctx.reply("macro_kept", row=row, before=before.text if before else "")


@router.answer
def keep(ctx: StaffContext, text: str) -> None:
    """The lines of a macro that were asked for."""
    dispatch.again(ctx, "macrosua", {"name": ctx.data["name"], "lines": text})


@router.command(
    "macroxoa", "macroxóa", "macroremove", usage="/macroxoa <tên>", vi="bỏ macro", group=Group.SYSTEM,
    may=Permission.WRITE_REPLIES, examples=("/macroxoa doi-hang",),
)  # fmt: skip
def remove_macro(ctx: StaffContext, name: str) -> None:
    """Remove a macro, after a preview."""
    row: ReadyRow = ready.named(ctx.session, Kind.MACRO, name)
    if not ctx.confirmed("ready_removing", row=row):
        return
    ready.remove(ctx.session, row, ctx.now)
    ctx.audit("macro.remove", "ready", row.id)
    ctx.reply("ready_removed", row=row)


def _checked(ctx: StaffContext, line: str) -> None:
    """Raise Invalid where this may not be a line of a macro."""
    order = order_in(line, ctx.office.commands.by_name)
    if order is None:
        raise Invalid("lines", f"“{line[:40]}”: mỗi dòng là một lệnh (/…).", f"“{line[:40]}”: every line is a command.")
    command = ctx.office.commands.by_name.get(order.name)
    if command is None:
        raise Invalid("lines", f"Không có lệnh /{order.name}.", f"There is no command /{order.name}.")
    if command.group not in _GROUPS or command.name in _NEVER or command.may in STEPPED_UP:
        raise Invalid("lines", f"/{command.name} không dùng được trong macro.",
                      f"/{command.name} cannot be used in a macro.")  # fmt: skip
