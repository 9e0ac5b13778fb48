"""The transcript: edits, unsending and ticks give the same lines in whatever order their news comes."""

from __future__ import annotations

import random
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from storage import transcripts
from storage.columns import new_id
from tests.storage.rows import NOW, message, person, queue, transaction

EDITS = 4


def line(conversation: int, message_id: str = "m1", author: str = "customer", **more: object) -> dict[str, object]:
    """One line of a conversation."""
    return {
        "id": new_id(), "conversation_id": conversation, "author": author, "text": "first words", "media": "",
        "message_id": message_id, "reply_to": "", "at": NOW, "revision": 0, **more,
    }  # fmt: skip


def shown(session: Session, conversation: int) -> list[str]:
    """The words of the conversation."""
    return [each.text for each in transcripts.latest(session, conversation)]


@pytest.fixture(scope="module")
def one_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """One file for all examples of the property: each has a conversation of its own."""
    path = tmp_path_factory.mktemp("transcripts") / "test.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@settings(max_examples=60, deadline=None)
@given(news=st.permutations([*range(1, EDITS + 1), "unsent"]), unsent=st.booleans(), again=st.integers(0, 2**16))
def test_the_last_edit_stands_and_what_was_unsent_stays_gone(
    one_file: str, news: list[object], unsent: bool, again: int
) -> None:
    told = [each for each in news if unsent or each != "unsent"]
    told += random.Random(again).sample(told, 2)
    with transaction(one_file) as session:
        conversation = person(session, str(new_id()))
        transcripts.add_messages(session, [line(conversation)])
        for each in told:
            if each == "unsent":
                transcripts.unsend(session, conversation, "m1", NOW)
            else:
                transcripts.edit(session, conversation, "m1", f"edit {each}", int(str(each)), NOW)
        assert shown(session, conversation) == ["" if unsent else f"edit {EDITS}"]


def test_an_edit_of_somebody_elses_line_changes_nothing(session: Session) -> None:
    lan, minh = person(session, "1"), person(session, "2")
    transcripts.add_messages(session, [line(lan)])
    assert not transcripts.edit(session, minh, "m1", "forged", 1, NOW)
    assert not transcripts.unsend(session, minh, "m1", NOW)
    assert shown(session, lan) == ["first words"]


def test_unsending_takes_words_and_media_away(session: Session) -> None:
    lan = person(session)
    transcripts.add_messages(session, [line(lan, media='[{"kind": "image"}]')])
    assert transcripts.unsend(session, lan, "m1", NOW)
    (found,) = transcripts.latest(session, lan)
    assert (found.text, found.media, found.unsent_at) == ("", "", NOW)


def test_ticks_fall_on_our_lines_only_and_keep_their_first_time(session: Session) -> None:
    lan = person(session)
    transcripts.add_messages(session, [line(lan)])
    (ours,) = queue(session, message(lan, state="sent", message_id="their id of it"))
    transcripts.add_messages(session, [line(lan, "", "bot", id=ours, at=NOW + timedelta(seconds=1))])
    transcripts.mark(session, lan, "delivered_at", NOW + timedelta(seconds=2), ["their id of it"], None)
    transcripts.mark(session, lan, "delivered_at", NOW + timedelta(seconds=9), [], NOW + timedelta(seconds=9))
    transcripts.mark(session, lan, "seen_at", NOW + timedelta(seconds=9), [], NOW + timedelta(seconds=3))
    theirs, mine = transcripts.latest(session, lan)
    assert (theirs.delivered_at, theirs.seen_at) == (None, None)
    assert (mine.delivered_at, mine.seen_at) == (NOW + timedelta(seconds=2), NOW + timedelta(seconds=9))
    assert (mine.state, mine.message_id) == ("sent", "their id of it")


def test_reading_up_to_a_moment_leaves_later_lines_unread(session: Session) -> None:
    lan = person(session)
    ids = queue(session, message(lan, state="sent"), message(lan, state="sent"))
    lines = [line(lan, "", "bot", id=each, at=NOW + timedelta(minutes=number)) for number, each in enumerate(ids)]
    transcripts.add_messages(session, lines)
    transcripts.mark(session, lan, "seen_at", NOW, [], NOW)
    assert [each.seen_at for each in transcripts.latest(session, lan)] == [NOW, None]


@pytest.mark.parametrize("column", ["delivered_at", "seen_at"])
def test_nobody_reads_what_was_not_sent(session: Session, column: str) -> None:
    lan = person(session)
    states = ("sent", "waiting", "sending", "unknown", "dead")
    ids = queue(session, *(message(lan, state=each) for each in states))
    transcripts.add_messages(session, [line(lan, "", "bot", id=each) for each in ids])
    transcripts.add_messages(session, [line(lan, "m9", "staff")])
    transcripts.mark(session, lan, column, NOW, [], NOW)
    ticked = [(each.author, each.state) for each in transcripts.latest(session, lan) if getattr(each, column)]
    assert ticked == [("bot", "sent"), ("staff", "")]


def test_the_last_line_of_the_brand_is_told_with_what_was_sent(session: Session) -> None:
    lan, minh = person(session, "1"), person(session, "2")
    assert transcripts.last_of_brand(session, lan) is None
    later = NOW + timedelta(minutes=1)
    transcripts.add_messages(session, [line(lan, author="staff")])
    (sent,) = queue(session, message(lan))
    transcripts.add_messages(session, [line(lan, author="bot", id=sent, at=later), line(lan, "m2")])
    transcripts.add_messages(session, [line(minh, author="staff", at=later)])
    said = transcripts.last_of_brand(session, lan)
    assert said is not None and (said.author, bool(said.body), said.at) == ("bot", True, later)
    assert transcripts.last_of_brand(session, minh) == ("staff", "", later, "first words")
