"""Makes the list of whom a broadcast was meant for into a file, and sends it to the chat that asks."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from functools import partial

from bot import recipient_table
from bot.drawing.artist import Artist
from bot.jobs import Payload, Work
from bot.recipient_table import CSV, MARK, Row
from bot.staff import reporting
from bot.staff.context import Office, StaffContext
from crm.errors import Conflict
from crm.staff import Permission
from storage.broadcasts import BroadcastView
from storage.database import Database
from storage.media import Kept

JOB = "staff.recipients"
MOST = 20_000
"""So many people go into a file in a chat."""
_TYPES = {CSV: "text/csv", recipient_table.XLSX: reporting.XLSX}


class Exporting:
    """The job that makes the file."""

    def __init__(self, database: Database, office: Office, artist: Artist, clock: Callable[[], datetime]) -> None:
        self._database, self._office, self._artist, self._clock = database, office, artist, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.make}

    async def make(self, payload: Payload) -> None:
        """Make it as things stand now."""
        locale, kind = self._office.locale, payload["kind"]
        rows: list[Row] = [recipient_table.head(locale)]
        async for page in recipient_table.pages(self._database, payload["broadcast"], self._office.zone, locale):
            rows += page
        content = _csv(rows) if kind == CSV else await self._artist.workbook([(recipient_table.title(locale), rows)])
        kept = Kept(f"gui-{payload['broadcast']}{kind}", _TYPES[kind], content)
        send = partial(
            reporting.send_file,
            chat=payload["chat"],
            kept=kept,
            permission=Permission.EXPORT,
            job=JOB,
            now=self._clock(),
        )
        await self._database.write(send, name=JOB)


def ask(ctx: StaffContext, broadcast: BroadcastView) -> None:
    """Have it made for this chat, in the kind of file that it can bring. Raises Conflict where there is none."""
    kind = ctx.office.channels[ctx.chat.channel].tables if ctx.chat else ""
    if not broadcast.audience:
        raise Conflict("Tin này chưa chốt danh sách người nhận.", "Nobody is known yet whom this one is meant for.")
    if ctx.chat is None or not kind or broadcast.audience > MOST:
        line = f"khachquen broadcast recipients {broadcast.id} --out danh-sach.xlsx"
        raise Conflict(
            f"Chat này không nhận được tệp (hoặc quá {MOST} người). Trên máy chủ: {line}",
            f"This chat cannot bring that file (or it has more than {MOST} people). On the server: {line}",
        )
    ctx.later(JOB, f"{ctx.surface}:{broadcast.id}", {
        "broadcast": broadcast.id, "kind": kind, "chat": ctx.chat.identity_id,
    })  # fmt: skip
    ctx.audit("broadcast.export", "broadcast", broadcast.id)
    ctx.reply("broadcast_file", each=broadcast)


def _csv(rows: list[Row]) -> bytes:
    made = io.StringIO()
    made.write(MARK)
    recipient_table.write(made, rows)
    return made.getvalue().encode()
