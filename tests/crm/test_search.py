"""Finding customers: by any words of a name without accents, by the end of a number, by an order's code."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from crm import customers, orders, search
from crm.errors import Invalid
from crm.orders import Status
from storage import customers as people
from storage import search as store
from tests.conftest import Clock
from tests.crm.people import born


def tell(session: Session, clock: Clock, code: str, name: str, phone: str = "") -> int:
    """The POS tells of a customer; the id."""
    customers.put_customer(session, code, now=clock(), name=name, phone=phone)
    return customers.find(session, code).id


def names(session: Session, text: str) -> list[str]:
    """Who is found, the best first."""
    return [each.name for each in search.find(session, text).customers]


@pytest.mark.parametrize(
    "text", ["nguyen van a", "NGUYỄN VĂN Á", "văn á", "a nguyen", "ngu va", unicodedata.normalize("NFD", "Nguyễn Á")]
)
def test_a_name_is_found_by_any_of_its_words_however_they_are_typed(session: Session, clock: Clock, text: str) -> None:
    tell(session, clock, "KH1", "Nguyễn Văn Á")
    tell(session, clock, "KH2", "Trần Thị Đào")
    assert names(session, text) == ["Nguyễn Văn Á"]


@pytest.mark.parametrize("text", ["4501", "0901234501", "+84 90 123 45 01", "kh1", "#dh 1"])
def test_numbers_and_codes_find_whose_they_are(session: Session, clock: Clock, text: str) -> None:
    tell(session, clock, "KH1", "Lan", "0901234501")
    tell(session, clock, "KH2", "Mai", "0901234502")
    news = orders.News("pos", "1", "KH1", Status.SHIPPING, 1000, 1, clock(), clock(), (), "DH1")
    orders.put(session, news, clock())
    assert names(session, text) == ["Lan"]


def test_a_new_name_and_number_are_found_and_the_old_ones_no_more(session: Session, clock: Clock) -> None:
    tell(session, clock, "KH1", "Lan", "0901234501")
    tell(session, clock, "KH1", "Hồng", "0901234599")
    assert [names(session, text) for text in ("lan", "4501", "hong", "4599")] == [[], [], ["Hồng"], ["Hồng"]]


def test_what_the_platform_calls_somebody_is_found_and_goes_with_them(session: Session, clock: Clock) -> None:
    person = born(session, clock())
    row = {"id": person.identity_id, "name": "Mèo Ú", "profile_at": clock()}
    people.keep_profiles(session.connection(), [row])
    store.refresh_owners(session.connection(), [person.identity_id])
    assert names(session, "meo u") == ["Lan"]
    owner = tell(session, clock, "KH1", "Trần Mai", "0901234501")
    customers.join_by_phone(session, person, "0901234501", clock())
    (found,) = search.find(session, "meo").customers
    assert (found.id, found.name, found.conversation_id) == (owner, "Trần Mai", person.identity_id)
    assert names(session, "lan") == []


def test_who_is_called_exactly_so_comes_first_then_who_wrote_last(session: Session, clock: Clock) -> None:
    for code, name in (("KH1", "Lan Anh"), ("KH2", "Lan"), ("KH3", "Mai Lan")):
        tell(session, clock, code, name)
    late = born(session, clock(), user_id="u9")
    people.set_identities(session, [{"id": late.identity_id, "last_interaction_at": clock() + timedelta(hours=1)}])
    people.change(session, late.customer_id, name="Lan Chi")
    store.refresh(session.connection(), [late.customer_id])
    assert names(session, "lan")[:2] == ["Lan", "Lan Chi"]


def test_too_little_is_not_looked_for_and_too_much_is_said_to_be_more(session: Session, clock: Clock) -> None:
    for text in ("", "a", "?!", "đ"):
        with pytest.raises(Invalid):
            search.find(session, text)
    for number in range(12):
        tell(session, clock, f"KH{number}", f"Lan {number}")
    found = search.find(session, "lan")
    assert len(found.customers) == 10 and found.more


WORDS = st.lists(st.text("aăâđeêioôơuưyĐÂ ", min_size=1, max_size=6), min_size=1, max_size=4).map(" ".join)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, min_size=1, max_size=6), st.data())
def test_every_part_of_a_name_finds_it(session: Session, clock: Clock, called: list[str], data: st.DataObject) -> None:
    with session.begin_nested() as before:
        ids = [tell(session, clock, f"P{place}", name) for place, name in enumerate(called)]
        place = data.draw(st.integers(0, len(called) - 1))
        words = store.words(called[place])
        if words and max(map(len, words)) > 1:
            some = data.draw(st.permutations(words))
            assert ids[place] in {each.id for each in search.find(session, " ".join(some)).customers}
        before.rollback()
