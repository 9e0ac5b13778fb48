"""Segments in the API: counted, explained, saved; what cannot be understood is named."""

from __future__ import annotations

from tests.web.conftest import Client
from tests.web.test_api import refused
from tests.web.test_loyalty import answer


async def test_a_segment_is_counted_explained_and_saved(pos: Client) -> None:
    await answer(pos, "PUT", "/customers/C1", {"name": "Lan", "phone": "0901234567"})
    await answer(pos, "PUT", "/customers/C2", {"name": "Minh"})
    counted = await answer(pos, "POST", "/segments/count", {"segment": "tên và sđt", "sample": 5})
    assert (counted["segment"], counted["count"]) == ("ten va sdt", 1)
    assert [each["external_id"] for each in counted["sample"]] == ["C1"]
    kept = await answer(pos, "PUT", "/segments/co_so", {"segment": "phone"})
    assert (kept["name"], kept["version"], kept["segment"]) == ("co_so", 1, "sdt")
    why = await answer(pos, "POST", "/segments/why", {"segment": "nhom:co_so hoac tao<1ngay", "customer": "C2"})
    assert why["member"] and [each["holds"] for each in why["reasons"]] == [False, True]
    assert [each["name"] for each in (await answer(pos, "GET", "/segments"))["segments"]] == ["co_so"]
    assert [each["version"] for each in (await answer(pos, "GET", "/segments/co_so"))["segments"]] == [1]


async def test_what_cannot_be_understood_or_is_not_there_is_refused(pos: Client) -> None:
    body = {"json": {"segment": "hagn>=vang"}}
    assert await refused(pos, "POST", "/api/v1/segments/count", **body) == (422, ["segment"])
    assert (await refused(pos, "GET", "/api/v1/segments/none"))[0] == 404
