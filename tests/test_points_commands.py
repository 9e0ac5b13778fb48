"""Points on the command line: the programme, what a customer holds and why, by two, out of a file, counted anew."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from crm import adjustments, customers, notices, orders, reservations, staff
from crm.ledger import Fact
from crm.orders import Item, News, Status
from crm.staff import Role
from storage import audit
from tests.crm import programme
from tests.storage.rows import transaction
from tests.test_commands import SECRET, Line

NOW = datetime.now(UTC)


@pytest.fixture
def shop(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
) -> Line:
    """A command line on each engine, with a programme in a file and two customers, one of whom bought something."""
    line = Line(capsys, monkeypatch)
    line.set(SECRET_KEY=SECRET, DATABASE_URL=database_url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "points.toml").write_text(programme.PLAIN, "utf-8")
    with transaction(database_url) as session:
        for name in ("KH1", "KH2"):
            customers.put_customer(session, name, now=NOW, name=f"Khách {name}")
        items = (Item("Trà sen", 2, 50_000),)
        for source in ("pos", "web"):
            news = News(source, f"{source}1", "KH1", Status.DELIVERED, 255_000, 1, NOW, NOW, items, "DH 001")
            orders.put(session, news, NOW)
    return line


def test_a_programme_is_checked_loaded_and_shown(shop: Line, tmp_path: Path) -> None:
    assert shop("programme", "show").out.startswith("No programme is loaded")
    assert shop("programme", "check", "points.toml").out == "It can be loaded.\n"
    loaded = shop("programme", "load", "points.toml", "--json").json
    assert loaded["name"] == "Khách quen" and loaded["warnings"] == []
    assert shop("programme", "load", "points.toml", "--json").json["version"] == loaded["version"]
    assert programme.PLAIN.strip() in shop("programme", "show", str(loaded["version"])).out
    (only,) = shop("programme", "list", "--json").json
    assert only["version"] == loaded["version"] and only["holds"]
    (tmp_path / "bad.toml").write_text(programme.PLAIN.replace("per = 10000", "per = 1.5"), "utf-8")
    checked = shop("programme", "check", "bad.toml")
    assert checked.status == 1 and "error: rule.0.per: must be a whole number" in checked.out
    assert "rule.0.per" in shop("programme", "load", "bad.toml").refused()
    assert "cannot be read" in shop("programme", "check", "none.toml").refused()


def test_what_a_till_set_aside_is_told_so_that_the_sum_can_be_checked(shop: Line, database_url: str) -> None:
    with transaction(database_url) as session:
        fact = Fact(key="till:1", now=NOW)
        reservations.reserve(session, customers.find(session, "KH1").id, 20, fact, NOW + timedelta(minutes=15))
    first, second, *_ = shop("loyalty", "show", "KH1").out.splitlines()
    assert (first, second) == ("Khách KH1: 30 points to spend, 50 in all", "  20 set aside")


def test_what_somebody_holds_and_why_is_told(shop: Line) -> None:
    told = shop("loyalty", "show", "KH1", "--json").json
    assert (told["spendable"], [entry["points"] for entry in told["entries"]]) == (50, [25, 25])
    assert "Khách KH1: 50 points to spend" in shop("loyalty", "show", "KH1", "--most", "1").out
    assert "pos or web" in shop("loyalty", "explain", "dh001").refused()
    explained = shop("loyalty", "explain", "dh001", "--source", "web", "--json").json
    assert (explained["points"], explained["steps"]) == (
        25, [{"rule": "base", "points": 25, "currency": "spend", "why": "fired"}],
    )  # fmt: skip
    assert "= 25 points; the ledger holds 25" in shop("loyalty", "explain", "DH001", "--source", "pos").out
    assert "no order" in shop("loyalty", "explain", "DH9").refused()
    assert "no such customer" in shop("loyalty", "show", "KH9").refused()


def test_many_points_are_given_by_two(shop: Line) -> None:
    shop("programme", "load", "points.toml")
    done = shop("loyalty", "adjust", "KH1", "-20", "trừ", "nhầm", "--as", "Mai", "--key", "k1", "--json").json
    assert (done["spendable"], done["waiting"]) == (30, None)
    assert shop("loyalty", "adjust", "KH1", "-20", "trừ", "nhầm", "--as", "Mai", "--key", "k1").status == 0
    waiting = shop("loyalty", "adjust", "KH1", "501", "quà", "--as", "Mai", "--json").json["waiting"]
    assert "quà" in shop("loyalty", "adjustments").out
    assert "Somebody else" in shop("loyalty", "approve", str(waiting), "--as", "Mai").refused()
    assert shop("loyalty", "approve", str(waiting), "--as", "Hoa", "--json").json["state"] == "approved"
    assert shop("loyalty", "show", "KH1", "--json").json["spendable"] == 531
    other = shop("loyalty", "adjust", "KH1", "900", "quà", "--as", "Mai", "--json").json["waiting"]
    assert shop("loyalty", "refuse", str(other), "--as", "Hoa", "--json").json["state"] == "refused"
    assert shop("loyalty", "adjustments").out == "No adjustment waits.\n"
    assert "Not enough points" in shop("loyalty", "adjust", "KH2", "-1", "x", "--as", "Mai").refused()


def test_who_is_of_the_staff_is_the_same_person_here_and_in_a_chat(shop: Line, database_url: str) -> None:
    shop("programme", "load", "points.toml")
    now = datetime.now(UTC)
    with transaction(database_url) as session:
        mai = staff.add(session, "Mai", Role.ADMIN, now)
        lan = customers.find(session, "KH1").id
        fact = Fact(key="chat", now=now, reason="quà", actor=f"staff:{mai.id}")
        asked = adjustments.adjust(session, lan, 600, fact).waiting
        assert asked is not None
    assert "Somebody else" in shop("loyalty", "approve", str(asked.id), "--as", "mai").refused()
    done = shop("loyalty", "adjust", "KH1", "700", "quà", "--as", "Mai")
    assert "Nobody of the staff may approve it in a chat." in done.out
    other = shop("loyalty", "adjust", "KH1", "800", "quà", "--as", "Hoa", "--key", "k", "--json").json["waiting"]
    assert "Somebody else" in shop("loyalty", "approve", str(other), "--as", "hoa").refused()
    with transaction(database_url) as session:
        assert notices.count_held(session, mai.id) == 1
        assert adjustments.find(session, other - 1).asked_by == f"staff:{mai.id}"
    assert shop("loyalty", "approve", str(other), "--as", "Mai").status == 0
    again = shop("loyalty", "adjust", "KH1", "800", "quà", "--as", "Hoa", "--key", "k")
    assert again.out == f"{other} is approved.\n"


def test_points_are_frozen_and_freed(shop: Line) -> None:
    assert shop("loyalty", "freeze", "KH1", "nghi", "gian", "lận").out == "Frozen.\n"
    assert shop("loyalty", "show", "KH1", "--json").json["frozen"] is True
    assert shop("loyalty", "unfreeze", "KH1").out == "Free again.\n"
    assert shop("loyalty", "show", "KH1", "--json").json["frozen"] is False


def test_the_ledger_is_counted_anew(shop: Line, database_url: str) -> None:
    assert shop("loyalty", "check").out == "Every sum agrees.\n"
    with transaction(database_url) as session:
        session.connection().execute(text("UPDATE point_balance SET balance = balance + 5 WHERE currency = 'spend'"))
    found = shop("loyalty", "check")
    assert found.status == 1 and "KH1" in found.out and "55 kept" in found.out


def test_opening_balances_are_looked_through_loaded_and_taken_back(
    shop: Line, tmp_path: Path, database_url: str
) -> None:
    file = tmp_path / "old.csv"
    file.write_text("customer,points,expires\nKH1,10,\nKH9,5,\nKH2,-1,\n", "utf-8")
    refused = shop("import", "points", "old.csv", "--report", "wrong.csv")
    assert refused.status == 1 and "Nothing was loaded." in refused.out
    assert (tmp_path / "wrong.csv").read_text("utf-8").splitlines()[1:] == [
        "4,points,must be a whole number from 1 to 1000000000", "3,customer,there is no customer 'KH9'",
    ]  # fmt: skip
    file.write_text("\ufeffcustomer,points,expires\nKH1,10,\nKH2,7,2099-12-31\n", "utf-8")
    assert "2 customers, 17 points" in shop("import", "points", "old.csv", "--dry-run").out
    assert shop("loyalty", "show", "KH2", "--json").json["balance"] == 0
    batch = shop("import", "points", "old.csv", "--as", "Mai", "--json").json["batch"]
    assert shop("loyalty", "show", "KH2", "--json").json["balance"] == 7
    assert batch in shop("import", "points", "old.csv").refused()
    assert json.loads(shop("import", "points", "--undo", batch, "--json").out) == {"batch": int(batch), "undone": True}
    assert [shop("loyalty", "show", name, "--json").json["balance"] for name in ("KH1", "KH2")] == [50, 0]
    assert shop("loyalty", "check").status == 0
    with transaction(database_url) as session:
        noted = [(each.action, each.subject_id, each.details) for each in audit.latest(session)]
    assert noted == [
        ("points.undo", int(batch), "2 rows, -17 by owner"), ("points.import", int(batch), "2 rows, +17 by Mai"),
    ]  # fmt: skip
    assert "name the FILE" in shop("import", "points").refused()
    assert "no such batch" in shop("import", "points", "--undo", "12").refused()
