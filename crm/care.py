"""Care rules as kept: loaded in versions, turned on and off, paused; the rules that come with the product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlmodel import Session

from crm import care_check, care_file, segments
from crm.care_file import Draft
from crm.care_rules import Rule
from crm.errors import Conflict, CrmError, Invalid, NotFound
from crm.segments import AsOf
from crm.toml_reader import Problem
from storage import care as store
from storage.care import OFF, ON, PAUSED, Standing, Version

SHIPPED = Path(__file__).resolve().parent / "shipped_care"
"""The rules that come with the product, one a file: good starts for anybody's."""


@dataclass(frozen=True, slots=True)
class Known:
    """A rule in its newest version, and how it stands; None where it was never turned on."""

    version: Version
    rule: Rule
    standing: Standing | None

    @property
    def state(self) -> str:
        """Whether it is on, paused or off."""
        return self.standing.state if self.standing else OFF


def load(session: Session, source: str, actor: str, now: datetime, at: AsOf | None = None) -> tuple[Version, Draft]:
    """Keep a rule as its newest version; the same text again is the same version. It is not turned on by that.

    Raises Invalid for the first problem that is more than a warning.
    """
    draft = check(session, source, at)
    for problem in draft.problems:
        if not problem.is_warning:
            raise Invalid(problem.place or "file", problem.words, f"{problem.place or 'file'}: {problem.words}")
    return store.add(session, draft.rule.name, source, actor, now), draft


def check(session: Session, source: str, at: AsOf | None = None) -> Draft:
    """A text as read, with what is wrong in it and beside the rules that are here.

    With `at` it is warned of a condition that names what is not there (yet): a tier, a field, a saved segment.
    """
    draft = care_file.read(source)
    rule = draft.rule
    others = [known.rule for known in everything(session) if known.rule.name != rule.name]
    problems = [*draft.problems, *care_check.beside(rule, others)]
    if at is not None and rule.condition and draft.fits:
        problems += _missing(session, rule, at)
    return Draft(rule, tuple(sorted(problems, key=lambda each: each.is_warning)))


def warnings(session: Session, known: Known, at: AsOf) -> list[Problem]:
    """What its newest version is warned of as things stand now."""
    return [each for each in check(session, known.version.source, at).problems if each.is_warning]


def _missing(session: Session, rule: Rule, at: AsOf) -> list[Problem]:
    missing = unmet(session, rule, at)
    if missing is None:
        return []
    words = f"{missing.en.rstrip('.')}. Nothing goes out as long as that is so."
    return [Problem("condition", words, is_warning=True)]


def unmet(session: Session, rule: Rule, at: AsOf) -> CrmError | None:
    """What a rule's condition names that is not there (yet); None where it names nothing such."""
    try:
        if rule.condition:
            segments.members(session, segments.parse(rule.condition), at)
    except CrmError as error:
        return error
    return None


def everything(session: Session) -> list[Known]:
    """Every rule, by name."""
    standings = store.standings(session)
    return [Known(each, parsed(each), standings.get(each.name)) for each in store.latest_of_all(session)]


def named(session: Session, name: str) -> Known:
    """The rule of this name. Raises NotFound."""
    version = store.latest(session, name)
    if version is None:
        raise NotFound(
            f"Không có quy tắc “{name[:40]}”; các tên: /chamsoc.", f"There is no rule “{name[:40]}”.", field="rule"
        )
    return Known(version, parsed(version), store.standing(session, name))


def version_of(session: Session, name: str, number: int) -> Version:
    """One version of a rule. Raises NotFound."""
    found = next((each for each in store.versions(session, name) if each.version == number), None)
    if found is None:
        raise NotFound("Không có phiên bản này.", "There is no such version.", field="version")
    return found


def of_version(session: Session, rule_id: int) -> Rule:
    """What the version of this id says."""
    return parsed(store.one(session, rule_id))


def names_on(session: Session) -> list[str]:
    """The rules that are on; one that follows another comes behind it."""
    on = {known.rule.name: known.rule.after for known in everything(session) if known.state == ON}
    return sorted(on, key=lambda name: (bool(on[name]), name))


def parsed(version: Version) -> Rule:
    """What a version says."""
    return _parsed(version.source)


def turn_on(session: Session, name: str, actor: str, now: datetime) -> Standing:
    """Let what happens from now on begin by the newest version of a rule; what began before ends by its own.

    A rule that is on, or paused, goes on where it stood, unless it waits for another moment now. Raises NotFound.
    """
    known = named(session, name)
    was = known.standing
    if was is not None and was.state != OFF and _waits_alike(of_version(session, was.rule_id), known.rule):
        standing = was._replace(rule_id=known.version.id, state=ON, changed_by=actor, changed_at=now)
    else:
        standing = Standing(name, known.version.id, ON, now, *store.START, actor, now)
    store.put(session, standing)
    return standing


def put_state(session: Session, name: str, state: str, actor: str, now: datetime) -> Standing:
    """Let a rule be `on`, `paused` or `off`. Again, it changes nothing. Raises NotFound and Conflict."""
    was = named(session, name).standing
    if was is not None and was.state == state != ON:
        return was
    return {ON: turn_on, PAUSED: pause, OFF: turn_off}[state](session, name, actor, now)


def pause(session: Session, name: str, actor: str, now: datetime) -> Standing:
    """Let nothing of a rule go out until it is turned on again. Raises NotFound, and Conflict where it is not on."""
    return _change(session, name, PAUSED, actor, now)


def turn_off(session: Session, name: str, actor: str, now: datetime) -> Standing:
    """End a rule: what waits is not sent any more. Raises NotFound, and Conflict where it is off."""
    return _change(session, name, OFF, actor, now)


def ship(session: Session, actor: str, now: datetime) -> list[Version]:
    """Keep the rules that come with the product, none of them turned on."""
    return [load(session, path.read_text("utf-8"), actor, now)[0] for path in shipped()]


def shipped() -> list[Path]:
    """The files of the rules that come with the product, each after the one that it follows."""
    return sorted(
        SHIPPED.glob("*.toml"), key=lambda path: (bool(care_file.read(path.read_text("utf-8")).rule.after), path)
    )


def _waits_alike(rule: Rule, other: Rule) -> bool:
    return (rule.moment, rule.after) == (other.moment, other.after)


def _change(session: Session, name: str, state: str, actor: str, now: datetime) -> Standing:
    standing = named(session, name).standing
    if standing is None or standing.state == OFF:
        raise Conflict(f"Quy tắc “{name}” đang tắt.", f"The rule “{name}” is off.")
    changed = standing._replace(state=state, changed_by=actor, changed_at=now)
    store.put(session, changed)
    return changed


@lru_cache(maxsize=256)
def _parsed(source: str) -> Rule:
    return care_file.read(source).rule
