"""Customers of the POS, and joining the people in the chats to them: never by a guess, never twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import Session

from crm import codes, consent, customers, loyalty, privacy, tickets
from crm.customers import Join, Outcome
from crm.errors import Invalid, NotFound
from crm.privacy import Kind
from storage import customers as people
from storage.database import Database
from tests.conftest import Clock
from tests.crm.people import POLICY, again, born, give
from tests.crm.test_privacy import ask

PHONE = "0901234567"


def put(session: Session, clock: Clock, external_id: str = "C1", **said: object) -> Outcome:
    """The POS tells of a customer."""
    return customers.put_customer(session, external_id, now=clock(), **{"name": "Nguyễn Lan", **said})


def test_the_same_customer_twice_changes_nothing(session: Session, clock: Clock) -> None:
    assert [put(session, clock, phone=PHONE) for _ in range(2)] == [Outcome.CREATED, Outcome.UNCHANGED]


def test_a_number_is_kept_in_one_form(session: Session, clock: Clock) -> None:
    put(session, clock, phone="090 123 45 67")
    assert customers.find(session, "C1").phone == "+84901234567"


def test_what_the_pos_leaves_out_is_empty_afterwards(session: Session, clock: Clock) -> None:
    put(session, clock, phone=PHONE, email="lan@example.vn")
    assert put(session, clock) == Outcome.UPDATED
    told = customers.find(session, "C1")
    assert (told.phone, told.email) == (None, "")


def test_older_news_of_a_customer_is_stale(session: Session, clock: Clock) -> None:
    put(session, clock, version=7)
    assert put(session, clock, version=6, name="Cũ") == Outcome.STALE
    assert customers.find(session, "C1").name == "Nguyễn Lan"


def test_equal_news_with_a_newer_version_still_moves_the_version(session: Session, clock: Clock) -> None:
    put(session, clock, version=1)
    assert put(session, clock, version=2**62) == Outcome.UNCHANGED
    assert put(session, clock, version=2, name="Cũ") == Outcome.STALE


def test_a_bad_number_is_refused_by_its_field(session: Session, clock: Clock) -> None:
    with pytest.raises(Invalid) as refused:
        put(session, clock, phone="12")
    assert refused.value.field == "phone"


def test_an_unknown_customer_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        customers.find(session, "nobody")


def test_a_shared_number_joins_the_one_customer_who_has_it(session: Session, clock: Clock) -> None:
    put(session, clock, phone=PHONE)
    lan = born(session, clock())
    assert customers.join_by_phone(session, lan, "84901234567", clock()) == Join.JOINED
    joined = again(session, lan.identity_id)
    assert (joined.external_id, joined.customer_name) == ("C1", "Nguyễn Lan")
    assert customers.join_by_phone(session, lan, PHONE, clock()) == Join.ALREADY


def test_a_number_of_two_customers_joins_nobody(session: Session, clock: Clock) -> None:
    put(session, clock, "C1", phone=PHONE)
    put(session, clock, "C2", phone=PHONE)
    lan = born(session, clock())
    assert customers.join_by_phone(session, lan, PHONE, clock()) == Join.AMBIGUOUS
    assert again(session, lan.identity_id).external_id is None


def test_who_is_joined_already_is_never_moved_to_another(session: Session, clock: Clock) -> None:
    put(session, clock, "C1", phone=PHONE)
    put(session, clock, "C2", phone="0907654321")
    lan = born(session, clock())
    customers.join_by_phone(session, lan, PHONE, clock())
    assert customers.join_by_phone(session, lan, "0907654321", clock()) == Join.REFUSED
    code = customers.issue_code(session, customers.find(session, "C2").id, clock())
    assert customers.join_by_code(session, lan, code, clock()) == Join.REFUSED
    assert again(session, lan.identity_id).external_id == "C1"


def test_a_second_number_that_nobody_has_is_not_kept(session: Session, clock: Clock) -> None:
    put(session, clock, "C1", phone=PHONE)
    lan = born(session, clock())
    customers.join_by_phone(session, lan, PHONE, clock())
    assert customers.join_by_phone(session, lan, "0907654321", clock()) == Join.OTHER_NUMBER
    put(session, clock, "C2", phone="0907654321")
    joined = again(session, lan.identity_id)
    assert (joined.external_id, joined.phone) == ("C1", "+84901234567")


def test_a_refused_code_stays_good_for_its_owner(session: Session, clock: Clock) -> None:
    put(session, clock, "C1", phone=PHONE)
    put(session, clock, "C2")
    lan, minh = born(session, clock()), born(session, clock(), user_id="u2")
    customers.join_by_phone(session, lan, PHONE, clock())
    code = customers.issue_code(session, customers.find(session, "C2").id, clock())
    customers.join_by_code(session, lan, code, clock())
    assert customers.join_by_code(session, minh, code, clock()) == Join.JOINED


def test_a_shared_number_waits_for_the_pos(session: Session, clock: Clock) -> None:
    lan, same = born(session, clock()), born(session, clock(), channel="messenger")
    for person in (lan, same):
        assert customers.join_by_phone(session, person, PHONE, clock()) == Join.NO_MATCH
    put(session, clock, phone=PHONE)
    assert {again(session, person.identity_id).external_id for person in (lan, same)} == {"C1"}


def test_a_number_that_two_pos_customers_have_joins_nobody_later(session: Session, clock: Clock) -> None:
    put(session, clock, "C1", phone=PHONE)
    put(session, clock, "C2", phone=PHONE)
    lan = born(session, clock())
    customers.join_by_phone(session, lan, PHONE, clock())
    put(session, clock, "C2", phone=PHONE, email="b@example.vn")
    assert again(session, lan.identity_id).external_id is None


@pytest.mark.parametrize("phone", ["", "12", "abc"])
def test_a_shared_number_that_is_none_matches_nobody(session: Session, clock: Clock, phone: str) -> None:
    put(session, clock)
    assert customers.join_by_phone(session, born(session, clock()), phone, clock()) == Join.NO_MATCH


def test_everything_a_person_had_comes_along(session: Session, clock: Clock) -> None:
    put(session, clock, phone=PHONE)
    target = customers.find(session, "C1").id
    lan = born(session, clock())
    number = tickets.open(session, lan.customer_id, lan.identity_id, "Hộp bị móp", clock(), POLICY)
    give(session, lan.customer_id, 5, clock(), "gift:1")
    give(session, target, 7, clock(), "gift:2")
    consent.say(session, lan.customer_id, granted=True, at=clock())
    ask(session, lan.customer_id, Kind.ERASE, clock)
    customers.join_by_phone(session, lan, PHONE, clock())
    assert tickets.find(session, number).customer_id == target
    assert (loyalty.balance(session, target), loyalty.balance(session, lan.customer_id)) == (12, 0)
    assert [entry.granted for entry in consent.entries(session, target)] == [True]
    assert [request.customer_id for request in privacy.open_requests(session)] == [target]
    assert again(session, lan.identity_id).marketing == "granted"
    old = people.profile(session, lan.customer_id)
    assert old is not None and old.merged_into == target


@pytest.mark.parametrize(("chat_hour", "word"), [(1, "withdrawn"), (3, "granted")])
def test_the_later_word_on_marketing_stands_after_joining(
    session: Session, clock: Clock, chat_hour: int, word: str
) -> None:
    put(session, clock, phone=PHONE)
    lan = born(session, clock())
    consent.say(session, customers.find(session, "C1").id, granted=False, at=clock() + timedelta(hours=2))
    consent.say(session, lan.customer_id, granted=True, at=clock() + timedelta(hours=chat_hour))
    customers.join_by_phone(session, lan, PHONE, clock())
    assert again(session, lan.identity_id).marketing == word


def test_an_undated_no_survives_joining(session: Session, clock: Clock) -> None:
    put(session, clock, phone=PHONE)
    lan = born(session, clock())
    people.change(session, lan.customer_id, marketing="withdrawn")
    people.change(session, customers.find(session, "C1").id, marketing="granted")
    customers.join_by_phone(session, lan, PHONE, clock())
    assert again(session, lan.identity_id).marketing == "withdrawn"


def test_a_code_joins_once(session: Session, clock: Clock) -> None:
    put(session, clock)
    code = customers.issue_code(session, customers.find(session, "C1").id, clock())
    lan, minh = born(session, clock()), born(session, clock(), user_id="u2")
    assert customers.join_by_code(session, lan, f" {code[:4].lower()}-{code[4:]} ", clock()) == Join.JOINED
    assert customers.join_by_code(session, minh, code, clock()) == Join.NO_MATCH


def test_a_second_code_of_the_same_customer_says_already(session: Session, clock: Clock) -> None:
    put(session, clock)
    codes = [customers.issue_code(session, customers.find(session, "C1").id, clock()) for _ in range(2)]
    lan = born(session, clock())
    assert [customers.join_by_code(session, lan, code, clock()) for code in codes] == [Join.JOINED, Join.ALREADY]


def test_a_code_dies_after_thirty_days(session: Session, clock: Clock) -> None:
    put(session, clock)
    code = customers.issue_code(session, customers.find(session, "C1").id, clock())
    clock.pass_by(days=30)
    assert customers.join_by_code(session, born(session, clock()), code, clock()) == Join.NO_MATCH


def test_after_five_wrong_codes_even_the_right_one_waits_an_hour(session: Session, clock: Clock) -> None:
    put(session, clock)
    code = customers.issue_code(session, customers.find(session, "C1").id, clock())
    lan = born(session, clock())
    for _ in range(5):
        assert customers.join_by_code(session, lan, "ABCDEFGH", clock()) == Join.NO_MATCH
    assert customers.join_by_code(session, lan, code, clock()) == Join.REFUSED
    assert customers.join_by_code(session, lan, code, clock.pass_by(hours=1)) == Join.JOINED


def test_one_persons_wrong_codes_cost_nobody_else(session: Session, clock: Clock) -> None:
    put(session, clock)
    code = customers.issue_code(session, customers.find(session, "C1").id, clock())
    lan, minh = born(session, clock()), born(session, clock(), user_id="u2")
    for _ in range(6):
        customers.join_by_code(session, lan, "ABCDEFGH", clock())
    assert customers.join_by_code(session, minh, code, clock()) == Join.JOINED


def test_every_slip_of_one_letter_and_every_swap_is_noticed(session: Session, clock: Clock) -> None:
    put(session, clock)
    owner = customers.find(session, "C1").id
    for _ in range(20):
        code = customers.issue_code(session, owner, clock())
        assert len(code) == 8 and not set(code) & set("01ILO")
        swapped = {code[:i] + code[i + 1] + code[i] + code[i + 2 :] for i in range(7)} - {code}
        slipped = {code[:i] + other + code[i + 1 :] for i in range(8) for other in "23ABXYZ"} - {code}
        assert not any(codes.is_code(wrong, 8) for wrong in swapped | slipped)


@pytest.mark.parametrize(
    "words", ["{}", "mã của mình là {} ạ", "({})", "mã:{}", "12 đây {}!", "{} là mã nha", "mã\n{}", "MÃ {} HAY SAO"]
)
def test_a_code_is_found_in_a_line(session: Session, clock: Clock, words: str) -> None:
    put(session, clock)
    for _ in range(20):
        code = customers.issue_code(session, customers.find(session, "C1").id, clock())
        assert customers.code_in(words.format(code)) == code
        assert customers.code_in(words.format(code.lower())) == code


def test_a_code_in_pieces_is_found(session: Session, clock: Clock) -> None:
    put(session, clock)
    for _ in range(20):
        code = customers.issue_code(session, customers.find(session, "C1").id, clock())
        assert customers.code_in(f" {code[:4]} {code[4:]} ") == code
        assert customers.code_in("-".join(code)) == code
        if any(letter.isdigit() for letter in code):
            assert customers.code_in(f"mã {code[:4]}-{code[4:]} ạ") == code


@pytest.mark.parametrize(
    "words",
    ["", "bao giờ có", "hàng bị vỡ", "tôi không có mã", "HD000123", "0901234567", "1234 5678", "blablabla", "x" * 5000],
)
def test_other_words_hold_no_code(words: str) -> None:
    assert customers.code_in(words) == ""


async def test_a_code_that_two_people_type_at_once_joins_one(database: Database, clock: Clock) -> None:
    def prepare(session: Session) -> tuple[str, int, int]:
        put(session, clock)
        code = customers.issue_code(session, customers.find(session, "C1").id, clock())
        return code, born(session, clock()).identity_id, born(session, clock(), user_id="u2").identity_id

    code, *identities = await database.write(prepare)
    joins = await asyncio.gather(
        *(
            database.write(lambda s, i=identity: customers.join_by_code(s, again(s, i), code, clock()))
            for identity in identities
        )
    )
    assert sorted(joins) == [Join.JOINED, Join.NO_MATCH]
