"""What becomes of a line that a member of staff wrote, on whatever surface: a command, an answer, or words to a
customer; and never the last by chance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.staff import arguments, kinds
from bot.staff.context import PinWanted, StaffContext
from bot.staff.grammar import Misread, Order, first_word, nearest, order_in
from bot.staff.router import Command, StaffRouter
from crm import attendance, numbers, staff, words
from crm.errors import CrmError
from storage.database import attempt

router = StaffRouter("dispatch")

SEND = "r"
"""The command by which words become a customer's message, however they were sent there."""
LONGEST_QUOTE = 30
WHOM = 3
"""How many are offered to whom plain words may have been meant."""


def hear(ctx: StaffContext, text: str) -> None:
    """Do what one line asks for, and answer; what is refused is said, nothing is raised for it."""
    try:
        _hear(ctx, text)
    except CrmError as error:
        ctx.ok = False
        usage = ctx.command.usage if ctx.command and isinstance(error, Misread) else ""
        ctx.reply("refused", words=error.words(ctx.locale), usage=usage)


def _hear(ctx: StaffContext, text: str) -> None:
    order = order_in(text, ctx.office.commands.by_name)
    if not (text.strip() or ctx.pictures):
        ctx.reply("only_words")
    elif ctx.pictures and not _may_show(ctx, order):
        ctx.ok = False
        ctx.reply("picture_where")
    elif order is not None:
        obey(ctx, order.name, order.rest)
    elif _may_be_pin(ctx, text):
        ctx.ok, ctx.is_secret = False, True
        ctx.reply("pin_like", usage=ctx.office.commands.by_name[SEND].usage)
    elif ctx.desk.dialog:
        _answer(ctx, text)
    elif ctx.target is not None:
        _send(ctx, ctx.target, text)
    elif ctx.desk.entered_id is not None and not ctx.named_only:
        name = kinds.conversation(ctx, ctx.desk.entered_id).name
        ctx.put(entered_id=None, entered_until=None)
        ctx.reply("left_idle", name=name)
    else:
        ask_whom(ctx, text)


def _may_show(ctx: StaffContext, order: Order | None) -> bool:
    """Whether a picture with this line is not lost: the command or the question takes one, or nothing is asked."""
    if order is None:
        return not ctx.desk.dialog or ctx.desk.dialog in ctx.office.commands.pictured
    command = ctx.office.commands.by_name.get(order.name)
    return command is not None and any(each.kind is kinds.Pictures for each in command.parameters)


def _may_be_pin(ctx: StaffContext, text: str) -> bool:
    """Whether these digits would go somewhere else than to the question for the PIN that they may be."""
    if ctx.desk.dialog in ctx.office.commands.secret or ctx.target_quoted is not None:
        return False
    return staff.is_pin(text) and ctx.pin_is_due()


def obey(ctx: StaffContext, name: str, rest: str) -> None:
    """Run the command of this name with what stands behind it, if they may. Raises CrmError."""
    ctx.command = ctx.office.commands.by_name.get(name)
    if ctx.command is None:
        ctx.ok = False
        mine = {each: command for each, command in ctx.office.commands.by_name.items() if ctx.may(command.may)}
        found = {mine[each].name: mine[each].usage for each in nearest(name, mine, most=len(mine))}
        ctx.reply("unknown", name=name[:LONGEST_QUOTE], nearest=list(found.values())[:3])
        return
    if _may(ctx, ctx.command):
        run(ctx, ctx.command, arguments.read(ctx, rest))


def _may(ctx: StaffContext, command: Command) -> bool:
    """Whether their role allows it; says so where it does not."""
    if ctx.may(command.may):
        return True
    ctx.ok = False
    ctx.reply("may_not", name=command.name, role=ctx.member.role)
    return False


def run(ctx: StaffContext, command: Command, values: Mapping[str, Any]) -> None:
    """Let a command do its work with these arguments, once the PIN was given where it needs one."""
    ctx.command = command
    ctx.given = arguments.dump(ctx, dict(values))
    ctx.settled()
    try:
        ctx.needs(command.may)
        command.fn(ctx, **values)
    except PinWanted:
        _rehearse(ctx, command, values)
        _ask_pin(ctx, command)


def _rehearse(ctx: StaffContext, command: Command, values: Mapping[str, Any]) -> None:
    """Raises what the command would be refused with although the PIN was given; nothing of it stays."""
    trial = replace(ctx, said=[], confirming="", rehearses=True)
    attempt(ctx.session, lambda: command.fn(trial, **values), keep=lambda _: False)


def _ask_pin(ctx: StaffContext, command: Command) -> None:
    if not ctx.member.pin:
        ctx.reply("no_pin")
        return
    ctx.put(entered_id=None, entered_until=None)
    kept = {"command": command.name, "given": ctx.given}
    ctx.ask("pin_asked", then=give_pin, data=kept, name=command.name)


def again(ctx: StaffContext, command_name: str, given: Mapping[str, Any], confirming: str = "") -> None:
    """Run a command with arguments that were kept, if it is still theirs to run. Raises CrmError."""
    command = ctx.command = ctx.office.commands.by_name[command_name]
    if _may(ctx, command):
        ctx.confirming = confirming
        run(ctx, command, arguments.load(ctx, dict(given)))


@router.pin
def give_pin(ctx: StaffContext, text: str) -> None:
    """The PIN that a command waits for; what else is said leaves the command undone."""
    ctx.is_secret = True
    if not staff.is_pin(text):
        ctx.reply("pin_no_digits")
        return
    outcome = staff.try_pin(ctx.session, ctx.member.id, text, ctx.office.secret_key, ctx.now)
    if outcome is not staff.Pin.RIGHT:
        ctx.audit(f"pin.{outcome}")
        if outcome is staff.Pin.WRONG:
            ctx.ask("pin_wrong", then=give_pin, data=ctx.data)
        else:
            ctx.reply("pin_locked")
        return
    ctx.put(stepped_up_until=ctx.now + staff.STEPPED_UP_FOR, pin_asked_until=None)
    again(ctx, ctx.data["command"], ctx.data["given"])


def _answer(ctx: StaffContext, text: str) -> None:
    """Words for a question. One whose time is over gets none: they are no message to anybody either.

    A reply to a customer's notice answers no question: it may hold words for somebody else than the question is about.
    """
    dialog, until = ctx.desk.dialog, ctx.desk.dialog_until
    is_over = until is None or ctx.now >= until or dialog not in ctx.office.commands.answers
    if ctx.target_quoted is not None and not is_over:
        ctx.ok, ctx.is_secret = False, True
        ctx.reply("question_waits")
        return
    ctx.data = json.loads(ctx.desk.dialog_data) if ctx.desk.dialog_data else {}
    ctx.settled()
    if is_over:
        ctx.is_secret = True
        ctx.reply("too_late")
        return
    ctx.office.commands.answers[dialog](ctx, text)


def _send(ctx: StaffContext, conversation_id: int, text: str) -> None:
    """Words for a customer; those that look like a command without its mark only after `/ok`."""
    command = ctx.office.commands.by_name[SEND]
    if not _may(ctx, command):
        return
    to = kinds.conversation(ctx, conversation_id)
    values = {"customer": to, "words": kinds.Text(text), "pictures": kinds.Pictures(ctx.pictures)}
    meant = _unmarked(ctx, text)
    if meant is None or ctx.target_quoted is not None:
        run(ctx, command, values)
        return
    ctx.command = command
    ctx.given = arguments.dump(ctx, values)
    ctx.confirmed("slip", name=to.name, words=text.strip(), usage=meant.usage)


def _unmarked(ctx: StaffContext, text: str) -> Command | None:
    """The command that these words are, had they begun with its mark: a name alone, or one and a customer's number.

    Behind the number only what is sent may follow: “giữ 2 cái” is said to customers.
    """
    name, rest = first_word(text)
    command = ctx.office.commands.by_name.get(words.plain(name))
    if command is None or not ctx.may(command.may):
        return None
    if rest:
        first = next(iter(command.parameters), None)
        is_order = command.name == SEND or len(rest.split()) == 1
        return command if first is not None and is_order and kinds.names_one(first.kind, rest) else None
    return command if all(each.optional or kinds.KINDS[each.kind].implied for each in command.parameters) else None


def ask_whom(ctx: StaffContext, text: str) -> None:
    """Plain words without anybody to go to are kept nowhere and sent nowhere: say so, and who or what may be meant."""
    rows = attendance.mine(ctx.session, ctx.member.id, WHOM)
    rows = rows or attendance.waiting(ctx.session, ctx.now, WHOM)
    bound = ctx.numbers(numbers.CONVERSATION, [row.id for row in rows])
    ctx.ok = False
    meant = _unmarked(ctx, text)
    ctx.reply("whom", people=list(zip(bound, rows, strict=True)), meant=meant.usage if meant else "")
