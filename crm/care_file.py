"""The file of a care rule (TOML): read into data, with everything that is wrong or inconsistent named by its place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crm import care_check
from crm.care_rules import (
    Approved,
    Cycle,
    Goal,
    Late,
    LeapDay,
    Moment,
    Press,
    Rhythm,
    Rule,
    Words,
)
from crm.toml_reader import Problem, Reader, opened

LONGEST_TEXT = 1500
MOST_DAYS = 400
_CHANNEL = re.compile(r"[a-z]{2,32}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A file as read. It can be loaded where no problem is more than a warning."""

    rule: Rule
    problems: tuple[Problem, ...]

    @property
    def fits(self) -> bool:
        """Whether it can be loaded."""
        return all(problem.is_warning for problem in self.problems)


def read(text: str) -> Draft:
    """Read a file; never raises. What cannot be read has its default in the draft and its problem beside."""
    top = opened(text)
    if isinstance(top, Problem):
        return Draft(Rule(name=""), (top,))
    rule = _rule(top)
    unread = top.finish()
    untold = care_check.OF_MOMENT if any(problem.place == "moment" for problem in unread) else ()
    found = [*unread, *(problem for problem in care_check.inconsistent(rule) if problem.place not in untold)]
    return Draft(rule, tuple(sorted(found, key=lambda each: each.is_warning)))


def _rule(top: Reader) -> Rule:
    plain = Rule(name="")
    after = top.words("after", "", 32)
    title, minutes = Words(top.words("vi"), top.words("en")), _minutes(top)
    if after and top.has("moment"):
        top.note("after", "the moment is that rule's message: leave moment out")
    return Rule(
        name=top.code("name"),
        title=title,
        moment=top.choice("moment", Moment, Moment.SENT) if top.has("moment") or not after else Moment.SENT,
        after=after,
        days=top.whole("days", 0, least=-MOST_DAYS, most=MOST_DAYS),
        at=top.clock("at", plain.at),
        minutes=minutes,
        condition=top.words("condition", "", 1000),
        goal=top.choice("goal", Goal, Goal.NONE),
        late=top.choice("late", Late, Late.SKIP),
        late_days=top.whole("late_days", plain.late_days, least=1, most=30),
        look_back_days=top.whole("look_back_days", 0, most=MOST_DAYS),
        leap_day=top.choice("leap_day", LeapDay, LeapDay.FEB_28),
        tiers=top.names("tiers"),
        text=_words(top.part("text"), LONGEST_TEXT),
        buttons=tuple(Press(_words(part), part.words("value", longest=500)) for part in top.parts("button")),
        templates=tuple(_approved(channel, part, top) for channel, part in top.part("template").tables()),
        rhythm=_rhythm(top.part("rhythm")) if top.has("rhythm") else None,
        cycles=tuple(_cycle(part) for part in top.parts("cycle")),
    )


def _minutes(top: Reader) -> int | None:
    if not top.has("minutes"):
        return None
    for key in ("days", "at"):
        if top.has(key):
            top.note("minutes", f"say one of these: minutes, {key}")
    return top.whole("minutes", 0, most=24 * 60)


def _words(part: Reader, longest: int = 200) -> Words:
    return Words(part.words("vi", longest=longest), part.words("en", "", longest=longest))


def _approved(channel: str, part: Reader, top: Reader) -> Approved:
    if not _CHANNEL.fullmatch(channel):
        top.note("template", f"{channel!r} is no channel")
    return Approved(channel, part.words("id", longest=64), part.words("language", "", 16), part.part("values").texts())


def _rhythm(part: Reader) -> Rhythm:
    plain = Rhythm()
    return Rhythm(
        percent=part.whole("percent", plain.percent, least=100, most=1000),
        orders=part.whole("orders", plain.orders, least=2, most=20),
        least_days=part.whole("least_days", plain.least_days, least=1, most=MOST_DAYS),
        most_days=part.whole("most_days", plain.most_days, least=1, most=MOST_DAYS),
    )


def _cycle(part: Reader) -> Cycle:
    return Cycle(
        id=part.code("id"),
        days=part.whole("days", 0, least=1, most=MOST_DAYS),
        products=part.names("products"),
        categories=part.names("categories"),
    )
