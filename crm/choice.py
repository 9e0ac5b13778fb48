"""Where a person is written to who can be found in several places: pure, so that a preview says what sending does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from crm.content import ByTemplate
from crm.reach import Reach, Refusal

_NEVER = float("-inf")
_TOLD_FIRST = (
    Refusal.OPTED_OUT, Refusal.NO_CONSENT, Refusal.WINDOW_CLOSED, Refusal.NEVER_WROTE, Refusal.NO_LANE,
    Refusal.WRONG_TAG, Refusal.BAD_VALUES, Refusal.UNREACHABLE,
)  # fmt: skip
"""Which of several reasons is told: the one that somebody can do something about."""


class Option(NamedTuple):
    """One way to write to somebody: which of their identities, by a template or not, and what the rules say of it."""

    identity_id: int
    last_interaction_at: datetime | None
    template: ByTemplate | None
    reach: Reach


def best(options: Sequence[Option]) -> Option | None:
    """The one to take: what is allowed, of that the cheapest, of those where they were last; None where there is none.

    Where nothing is allowed it is the one whose refusal is told.
    """
    if len(options) == 1:
        return options[0]
    return min(options, key=_rank, default=None)


def _rank(option: Option) -> tuple[int, float, float, int]:
    last = option.last_interaction_at.timestamp() if option.last_interaction_at else _NEVER
    refusal = option.reach.refusal
    if refusal is None:
        return (0, option.reach.cost, -last, option.identity_id)
    return (1, _TOLD_FIRST.index(refusal), -last, option.identity_id)
