"""Help: what one may do, how a command is written, and the way out of whatever is under way."""

from __future__ import annotations

from bot.staff.context import StaffContext
from bot.staff.grammar import MARK
from bot.staff.kinds import Text
from bot.staff.router import Command, Group, StaffRouter
from crm import words
from crm.errors import NotFound
from crm.staff import Permission

router = StaffRouter("help")


@router.command(
    "help", "trợ giúp", "trogiup", "?", usage="/help [lệnh]", vi="các lệnh của bạn, hoặc cách dùng một lệnh",
    group=Group.SYSTEM, may=Permission.LOOK_UP, examples=("/help", "/help r"),
)  # fmt: skip
def show_help(ctx: StaffContext, name: Text | None = None) -> None:
    """Show your commands, or how one is used."""
    mine = [command for command in ctx.office.commands.everyone if ctx.may(command.may)]
    if name is None:
        groups = [(group.value, [each for each in mine if each.group is group]) for group in Group]
        ctx.reply("help", groups=[(group, commands) for group, commands in groups if commands], role=ctx.member.role)
        return
    command = ctx.office.commands.by_name.get(words.plain(name.removeprefix(MARK)))
    if command is None or command not in mine:
        raise NotFound(f"Không có lệnh /{name.removeprefix(MARK)}.", f"There is no command /{name.removeprefix(MARK)}.")
    ctx.reply("help_one", command=command, says=_says(ctx, command))


def _says(ctx: StaffContext, command: Command) -> str:
    return command.vi if ctx.locale == "vi" else command.en


@router.command(
    "thoat", "thoát", "exit", "quit", usage="/thoat", vi="bỏ việc đang làm dở, ra khỏi khách đang vào",
    group=Group.SYSTEM, may=Permission.LOOK_UP,
)  # fmt: skip
def stop_everything(ctx: StaffContext) -> None:
    """Leave whatever is under way: a question, an entered conversation."""
    ctx.put(entered_id=None, entered_until=None)
    ctx.reply("stopped")
