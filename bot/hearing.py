"""Which kinds of events every account delivers: remembered in memory, and on the disk only the first of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sqlmodel import Session

from bot.channels.base import Channel
from bot.channels.examined import Examined, Switch
from bot.jobs import Payload, Work
from storage import accounts, alarms, heard, outbox
from storage.database import Database
from storage.heard import Kind

ALARM = "event_off"
ON_ITS_WAY = timedelta(minutes=10)
"""So long an event about a message may take to come."""


class Hearing:
    """Notes kinds of events as they are read; what is known costs a look into a set."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock
        self._known: set[Kind] = set()
        self._new: set[Kind] = set()

    def note(self, kind: Kind) -> None:
        """An event of this kind came."""
        if kind not in self._known:
            self._new.add(kind)

    async def keep(self) -> None:
        """Write down what is new in this process; what another one wrote already stays."""
        if self._new:
            new = frozenset(self._new)
            await self._database.write(partial(heard.note, kinds=new, now=self._clock()), name="heard.note")
            self._known |= new
            self._new -= new


class Off(NamedTuple):
    """A switch that seems to be off: so many messages went out, and no event of its kind ever came."""

    channel: str
    account_id: str
    switch: Switch

    @property
    def words(self) -> str:
        """What is missing, in one sentence."""
        name = f"{self.channel} {self.account_id}"
        return f'No event "{self.switch.name}" ever came for {name}, although messages went out.'


def switched_off(session: Session, channels: Mapping[str, Channel], now: datetime) -> list[Off]:
    """The switches that seem to be off, of all accounts that deliver events and may send."""
    told = heard.everything(session)
    found: list[Off] = []
    for view in accounts.everyone(session):
        came = told.get((view.channel, view.account_id))
        channel = channels.get(view.channel)
        if came is None or view.held or not isinstance(channel, Examined):
            continue
        for switch in channel.switches:
            if not switch.kinds & came.kinds:
                until = now - ON_ITS_WAY
                sent = outbox.sent_between(session, view.channel, view.account_id, came.since, until, switch.after)
                if sent >= switch.after:
                    found.append(Off(view.channel, view.account_id, switch))
    return found


class Listening:
    """The job that rings where an event that we cannot do without is turned off."""

    def __init__(self, database: Database, channels: Mapping[str, Channel], clock: Callable[[], datetime]) -> None:
        self._database, self._channels, self._clock = database, channels, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {"events.watch": self.watch}

    async def watch(self, payload: Payload) -> None:
        """Ring for switches that must be on and are off, and solve those that are on again."""
        now = self._clock()

        def off(session: Session) -> dict[str, str]:
            return {
                alarms.of_account(each.channel, each.account_id): f"{each.words} {each.switch.words}"
                for each in switched_off(session, self._channels, now)
                if each.switch.must
            }

        def note(session: Session) -> None:
            found = off(session)
            for subject, words in sorted(found.items()):
                alarms.ring(session, ALARM, subject, words, now)
            alarms.solve_many(session, ALARM, alarms.subjects(session, ALARM) - found.keys(), now)

        if await self._database.read(lambda session: off(session).keys() != alarms.subjects(session, ALARM)):
            await self._database.write(note, name="events.watch")
