"""Segments on the command line: counted, explained, saved, and the words that can be used."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm import customers, tags
from tests.storage.rows import transaction
from tests.test_commands import SECRET, Line


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sqlite_template: Path
) -> Line:
    """A command line with two customers, one of whom is a VIP."""
    line, url, now = Line(capsys, monkeypatch), f"sqlite:///{tmp_path / 'shop.db'}", datetime.now(UTC)
    (tmp_path / "shop.db").write_bytes(sqlite_template.read_bytes())
    line.set(SECRET_KEY=SECRET, DATABASE_URL=url)
    with transaction(url) as session:
        for name in ("KH1", "KH2"):
            customers.put_customer(session, name, now=now, name=f"Khách {name}", phone="0901234567")
        tags.put_on(session, [customers.find(session, "KH1").id], "VIP", by="cli", at=now)
    return line


def test_a_segment_is_counted_explained_and_saved(shop: Line) -> None:
    counted = shop("segment", "count", "sdt và không vip", "--sample", "5", "--json").json
    assert (counted["segment"], counted["count"]) == ("sdt va khong(vip)", 1)
    assert [each["external_id"] for each in counted["sample"]] == ["KH2"]
    assert shop("segment", "save", "VIP mới", "vip va tao<30d").out.splitlines() == [
        "vip_moi@1: 1 customer", "vip and created<30d",
    ]  # fmt: skip
    why = shop("segment", "why", "KH2", "vip_moi")
    assert [line.split()[:2] for line in why.out.splitlines()] == [
        ["out"], ["✗", "segment:vip_moi"], ["✗", "vip"], ["✓", "created<30d"],
    ]  # fmt: skip
    assert shop("segment", "why", "KH1", "vip", "--json").json["member"]
    assert [row["name"] for row in shop("segment", "list", "--json").json] == ["vip_moi"]
    assert shop("segment", "history", "vip_moi").out.startswith("vip_moi@1")
    assert "hang" in shop("segment", "words").out


def test_what_cannot_be_understood_is_refused_with_its_place(shop: Line) -> None:
    assert "character 1" in shop("segment", "count", "hagn>=vang").refused()
