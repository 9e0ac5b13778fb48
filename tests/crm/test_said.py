"""Finding what was said: pieces that go on where the last ended, words in any spelling, and what is left out."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from crm import said, staff
from crm.errors import Invalid
from crm.staff import Role
from storage import customers, outbox, transcripts
from tests.storage.rows import NOW, message, person, queue
from tests.storage.test_transcripts import line


def all_found(session: Session, words: str) -> list[str]:
    """What is found, piece by piece."""
    found, before = [], said.NEWEST
    while True:
        hits, following = said.look_through(session, said.wanted(words), before)
        found += [hit.text for hit in hits]
        if following is None:
            return found
        assert following < before
        before = following


def test_every_line_is_looked_at_once_newest_first(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said, "PIECE", 4)
    lan = person(session, "1")
    for number in range(11):
        transcripts.add_messages(session, [line(lan, f"m{number}", text=f"hộp số {number}")])
    assert all_found(session, "hop so") == [f"hộp số {number}" for number in reversed(range(11))]


def test_staffs_chats_unsent_lines_and_what_never_went_out_are_left_out(session: Session) -> None:
    lan, minh, stranger = person(session, "1"), person(session, "2"), person(session, "3")
    customers.set_identities(session, [{"id": stranger, "staff_only": True}])
    member = staff.add(session, "Minh", Role.AGENT, NOW)
    customers.set_identities(session, [{"id": minh, "staff_id": member.id}])
    for who in (lan, minh, stranger):
        transcripts.add_messages(session, [line(who, f"m{who}", text=f"hộp của {who}")])
    transcripts.add_messages(session, [line(lan, "gone", text="hộp khác")])
    transcripts.unsend(session, lan, "gone", NOW)
    (kept, back) = queue(session, message(lan), message(lan))
    outbox.move(session, back, "waiting", state="withdrawn")
    for each in (kept, back):
        transcripts.add_messages(session, [line(lan, author="bot", id=each, text=f"hộp {each}")])
    assert all_found(session, "hộp") == [f"hộp {kept}", f"hộp của {lan}"]


@given(st.lists(st.sampled_from(("Hộp", "BÁNH", "móp", "đơn", "giao,", "10kg")), min_size=1, max_size=6), st.booleans())
def test_each_beginning_of_each_word_finds_a_line(words: list[str], apart: bool) -> None:
    text = unicodedata.normalize("NFD" if apart else "NFC", " ".join(words))
    for word in words:
        assert said.has_all(text, said.wanted(word[:3]))
        assert not said.has_all(text, [*said.wanted(word), "khac"])
    assert said.excerpt(text, said.wanted(words[0]))


def test_a_word_inside_of_another_is_not_meant() -> None:
    assert not said.has_all("chuyển khoản", ["yen"])
    assert said.excerpt("một hai ba bốn năm sáu bảy tám", ["bay"]) == "… ba bốn năm sáu bảy tám"


@pytest.mark.parametrize("words", ["", "a", "?!", "1 2"])
def test_too_little_is_not_looked_for(words: str) -> None:
    with pytest.raises(Invalid):
        said.wanted(words)
