"""Whom nobody asked for, taken in a turn: whether the next turn follows at once, beside accounts with paces of their
own."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, text
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

from bot.claims import Unasked
from bot.pace import BURST
from storage import accounts
from tests.bot.test_claims import FREELY, SECOND, Decide, claims
from tests.crm.test_broadcast_rests import running
from tests.crm.test_unasked import START

__all__ = ["claims"]

on_sqlite = pytest.mark.parametrize("session", ["sqlite"], indirect=True)
MANY = 100
NOBODY, MORE, NO_MORE = Unasked(False, False), Unasked(True, True), Unasked(True, False)


def shop(session: Session, channels: str) -> None:
    """An account on each channel, and a broadcast that runs, to people who all wrote a moment ago."""
    for channel in ("zalo", "messenger"):
        accounts.add(session, channel, "oa1", START)
    running(session, channels)
    wrote = text("UPDATE identity SET last_interaction_at = :now").bindparams(bindparam("now", type_=UTCDateTime()))
    session.connection().execute(wrote, {"now": START})


def taken(session: Session, decide: Decide, most: int, *, paced: bool = True) -> tuple[int, Unasked]:
    """How many one turn takes of them, and what it says of the next one."""
    decides = decide(SECOND if paced else FREELY)
    turn, look = decides.make(session, "me", START, MANY, most)
    assert look is not None
    looked = decides.unasked(session, turn, look, "me", START, most)
    return len(turn.claimed), looked


@on_sqlite
def test_turns_follow_each_other_until_nobody_is_due(session: Session, claims: Decide) -> None:
    shop(session, "m" * 5)
    assert taken(session, claims, 3, paced=False) == (3, NO_MORE), "what there was room for went: who sent it looks on"
    assert taken(session, claims, 3, paced=False) == (2, MORE)
    assert taken(session, claims, 3, paced=False) == (0, NOBODY)


@on_sqlite
def test_who_waits_for_a_pace_alone_makes_no_turn_follow(session: Session, claims: Decide) -> None:
    shop(session, "z" * (BURST * 3))
    assert taken(session, claims, BURST) == (BURST, NO_MORE)
    assert taken(session, claims, BURST) == (0, NO_MORE), "the other account has room, and they wait for theirs"
