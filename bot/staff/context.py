"""What a staff command holds: who orders, from where, the session, the time; and the ways to answer."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot.broadcasting import Sender
from bot.channels.base import Channel
from bot.staff.router import Command, Commands, StaffAnswer
from bot.templates import Templates
from crm import audit, numbers, staff
from crm.errors import Conflict
from crm.messages import Message
from crm.sla import Policy
from crm.staff import STEPPED_UP, Permission
from storage import desks, jobs
from storage.customers import Person
from storage.desks import DeskRow, PreviewRow
from storage.notices import NoticeRow
from storage.staff import StaffRow

CLI = "cli"
PREVIEW_LIVES = timedelta(minutes=5)


class PinWanted(Exception):
    """What the running command is to do takes a PIN that was not given lately."""


@dataclass(frozen=True, slots=True)
class Office:
    """What staff's commands work with: the channels, all commands, the texts, the shop's language and time zone.

    `secret_key` is what PINs are hashed with, `policy` when somebody is there and what customers are promised,
    `sender` the shop as one that writes to many.
    """

    channels: Mapping[str, Channel]
    commands: Commands
    templates: Templates
    locale: str
    zone: ZoneInfo
    policy: Policy
    sender: Sender
    secret_key: str = field(repr=False)


@dataclass(slots=True)
class StaffContext:
    """One line of a member of staff in a command's hands. Nothing here does I/O but queries on the given session.

    `chat` is the chat that they write in, None on the command line; `pictures` came with the line, named as messages
    name them. `named_only` is True where nobody is meant whom the line does not name: it answers a message that is no
    notice about a customer, or belongs to a macro. What is said is collected in `said`; `ok` is False where the line
    was refused, `is_secret` True where it must not be kept, `asks` True where more is needed to do it. `rehearses` is
    True where the PIN is not given yet and all that is done will be undone.
    """

    member: StaffRow
    chat: Person | None
    session: Session
    now: datetime
    office: Office
    desk: DeskRow
    quoted: NoticeRow | None = None
    pictures: tuple[str, ...] = ()
    named_only: bool = False
    said: list[Message] = field(default_factory=list)
    command: Command | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    confirming: str = ""
    is_secret: bool = False
    asks: bool = False
    ok: bool = True
    rehearses: bool = False

    @property
    def surface(self) -> str:
        """Where they write: the id of their chat, or `cli`."""
        return str(self.chat.identity_id) if self.chat else CLI

    @property
    def locale(self) -> str:
        """Their language, else the shop's."""
        return (self.chat.locale if self.chat else "") or self.office.locale

    @property
    def entered(self) -> int | None:
        """The conversation that plain words go to now."""
        until = self.desk.entered_until
        return self.desk.entered_id if until is not None and self.now < until else None

    @property
    def target(self) -> int | None:
        """The conversation that is meant where none is named: the quoted notice's, else the entered one."""
        if self.named_only:
            return None
        return self.target_quoted if self.target_quoted is not None else self.entered

    @property
    def target_quoted(self) -> int | None:
        """The conversation of the notice that the line replies to."""
        return self.quoted.conversation_id if self.quoted is not None else None

    def may(self, permission: Permission) -> bool:
        """Whether their role allows this."""
        return staff.may(self.member, permission)

    def needs(self, permission: Permission) -> None:
        """What follows takes this permission, and where it is one of `STEPPED_UP` the PIN, for which the command is
        begun anew: to be called before anything is done. Raises Conflict and PinWanted."""
        if not self.may(permission):
            role, others = self.member.role, staff.roles(permission)
            raise Conflict(
                f"Vai trò {role} không được làm việc này; cần {' hoặc '.join(others)}.",
                f"The role {role} may not do this; {' or '.join(others)} may.",
            )
        until = self.desk.stepped_up_until
        if permission in STEPPED_UP and not self.rehearses and (until is None or self.now >= until):
            raise PinWanted

    def reply(self, template: str, **values: Any) -> None:
        """Answer with a template of `message_templates/<locale>/staff/`."""
        self.said.append(self.rendered(template, **values))

    def rendered(self, template: str, **values: Any) -> Message:
        """A template of `message_templates/<locale>/staff/` as a message, not said yet."""
        channel = self.chat.channel if self.chat else CLI
        return self.office.templates.render(f"staff/{template}", self.locale, channel, values)

    def say(self, text: str) -> None:
        """Answer with plain words."""
        self.said.append(Message(text))

    def ask(
        self,
        template: str,
        *,
        then: StaffAnswer,
        within: timedelta = timedelta(minutes=10),
        data: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> None:
        """Ask something: the next plain words go to `then` (a `@router.answer`) and never to a customer; `/thoat`
        ends it."""
        self.asks = True
        self.reply(template, **values)
        name, until = self.office.commands.names[then], self.now + within
        kept = json.dumps(data or {}, ensure_ascii=False)
        asked = {"pin_asked_until": until} if name in self.office.commands.secret else {}
        self.put(dialog=name, dialog_data=kept, dialog_until=until, **asked)

    def settled(self) -> None:
        """Nothing is waited for any more."""
        if self.desk.dialog:
            self.put(dialog="", dialog_data="", dialog_until=None)

    def pin_is_due(self) -> bool:
        """Whether a PIN was asked for a moment ago and not given: digits alone may be it, whatever was done since."""
        until = self.desk.pin_asked_until
        return until is not None and self.now < until

    def put(self, **values: Any) -> None:
        """Change the desk."""
        desks.change(self.session, self.member.id, self.surface, **values)
        self.desk = self.desk._replace(**values)

    def numbers(self, kind: str, targets: Sequence[int]) -> list[int]:
        """Short numbers under which they may name these from now on, here."""
        return numbers.bind(self.session, self.member.id, self.surface, kind, targets, self.now)

    def confirmed(self, template: str, *, about: str = "", **values: Any) -> bool:
        """Show what the running command would do, and whether to do it now.

        True only where `/ok` confirmed exactly this within five minutes, once: the same words, made anew, or where
        those count seconds, the same facts (`about`). Else a code is shown and nothing may be done.
        """
        assert self.command is not None
        shown = self.rendered(template, **values)
        if self.is_confirmed(about or shown.text):
            return True
        self.asks = True
        code = f"{secrets.randbelow(9000) + 1000}"
        kept = json.dumps(dict(self.given), ensure_ascii=False)
        digest = self._digest(about or shown.text)
        row = PreviewRow(code, self.command.name, kept, digest, self.now + PREVIEW_LIVES, None)
        desks.add_preview(self.session, self.member.id, self.surface, row)
        self.reply("preview", shown=shown.text, code=code, changed=bool(self.confirming))
        return False

    def is_confirmed(self, about: str) -> bool:
        """Whether `/ok` confirmed these facts of the running command just now."""
        return self.confirming == self._digest(about)

    def _digest(self, about: str) -> str:
        assert self.command is not None
        return hashlib.sha256(f"{self.command.name}\0{about}".encode()).hexdigest()

    def later(self, kind: str, subject: str, payload: Mapping[str, Any], *, after: timedelta = timedelta()) -> None:
        """Queue a job; the same kind and subject waits once."""
        jobs.add_many(self.session, [jobs.row(kind, subject, payload, self.now, self.now + after)])

    def audit(self, action: str, subject: str = "", subject_id: int | None = None, details: str = "") -> None:
        """Note what they did; no words of a message."""
        who = {"staff_id": self.member.id, "surface": self.surface}
        audit.note(self.session, action, self.now, **who, subject=subject, subject_id=subject_id, details=details)  # type: ignore[arg-type]
