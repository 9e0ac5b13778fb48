"""Fields that a shop adds to its customers, and what stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import UniqueConstraint, delete, func, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment, part_of_key, reference, serial


class CustomField(SQLModel, table=True):
    """A field: its name, `folded` as names are compared, its kind, and the lines of what may be chosen."""

    __tablename__ = "custom_field"
    __table_args__ = (UniqueConstraint("folded"),)

    id: int | None = serial()
    name: str = Field(max_length=40)
    folded: str = Field(max_length=40)
    kind: str = Field(max_length=16)
    choices: str = ""
    created_at: datetime = moment()


class CustomerField(SQLModel, table=True):
    """What stands in a field of a customer; `number` is the same as a number, where it is one, to be compared."""

    __tablename__ = "customer_field"

    customer_id: int = part_of_key("customer.id")
    field_id: int = part_of_key("custom_field.id")
    value: str = Field(max_length=500)
    number: float | None = None
    set_by: int = reference("staff.id")
    set_at: datetime = moment()


class FieldRow(NamedTuple):
    """A field as read."""

    id: int
    name: str
    folded: str
    kind: str
    choices: str


class Value(NamedTuple):
    """What stands in a field of a customer."""

    field_id: int
    name: str
    kind: str
    value: str


_field = CustomField.__table__  # type: ignore[attr-defined]
_value = CustomerField.__table__  # type: ignore[attr-defined]


def everything(session: Session) -> list[FieldRow]:
    """All fields, in the order in which they were made."""
    statement = select(*(_field.c[name] for name in FieldRow._fields)).order_by(_field.c.id)
    return [FieldRow._make(row) for row in session.connection().execute(statement)]


def add(session: Session, row: Mapping[str, Any]) -> bool:
    """Add a field; False where there is one of this name."""
    statement = insert(session.get_bind().dialect.name, _field).values(**row)
    added = statement.on_conflict_do_nothing(index_elements=["folded"]).returning(_field.c.id)
    return session.connection().execute(added).first() is not None


def count(session: Session, field_id: int) -> int:
    """With how many customers something stands in it."""
    statement = select(func.count()).select_from(_value).where(_value.c.field_id == field_id)
    return int(session.connection().execute(statement).scalar_one())


def remove(session: Session, field_id: int) -> None:
    """The field is gone, with all that stood in it."""
    session.connection().execute(delete(_value).where(_value.c.field_id == field_id))
    session.connection().execute(delete(_field).where(_field.c.id == field_id))


def put(session: Session, row: Mapping[str, Any]) -> None:
    """Write what stands in a field of a customer, in the place of what stood there."""
    statement = insert(session.get_bind().dialect.name, _value).values(**row)
    told = {name: row[name] for name in ("value", "number", "set_by", "set_at")}
    put = statement.on_conflict_do_update(index_elements=["customer_id", "field_id"], set_=told)
    session.connection().execute(put)


def clear(session: Session, customer_id: int, field_id: int) -> str | None:
    """Nothing stands there any more; what did, None where nothing."""
    these = (_value.c.customer_id == customer_id, _value.c.field_id == field_id)
    return session.connection().execute(delete(_value).where(*these).returning(_value.c.value)).scalar_one_or_none()


def of_customer(session: Session, customer_id: int) -> list[Value]:
    """What stands in a customer's fields, in the order of the fields."""
    statement = (
        select(_field.c.id, _field.c.name, _field.c.kind, _value.c.value)
        .join(_value, _value.c.field_id == _field.c.id)
        .where(_value.c.customer_id == customer_id)
        .order_by(_field.c.id)
    )
    return [Value._make(row) for row in session.connection().execute(statement)]


def move(session: Session, source: int, target: int) -> None:
    """What stands in one customer's fields stands in another's, where nothing stood there."""
    taken = delete(_value).where(_value.c.customer_id == source).returning(*_value.c)
    rows = [{**row, "customer_id": target} for row in session.connection().execute(taken).mappings()]
    if rows:
        statement = insert(session.get_bind().dialect.name, _value).values(rows).on_conflict_do_nothing()
        session.connection().execute(statement)
