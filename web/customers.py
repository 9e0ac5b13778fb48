"""Customers in the API: what the POS tells and asks about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from crm import customers, loyalty
from crm.customers import Outcome, Profile
from web.fields import Day, Email, ExternalId, Name, PageParams, Phone, Version
from web.operations import Call, Exact, Operation, Params


class CustomerParams(Params):
    """Which customer."""

    external_id: ExternalId


class CustomerIn(Exact):
    """Everything that the POS knows about a customer; what is left out is empty afterwards."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Nguyễn Lan", "phone": "0901234567", "version": 1}]}
    )

    name: Name
    phone: Phone | None = None
    email: Email | None = None
    birthday: Day | None = None
    version: Version | None = None


class OutcomeOut(BaseModel):
    """What came of it; `stale` news is older than what is known and changed nothing."""

    outcome: Outcome


class CustomerOut(BaseModel):
    """A customer as known now. `marketing` is `granted`, `withdrawn` or empty; without a name it is a stub."""

    external_id: str
    name: str
    phone: str | None
    email: str | None
    birthday: str | None
    version: int
    marketing: str
    created_at: datetime
    updated_at: Annotated[datetime, Field(description="When this service last took over a change.")]


class CustomersOut(BaseModel):
    """Some customers; `next` is the cursor of those after them, null at the end."""

    customers: list[CustomerOut]
    next: str | None


class CodeOut(BaseModel):
    """A code for a receipt, good once."""

    code: str
    expires_at: datetime


class EntryOut(BaseModel):
    """Points that came or went."""

    points: int
    kind: str
    reason: str
    at: datetime


class PointsOut(BaseModel):
    """What a customer holds, and the last entries, newest first."""

    balance: int
    entries: list[EntryOut]


async def put(call: Call[CustomerParams, CustomerIn]) -> OutcomeOut:
    """Tell of a customer. May be sent again: the same news changes nothing."""
    said = call.body
    outcome = await call.database.write(
        lambda session: customers.put_customer(
            session,
            call.params.external_id,
            now=call.now,
            name=said.name,
            phone=said.phone or "",
            email=said.email or "",
            birthday=said.birthday.isoformat() if said.birthday else "",
            version=said.version,
        )
    )
    return OutcomeOut(outcome=outcome)


async def get(call: Call[CustomerParams, None]) -> CustomerOut:
    """Read a customer."""
    return _shown(await call.database.read(lambda session: customers.find(session, call.params.external_id)))


async def page(call: Call[PageParams, None]) -> CustomersOut:
    """List the customers."""
    rows = await call.database.read(lambda session: customers.page(session, call.params.after, call.params.limit))
    following = str(rows[-1].id) if len(rows) == call.params.limit else None
    return CustomersOut(customers=[_shown(row) for row in rows], next=following)


async def issue_code(call: Call[CustomerParams, None]) -> CodeOut:
    """Make a code that joins the customer's chat to them when they type it there."""
    code = await call.database.write(
        lambda session: customers.issue_code(session, customers.find(session, call.params.external_id).id, call.now)
    )
    return CodeOut(code=code, expires_at=call.now + customers.CODE_LIFE)


async def points(call: Call[CustomerParams, None]) -> PointsOut:
    """Read a customer's points."""

    def read(session: Session) -> PointsOut:
        customer = customers.find(session, call.params.external_id).id
        entries = [
            EntryOut(points=entry.points, kind=entry.kind, reason=entry.reason, at=entry.at)
            for entry in loyalty.history(session, customer)
        ]
        return PointsOut(balance=loyalty.balance(session, customer), entries=entries)

    return await call.database.read(read)


def _shown(profile: Profile) -> CustomerOut:
    return CustomerOut(
        external_id=profile.external_id or "",
        name=profile.name,
        phone=profile.phone,
        email=profile.email or None,
        birthday=profile.birthday or None,
        version=profile.external_version,
        marketing=profile.marketing,
        created_at=profile.created_at,
        updated_at=profile.updated_at,
    )


_ONE = "/customers/{external_id}"
OPERATIONS = (
    Operation("GET", "/customers", "listCustomers", "List the customers", PageParams, None, CustomersOut, page),
    Operation("PUT", _ONE, "putCustomer", "Tell of a customer", CustomerParams, CustomerIn, OutcomeOut, put),
    Operation("GET", _ONE, "getCustomer", "Read a customer", CustomerParams, None, CustomerOut, get),
    Operation("POST", f"{_ONE}/link-code", "issueCode", "Make a code for a receipt", CustomerParams, None, CodeOut,
              issue_code),
    Operation("GET", f"{_ONE}/points", "getPoints", "Read a customer's points", CustomerParams, None, PointsOut,
              points),
)  # fmt: skip
