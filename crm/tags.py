"""Tags on customers: the same word whatever its capitals, accents and spaces, shown as it was written first."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from crm.errors import Invalid
from storage import customers
from storage import tags as store
from storage.tags import Tag

LONGEST = 100


def put_on(session: Session, customer_ids: Collection[int], name: str, *, by: str, at: datetime) -> set[int]:
    """Put a tag on these customers; whose it is new. May be done twice. `by` says who did. Raises Invalid."""
    shown = tidy(name)
    customers.lock(session, sorted(customer_ids))
    row = {"folded": folded(shown), "name": shown, "set_by": by, "set_at": at}
    return store.add_many(session, [{**row, "customer_id": each} for each in sorted(customer_ids)])


def take_off(session: Session, customer_ids: Collection[int], name: str, *, at: datetime) -> set[int]:
    """Take a tag off these customers; who had it. One that was set later than `at` stays. Raises Invalid."""
    key = folded(tidy(name))
    return store.remove(session, customer_ids, key, at)


def of_customer(session: Session, customer_id: int) -> list[Tag]:
    """A customer's tags, by name."""
    return store.of_customer(session, customer_id)


def has(session: Session, customer_id: int, name: str) -> bool:
    """Whether a customer has this tag. Raises Invalid."""
    key = folded(tidy(name))
    return any(each.folded == key for each in store.of_customer(session, customer_id))


def bearers(session: Session, name: str, channel: str, account_id: str) -> list[int]:
    """The customers with this tag whom this account knows. Raises Invalid."""
    return store.bearers(session, folded(tidy(name)), channel, account_id)


def carry_over(session: Session, source: int, target: int) -> None:
    """All tags of one customer become another's."""
    store.move(session, source, target)


def tidy(name: str) -> str:
    """A tag as it is shown: one line, single spaces. Raises Invalid where nothing is left or it is too long."""
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    if not folded(shown) or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in shown):
        raise Invalid("tag", "Nhãn cần có chữ hoặc số.", "A tag needs letters or digits.")
    if max(len(shown), len(folded(shown))) > LONGEST:
        raise Invalid("tag", f"Nhãn dài tối đa {LONGEST} ký tự.", f"A tag has {LONGEST} characters at most.")
    return shown


def folded(name: str) -> str:
    """What tells tags apart: neither capitals nor accents nor the number of spaces do."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter)).replace("đ", "d")
    return " ".join(plain.split())
