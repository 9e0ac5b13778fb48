"""Staff: who may do what, how a chat becomes theirs, and their PIN and shift."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from sqlmodel import Session

from crm import customers, words
from crm.errors import Conflict, Invalid, NotFound
from crm.messages import Purpose
from storage import customers as people
from storage import outbox as queue
from storage import staff as store
from storage.columns import new_id
from storage.customers import Person
from storage.staff import Chat, StaffRow

PAIRING_LIFE = timedelta(minutes=15)
PIN_TRIES = 5
STEPPED_UP_FOR = timedelta(minutes=15)
SHIFT = timedelta(hours=9)
"""How long a shift lasts where nothing else is said."""

_MARK = "NV"
"""Every pairing code begins so (*nhân viên*): no line of a customer is looked up by chance."""
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_CODE_LENGTH = 10
_CODE = re.compile(rf"\s*{_MARK}((?:[\s-]*[{_ALPHABET}]){{{_CODE_LENGTH}}})\s*", re.IGNORECASE)
_PIN = re.compile(r"[0-9]{4,8}")
_LONGEST_NAME = 60


class Role(StrEnum):
    """What somebody is to the shop."""

    AGENT = "agent"
    LEAD = "lead"
    MARKETER = "marketer"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a command needs."""

    LOOK_UP = "look_up"
    ANSWER = "answer"
    SERVE = "serve"
    ASSIGN = "assign"
    ADJUST_POINTS = "adjust_points"
    REPORT = "report"
    WRITE_BROADCASTS = "write_broadcasts"
    BROADCAST = "broadcast"
    EXPORT = "export"
    WATCH = "watch"
    WRITE_REPLIES = "write_replies"
    SET_UP = "set_up"
    MANAGE_STAFF = "manage_staff"
    PRIVACY = "privacy"


_AGENT = frozenset({Permission.LOOK_UP, Permission.ANSWER, Permission.SERVE})
_LEAD = _AGENT | {
    Permission.ASSIGN, Permission.ADJUST_POINTS, Permission.REPORT, Permission.WATCH, Permission.WRITE_REPLIES,
    Permission.BROADCAST, Permission.PRIVACY,
}  # fmt: skip
MAY: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.AGENT: _AGENT,
        Role.LEAD: _LEAD,
        Role.MARKETER: frozenset(
            {
                Permission.LOOK_UP, Permission.REPORT, Permission.WRITE_BROADCASTS, Permission.BROADCAST,
                Permission.EXPORT, Permission.WRITE_REPLIES,
            }
        ),
        Role.ADMIN: frozenset(Permission),
    }
)  # fmt: skip
STEPPED_UP = frozenset(
    {
        Permission.ADJUST_POINTS, Permission.BROADCAST, Permission.EXPORT, Permission.MANAGE_STAFF, Permission.PRIVACY,
    }
)  # fmt: skip
"""What also asks for the PIN, once in `STEPPED_UP_FOR`."""


class Pin(StrEnum):
    """What came of a PIN. LOCKED: five wrong ones in a row, until an admin sets a new one."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    NONE = "none"


def may(member: StaffRow, permission: Permission) -> bool:
    """Whether somebody's role allows this, PIN or not."""
    return permission in MAY[Role(member.role)]


def roles(permission: Permission) -> list[str]:
    """The roles that allow this."""
    return [role.value for role in Role if permission in MAY[role]]


def add(session: Session, name: str, role: Role, now: datetime) -> StaffRow:
    """A new member of staff. Raises Invalid where the name is empty, too long or taken, however it is written."""
    name = " ".join(name.split())
    if not 0 < len(name) <= _LONGEST_NAME:
        raise Invalid("name", "Tên cần từ 1 đến 60 ký tự.", "A name has 1 to 60 characters.")
    if any(words.plain(each.name) == words.plain(name) for each in active(session)):
        raise Invalid("name", f"Đã có nhân viên tên {name}.", f"There is a {name} already.")
    staff_id = new_id()
    store.add(session, staff_id, name, role.value, now)
    return find(session, staff_id)


def active(session: Session) -> list[StaffRow]:
    """All members of staff who were not revoked, oldest first."""
    return [each for each in store.everyone(session) if each.revoked_at is None]


def find(session: Session, staff_id: int) -> StaffRow:
    """One member of staff, revoked ones too. Raises NotFound."""
    found = store.find(session, staff_id)
    if found is None:
        raise NotFound("Không có nhân viên này.", "There is no such member of staff.", field="staff")
    return found


def named(session: Session, name: str) -> StaffRow:
    """The one active member of staff with this name, without its accents if one likes, its first letters, or their id.

    Raises NotFound where there is none, Invalid where there are several.
    """
    wanted = words.plain(name)
    found = _called(session, name)
    found = found or [each for each in active(session) if wanted and words.plain(each.name).startswith(wanted)]
    if not found:
        raise NotFound(f"Không có nhân viên “{name}”.", f"There is no member of staff “{name}”.", field="name")
    if len(found) > 1:
        raise _several(session, name, found)
    return found[0]


def actor(session: Session, name: str, surface: str) -> str:
    """Who does something, as the books note it: the active member of staff of this name, who is the same person in a
    chat, as `staff:<id>`; else the name with where it was said, as `cli:Mai`.

    "Hoa" is Phan Mỹ Hoa, where nobody else is called so: one person is not two by a shorter name.
    """
    found = _called(session, name)
    return f"staff:{found[0].id}" if len(found) == 1 else f"{surface}:{name}"[:64]


def one_actor(session: Session, name: str, surface: str) -> str:
    """The same, for a person who can be asked which of several they are. Raises Invalid where several are called so."""
    found = _called(session, name)
    if len(found) > 1:
        raise _several(session, name, found)
    return actor(session, name, surface)


def _called(session: Session, name: str) -> list[StaffRow]:
    """The active ones with this id, else this whole name, else this first or last word of it, accents or not."""
    wanted, everyone = words.plain(name), active(session)
    plain = {each.id: words.plain(each.name) for each in everyone}
    found = [each for each in everyone if str(each.id) == name.strip()]
    found = found or [each for each in everyone if plain[each.id] == wanted]
    return found or [each for each in everyone if wanted in (plain[each.id].split()[0], plain[each.id].split()[-1])]


def _several(session: Session, name: str, found: Sequence[StaffRow]) -> Invalid:
    """That several are called so, with what tells them apart."""
    where = {each.id: ", ".join(chat.channel for chat in store.chats(session, each.id)) for each in found}
    vi, en = (
        ", ".join(f"{each.name} ({each.role}, {where[each.id] or no_chat}, {each.id})" for each in found)
        for no_chat in ("chưa có chat", "no chat")
    )
    return Invalid("name", f"“{name}” có thể là: {vi}. Ghi đủ họ tên hoặc mã.",
                   f"“{name}” may be: {en}. Give the whole name or the id.")  # fmt: skip


class Leading(NamedTuple):
    """A member of staff whose whole name a text begins with, and what follows it."""

    member: StaffRow
    rest: str


def leading_name(session: Session, text: str) -> Leading | None:
    """The active member of staff whose whole name the text begins with, accents or not; the longest such name."""
    parts = text.split()
    known = {words.plain(each.name): each for each in active(session)}
    for count in range(len(parts), 0, -1):
        member = known.get(words.plain(" ".join(parts[:count])))
        if member is not None:
            return Leading(member, " ".join(parts[count:]))
    return None


def change_role(session: Session, staff_id: int, role: Role) -> None:
    """Another role, from the next command on."""
    store.change(session, staff_id, role=role.value)


def revoke(session: Session, staff_id: int, now: datetime) -> int:
    """End somebody's access at once, with their chats and codes; how many chats they had.

    What was still to be told them is not: it speaks of customers, and the chats are no member of staff's any more.
    """
    store.change(session, staff_id, revoked_at=now, shift_until=None)
    store.end_pairings(session, staff_id, now)
    theirs = [each.identity_id for each in store.chats(session, staff_id)]
    queue.withdraw(session.connection(), theirs, Purpose.REPLY)
    return store.take_chats(session, staff_id)


def issue_pairing(session: Session, staff_id: int, now: datetime) -> str:
    """A new code, good once and for `PAIRING_LIFE`; earlier ones end. Only its hash is kept. Raises Conflict."""
    if find(session, staff_id).revoked_at is not None:
        raise Conflict("Nhân viên này đã bị thu hồi quyền.", "This member of staff was revoked.")
    store.end_pairings(session, staff_id, now)
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    store.add_pairing(session, _digest(body), staff_id, now + PAIRING_LIFE, now)
    return f"{_MARK}-{body[:5]}-{body[5:]}"


def pairing_in(text: str) -> str:
    """The pairing code that this line is and nothing else; "" for any other line. Costs no query."""
    found = _CODE.fullmatch(text) if len(text) < 64 else None
    return re.sub(r"[\s-]", "", found[1]).upper() if found else ""


def pair(session: Session, person: Person, code: str, now: datetime) -> StaffRow | None:
    """Make the chat a member of staff's; None where the code is not theirs to use, and nobody is told why.

    Wrong codes are counted with those from receipts: after five in an hour none is looked at. A chat that was joined to
    a customer of the POS is parted from them: staff identities are no customers.
    """
    since = now - customers.GUESS_WINDOW
    if people.count_guesses(session, person.identity_id, since) >= customers.GUESSES:
        return None
    staff_id = store.use_pairing(session, _digest(code), now)
    member = store.find(session, staff_id) if staff_id is not None else None
    if member is None or member.revoked_at is not None:
        people.add_guess(session, person.identity_id, now, since)
        return None
    row: dict[str, object] = {"id": person.identity_id, "staff_id": member.id}
    if person.external_id is not None:
        row["customer_id"] = people.add_nameless(session, now)
    people.set_identities(session, [row])
    return member


def chats(session: Session, staff_id: int | None = None) -> list[Chat]:
    """The chats of one member of staff or of all: those for staff alone first, then the one they wrote in last."""
    return store.chats(session, staff_id)


def set_pin(session: Session, staff_id: int, pin: str, secret_key: str) -> None:
    """A new PIN of 4 to 8 digits; a lock ends. Raises Invalid."""
    if not is_pin(pin) or len(set(pin)) == 1:
        raise Invalid("pin", "PIN gồm 4–8 chữ số, không phải một số lặp lại.", "A PIN is 4 to 8 digits, not all alike.")
    first = secret_key.split(",")[0]
    store.change(session, staff_id, pin=_keyed(first, staff_id, pin), pin_misses=0, pin_locked_at=None)


def is_pin(text: str) -> bool:
    """Whether this may be a PIN."""
    return _PIN.fullmatch(text.strip()) is not None


def try_pin(session: Session, staff_id: int, pin: str, secret_key: str, now: datetime) -> Pin:
    """Whether this is their PIN; the fifth wrong one in a row locks it until an admin sets a new one."""
    member = store.find(session, staff_id, lock=True)
    if member is None or not member.pin:
        return Pin.NONE
    if member.pin_locked_at is not None:
        return Pin.LOCKED
    given = [_keyed(key, staff_id, pin.strip()) for key in secret_key.split(",") if key]
    if any(hmac.compare_digest(each, member.pin) for each in given):
        store.change(session, staff_id, pin_misses=0)
        return Pin.RIGHT
    misses = member.pin_misses + 1
    locked_at = now if misses >= PIN_TRIES else None
    store.change(session, staff_id, pin_misses=misses, pin_locked_at=locked_at)
    return Pin.LOCKED if locked_at else Pin.WRONG


def begin_shift(session: Session, staff_id: int, until: datetime) -> None:
    """On shift until then."""
    store.change(session, staff_id, shift_until=until)


def end_shift(session: Session, staff_id: int) -> None:
    """Off shift."""
    store.change(session, staff_id, shift_until=None)


def is_on_shift(member: StaffRow, now: datetime) -> bool:
    """Whether they checked in and their shift is not over."""
    return member.shift_until is not None and now < member.shift_until


def on_shift(session: Session, now: datetime) -> list[StaffRow]:
    """Those on shift who may answer customers; whom a conversation was given longest ago comes first."""
    there = [each for each in active(session) if is_on_shift(each, now) and may(each, Permission.ANSWER)]
    return sorted(there, key=lambda each: (each.given_at is not None, each.given_at, each.id))


def leads(session: Session) -> list[StaffRow]:
    """Those who give conversations to others, on shift or not."""
    return [each for each in active(session) if may(each, Permission.ASSIGN)]


def given(session: Session, staff_id: int, now: datetime) -> None:
    """They were given a conversation: everybody else on shift is before them now, many given at one moment or not."""
    latest = max((each.given_at for each in active(session) if each.given_at is not None), default=now)
    store.change(session, staff_id, given_at=max(now, latest + timedelta(microseconds=1)))


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _keyed(secret_key: str, staff_id: int, pin: str) -> str:
    proved = f"khachquen:pin:{staff_id}:{pin}"
    return hmac.new(secret_key.encode(), proved.encode(), hashlib.sha256).hexdigest()
