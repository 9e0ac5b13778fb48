"""API keys: made, shown once, checked, listed and ended."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

from sqlmodel import Session

from crm.errors import Invalid, NotFound
from storage import keys as store
from storage.keys import KeyRow

_MARK = "kq"
_LONGEST_NAME = 100


def create(session: Session, name: str, now: datetime) -> str:
    """A new key, `kq_<prefix>_<secret>`. It is shown here and never again: only its hash is kept."""
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME:
        raise Invalid("name", "Tên khóa cần từ 1 đến 100 ký tự.", "A key needs a name of 1 to 100 characters.")
    prefix = secrets.token_hex(4)
    key = f"{_MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    store.add(session, name, prefix, digest(key), now)
    return key


def stands(session: Session, key: str) -> bool:
    """Whether this is a key of ours that nobody revoked."""
    mark, _, rest = key.partition("_")
    prefix, _, _ = rest.partition("_")
    kept = store.digest_of(session, prefix) if mark == _MARK and prefix.isalnum() else None
    return hmac.compare_digest(digest(key), kept or "") and kept is not None


def digest(key: str) -> str:
    """The hash under which a key is kept: SHA-256, hex."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def everyone(session: Session) -> list[KeyRow]:
    """All keys, revoked ones too, oldest first."""
    return store.everyone(session)


def revoke(session: Session, prefix: str, now: datetime) -> None:
    """End a key at once; `prefix` is the part between the underscores. Raises NotFound."""
    if not store.revoke(session, prefix, now):
        raise NotFound(
            f"Không có khóa đang dùng với tiền tố {prefix}.", f"No live key has the prefix {prefix}.", field="prefix"
        )
