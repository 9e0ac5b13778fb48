"""Consent and personal data in the API: words given at the till, their proof, requests, and all that is held of one."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import Session

from crm import consent, customers, erasure, personal_data, privacy
from crm.consent import Consent, Terms
from crm.privacy import Kind, Request
from web.customers import CustomerParams
from web.fields import Moment, Note, PageParams
from web.operations import Call, Exact, Operation, Params

_Words = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]


class TermsIn(Exact):
    """What the customer was told before: the text, and of what they get, how, in which form, how often."""

    text: _Words
    content: _Words
    method: _Words
    form: _Words
    frequency: _Words


class ConsentIn(Exact):
    """A yes or no that was given outside of the chats; `channel` null: about all channels."""

    granted: bool
    purpose: Literal["marketing", "care"] = "marketing"
    channel: Literal["zalo", "messenger"] | None = None
    at: Moment
    wording: _Words = ""
    terms: TermsIn | None = None


class TermsOut(BaseModel):
    """What a customer was told before they agreed; `version` stands for exactly these words."""

    version: str
    text: str
    content: str
    method: str
    form: str
    frequency: str
    since: datetime


class WordOut(BaseModel):
    """One yes or no with its proof. `covers` null: it is about all channels."""

    granted: bool
    purpose: str
    covers: str | None
    channel: str | None
    way: str
    wording: str
    message_id: str
    actor: str
    at: datetime
    terms: TermsOut | None


class ConsentOut(BaseModel):
    """Everything that a customer agreed to and took back, oldest first."""

    words: list[WordOut]


class RequestParams(Params):
    """Which request."""

    number: Annotated[int, Field(ge=1, le=2**63 - 1)]


class RequestsParams(PageParams):
    """Open requests, or all of them."""

    state: Literal["open", "all"] = "open"


class RequestOut(BaseModel):
    """A request about personal data. `answer_by` and `due` are what the law leaves."""

    number: int
    kind: str
    state: str
    customer: str | None
    since: datetime
    answer_by: datetime | None
    due: datetime
    answered: datetime | None
    ended: datetime | None
    outcome: str


class RequestsOut(BaseModel):
    """Some requests; `next` is the cursor of those after them, null at the end."""

    requests: list[RequestOut]
    next: str | None


class DoneIn(Exact):
    """What was done. `erase` must be true to carry out a request to erase, for good."""

    outcome: Note = ""
    erase: bool = False


class RefuseIn(Exact):
    """The reason, which the customer is told."""

    why: Note


class HeldOut(BaseModel):
    """All that is held of a customer, by table."""

    as_of: datetime
    customer: int
    held: dict[str, list[dict[str, Any]]]


async def record(call: Call[CustomerParams, ConsentIn]) -> ConsentOut:
    """Write down a yes or no. A yes of somebody who took it back, or was erased, is refused with 409."""
    said = call.body

    def write(session: Session) -> ConsentOut:
        customer = customers.find(session, call.params.external_id).id
        told = said.terms
        terms = Terms("", said.purpose, "", **told.model_dump(), since=call.now) if told else None
        consent.record(
            session, customer, granted=said.granted, at=said.at, now=call.now, secret_key=call.secret_key,
            actor=call.caller, purpose=said.purpose, covers=said.channel or "", terms=terms, wording=said.wording,
        )  # fmt: skip
        return _proof(session, customer)

    return await call.database.write(write)


async def words(call: Call[CustomerParams, None]) -> ConsentOut:
    """Read the proof of a customer's consent."""
    return await call.database.read(
        lambda session: _proof(session, customers.find(session, call.params.external_id).id)
    )


async def held(call: Call[CustomerParams, None]) -> HeldOut:
    """Read all that is held of a customer."""

    def read(session: Session) -> HeldOut:
        customer = customers.find(session, call.params.external_id).id
        return HeldOut.model_validate(personal_data.everything(session, customer, call.now))

    return await call.database.read(read)


async def requests(call: Call[RequestsParams, None]) -> RequestsOut:
    """List the requests about personal data."""

    def read(session: Session) -> RequestsOut:
        everything = call.params.state == "all"
        rows = privacy.page(session, call.params.after, call.params.limit, everything=everything)
        following = str(rows[-1].id) if len(rows) == call.params.limit else None
        return RequestsOut(requests=[_shown(session, row) for row in rows], next=following)

    return await call.database.read(read)


async def answer(call: Call[RequestParams, None]) -> RequestOut:
    """Note that the customer was told that we are at it."""

    def write(session: Session) -> RequestOut:
        privacy.answered(session, call.params.number, call.now)
        return _shown(session, privacy.find(session, call.params.number))

    return await call.database.write(write)


async def done(call: Call[RequestParams, DoneIn]) -> RequestOut:
    """Note that it is done; with `erase`, erase the customer now."""

    def write(session: Session) -> RequestOut:
        number = call.params.number
        if privacy.find(session, number).kind == Kind.ERASE and call.body.erase:
            erasure.carry_out(session, number, secret_key=call.secret_key, now=call.now, by=call.caller)
        else:
            privacy.done(session, number, call.now, call.caller, call.body.outcome)
        return _shown(session, privacy.find(session, number))

    return await call.database.write(write)


async def refuse(call: Call[RequestParams, RefuseIn]) -> RequestOut:
    """Note that it is not done, and why."""
    refusing = partial(privacy.refuse, number=call.params.number, now=call.now, by=call.caller, why=call.body.why)
    return await call.database.write(lambda session: _shown(session, refusing(session)))


def _proof(session: Session, customer_id: int) -> ConsentOut:
    return ConsentOut(words=[_word(*each) for each in consent.proof(session, customer_id)])


def _word(said: Consent, terms: Terms | None) -> WordOut:
    told = TermsOut.model_validate(terms, from_attributes=True) if terms else None
    return WordOut(
        granted=said.granted, purpose=said.purpose, covers=said.covers or None, channel=said.channel or None,
        way=said.way, wording=said.wording, message_id=said.message_id, actor=said.actor, at=said.at, terms=told,
    )  # fmt: skip


def _shown(session: Session, request: Request) -> RequestOut:
    return RequestOut(
        number=request.id, kind=request.kind, state=request.state,
        customer=customers.name_of(session, request.customer_id) or None, since=request.requested_at,
        answer_by=request.answer_by, due=request.due_at, answered=request.answered_at, ended=request.ended_at,
        outcome=request.outcome,
    )  # fmt: skip


_ONE, _REQUEST = "/customers/{external_id}", "/privacy/requests/{number}"
OPERATIONS = (
    Operation("POST", f"{_ONE}/consent", "recordConsent", "Write down consent given outside of the chats",
              CustomerParams, ConsentIn, ConsentOut, record),
    Operation("GET", f"{_ONE}/consent", "getConsent", "Read the proof of a customer's consent", CustomerParams, None,
              ConsentOut, words),
    Operation("GET", f"{_ONE}/data", "getPersonalData", "Read all that is held of a customer", CustomerParams, None,
              HeldOut, held),
    Operation("GET", "/privacy/requests", "listDataRequests", "List the requests about personal data", RequestsParams,
              None, RequestsOut, requests),
    Operation("POST", f"{_REQUEST}/answer", "answerDataRequest", "Note that a request was answered", RequestParams,
              None, RequestOut, answer),
    Operation("POST", f"{_REQUEST}/done", "finishDataRequest", "Note that a request is done, or erase", RequestParams,
              DoneIn, RequestOut, done),
    Operation("POST", f"{_REQUEST}/refuse", "refuseDataRequest", "Note that a request is refused", RequestParams,
              RefuseIn, RequestOut, refuse),
)  # fmt: skip
