"""Whoever was not written to has a reason that people understand, in both languages."""

from __future__ import annotations

import pytest

from crm import broadcasts, care_checks, unsent, verdicts
from crm.broadcast_states import MAY
from crm.broadcasts import Pause
from crm.reach import Refusal
from storage.recipients import DELIVERED, FAILED, PENDING, READ, SENDING, SENT, SKIPPED, UNKNOWN

REASONS = [
    *(each.value for each in Refusal),
    *(value for kind in (verdicts.Why, care_checks.Why) for name, value in vars(kind).items() if name.isupper()),
]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_words(reason: str) -> None:
    told = unsent.words(reason)
    assert told.vi and told.en and reason not in (told.vi, told.en)


@pytest.mark.parametrize("reason", Pause)
def test_every_pause_has_words(reason: Pause) -> None:
    told = unsent.paused(reason)
    assert told.vi and told.en and reason not in (told.vi, told.en)


def test_every_state_of_a_recipient_and_of_a_broadcast_has_words() -> None:
    states = (PENDING, SENDING, SENT, DELIVERED, READ, FAILED, SKIPPED, UNKNOWN)
    assert len({unsent.state(each).vi for each in states} | {unsent.state(each).en for each in states}) == 2 * len(
        states
    )
    assert all(broadcasts.told(each, "vi") != broadcasts.told(each, "en") for each in (*MAY, broadcasts.FINISHED))


def test_what_a_platform_said_is_told_as_it_is() -> None:
    assert unsent.words("-213").en == "-213"
