"""What one turn of sending finds out beside its messages: consent, templates, allowances, money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from bot import holds
from bot.allowances import Allowances
from bot.holds import Ring
from bot.pace import BURST
from bot.registry import Registry
from crm.budget import Budget, Month
from crm.consent import Standing
from crm.messages import Purpose
from crm.templates import Key, Template
from storage import spending
from storage.allowances import Shut

Account = tuple[str, str]
"""A channel, and the id of an OA or Page on it."""


@dataclass(slots=True)
class Room:
    """How many messages an account may still send in this turn, how far its pace is reserved, and at which distance."""

    row: int
    slots: int
    tat: datetime
    interval: timedelta


class Look:
    """What one turn finds out; asks the database only where a message needs it."""

    def __init__(
        self,
        session: Session,
        registry: Registry,
        budget: Budget,
        allowed: Allowances,
        room: Mapping[Account, Room],
        now: datetime,
        rings: list[Ring],
    ) -> None:
        self._session, self._registry, self._budget, self._now, self._rings = session, registry, budget, now, rings
        self.allowed, self.room = allowed, room
        self.standings: Mapping[int, Standing] = {}
        self._is_fresh = self._lanes_are_fresh = False
        self._spent: dict[Account, int] = {}
        self._spent_now: dict[Account, int] = {}
        self._rung: set[object] = set()

    def go_on(self, session: Session) -> None:
        """Ask by another session from now on; what was found out, and what was spent, stays."""
        self._session = session

    @property
    def month(self) -> Month:
        """The shop's month."""
        return self._budget.month(self._now)

    @property
    def over_budget(self) -> str:
        """The reason of what waits for the next month."""
        return f"{holds.OVER_BUDGET} ({self.month.name})"

    def template(self, key: Key) -> Template | None:
        """A template; one that cannot be used is looked at once more, so that nothing waits for old news."""
        found = self._registry.known(self._session).get(key)
        if (found is None or not found.is_usable) and not self._is_fresh:
            self._is_fresh = True
            self._registry.forget()
            found = self._registry.known(self._session).get(key)
        return found

    def waits(self, key: Key, why: str) -> tuple[str, datetime]:
        """Why and until when a message waits for its template; rings."""
        if key not in self._rung:
            self._rung.add(key)
            self._rings.append(holds.of_template(key, why))
        return holds.held(key, why), self._now + holds.LOOKS_AGAIN

    def shut(self, account: Account, purpose: Purpose, lane: str) -> Shut | None:
        """What keeps a message from its lane; looked at once more, so that nothing waits for old news."""
        found = self.allowed.shut(account, lane, purpose, self._now)
        if found is None or self._lanes_are_fresh:
            return found
        self._lanes_are_fresh = True
        self.allowed.forget()
        self.allowed.read(self._session)
        return self.allowed.shut(account, lane, purpose, self._now)

    def is_over_budget(self, account: Account, purpose: Purpose, cost: int) -> bool:
        """Whether a message must wait for the next month; rings where it does."""
        ceiling = self._budget.ceiling
        if ceiling is None or not purpose.is_marketing:
            return False
        if account not in self._spent:
            self._spent[account] = spending.spent(self._session, *account, self.month.start)
        over = self._spent[account] + self._spent_now.get(account, 0) + cost > ceiling
        if over and account not in self._rung:
            self._rung.add(account)
            self._rings.append(holds.of_budget(*account, self._budget, self.month))
        return over

    def has_room(self, account: Account) -> bool:
        """Whether an account may send one more in this turn."""
        return account in self.room and self.room[account].slots > 0

    @property
    def left(self) -> int:
        """How many all accounts together may still send."""
        return sum(each.slots for each in self.room.values())

    @property
    def refills(self) -> timedelta | None:
        """After which time an account that has no room left may send half a burst; None where all have room."""
        spent = [each.interval for each in self.room.values() if each.interval and not each.slots]
        return min(spent) * BURST / 2 if spent else None

    @property
    def paced(self) -> dict[int, datetime]:
        """How far the pace of each account is reserved now that has one, by its row."""
        return {each.row: each.tat for each in self.room.values() if each.interval}

    def spend(self, account: Account, cost: int) -> None:
        """A message is claimed at this price."""
        room = self.room[account]
        room.slots -= 1
        if room.interval:
            room.tat = max(room.tat, self._now) + room.interval
        if cost:
            self._spent_now[account] = self._spent_now.get(account, 0) + cost
