"""Replies and macros that staff keep ready under a short name."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from crm.errors import Conflict, Invalid, NotFound
from crm.messages import KEPT
from crm.words import plain
from storage import drawings
from storage import ready as store
from storage.columns import hashed
from storage.ready import ReadyRow

LONGEST_NAME = 30
MOST = 200
_LINK = re.compile(r"https://[^\s/]+\.[^\s/]+/\S+")
_NAME = re.compile(r"(?=.*[^\W\d_])[\w-]+")


class Kind(StrEnum):
    """What is kept."""

    REPLY = "reply"
    MACRO = "macro"


def put(session: Session, kind: Kind, name: str, text: str, staff_id: int, now: datetime) -> ReadyRow | None:
    """Keep a text, checked by the caller, under this name; what stood there before, None where nothing did.

    Raises Invalid for a name that is none, Conflict where there are too many.
    """
    folded = _folded(name)
    before = store.find(session, kind, folded)
    if before is None and len(store.everything(session, kind)) >= MOST:
        raise Conflict(f"Đã có {MOST} mẫu.", f"There are {MOST} already.")
    shown = unicodedata.normalize("NFC", name)
    store.put(session, kind, folded, name=shown, text=text, edited_by=staff_id, edited_at=now)
    return before


def put_picture(session: Session, row: ReadyRow, url: str, staff_id: int, now: datetime) -> None:
    """Let this picture go with a reply, "" for none. Raises Invalid where it is no web address."""
    if url and (not _LINK.fullmatch(url) or len(url) > 1000):
        raise Invalid("picture", "Ảnh cần địa chỉ bắt đầu bằng https://.", "A picture needs an https:// address.")
    _replace_picture(session, row, url, staff_id, now)


def keep_picture(session: Session, row: ReadyRow, media_id: str, staff_id: int, now: datetime) -> None:
    """Let this picture, which we keep, go with a reply."""
    _replace_picture(session, row, f"{KEPT}{media_id}", staff_id, now)


def named(session: Session, kind: Kind, name: str) -> ReadyRow:
    """The one of this name, however it is written. Raises NotFound."""
    found = store.find(session, kind, plain(name))
    if found is None:
        told = "macro" if kind is Kind.MACRO else "mẫu"
        raise NotFound(f"Không có {told} “{name[:40]}”.", f"There is no {kind.value} “{name[:40]}”.")
    return found


def everything(session: Session, kind: Kind) -> list[ReadyRow]:
    """All of a kind, by name."""
    return store.everything(session, kind)


def remove(session: Session, row: ReadyRow, now: datetime) -> None:
    """It is gone; a picture of it that we keep goes a month later, for it may still be on its way."""
    store.remove(session, row.id)
    _let_go(session, row, now)


def _replace_picture(session: Session, row: ReadyRow, picture: str, staff_id: int, now: datetime) -> None:
    given = {"name": row.name, "text": row.text, "edited_by": staff_id, "edited_at": now}
    store.put(session, row.kind, row.folded, **given, picture=picture)
    _let_go(session, row, now)


def _let_go(session: Session, row: ReadyRow, now: datetime) -> None:
    if row.picture.startswith(KEPT):
        drawings.note(session, hashed("ready", row.picture).hex(), row.picture.removeprefix(KEPT), now)


def _folded(name: str) -> str:
    folded = plain(name)
    if not _NAME.fullmatch(folded) or max(len(folded), len(name)) > LONGEST_NAME:
        raise Invalid("name", f"Tên là một từ có chữ, tối đa {LONGEST_NAME} ký tự, ví dụ: giao-hang.",
                      f"A name is one word with letters, {LONGEST_NAME} characters at most (giao-hang).")  # fmt: skip
    return folded
