"""Erasing a person: canaries in every column of every table are gone, figures stay, and nobody brings them back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, Table, select, update
from sqlmodel import Session, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from crm import broadcasts, consent, customers, erasure, loyalty, notes, outbox, personal_data, privacy, staff, unsent
from crm.content import Content
from crm.errors import Conflict, NotFound
from crm.messages import Message, Purpose
from crm.privacy import Kind
from crm.staff import Role
from storage import customers as people
from storage import personal, recipients
from tests.conftest import Clock
from tests.crm.people import born, give
from tests.crm.test_privacy import ask

SECRET = "a secret key for tests only"
CANARY, PHONE = "CANARY", "+84909998877"
MARKS = (CANARY, PHONE[3:])
LONG = 40
"""Text columns that hold so much hold words; shorter ones are states and kinds."""

NOT_OF_CUSTOMERS = {
    "account", "alarm", "allowance", "api_key", "audit", "broadcast", "care_rule", "care_standing", "catchup",
    "comment", "consent_terms", "custom_field", "door", "grant_request", "heard", "job", "mark", "pairing", "persona",
    "point_batch", "poll", "programme_version", "ready_text", "reward_taken", "segment", "shut_lane", "staff",
    "staff_desk", "staff_preview", "template", "voucher_guess",
}  # fmt: skip
"""What the shop, its staff and the platforms own; words of staff that name a customer have a test of their own."""
STAYS = {
    ("ledger_entry", "reason"), ("ledger_entry", "source_key"), ("ledger_entry", "actor"),
    ("sales_order", "source"), ("sales_order", "external_id"), ("sales_order", "code"), ("sales_order", "code_key"),
    ("sales_order", "items"), ("order_refund", "external_id"), ("order_refund", "lines"),
    ("point_reservation", "source_key"), ("point_reservation", "actor"), ("point_adjustment", "source_key"),
    ("point_adjustment", "asked_by"), ("point_adjustment", "decided_by"), ("voucher", "source_key"),
    ("voucher", "vi"), ("voucher", "en"), ("voucher", "actor"), ("voucher_use", "source_key"), ("voucher_use", "actor"),
    ("consent_entry", "actor"), ("data_request", "ended_by"), ("data_request", "outcome"), ("erasure", "actor"),
    ("erasure", "touched"), ("identity", "account_id"), ("thread", "account_id"), ("inbox", "account_id"),
    ("inbox", "dedup"),
    ("outbox", "account_id"), ("outbox", "lane"), ("outbox", "quota"), ("outbox", "lease_owner"),
    ("recipient", "lane"), ("recipient", "reason"), ("suppression", "digest"), ("tag", "set_by"),
}  # fmt: skip
"""What accounts and proofs need, and what says nothing of the person: numbers of orders, who did it, which account."""


def test_no_table_is_forgotten() -> None:
    known = {held.table for held in personal.EVERYTHING} | personal.NO_PERSONS
    assert known == set(SQLModel.metadata.tables)


def test_canaries_in_every_column_are_gone(session: Session, clock: Clock) -> None:
    customer = plant(session, clock())
    words = {
        ("message", "text"),
        ("media", "content"),
        ("identity", "user_id"),
        ("inbox", "body"),
        ("customer", "phone"),
    }
    assert set(found(session)) >= words
    erasure.erase(session, customer, secret_key=SECRET, now=clock(), by="cli")
    left = {(table, column) for table, column in found(session) if table not in NOT_OF_CUSTOMERS}
    assert left - STAYS == set()


def plant(session: Session, now: datetime) -> int:
    """One row in every table, all of one customer, with a canary in whatever holds words; the customer."""
    keys: dict[str, Any] = {}
    for number, table in enumerate(SQLModel.metadata.sorted_tables, 1001):
        row: dict[str, Any] = {}
        for column in table.columns:
            target = next(iter(column.foreign_keys), None)
            if target is None:
                row[column.name] = a_value(table, column, number, now)
            elif target.column.table is not table and (table.name, column.name) != ("identity", "staff_id"):
                row[column.name] = keys[target.column.table.name]
        row |= JOINED.get(table.name, {})
        session.connection().execute(table.insert(), [row])
        keys[table.name] = row[next(iter(table.primary_key.columns)).name]
    return int(keys["customer"])


CHAT = {"channel": "zalo", "account_id": "oa1"}
JOINED: dict[str, dict[str, Any]] = {
    "customer": {"phone": PHONE},
    "identity": {**CHAT, "user_id": CANARY, "staff_only": False},
    "thread": {**CHAT, "id": 7, "thread_key": CANARY},
    "outbox": {"state": "dead"},
    "inbox": {"state": "done", "thread_id": 7},
    "data_request": {"state": "open", "kind": "erase"},
}


def a_value(table: Table, column: Column[Any], number: int, now: datetime) -> Any:
    """A canary where there is room for words, else something that the column takes."""
    if isinstance(column.type, UTCDateTime):
        return now
    if isinstance(column.type, LargeBinary):
        return f"{CANARY} {table.name}".encode()
    if isinstance(column.type, Integer | Boolean | Float):
        return column.type.python_type(number)
    length = getattr(column.type, "length", None) or 255
    return f"{CANARY} {table.name}"[:length] if length >= LONG else "x"


def found(session: Session) -> Iterator[tuple[str, str]]:
    """Every table and column in which a mark stands somewhere."""
    for table in SQLModel.metadata.sorted_tables:
        for row in session.connection().execute(select(table)).mappings():
            for name, value in row.items():
                text = bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
                if any(mark in text for mark in MARKS):
                    yield table.name, name


def test_figures_stay_without_a_person_and_points_are_burned(session: Session, clock: Clock) -> None:
    customers.put_customer(session, "KH9001", now=clock(), name="Nguyễn Thị Lan", phone=PHONE)
    customer = customers.find(session, "KH9001").id
    give(session, customer, 30, clock())
    certificate = erasure.erase(session, customer, secret_key=SECRET, now=clock.pass_by(hours=1), by="staff:7")
    assert (loyalty.balance(session, customer), [entry.points for entry in loyalty.history(session, customer)]) == (
        0, [-30, 30],
    )  # fmt: skip
    assert (certificate.customer_id, certificate.actor, certificate.at) == (customer, "staff:7", clock())
    assert json.loads(certificate.touched)["customer"] == 1
    profile = people.profile(session, customer)
    assert profile is not None
    assert (profile.name, profile.phone, profile.external_id, profile.marketing) == ("", None, None, "withdrawn")
    with pytest.raises(NotFound):
        customers.find(session, "KH9001")


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        ("pending", "", ("skipped", "erased")), ("pending", "talking", ("skipped", "erased")),
        ("skipped", "no_consent", ("skipped", "no_consent")), ("failed", "-230", ("failed", "-230")),
        ("sent", "", ("sent", "")),
    ],
)  # fmt: skip
def test_who_still_waited_for_a_broadcast_has_their_erasure_as_the_reason_in_words_and_what_was_stays(
    session: Session, clock: Clock, state: str, reason: str, told: tuple[str, str]
) -> None:
    lan, at = born(session, clock()).customer_id, clock()
    number = broadcasts.draft(session, "Tết", Purpose.BROADCAST, Content("Chào"), "tatca", "cli", at)
    row = {"broadcast_id": number, "customer_id": lan, "purpose": "broadcast", "due_at": at, "created_at": at}
    recipients.enrol(session, [row | {"state": state, "reason": reason}])
    erasure.erase(session, lan, secret_key=SECRET, now=clock(), by="cli")
    (found,) = recipients.tally(session, number)
    assert (found.state, found.reason) == told
    assert unsent.words("erased").vi == "dữ liệu của khách đã được xóa"


def test_who_was_erased_is_not_brought_back_by_the_till(session: Session, clock: Clock) -> None:
    customers.put_customer(session, "C1", now=clock(), name="Lan", phone=PHONE)
    erasure.erase(session, customers.find(session, "C1").id, secret_key=SECRET, now=clock(), by="cli")
    customers.put_customer(session, "C2", now=clock(), name="Lan", phone=PHONE)
    again = customers.find(session, "C2").id

    def record(secret_key: str = SECRET) -> None:
        consent.record(
            session, again, granted=True, at=clock(), now=clock(), secret_key=secret_key, actor="api"
        )  # fmt: skip

    for keys in (SECRET, f"a newer secret key,{SECRET}"):
        with pytest.raises(Conflict, match="erased"):
            record(keys)
    consent.say(session, again, granted=True, at=clock(), channel="zalo")
    assert consent.standing(session, [again], Purpose.BROADCAST, "zalo") == {again: consent.Standing.GRANTED}


def test_who_follows_again_is_somebody_new_of_whom_nothing_is_known(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    erasure.erase(session, lan.customer_id, secret_key=SECRET, now=clock(), by="cli")
    again = born(session, clock())
    assert again.user_id == lan.user_id and again.customer_id != lan.customer_id
    with pytest.raises(Conflict, match="erased"):
        consent.record(
            session, again.customer_id, granted=True, at=clock(), now=clock(), secret_key=SECRET, actor="api"
        )  # fmt: skip


def test_all_who_became_one_customer_are_erased_together(session: Session, clock: Clock) -> None:
    customers.put_customer(session, "C1", now=clock(), name="Lan", phone=PHONE)
    lan = born(session, clock())
    customers.join_by_phone(session, lan, PHONE, clock())
    erasure.erase(session, lan.customer_id, secret_key=SECRET, now=clock(), by="cli")
    chat = people.person(session, lan.identity_id)
    assert chat is not None and (chat.user_id, chat.identity_name) == (f"erased:{lan.identity_id}", "")
    assert customers.page(session, 0, 10) == []


def test_what_staff_were_told_of_them_is_emptied_and_of_others_kept(session: Session, clock: Clock) -> None:
    customers.put_customer(session, "C1", now=clock(), name="Nguyễn Thị Lan", phone=PHONE)
    customer = customers.find(session, "C1").id
    minh = staff.add(session, "Minh", Role.LEAD, clock())
    chat = born(session, clock(), user_id="minh")
    staff.pair(session, chat, staff.pairing_in(staff.issue_pairing(session, minh.id, clock())), clock())
    chat = people.person(session, chat.identity_id) or chat
    for words in ("Nguyễn Thị Lan đang chờ", "gọi 0909998877", "Trần Hoa đang chờ"):
        assert outbox.send(session, chat, [Message(words)], Purpose.REPLY, clock()) is None
    bodies = SQLModel.metadata.tables["outbox"]
    session.connection().execute(update(bodies).values(state="sent"))
    notes.write(session, customer, minh.id, "Nguyễn Thị Lan thích màu xanh", clock())
    erasure.erase(session, customer, secret_key=SECRET, now=clock(), by="cli")
    said = [Message.loads(body).text for body in session.connection().execute(select(bodies.c.body)).scalars()]
    assert sorted(said) == ["", "", "Trần Hoa đang chờ"]
    with pytest.raises(Conflict):
        erasure.erase(session, chat.customer_id, secret_key=SECRET, now=clock(), by="cli")


def test_a_request_is_carried_out_once_and_ends_all_others_of_that_person(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    ask(session, lan.customer_id, Kind.SEE, clock)
    request = ask(session, lan.customer_id, Kind.ERASE, clock)
    certificate = erasure.carry_out(session, request.id, secret_key=SECRET, now=clock(), by="cli")
    assert certificate.request_id == request.id
    assert privacy.open_requests(session) == []
    with pytest.raises(Conflict):
        erasure.carry_out(session, request.id, secret_key=SECRET, now=clock(), by="cli")


def test_everything_that_is_held_is_in_the_export_and_nothing_of_others(session: Session, clock: Clock) -> None:
    customer = plant(session, clock())
    born(session, clock(), user_id="hoa")
    shown = json.loads(json.dumps(personal_data.everything(session, customer, clock())))
    assert set(shown["held"]) == {held.table for held in personal.EVERYTHING if held.shown}
    assert len(shown["held"]["customer"]) == 1 and "hoa" not in json.dumps(shown)
    with pytest.raises(NotFound):
        personal_data.everything(session, 1, clock())
