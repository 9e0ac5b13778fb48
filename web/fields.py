"""Kinds of fields that the API takes: bounded, without control characters, in one form."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

from crm import phones
from web.operations import Params

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
_MOST = 2**63 - 1
_DONG = 10**12
_YEARS = range(2000, 2100)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _a_phone(text: str) -> str:
    if text.strip() and phones.normalise(text) is None:
        raise ValueError("is not a phone number")
    return text


def _a_day(value: object) -> object:
    """Refuse everything but a day written out, such as seconds since 1970."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a day written as 1990-02-03")
    return value


def _written_out(value: object) -> object:
    """Refuse seconds since 1970, bare or in quotes."""
    if not isinstance(value, str) or not _DAY.match(value):
        raise ValueError("must be written out as in RFC 3339")
    return value


def _in_utc(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        raise ValueError(f"must lie between the years {_YEARS.start} and {_YEARS.stop - 1}")
    return moment.astimezone(UTC)


ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_PRINTABLE)]
Source = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_PRINTABLE)]
Code = Annotated[str, StringConstraints(max_length=128, pattern=_PRINTABLE)]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_PRINTABLE),
    AfterValidator(_composed),
]
Note = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$"), AfterValidator(_composed)]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")]
Phone = Annotated[
    str,
    StringConstraints(max_length=40, pattern=_PRINTABLE),
    AfterValidator(_a_phone),
    Field(description="In any usual form; without a country code it is Vietnamese.", examples=["0901234567"]),
]
Version = Annotated[int, Field(ge=0, le=_MOST)]
Dong = Annotated[int, Field(ge=0, le=_DONG, description="Vietnamese đồng, a whole number.")]
Price = Annotated[int, Field(ge=-_DONG, le=_DONG, description="Đồng for one; below zero for a discount.")]
Quantity = Annotated[int | float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Day = Annotated[date, BeforeValidator(_a_day), Field(strict=False)]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_written_out),
    AfterValidator(_in_utc),
    Field(strict=False, description="RFC 3339 with an offset, years 2000 to 2099."),
]


RowId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]


def row_id(raw: str) -> int:
    """The id of a row; one that is larger than any row's is nobody's."""
    return min(int(raw), _MOST)


class PageParams(Params):
    """Where a list goes on, and how much of it to give."""

    cursor: RowId = "0"
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    @property
    def after(self) -> int:
        """The id of the last row seen."""
        return row_id(self.cursor)
