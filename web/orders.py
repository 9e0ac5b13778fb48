"""Orders in the API: what the POS tells and asks about them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict
from sqlmodel import Session

from crm import customers, orders
from crm.orders import Item, News, OrderRow, Status
from web.customers import OutcomeOut
from web.fields import Code, Dong, ExternalId, Moment, Name, Note, PageParams, Price, Quantity, Source, Version
from web.operations import Call, Exact, Operation, Params

MOST_ITEMS = 500
_EXAMPLE: JsonDict = {
    "customer": "KH9001",
    "status": "delivered",
    "total": 255_000,
    "items": [{"name": "Trà sen", "quantity": 2, "price": 127_500}],
    "placed_at": "2026-11-01T09:00:00+07:00",
    "updated_at": "2026-11-03T14:30:00+07:00",
    "code": "DH001",
}


class OrderParams(Params):
    """Which order of which source."""

    source: Source
    external_id: ExternalId


class OrdersParams(PageParams):
    """Whose orders; of all customers where none is named."""

    customer: ExternalId | None = None


class ItemIn(Exact):
    """One line of an order."""

    name: Name
    quantity: Quantity
    price: Price
    sku: Annotated[Code, Field(description="Your id of the product, for rules of points and for refunds.")] = ""
    category: Annotated[Code, Field(description="What rules of points know it by.")] = ""


class OrderIn(Exact):
    """Everything about an order. `version`, or else `updated_at`, must grow with every change."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    customer: Annotated[ExternalId, Field(description="The customer's external id; unknown ones become a stub.")]
    status: Status
    total: Dong
    items: Annotated[tuple[ItemIn, ...], Field(max_length=MOST_ITEMS)] = ()
    placed_at: Moment
    updated_at: Moment | None = None
    version: Annotated[Version | None, Field(validate_default=True)] = None
    code: Code | None = None
    note: Note | None = None

    @field_validator("version")
    @classmethod
    def _or_updated_at(cls, version: int | None, info: ValidationInfo) -> int | None:
        if version is None and info.data.get("updated_at") is None:
            raise ValueError("give a version or updated_at, so that older news is known as such")
        return version


class ItemOut(BaseModel):
    """One line of an order."""

    name: str
    quantity: int | float
    price: int
    sku: str
    category: str


class OrderOut(BaseModel):
    """An order as known now."""

    source: str
    external_id: str
    code: str
    customer: str
    status: str
    total: int
    items: list[ItemOut]
    note: str
    version: int
    placed_at: datetime
    delivered_at: datetime | None
    updated_at: Annotated[datetime, Field(description="When this service last took over a change.")]


class OrdersOut(BaseModel):
    """Some orders; `next` is the cursor of those after them, null at the end."""

    orders: list[OrderOut]
    next: str | None


async def put(call: Call[OrderParams, OrderIn]) -> OutcomeOut:
    """Tell of an order. May be sent again and in any order: the newest version stands."""
    news = _news(call.params, call.body, call.now)
    return OutcomeOut(outcome=await call.database.write(lambda session: orders.put(session, news, call.now)))


async def get(call: Call[OrderParams, None]) -> OrderOut:
    """Read an order."""

    def read(session: Session) -> OrderOut:
        order = orders.find(session, call.params.source, call.params.external_id)
        return _shown(session, [order])[0]

    return await call.database.read(read)


async def page(call: Call[OrdersParams, None]) -> OrdersOut:
    """List the orders, of one customer or of all."""
    params = call.params

    def read(session: Session) -> OrdersOut:
        customer = customers.find(session, params.customer).id if params.customer else None
        rows = orders.page(session, params.after, params.limit, customer)
        following = str(rows[-1].id) if len(rows) == params.limit else None
        return OrdersOut(orders=_shown(session, rows), next=following)

    return await call.database.read(read)


def _news(params: OrderParams, said: OrderIn, now: datetime) -> News:
    changed_at = said.updated_at or now
    return News(
        source=params.source,
        external_id=params.external_id,
        customer=said.customer,
        status=said.status,
        total=said.total,
        version=orders.version_at(changed_at) if said.version is None else said.version,
        placed_at=said.placed_at,
        changed_at=changed_at,
        items=tuple(Item(**item.model_dump()) for item in said.items),
        code=said.code or "",
        note=said.note or "",
    )


def _shown(session: Session, rows: list[OrderRow]) -> list[OrderOut]:
    names = customers.external_ids(session, {row.customer_id for row in rows})
    return [
        OrderOut(
            source=row.source,
            external_id=row.external_id,
            code=row.code,
            customer=names[row.customer_id],
            status=row.status,
            total=row.total,
            items=[ItemOut(**asdict(item)) for item in orders.items(row)],
            note=row.note,
            version=row.version,
            placed_at=row.placed_at,
            delivered_at=row.delivered_at,
            updated_at=row.updated_at,
        )
        for row in rows
    ]


_ONE = "/orders/{source}/{external_id}"
OPERATIONS = (
    Operation("GET", "/orders", "listOrders", "List the orders", OrdersParams, None, OrdersOut, page),
    Operation("PUT", _ONE, "putOrder", "Tell of an order", OrderParams, OrderIn, OutcomeOut, put),
    Operation("GET", _ONE, "getOrder", "Read an order", OrderParams, None, OrderOut, get),
)
