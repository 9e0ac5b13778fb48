"""Consent and personal data on the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crm import consent, customers, privacy
from crm.privacy import Kind
from storage import customers as people
from tests.storage.rows import person, transaction
from tests.test_commands import SECRET, Line

NOW = datetime.now(UTC)


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str
) -> Line:
    """A command line on each engine, and a customer who asked to see and to erase what is kept of them."""
    line = Line(capsys, monkeypatch)
    line.set(SECRET_KEY=SECRET, DATABASE_URL=database_url)
    monkeypatch.chdir(tmp_path)
    with transaction(database_url) as session:
        customers.put_customer(session, "KH1", now=NOW, name="Nguyễn Thị Lan", phone="0901234567")
        customer = customers.find(session, "KH1").id
        for kind in (Kind.SEE, Kind.ERASE):
            privacy.ask(session, customer, kind, now=NOW, zone=ZoneInfo("Asia/Ho_Chi_Minh"))
    return line


def test_requests_are_listed_answered_done_and_carried_out(shop: Line, tmp_path: Path) -> None:
    see, erase = (str(each["number"]) for each in shop("privacy", "list", "--json").json)
    assert "done by" in shop("privacy", "list").out and "answer by" in shop("privacy", "show", see).out
    assert shop("privacy", "answer", see, "--json").json["changed"]
    shop("privacy", "show", see, "--save", "held.json")
    assert "Nguyễn Thị Lan" in (tmp_path / "held.json").read_text("utf-8")
    assert (tmp_path / "held.json").stat().st_mode & 0o077 == 0, "nobody else may read it"
    assert shop("privacy", "done", see, "--note", "gửi bản in").out == f"Request {see} is done.\n"
    assert "--yes" in shop("privacy", "done", erase).refused()
    assert shop("privacy", "done", erase, "--yes", "--json").json["touched"]["customer"] == 1
    assert shop("privacy", "list").out.startswith("No request")
    assert len(shop("privacy", "list", "--all", "--json").json) == 2
    assert "ended already" in shop("privacy", "refuse", see, "--why", "x").refused()
    assert "no such customer" in shop("privacy", "export", "KH1", "out.json").refused()


def test_consent_is_recorded_shown_and_exported(shop: Line, tmp_path: Path) -> None:
    shop("consent", "record", "yes", "0901234567", "--wording", "phiếu 12", "--at", "2026-11-01T10:00+07:00")
    (word,) = shop("consent", "show", "KH1", "--json").json
    assert (word["granted"], word["way"], word["wording"], word["at"]) == (
        True, "elsewhere", "phiếu 12", "2026-11-01T10:00:00+07:00",
    )  # fmt: skip
    assert "all channels" in shop("consent", "show", f"#{_id(shop)}").out
    shop("consent", "export", "all.jsonl")
    (line,) = (tmp_path / "all.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["wording"] == "phiếu 12"
    assert consent.MARKETING in line
    with pytest.raises(SystemExit):
        shop("consent", "record", "yes", "KH1", "--at", "2026-11-01")


def _id(shop: Line) -> int:
    return int(shop("privacy", "list", "--json").json[0]["customer"])


def test_who_is_in_a_chat_only_is_found_by_its_id_or_the_number_shared_there(shop: Line, database_url: str) -> None:
    with transaction(database_url) as session:
        identity = person(session, "3000000000000000001", last=NOW)
        found = people.person(session, identity)
        assert found is not None
        people.change(session, found.customer_id, phone="+84901234599")
        consent.say(session, found.customer_id, granted=True, at=NOW, channel="zalo", wording="nhận quảng cáo")
    for name in ("3000000000000000001", "0901234599", f"#{found.customer_id}"):
        told = shop("consent", "show", name).out
        assert "nhận quảng cáo" in told
        assert told.endswith("This is a chat on zalo that is joined to no customer of the POS.\n")
    assert "No chat is joined to this customer" in shop("consent", "show", "KH1").out
    assert shop("segment", "why", "3000000000000000001", "dongy").out.startswith("in\n✓  consent")
    assert "no such customer" in shop("consent", "show", "3000000000000000002").refused()
