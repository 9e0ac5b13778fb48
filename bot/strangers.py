"""People who write where only staff do, and whom nobody has paired yet: they hear once a day whom to ask."""

from __future__ import annotations

from datetime import timedelta

from bot.context import Context

ONCE_IN = timedelta(days=1)


def answer(ctx: Context) -> None:
    """Say that this is for staff, unless that was said within the last day. No command is named."""
    if ctx.last_reply(ONCE_IN) is None:
        ctx.reply("staff/stranger")
