"""What became of a rule's messages: how many wait, went out or did not, and why, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlmodel import Session

from crm.care_checks import Why
from crm.care_rules import Words
from storage import care as store
from storage import care_recipients
from storage.care_recipients import REACHED
from storage.recipients import OPEN, Tally

_WORDS: Mapping[str, Words] = {
    Why.RULE_OFF: Words("quy tắc đã tắt", "the rule was turned off"),
    Why.LATE: Words("đã quá muộn", "it was too late"),
    Why.CAUGHT_UP: Words(
        "vừa nhận tin khác sau thời gian ngừng gửi", "they got another one after sending had stood still"
    ),
    Why.GOAL: Words("đã đạt mục tiêu", "the goal was reached"),
    Why.VOID: Words("việc này không còn nữa", "what it was about is no more"),
    Why.UNREADABLE: Words(
        "điều kiện nhắc tới thứ không còn nữa", "the condition names what is gone: a tier, a field, a segment"
    ),
    Why.CONDITION: Words("không còn đúng điều kiện", "the condition does not hold"),
}


class Counts(NamedTuple):
    """How many of a rule's messages wait, may have reached somebody, and did not go out."""

    waiting: int
    sent: int
    skipped: int


def tally(session: Session, name: str) -> list[Tally]:
    """How all that a rule ever enrolled stands, by state and reason."""
    return care_recipients.tally(session, store.ids_of(session, name))


def counts(session: Session, name: str) -> Counts:
    """The same in three figures."""
    found = tally(session, name)
    waiting = sum(each.people for each in found if each.state in OPEN)
    sent = sum(each.people for each in found if each.state in REACHED and each.state not in OPEN)
    return Counts(waiting, sent, sum(each.people for each in found) - waiting - sent)


def words(reason: str) -> Words:
    """A reason as people read it."""
    return _WORDS.get(reason, Words(reason, reason))
