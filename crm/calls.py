"""When a customer waits for a person: whom to tell next, and by when; pure, in the shop's working time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from crm.calendar import Calendar
from storage.calls import CallRow

QUIET = timedelta(seconds=5)
COLLECTED_FOR = timedelta(seconds=20)
"""What a customer writes is collected until they are quiet for `QUIET`, or for so long, and told in one notice."""
CONFIRMED_WITHIN = timedelta(seconds=30)
"""How long after a notice is looked whether it got through."""
NOBODY_FOR = timedelta(minutes=1)
REPEATED_AFTER = timedelta(minutes=30)
"""Once everybody was told, leads are told again so often, until somebody answers."""
TYPED_WITHIN = timedelta(minutes=5)
"""The bot does not speak where staff wrote so short a time ago."""


class Step(IntEnum):
    """What was done last for who waits. Each step tells more people; the last ones go on until somebody answers."""

    QUEUED = 0
    OWNER = 1
    AGAIN = 2
    TEAM = 3
    LEAD = 4
    OFFERED = 5
    REPEATED = 6


@dataclass(frozen=True, slots=True)
class Ladder:
    """After how much working time the owner is told again, all on shift, the leads; and when the bot offers help.

    `offer` is None where it never does.
    """

    again: timedelta = timedelta(minutes=3)
    team: timedelta = timedelta(minutes=6)
    lead: timedelta = timedelta(minutes=10)
    offer: timedelta | None = timedelta(minutes=15)

    def times(self) -> dict[Step, timedelta]:
        """The steps that time brings, in order."""
        offered = {} if self.offer is None else {Step.OFFERED: self.offer}
        return {Step.AGAIN: self.again, Step.TEAM: self.team, Step.LEAD: self.lead, **offered}


def read_ladder(text: str) -> Ladder:
    """`ESCALATION_MINUTES`: `3/6/10/15`, or `3/6/10` where the bot never offers help. Raises ValueError."""
    if not re.fullmatch(r"\d{1,4}(/\d{1,4}){2,3}", text):
        raise ValueError(f"{text!r} is not understood; write minutes as in 3/6/10/15: owner, team, lead, bot")
    minutes = [int(each) for each in text.split("/")]
    if minutes != sorted(set(minutes)) or minutes[0] == 0:
        raise ValueError(f"{text!r}: each must be later than the one before")
    again, team, lead, *offer = (timedelta(minutes=each) for each in minutes)
    return Ladder(again, team, lead, offer[0] if offer else None)


def next_step(call: CallRow, now: datetime, is_lost: bool, ladder: Ladder, calendar: Calendar) -> Step | None:
    """The step to take now; None where it is not time yet. What got through to nobody (`is_lost`) is told to more."""
    assert call.step is not None and call.called_at is not None and call.told_at is not None
    times = ladder.times()
    if call.step >= max(times):
        return Step.REPEATED if calendar.add(call.told_at, REPEATED_AFTER) <= now else None
    passed = [step for step, after in times.items() if calendar.add(call.called_at, after) <= now]
    reached = max([*passed, *([Step.TEAM if call.step < Step.TEAM else Step.LEAD] if is_lost else [])], default=0)
    if reached <= call.step:
        return None
    following = Step(call.step + 1)
    return Step.TEAM if following is Step.AGAIN and reached > Step.AGAIN else following


def looks_next(call: CallRow, now: datetime, is_open_end: bool, ladder: Ladder, calendar: Calendar) -> datetime:
    """When to look again: at the time of the next step, and soon where it is not known yet what got through."""
    assert call.called_at is not None and call.told_at is not None
    later = [calendar.add(call.called_at, after) for step, after in ladder.times().items() if step > (call.step or 0)]
    if not later:
        later = [calendar.add(call.told_at, REPEATED_AFTER)]
    return min([*later, *([now + CONFIRMED_WITHIN] if is_open_end else [])])


def may_offer(call: CallRow, now: datetime) -> bool:
    """Whether the bot may offer help now: not where staff wrote a moment ago, nor twice without staff in between."""
    spoke = call.last_staff_at
    if spoke is not None and now - spoke < TYPED_WITHIN:
        return False
    return call.offered_at is None or (spoke is not None and spoke > call.offered_at)
