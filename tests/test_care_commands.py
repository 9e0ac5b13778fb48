"""Care rules on the command line: looked through, loaded, tried, on, off, and what became of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crm import consent, customers
from tests.crm.test_care_file import RULE
from tests.storage.rows import transaction
from tests.test_commands import SECRET, Line
from tests.test_points_commands import NOW


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sqlite_template: Path
) -> Line:
    """A command line with a rule in a file, and a customer who was born on 29 February and agreed."""
    line, database_url = Line(capsys, monkeypatch), f"sqlite:///{tmp_path / 'care.db'}"
    shutil.copy(sqlite_template, tmp_path / "care.db")
    line.set(SECRET_KEY=SECRET, DATABASE_URL=database_url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thanks.toml").write_text(RULE, "utf-8")
    with transaction(database_url) as session:
        customers.put_customer(session, "KH1", now=NOW, name="Lan", birthday="1996-02-29")
        consent.say(session, customers.find(session, "KH1").id, granted=True, at=NOW)
    return line


def test_a_rule_is_checked_loaded_shown_and_turned_on_and_off(shop: Line, tmp_path: Path) -> None:
    assert "No rule is loaded" in shop("care", "list").out
    assert shop("care", "check", "thanks.toml").out == "thanks.toml: it can be loaded.\n"
    assert shop("care", "load", "thanks.toml", "--json").json == [{"rule": "thanks", "version": 1, "warnings": []}]
    assert RULE.strip() in shop("care", "show", "thanks").out
    assert "thanks is on" in shop("care", "activate", "thanks").out
    assert "thanks is paused" in shop("care", "pause", "thanks").out
    (only,) = shop("care", "list", "--json").json
    assert (only["rule"], only["state"], only["waiting"]) == ("thanks", "paused", 0)
    assert "thanks is off" in shop("care", "off", "thanks").out
    assert "is off" in shop("care", "pause", "thanks").refused()
    assert "No message of thanks is planned" in shop("care", "report", "thanks").out
    (tmp_path / "bad.toml").write_text(RULE.replace('"09:30"', '"23:00"'), "utf-8")
    checked = shop("care", "check", "bad.toml")
    assert checked.status == 1 and "error: at: care messages go out from 07:00" in checked.out
    assert "there is no rule" in shop("care", "show", "nothing").refused().lower()


def test_a_preview_tells_when_a_birthday_of_a_leap_year_is(shop: Line) -> None:
    assert len(shop("care", "load", "--shipped", "--json").json) == 8
    year = NOW.year + 1
    while year % 4 == 0:
        year += 1
    told = shop("care", "preview", "birthday", "--customer", "KH1", "--at", f"{year}-03-01", "--json").json
    last = told[-1]
    assert last["at"] == f"{year}-02-28T08:00:00+07:00"
    assert last["reason"] == "no_identity"
    (line,) = [
        line for line in shop("care", "preview", "birthday", "--customer", "KH1").out.splitlines() if "  " in line
    ]
    assert "birthday (the birthday in 20" in line and line.endswith("is not sent: they are on no channel")
    assert "is over" in shop("care", "preview", "birthday", "--customer", "KH1", "--at", "2020-01-01").refused()


def test_a_rule_is_turned_on_with_a_warning_of_a_condition_that_names_what_is_not_there(
    shop: Line, tmp_path: Path
) -> None:
    (tmp_path / "thanks.toml").write_text(RULE.replace("days = 2", 'days = 2\ncondition = "nhom:vip_moi"'), "utf-8")
    for order in (("check", "thanks.toml"), ("load", "thanks.toml"), ("activate", "thanks")):
        told = shop("care", *order).out
        assert "warning: condition: There is no segment “vip_moi”" in told and ". Nothing goes out" in told
    (warned,) = shop("care", "activate", "thanks", "--json").json["warnings"]
    assert warned["place"] == "condition"
    (kept,) = shop("care", "load", "thanks.toml", "--json").json
    assert kept["warnings"] == [warned]
