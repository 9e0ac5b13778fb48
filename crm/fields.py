"""Fields that a shop adds to its customers: text, numbers, days and choices, each read and checked by its kind."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Session

from crm.errors import Conflict, Invalid, NotFound
from crm.words import plain
from storage import customers
from storage import fields as store
from storage.fields import FieldRow, Value

LONGEST_NAME = 40
LONGEST = 500
MOST_FIELDS = 50
_THOUSANDS = re.compile(r"-?[0-9]{1,3}([.,])[0-9]{3}(?:\1[0-9]{3})*")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:[.,][0-9]{1,6})?")
_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


class Kind(StrEnum):
    """What a field takes."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Kept:
    """A value as it is kept: a day as YYYY-MM-DD, a number with a point, a choice as it was first written."""

    value: str
    number: float | None = None


def define(session: Session, name: str, kind: Kind, choices: list[str], now: datetime) -> FieldRow:
    """A new field. Raises Invalid where it makes no sense, Conflict where there is one of this name."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not plain(name) or max(len(name), len(plain(name))) > LONGEST_NAME:
        raise Invalid("name", f"Tên trường cần từ 1 đến {LONGEST_NAME} ký tự.",
                      f"A field's name has 1 to {LONGEST_NAME} characters.")  # fmt: skip
    told = list({plain(each): each for each in (part.strip() for part in choices) if each}.values())
    if kind is Kind.CHOICE and len(told) < 2:
        raise Invalid("choices", "Cần ít nhất hai lựa chọn, cách nhau bởi dấu phẩy.",
                      "Name at least two choices, with commas between them.")  # fmt: skip
    if len(store.everything(session)) >= MOST_FIELDS:
        raise Conflict(f"Đã có {MOST_FIELDS} trường.", f"There are {MOST_FIELDS} fields already.")
    row = {"name": name, "folded": plain(name), "kind": kind, "choices": "\n".join(told), "created_at": now}
    if not store.add(session, row):
        raise Conflict(f"Đã có trường “{name}”.", f"There is a field “{name}” already.")
    return named(session, name)


def everything(session: Session) -> list[FieldRow]:
    """All fields, in the order in which they were made."""
    return store.everything(session)


def named(session: Session, name: str) -> FieldRow:
    """The field of this name, however it is written. Raises NotFound."""
    for each in store.everything(session):
        if each.folded == plain(name):
            return each
    raise NotFound(f"Không có trường “{name}”. Xem /truong.", f"There is no field “{name}”. See /truong.")


def leading(session: Session, text: str) -> tuple[FieldRow, str]:
    """The field whose name these words begin with, and the rest of them; the longest name wins. Raises NotFound."""
    given = text.split()
    known = {each.folded: each for each in store.everything(session)}
    for count in range(len(given), 0, -1):
        found = known.get(plain(" ".join(given[:count])))
        if found is not None:
            return found, text.split(maxsplit=count)[count] if len(given) > count else ""
    raise NotFound(
        f"Không có trường “{given[0]}”. Xem /truong.", f"There is no field “{given[0]}”. See /truong."
    )  # fmt: skip


def put(session: Session, customer_id: int, field: FieldRow, raw: str, staff_id: int, now: datetime) -> str:
    """Write into a field of a customer; how it is shown. Raises Invalid where it is not of the field's kind."""
    kept = read(field, raw)
    customers.lock(session, [customer_id])
    row = {"customer_id": customer_id, "field_id": field.id, "value": kept.value, "number": kept.number}
    store.put(session, {**row, "set_by": staff_id, "set_at": now})
    return shown(field.kind, kept.value)


def clear(session: Session, customer_id: int, field: FieldRow) -> str:
    """Nothing stands there any more; what did, as it was shown. Raises NotFound where nothing did."""
    customers.lock(session, [customer_id])
    was = store.clear(session, customer_id, field.id)
    if was is None:
        raise NotFound(f"Trường “{field.name}” đang trống.", f"The field “{field.name}” is empty.")
    return shown(field.kind, was)


def count(session: Session, field: FieldRow) -> int:
    """With how many customers something stands in it."""
    return store.count(session, field.id)


def remove(session: Session, field: FieldRow) -> None:
    """The field is gone, with all that stood in it."""
    store.remove(session, field.id)


def of_customer(session: Session, customer_id: int) -> list[tuple[str, str]]:
    """A customer's fields that are filled: their names, and what stands there as it is shown."""
    return [(each.name, shown(each.kind, each.value)) for each in store.of_customer(session, customer_id)]


def value(session: Session, customer_id: int, field: FieldRow) -> Value | None:
    """What stands in one field of a customer."""
    return next((each for each in store.of_customer(session, customer_id) if each.field_id == field.id), None)


def carry_over(session: Session, source: int, target: int) -> None:
    """What stands in one customer's fields stands in another's, where nothing stood there."""
    store.move(session, source, target)


def read(field: FieldRow, raw: str) -> Kept:
    """What was typed, as this field keeps it. Raises Invalid."""
    raw = " ".join(unicodedata.normalize("NFC", raw).split())
    match Kind(field.kind):
        case Kind.NUMBER:
            return _number(raw)
        case Kind.DATE:
            return _date(raw)
        case Kind.CHOICE:
            return _choice(field, raw)
    if not 0 < len(raw) <= LONGEST:
        raise Invalid("value", f"Cần từ 1 đến {LONGEST} ký tự.", f"Write 1 to {LONGEST} characters.")
    return Kept(raw)


def shown(kind: str, value: str) -> str:
    """A value as people read it."""
    return date.fromisoformat(value).strftime("%d/%m/%Y") if kind == Kind.DATE else value


def _number(raw: str) -> Kept:
    """ "1.250.000" and "1,250" are whole numbers, "1,5" and "1.5" are one and a half."""
    if _THOUSANDS.fullmatch(raw):
        plain_number = re.sub(r"[.,]", "", raw)
    elif _DECIMAL.fullmatch(raw):
        plain_number = raw.replace(",", ".")
    else:
        raise Invalid("value", f"“{raw[:30]}” không phải số.", f"“{raw[:30]}” is no number.")
    return Kept(plain_number, float(plain_number))


def _date(raw: str) -> Kept:
    found = _DAY.fullmatch(raw)
    try:
        day = date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(raw)
    except ValueError:
        raise Invalid("value", f"“{raw[:30]}” không phải ngày; ghi như 15/12/2026.",
                      f"“{raw[:30]}” is no day; write 15/12/2026.") from None  # fmt: skip
    return Kept(day.isoformat())


def _choice(field: FieldRow, raw: str) -> Kept:
    choices = field.choices.split("\n")
    for each in choices:
        if plain(each) == plain(raw):
            return Kept(each)
    told = ", ".join(choices)
    raise Invalid("value", f"“{raw[:30]}” không có trong: {told}.", f"“{raw[:30]}” is not one of: {told}.")
