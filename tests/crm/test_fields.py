"""The shop's own fields: read by their kind, shown as people write, carried over with the customer."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from crm import customers, fields, notes, staff
from crm.errors import Conflict, Invalid, NotFound
from crm.fields import Kept, Kind
from crm.staff import Role
from storage.fields import FieldRow
from tests.conftest import Clock
from tests.crm.people import born

SIZES = FieldRow(1, "Size", "size", Kind.CHOICE, "S\nM\nRất lớn")


def of(kind: Kind) -> FieldRow:
    """A field of this kind."""
    return FieldRow(1, "x", "x", kind, "")


@pytest.mark.parametrize(
    ("field", "raw", "kept"),
    [
        (of(Kind.NUMBER), "1.250.000", Kept("1250000", 1250000)),
        (of(Kind.NUMBER), "1,250", Kept("1250", 1250)),
        (of(Kind.NUMBER), "-1,5", Kept("-1.5", -1.5)),
        (of(Kind.NUMBER), "1.65", Kept("1.65", 1.65)),
        (of(Kind.DATE), "2/9/1990", Kept("1990-09-02")),
        (of(Kind.DATE), "1990-09-02", Kept("1990-09-02")),
        (of(Kind.TEXT), "  thích \n xanh ", Kept("thích xanh")),
        (SIZES, "RAT LON", Kept("Rất lớn")),
    ],
)
def test_a_value_is_kept_as_its_kind_has_it(field: FieldRow, raw: str, kept: Kept) -> None:
    assert fields.read(field, raw) == kept


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        (of(Kind.NUMBER), "hai"), (of(Kind.NUMBER), "1.2.3"), (of(Kind.NUMBER), "1e5"), (of(Kind.NUMBER), "nan"),
        (of(Kind.DATE), "31/2/2026"), (of(Kind.DATE), "mai"), (of(Kind.TEXT), " "), (of(Kind.TEXT), "x" * 501),
        (SIZES, "XL"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_kind_is_refused(field: FieldRow, raw: str) -> None:
    with pytest.raises(Invalid):
        fields.read(field, raw)


def test_names_are_one_whatever_their_spelling_and_the_longest_is_meant(session: Session, clock: Clock) -> None:
    fields.define(session, "Ngày cưới", Kind.DATE, [], clock())
    fields.define(session, "Ngày", Kind.TEXT, [], clock())
    assert fields.leading(session, "ngay CUOI 1/1/2026")[0].name == "Ngày cưới"
    assert fields.leading(session, "ngay nghỉ  phép")[1] == "nghỉ  phép"
    with pytest.raises(Conflict):
        fields.define(session, "NGAY", Kind.TEXT, [], clock())
    with pytest.raises(Invalid):
        fields.define(session, "Màu", Kind.CHOICE, ["đỏ", "Đỏ"], clock())
    with pytest.raises(NotFound):
        fields.leading(session, "size M")


def test_fields_and_notes_go_with_the_customer(session: Session, clock: Clock) -> None:
    member = staff.add(session, "Minh", Role.AGENT, clock()).id
    size = fields.define(session, "Size", Kind.TEXT, [], clock())
    color = fields.define(session, "Màu", Kind.TEXT, [], clock())
    person = born(session, clock())
    customers.put_customer(session, "KH1", now=clock(), name="Lan", phone="0901234501")
    owner = customers.find(session, "KH1").id
    fields.put(session, person.customer_id, size, "S", member, clock())
    fields.put(session, person.customer_id, color, "xanh", member, clock())
    fields.put(session, owner, size, "L", member, clock())
    notes.write(session, person.customer_id, member, "khách quen", clock())
    customers.join_by_phone(session, person, "0901234501", clock())
    assert fields.of_customer(session, owner) == [("Size", "L"), ("Màu", "xanh")]
    assert [each.text for each in notes.latest(session, owner)] == ["khách quen"]
    fields.remove(session, size)
    assert fields.of_customer(session, owner) == [("Màu", "xanh")]


def test_only_ones_own_last_note_is_taken_away(session: Session, clock: Clock) -> None:
    minh, hoa = (staff.add(session, name, Role.AGENT, clock()).id for name in ("Minh", "Hoa"))
    lan = born(session, clock()).customer_id
    for who, text in ((minh, "một"), (hoa, "hai"), (minh, "ba")):
        notes.write(session, lan, who, text, clock())
    notes.take_away(session, lan, minh, clock())
    assert [each.text for each in notes.latest(session, lan)] == ["hai", "một"]
    notes.take_away(session, lan, minh, clock())
    with pytest.raises(NotFound):
        notes.take_away(session, lan, minh, clock())
