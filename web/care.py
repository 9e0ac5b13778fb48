"""Care rules over the API: loaded, turned on and off, looked at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field
from sqlmodel import Session

from bot import failures
from crm import care, care_about, care_preview, care_report, customers
from crm.care import Known
from crm.care_preview import Step
from crm.toml_reader import Problem
from web.fields import ExternalId
from web.operations import Call, Exact, Operation, Params

RuleName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", description="The rule's short name.")]


class RuleParams(Params):
    """Which rule."""

    rule: RuleName


class TimelineParams(RuleParams):
    """Which rule, for whom, until when (the same day next year where nothing is said), and the language of what is told
    (the shop's)."""

    customer: ExternalId
    until: AwareDatetime | None = None
    locale: Literal["vi", "en"] | None = None


class RuleIn(Exact):
    """A rule as its file says it (TOML)."""

    source: Annotated[str, Field(min_length=1, max_length=16_384)]


class StateIn(Exact):
    """How a rule is to stand. Only what happens after it is turned `on` counts; `off` ends what waits."""

    state: Literal["on", "paused", "off"]


class ProblemOut(BaseModel):
    """What is wrong at a place of the file; a warning can be loaded all the same."""

    place: str
    words: str
    warning: bool


class CheckedOut(BaseModel):
    """Whether a text can be loaded, and all that is wrong with it."""

    fits: bool
    problems: list[ProblemOut]


class RuleOut(BaseModel):
    """A rule in its newest version, and what became of its messages so far."""

    rule: str
    title: str
    title_en: str
    version: int
    state: str
    since: datetime | None
    waiting: int
    sent: int
    skipped: int


class PutRuleOut(RuleOut):
    """The same, and what its text is warned of now, such as a condition that names what is not there."""

    warnings: list[ProblemOut]


class RulesOut(BaseModel):
    """Every rule, by name."""

    rules: list[RuleOut]


class SourceOut(BaseModel):
    """A rule's text in its newest version."""

    rule: str
    version: int
    source: str


class CareTallyOut(BaseModel):
    """So many messages of a rule are in this state, for this reason."""

    state: str
    reason: str
    people: int


class CareReportOut(BaseModel):
    """What became of a rule's messages."""

    outcomes: list[CareTallyOut]


class StepOut(BaseModel):
    """One message: when it goes out, or why it is given up then. `state` is `planned`, or what became of it.

    `subject` is the key of what it is about, such as an order, and `words` says that to people, as `why` does the
    `reason`; `happened_at` is the moment that it follows.
    """

    rule: str
    subject: str
    words: str
    happened_at: datetime
    at: datetime
    state: str
    reason: str
    why: str
    text: str


class TimelineOut(BaseModel):
    """A customer's messages of a rule and of those that follow it, in order."""

    steps: list[StepOut]


async def list_rules(call: Call[Params, None]) -> RulesOut:
    """List the care rules."""
    return await call.database.read_long(
        lambda session: RulesOut(rules=[_out(session, known) for known in care.everything(session)])
    )


async def check(call: Call[Params, RuleIn]) -> CheckedOut:
    """Look through a rule and tell all that is wrong with it. Keeps nothing."""
    at = call.sender.frame(call.now)
    draft = await call.database.read(lambda session: care.check(session, call.body.source, at))
    return CheckedOut(fits=draft.fits, problems=_problems(draft.problems))


async def load(call: Call[Params, RuleIn]) -> PutRuleOut:
    """Keep a rule as its newest version. It is not turned on by that; one that is on goes on in its version."""

    def write(session: Session) -> str:
        version, _ = care.load(session, call.body.source, "api", call.now)
        return version.name

    return await _put(call, await call.database.write(write))


async def read_rule(call: Call[RuleParams, None]) -> RuleOut:
    """Read a rule and how it stands."""
    return await call.database.read_long(lambda session: _out(session, care.named(session, call.params.rule)))


async def read_source(call: Call[RuleParams, None]) -> SourceOut:
    """Read the text of a rule's newest version."""

    def read(session: Session) -> SourceOut:
        found = care.named(session, call.params.rule).version
        return SourceOut(rule=found.name, version=found.version, source=found.source)

    return await call.database.read(read)


async def put_state(call: Call[RuleParams, StateIn]) -> PutRuleOut:
    """Turn a rule on, let it rest, or end it. Again, it answers the same."""
    name = call.params.rule

    def write(session: Session) -> None:
        care.put_state(session, name, call.body.state, "api", call.now)

    await call.database.write(write)
    return await _put(call, name)


async def report(call: Call[RuleParams, None]) -> CareReportOut:
    """Say what became of a rule's messages, and why some did not go out."""

    def read(session: Session) -> CareReportOut:
        care.named(session, call.params.rule)
        found = care_report.tally(session, call.params.rule)
        return CareReportOut(outcomes=[CareTallyOut(state=t.state, reason=t.reason, people=t.people) for t in found])

    return await call.database.read_long(read)


async def timeline(call: Call[TimelineParams, None]) -> TimelineOut:
    """Say what a rule, and those that follow it, will do for a customer, by a driven clock. Nothing is sent or kept."""
    asked = call.params
    until = care_preview.until(asked.until, call.now)

    def read(session: Session) -> TimelineOut:
        customer = customers.find(session, asked.customer, field="customer")
        steps = care_preview.timeline(session, asked.rule, customer.id, call.sender.driven(call.now, until))
        return TimelineOut(steps=[_step(session, each, asked.locale or call.sender.locale) for each in steps])

    return await call.database.read(read)


def _step(session: Session, step: Step, locale: str) -> StepOut:
    return StepOut(
        rule=step.rule, subject=step.subject, words=care_about.words(session, step.subject).of(locale),
        happened_at=step.happened_at, at=step.at, state=step.state, reason=step.reason,
        why=failures.words(step.reason).of(locale) if step.reason else "",
        text=step.message.text if step.message else "",
    )  # fmt: skip


async def _put(call: Call[Any, Any], name: str) -> PutRuleOut:
    """How a rule stands that was put; its messages are counted where that keeps nobody waiting."""
    at = call.sender.frame(call.now)

    def read(session: Session) -> PutRuleOut:
        known = care.named(session, name)
        told = _problems(care.warnings(session, known, at))
        return PutRuleOut(**_out(session, known).model_dump(), warnings=told)

    return await call.database.read_long(read)


def _problems(found: Iterable[Problem]) -> list[ProblemOut]:
    return [ProblemOut(place=each.place, words=each.words, warning=each.is_warning) for each in found]


def _out(session: Session, known: Known) -> RuleOut:
    counted, rule = care_report.counts(session, known.rule.name), known.rule
    return RuleOut(
        rule=rule.name, title=rule.title.vi, title_en=rule.title.en, version=known.version.version, state=known.state,
        since=known.standing.since if known.standing else None, **counted._asdict(),
    )  # fmt: skip


_RULE = "/care/rules/{rule}"
OPERATIONS = (
    Operation("GET", "/care/rules", "listCareRules", "List the care rules", Params, None, RulesOut, list_rules),
    Operation("POST", "/care/rules", "loadCareRule", "Keep a rule's newest version", Params, RuleIn, PutRuleOut, load),
    Operation("POST", "/care/checks", "checkCareRule", "Look through a rule", Params, RuleIn, CheckedOut, check),
    Operation("GET", _RULE, "getCareRule", "Read how a rule stands", RuleParams, None, RuleOut, read_rule),
    Operation("GET", f"{_RULE}/source", "getCareSource", "Read its text", RuleParams, None, SourceOut, read_source),
    Operation("PUT", f"{_RULE}/state", "putCareState", "Turn it on or off", RuleParams, StateIn, PutRuleOut, put_state),
    Operation("GET", f"{_RULE}/report", "getCareReport", "What became of its messages", RuleParams, None, CareReportOut,
              report),
    Operation("GET", f"{_RULE}/timeline", "getCareTimeline", "What it will do for a customer", TimelineParams, None,
              TimelineOut, timeline),
)  # fmt: skip
