"""Whoever was not written to has a reason that people understand, in both languages."""

from __future__ import annotations

import pytest

from crm import care_checks, unsent, verdicts
from crm.reach import Refusal

REASONS = [
    *(each.value for each in Refusal),
    *(value for kind in (verdicts.Why, care_checks.Why) for name, value in vars(kind).items() if name.isupper()),
]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_words(reason: str) -> None:
    told = unsent.words(reason)
    assert told.vi and told.en and reason not in (told.vi, told.en)


def test_what_a_platform_said_is_told_as_it_is() -> None:
    assert unsent.words("-213").en == "-213"
