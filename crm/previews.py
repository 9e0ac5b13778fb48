"""What would become of everybody whom a broadcast is meant for: the same verdicts as sending, and nothing is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select
from sqlmodel import Session

from crm import content, phones, recipients
from crm.content import Content
from crm.messages import Purpose
from crm.verdicts import Batch, Gate, Look, Policy, Ready, Taken
from storage import previews as store
from storage.turns import Place, Waiting

AT_ONCE = 1000
"""How many people are looked at together: memory stays the same however many there are."""


class Way(NamedTuple):
    """A way out: the channel, its lane, and the template, "" where it goes in words."""

    channel: str
    lane: str
    template_id: str


class Sample(NamedTuple):
    """What one real person would read, and whether with the picture; `text` is None where it goes by the template of
    `way`."""

    customer_id: int
    name: str
    way: Way
    text: str | None
    picture: bool
    values: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Preview:
    """Of `people`, how many get it by which way, at which cost in đồng; how many wait and why; how many get nothing and
    why; and what up to three of them read: first who has no name, then who has the longest. `bare` counts, by channel,
    who gets the words without the picture, since one message there does not bring both. `at` is when it would begin."""

    at: datetime
    people: int = 0
    ways: Counter[Way] = field(default_factory=Counter)
    costs: Counter[Way] = field(default_factory=Counter)
    bare: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)

    @property
    def cost(self) -> int:
        """What all of it costs, in đồng."""
        return self.costs.total()


class Unsent(Look):
    """The same verdicts, without a row for a phone number that was never written to."""

    def _at_phone(self, said: Content, row: Waiting, purpose: Purpose, places: Sequence[Place]) -> list[Place]:
        known = {(place.channel, place.account_id) for place in places if phones.number_at(place.user_id)}
        where = {(each.channel, each.account_id) for each in said.templates if each.to_phone} - known
        return [
            Place(
                row.customer_id, -number, channel, account, phones.address(row.phone or "", row.customer_id), name="",
                last_interaction_at=None, unreachable_since=None, of_staff=False, holder="", waiting_since=None,
                is_busy=False,
            )
            for number, (channel, account) in enumerate(sorted(where), 1)
            if self._may_go_by_phone(row, purpose, channel)
        ]  # fmt: skip


class Walk:
    """Judges all `members` as sending would at a lawful moment, some at a time, so that nobody holds a reader for long
    however many there are. Reads only."""

    def __init__(
        self, members: Select[int], broadcast_id: int, purpose: Purpose, said: Content, policy: Policy, at: datetime
    ) -> None:
        self._members, self._broadcast_id, self._purpose, self._said = members, broadcast_id, purpose, said
        self._policy, self._after, self._chosen, self._found = policy, -1, _Chosen(), Preview(at)

    def step(self, session: Session, gate: Gate) -> bool:
        """Judge the next ones; False where nobody was left.

        What the gates count as spent adds up over all steps; they are without a pace, so that nobody waits their turn.
        """
        found, said = self._found, self._said
        rows = store.people(
            session, self._members, self._broadcast_id, self._purpose.value, found.at, self._after, AT_ONCE
        )
        if not rows:
            return False
        self._after = rows[-1].customer_id
        taken = Taken()
        look = Unsent(session, gate, self._policy, found.at, rows, taken)
        values = recipients.values(session, content.names(said), rows, look.places, self._policy.shop)
        look.judge(Batch(self._broadcast_id, said, rows, values))
        found.people += len(rows)
        found.skips.update(taken.skips.values())
        found.waits.update(held.reason for _, held in taken.waits)
        for ready in taken.ready:
            way = _way(ready)
            found.ways[way] += 1
            found.costs[way] += ready.option.reach.cost
            found.bare[way.channel] += bool(said.picture and not (ready.message.picture or way.template_id))
            self._chosen.see(ready)
        return True

    def found(self) -> Preview:
        """What came of all so far."""
        self._found.bare = +self._found.bare
        self._found.samples = [_sample(ready) for ready in self._chosen.three()]
        return self._found


class _Chosen:
    """Who is shown: the worst cases, and the first."""

    def __init__(self) -> None:
        self._nameless: Ready | None = None
        self._longest: Ready | None = None
        self._first: list[Ready] = []

    def see(self, ready: Ready) -> None:
        """One more who would get it."""
        name = _name(ready)
        if not name:
            self._nameless = self._nameless or ready
        elif self._longest is None or len(name) > len(_name(self._longest)):
            self._longest = ready
        if len(self._first) < 3:
            self._first.append(ready)

    def three(self) -> list[Ready]:
        """Up to three different people."""
        found = [each for each in (self._nameless, self._longest, *self._first) if each is not None]
        return list({each.recipient.customer_id: each for each in found}.values())[:3]


def _name(ready: Ready) -> str:
    return ready.recipient.name or ready.place.name


def _way(ready: Ready) -> Way:
    template = ready.option.template
    return Way(ready.place.channel, ready.option.reach.lane, template.template_id if template else "")


def _sample(ready: Ready) -> Sample:
    use = ready.message.template
    text, picture = None if use else ready.message.text, bool(ready.message.picture)
    return Sample(ready.recipient.customer_id, _name(ready), _way(ready), text, picture, use.values if use else ())
