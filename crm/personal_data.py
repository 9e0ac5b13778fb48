"""Everything that we hold of one person, as one document: the evidence for who asks to see it."""

from __future__ import annotations

import base64
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from crm.errors import NotFound
from storage import customers, personal


def everything(session: Session, customer_id: int, now: datetime) -> dict[str, Any]:
    """All rows that belong to a customer, by what they are of, ready for JSON: times in ISO 8601, bytes in base64.

    Raises NotFound.
    """
    if customers.profile(session, customer_id) is None:
        raise NotFound("Không có khách hàng này.", "There is no such customer.")
    found = personal.rows(session, personal.whose(session, customer_id))
    held = {name: [{key: _plain(value) for key, value in row.items()} for row in rows] for name, rows in found.items()}
    return {
        "as_of": now.isoformat(),
        "customer": customer_id,
        "held": {name: rows for name, rows in held.items() if rows},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return base64.b64encode(raw).decode()
    return value
