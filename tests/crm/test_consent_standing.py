"""Whom marketing and care may go to: any history of words, tellings out of order and joins, against a naive model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from crm import consent, customers
from crm.consent import CARE, MARKETING, Standing
from crm.messages import Purpose
from storage.columns import new_id
from tests.conftest import Clock
from tests.crm.people import born

CHANNELS = ("zalo", "messenger")
PEOPLE = 3


@dataclass(frozen=True)
class Word:
    """One yes or no by one of the people, at an hour."""

    who: int
    purpose: str
    granted: bool
    channel: str
    covers: str | None
    hour: int

    @property
    def about(self) -> str:
        """The channel that it is about, "" for all."""
        if self.covers is not None:
            return self.covers
        return self.channel if self.granted else ""


@dataclass(frozen=True)
class Join:
    """Somebody from a chat turns out to be the customer whom the POS knows."""

    who: int


words = st.builds(
    Word,
    who=st.integers(0, PEOPLE - 1),
    purpose=st.sampled_from((MARKETING, CARE)),
    granted=st.booleans(),
    channel=st.sampled_from(("", *CHANNELS)),
    covers=st.sampled_from((None, "", *CHANNELS)),
    hour=st.integers(0, 4),
)
histories = st.lists(words | st.builds(Join, who=st.integers(1, PEOPLE - 1)), min_size=2, max_size=9)


def stands(said: list[Word], purpose: Purpose, channel: str) -> Standing:
    """The naive model: look through everything that was ever said."""
    for asked in (CARE, MARKETING) if purpose is Purpose.CARE else (MARKETING,):
        about = [word for word in said if word.purpose == asked and word.about in ("", channel)]
        if about:
            latest = max(word.hour for word in about)
            is_no = any(not word.granted for word in about if word.hour == latest)
            return Standing.WITHDRAWN if is_no else Standing.GRANTED
    return Standing.NONE


@contextmanager
def undone(session: Session) -> Iterator[None]:
    """What the block writes is forgotten afterwards."""
    with session.begin_nested() as before:
        yield
        before.rollback()


@pytest.mark.timeout(170)
def test_any_history_stands_as_its_latest_words_say(session: Session, clock: Clock) -> None:
    check = given(history=histories)(lambda history: live(session, clock(), history))
    some = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    some(check)()


def live(session: Session, now: datetime, history: list[Word | Join]) -> None:
    """Let it happen, and compare with the model."""
    with undone(session):
        owner = customers.known(session, f"C{new_id()}", now)
        chats = [born(session, now, user_id=f"u{new_id()}") for _ in range(1, PEOPLE)]
        ids = [owner, *(person.customer_id for person in chats)]
        said: list[list[Word]] = [[] for _ in ids]
        for step in history:
            if isinstance(step, Join):
                code = customers.issue_code(session, owner, now)
                customers.join_by_code(session, chats[step.who - 1], code, now)
                said[0] += said[step.who] if ids[step.who] != owner else []
                ids[step.who] = owner
            else:
                who = 0 if ids[step.who] == owner else step.who
                said[who].append(step)
                consent.say(
                    session, ids[who], granted=step.granted, at=now + timedelta(hours=step.hour),
                    purpose=step.purpose, channel=step.channel, covers=step.covers,
                )  # fmt: skip
        agree(session, ids, said)


def agree(session: Session, ids: list[int], said: list[list[Word]]) -> None:
    """The database says of everybody what the model says."""
    for purpose in (Purpose.BROADCAST, Purpose.CARE):
        for channel in CHANNELS:
            expected = {
                ids[who]: stands(said[who], purpose, channel) for who in range(PEOPLE) if who == 0 or ids[who] != ids[0]
            }
            assert consent.standing(session, expected, purpose, channel) == expected


def test_who_never_said_a_word_allows_nothing(session: Session, clock: Clock) -> None:
    customer = customers.known(session, "C1", clock())
    for purpose in (Purpose.BROADCAST, Purpose.CARE):
        assert consent.standing(session, [customer, 12345], purpose, "zalo") == {
            customer: Standing.NONE, 12345: Standing.NONE,
        }  # fmt: skip
    assert consent.standing(session, [], Purpose.CARE, "zalo") == {}


def test_a_yes_in_one_chat_is_none_on_another_channel_and_a_no_is_one_everywhere(
    session: Session, clock: Clock
) -> None:
    customer = customers.known(session, "C1", clock())

    def allowed() -> list[str]:
        found = {each: consent.standing(session, [customer], Purpose.BROADCAST, each) for each in CHANNELS}
        return [each for each in CHANNELS if found[each][customer] is Standing.GRANTED]

    consent.say(session, customer, granted=True, at=clock(), channel="zalo")
    assert allowed() == ["zalo"]
    consent.say(session, customer, granted=True, at=clock(), channel="")
    assert allowed() == ["zalo", "messenger"]
    consent.stop(session, customer, at=clock.pass_by(minutes=1), channel="messenger")
    assert allowed() == []


def test_a_yes_to_marketing_covers_care_until_care_is_withdrawn(session: Session, clock: Clock) -> None:
    customer = customers.known(session, "C1", clock())

    def care() -> Standing:
        return consent.standing(session, [customer], Purpose.CARE, "zalo")[customer]

    consent.say(session, customer, granted=True, at=clock())
    assert care() is Standing.GRANTED
    consent.stop(session, customer, at=clock.pass_by(hours=1))
    assert care() is Standing.WITHDRAWN
    consent.say(session, customer, granted=True, at=clock.pass_by(hours=1))
    assert care() is Standing.WITHDRAWN, "care was withdrawn, and nobody asked about it again"
    consent.say(session, customer, granted=True, at=clock.pass_by(hours=1), purpose=CARE)
    assert care() is Standing.GRANTED
