"""Staff: names, codes, PINs, and that they are no customers; on both engines."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crm import consent, customers, notices, outbox, staff
from crm.customers import Join
from crm.errors import Conflict, Invalid, NotFound
from crm.messages import Message, Purpose
from crm.reach import Refusal
from crm.staff import Pin, Role
from storage import customers as people
from storage import served
from storage import staff as store
from storage.columns import new_id
from storage.staff import StaffRow
from tests.conftest import Clock
from tests.crm.people import again, born, give

KEY = "a secret key for tests only"


def minh(session: Session, clock: Clock, role: Role = Role.AGENT) -> StaffRow:
    """A member of staff."""
    return staff.add(session, "Nguyễn Văn Minh", role, clock())


def test_names_are_found_without_accents_and_by_their_last_word(session: Session, clock: Clock) -> None:
    member = minh(session, clock)
    for name in ("nguyen van minh", "Minh", "MINH", "Nguyễn Văn"):
        assert staff.named(session, name) == member, name
    with pytest.raises(NotFound):
        staff.named(session, "Lan")
    other = staff.add(session, "Trần Minh", Role.LEAD, clock())
    person = born(session, clock())
    code = staff.pairing_in(staff.issue_pairing(session, other.id, clock()))
    staff.pair(session, person, code, clock())
    with pytest.raises(Invalid) as refused:
        staff.named(session, "minh")
    assert refused.value.en == (
        f"“minh” may be: Nguyễn Văn Minh (agent, no chat, {member.id}), "
        f"Trần Minh (lead, {person.channel}, {other.id}). Give the whole name or the id."
    )
    assert f"Nguyễn Văn Minh (agent, chưa có chat, {member.id})" in refused.value.vi
    assert staff.named(session, "tran minh") == staff.named(session, f"{other.id}") == other
    with pytest.raises(Invalid, match="already"):
        minh(session, clock)


def test_whoever_acts_is_one_person_by_a_shorter_name_too(session: Session, clock: Clock) -> None:
    hoa, _ = (staff.add(session, name, Role.LEAD, clock()) for name in ("Phan Mỹ Hoa", "Lê Mai"))
    for name in ("Phan Mỹ Hoa", "phan my hoa", "Hoa"):
        assert staff.actor(session, name, "cli") == f"staff:{hoa.id}"
    assert [staff.actor(session, name, "cli") for name in ("Ho", "owner")] == ["cli:Ho", "cli:owner"]
    staff.add(session, "Trần Mai", Role.LEAD, clock())
    assert staff.actor(session, "Mai", "cli") == "cli:Mai", "two are called so"
    with pytest.raises(Invalid, match="“Mai” may be: Lê Mai"):
        staff.one_actor(session, "Mai", "cli")
    assert staff.one_actor(session, "owner", "cli") == "cli:owner"


def test_two_of_one_name_are_told_apart_by_their_ids(session: Session, clock: Clock) -> None:
    first = staff.add(session, "Mai", Role.LEAD, clock())
    store.add(session, new_id(), "Mai", Role.AGENT.value, clock())
    for ask in (staff.named, partial(staff.one_actor, surface="cli")):
        with pytest.raises(Invalid, match=f"{first.id}"):
            ask(session, "Mai")
    assert staff.named(session, str(first.id)) == first
    assert staff.one_actor(session, str(first.id), "cli") == f"staff:{first.id}"
    staff.revoke(session, first.id, clock())
    assert staff.one_actor(session, str(first.id), "cli") == f"cli:{first.id}"


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_a_name_has_1_to_60_characters(session: Session, clock: Clock, name: str) -> None:
    with pytest.raises(Invalid):
        staff.add(session, name, Role.AGENT, clock())


def test_a_new_code_ends_the_one_before(session: Session, clock: Clock) -> None:
    member, person = minh(session, clock), born(session, clock())
    first = staff.pairing_in(staff.issue_pairing(session, member.id, clock()))
    second = staff.pairing_in(staff.issue_pairing(session, member.id, clock()))
    assert staff.pair(session, person, first, clock()) is None
    assert staff.pair(session, person, second, clock()) == member
    assert again(session, person.identity_id).staff_id == member.id


def test_only_a_line_that_is_nothing_else_is_looked_at_as_a_code() -> None:
    assert staff.pairing_in(" nv abcde-fghjk\n") == "ABCDEFGHJK"
    for line in ("NV", "NV-ABCDE", "NV-ABCDE-FGHJ1", "mã NV-ABCDE-FGHJK", "NV-ABCDE-FGHJK nhé", "NVABCDEFGHJKL"):
        assert staff.pairing_in(line) == "", line


def test_revoked_staff_get_no_code_and_theirs_end(session: Session, clock: Clock) -> None:
    member, person = minh(session, clock), born(session, clock())
    code = staff.pairing_in(staff.issue_pairing(session, member.id, clock()))
    staff.revoke(session, member.id, clock())
    assert staff.pair(session, person, code, clock()) is None
    with pytest.raises(Conflict):
        staff.issue_pairing(session, member.id, clock())
    with pytest.raises(NotFound):
        staff.named(session, "minh")


def test_what_was_still_to_be_told_of_customers_goes_to_no_chat_of_somebody_revoked(
    session: Session, clock: Clock
) -> None:
    member, person = minh(session, clock), born(session, clock())
    staff.pair(session, person, staff.pairing_in(staff.issue_pairing(session, member.id, clock())), clock())
    notices.tell(session, member.id, "test", lambda _: Message("Lan hỏi đơn"), clock())
    staff.revoke(session, member.id, clock())
    assert session.connection().execute(text("SELECT state FROM outbox")).scalars().all() == ["withdrawn"]


def test_a_whole_name_is_read_where_its_words_alone_are_several_peoples(session: Session, clock: Clock) -> None:
    for name in ("Minh Tú", "Lan Anh", "Minh Anh", "Anh"):
        staff.add(session, name, Role.AGENT, clock())
    found = staff.leading_name(session, "minh anh nhé")
    assert found is not None and (found.member.name, found.rest) == ("Minh Anh", "nhé")
    found = staff.leading_name(session, "Anh Minh")
    assert found is not None and (found.member.name, found.rest) == ("Anh", "Minh")
    assert staff.leading_name(session, "Minh") is None and staff.leading_name(session, "") is None


def test_the_fifth_wrong_pin_in_a_row_locks(session: Session, clock: Clock) -> None:
    member = minh(session, clock)
    assert staff.try_pin(session, member.id, "1234", KEY, clock()) is Pin.NONE
    staff.set_pin(session, member.id, "271828", KEY)
    tries = ["000001"] * 4 + ["271828"] + ["000001"] * 5 + ["271828"]
    came = [staff.try_pin(session, member.id, each, KEY, clock()) for each in tries]
    assert came == [Pin.WRONG] * 4 + [Pin.RIGHT] + [Pin.WRONG] * 4 + [Pin.LOCKED] * 2
    staff.set_pin(session, member.id, "314159", KEY)
    assert staff.try_pin(session, member.id, "314159", KEY, clock()) is Pin.RIGHT


def test_a_pin_outlives_a_new_secret_key_in_front_of_the_old_one(session: Session, clock: Clock) -> None:
    member = minh(session, clock)
    staff.set_pin(session, member.id, "271828", KEY)
    assert staff.try_pin(session, member.id, "271828", f"another key,{KEY}", clock()) is Pin.RIGHT
    assert staff.try_pin(session, member.id, "271828", "another key", clock()) is Pin.WRONG


@pytest.mark.parametrize("pin", ["", "123", "123456789", "1111", "12a4", "١٢٣٤"])
def test_a_pin_is_4_to_8_digits(session: Session, clock: Clock, pin: str) -> None:
    with pytest.raises(Invalid):
        staff.set_pin(session, minh(session, clock).id, pin, KEY)


def test_a_chat_of_a_customer_that_becomes_staffs_is_parted_from_them(session: Session, clock: Clock) -> None:
    customers.put_customer(session, "C1", now=clock(), name="Lan", phone="0901234567")
    person = born(session, clock())
    give(session, person.customer_id, 100, clock())
    assert customers.join_by_phone(session, person, "0901234567", clock()) is Join.JOINED
    code = staff.pairing_in(staff.issue_pairing(session, minh(session, clock).id, clock()))
    staff.pair(session, again(session, person.identity_id), code, clock())
    after = again(session, person.identity_id)
    assert after.external_id is None and after.customer_id != person.customer_id
    owner = people.external(session, "C1")
    assert owner is not None and served.serves(session, owner.id) and not served.serves(session, after.customer_id)


def test_staff_are_joined_to_no_customer_and_get_no_marketing(session: Session, clock: Clock) -> None:
    person = born(session, clock())
    code = staff.pairing_in(staff.issue_pairing(session, minh(session, clock).id, clock()))
    staff.pair(session, person, code, clock())
    customers.put_customer(session, "C1", now=clock(), name="Lan", phone="0901234567")
    person = again(session, person.identity_id)
    assert customers.join_by_phone(session, person, "0901234567", clock()) is Join.REFUSED
    consent.say(session, person.customer_id, granted=True, at=clock())
    assert outbox.send(session, person, [Message("x")], Purpose.BROADCAST, clock()) is Refusal.NO_CONSENT
