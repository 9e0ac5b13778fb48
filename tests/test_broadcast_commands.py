"""Broadcasts on the command line: from a draft to who it was meant for, and what is refused on the way."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import func, select, text, update
from sqlmodel import col

from crm import broadcasts, customers, staff
from crm.content import Content
from crm.messages import Message
from crm.staff import Role
from storage.columns import new_id
from storage.customers import add_many
from storage.recipients import FAILED, SKIPPED, Recipient
from tests.crm import sending
from tests.crm.shops import AT
from tests.storage.rows import transaction
from tests.test_commands import SECRET, Line


@pytest.fixture
def url(tmp_path: Path, sqlite_template: Path) -> str:
    """A shop with two customers, Mai who markets and has a chat, and Lan who answers."""
    (tmp_path / "shop.db").write_bytes(sqlite_template.read_bytes())
    url, now = f"sqlite:///{tmp_path / 'shop.db'}", datetime.now(UTC)
    with transaction(url) as session:
        customers.put_customer(session, "KH1", now=now, name="=Lan", phone="0901234567")
        customers.put_customer(session, "KH2", now=now, name="Minh")
        mai = staff.add(session, "Mai", Role.MARKETER, now)
        staff.add(session, "Lan", Role.AGENT, now)
        own, chat = new_id(), new_id()
        identity = {"id": chat, "customer_id": own, "staff_id": mai.id, "channel": "zalo", "account_id": "oa",
                    "user_id": "mai", "last_interaction_at": now, "created_at": now}  # fmt: skip
        add_many(session, [{"id": own, "created_at": now, "updated_at": now}], [identity], [{"id": chat}])
    return url


@pytest.fixture
def shop(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str) -> Line:
    """A command line on it."""
    line = Line(capsys, monkeypatch)
    line.set(SECRET_KEY=SECRET, DATABASE_URL=url, BROADCAST_ALONE="1")
    return line


TEXT = 'Chào {{ khach.ten or "bạn" }}, mai giảm giá.'


def test_a_broadcast_goes_from_a_draft_to_a_report(shop: Line, url: str, tmp_path: Path) -> None:
    made = shop("broadcast", "draft", "Tết", "--to", "tatca", "--text", TEXT, "--as", "Mai", "--json").json
    number, by = str(made["id"]), ("--as", "Mai")
    assert (made["state"], made["segment"]) == ("draft", "tatca")
    seen = shop("broadcast", "preview", number, "--json").json
    assert (seen["people"], seen["needs_second_person"]) == (2, True)
    assert (seen["skips"], seen["cost"], seen["budget_left"]) == ({"no_identity": 2}, 0, None)
    told = shop("broadcast", "preview", number).out
    assert "nothing for 2: they are on no channel" in told
    assert f"khachquen broadcast approve 1 {seen['version']} --as NAME" in told
    assert "not tested" in shop("broadcast", "schedule", number, "20h", "mai", *by).refused()
    assert shop("broadcast", "report", number).out.startswith("1 Tết: draft\n  to all\n  nobody yet")
    assert "It went to 1 of Mai's chats." in shop("broadcast", "test", number, *by).out
    assert "second person" in shop("broadcast", "schedule", number, "20h", "mai", *by).refused()
    assert "Who wrote it cannot approve it" in shop("broadcast", "approve", number, seen["version"], *by).refused()
    assert "was changed since" in shop("broadcast", "approve", number, "0" * 12, "--as", "Hoa").refused()
    assert "is approved" in shop("broadcast", "approve", number, seen["version"], "--as", "Hoa").out
    assert "past" in shop("broadcast", "schedule", number, "20h", "01/01/2020", *by).refused()
    assert "quiet hours" in shop("broadcast", "schedule", number, "23h", "mai", *by).refused()
    assert "no moment" in shop("broadcast", "schedule", number, "khi", "rảnh", *by).refused()
    assert "no moment" not in shop("broadcast", "schedule", number, "now", *by).err
    begun = shop("broadcast", "schedule", number, "20h", "mai", *by).out
    assert "scheduled" in begun and "20:00" in begun and "(Vietnam time)" in begun
    with transaction(url) as session:
        found = broadcasts.get(session, int(number))
        assert found.scheduled_at is not None
        sending.begin(session, found.id, found.scheduled_at, AT)
    assert shop("broadcast", "watch", number, "--once").out.startswith(f"[{' ' * 30}] 0 % of 2 · running · pending 2\n")
    assert "paused" in shop("broadcast", "pause", number, *by).out
    assert "running" in shop("broadcast", "resume", number, *by).out
    assert "cancelled" in shop("broadcast", "cancel", number, "--as", "Hoa").out
    with transaction(url) as session:
        bodies = session.connection().execute(text("SELECT body FROM notice")).scalars().all()
    (told,) = [Message.loads(body).text for body in bodies]
    assert told == f"Hoa đã hủy hẳn tin gửi loạt #{number} “Tết” của bạn.\nXem: /gui {number}"
    assert shop("broadcast", "report", number, "--json").json["people"] == {"pending": 2}
    assert [row["state"] for row in shop("broadcast", "list", "--json").json] == ["cancelled"]
    shop("broadcast", "recipients", number, "--out", str(tmp_path / "who.csv"))
    with (tmp_path / "who.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["Mã khách"], row["Tên"], row["Trạng thái"]) for row in rows] == [
        ("KH1", "'=Lan", "chờ gửi"), ("KH2", "Minh", "chờ gửi"),
    ]  # fmt: skip
    assert shop("broadcast", "recipients", number, "--out", str(tmp_path / "who.xlsx"), "--json").json["rows"] == 2
    book = openpyxl.load_workbook(tmp_path / "who.xlsx")
    assert [row[:3] for row in book["Người nhận"].iter_rows(values_only=True)] == [
        ("Mã khách", "Tên", "Trạng thái"), ("KH1", "=Lan", "chờ gửi"), ("KH2", "Minh", "chờ gửi"),
    ]  # fmt: skip
    assert "ends in" in shop("broadcast", "recipients", number, "--out", "who.pdf").refused()
    assert shop("broadcast", "recipients", number, "--state", "sent", "--json").json == []


def test_an_edit_makes_it_a_draft_that_must_be_tested_anew(shop: Line) -> None:
    number = str(shop("broadcast", "draft", "Tết", "--to", "sdt", "--text", TEXT, "--as", "Mai", "--json").json["id"])
    shop("broadcast", "test", number, "--as", "Mai")
    assert shop("broadcast", "schedule", number, "20h", "mai", "--as", "Mai", "--json").json["state"] == "scheduled"
    edited = shop(
        "broadcast", "edit", number, "--to", "tatca", "--button", "Xem=https://shop.vn", "--as", "Mai", "--json"
    )
    assert (edited.json["state"], edited.json["segment"], edited.json["tested_at"]) == ("draft", "tatca", None)


def test_a_picture_and_buttons_are_taken_away_again(shop: Line, url: str) -> None:
    shown = (
        "--picture",
        "https://shop.vn/tet.png",
        "--button",
        "Xem=https://shop.vn",
        "--button",
        "Mua=https://shop.vn",
    )
    shop("broadcast", "draft", "Tết", "--to", "sdt", "--text", TEXT, *shown, "--as", "Mai")
    shop("broadcast", "edit", "1", "--picture", "-", "--button", "-", "--as", "Mai")
    with transaction(url) as session:
        said = Content.loads(broadcasts.get(session, 1).content)
    assert (said.text, said.picture, said.buttons) == (TEXT, "", ())


def test_a_finished_one_is_told_with_reasons_in_words_and_rests_no_more(shop: Line, url: str) -> None:
    number = shop("broadcast", "draft", "Tết", "--to", "tatca", "--text", TEXT, "--as", "Mai", "--json").json["id"]
    now = datetime.now(UTC)
    with transaction(url) as session:
        broadcasts.tested(session, number, now)
        broadcasts.schedule(session, number, now, "cli:Mai", now)
        sending.begin(session, number, now, AT)
        session.connection().execute(update(Recipient).values(state=SKIPPED, reason="no_identity"))
        one = select(func.min(Recipient.id)).scalar_subquery()
        failed = {"state": FAILED, "reason": "-244", "lane": "consultation"}
        session.connection().execute(update(Recipient).where(col(Recipient.id) == one).values(**failed))
    told = shop("broadcast", "report", str(number)).out
    assert "  to all, 2 people\n  began " in told and "no_identity: they are on no channel" in told
    assert told.count("-244") == 1 and "-244: The person does not accept this kind of message" in told
    listed = shop("broadcast", "recipients", str(number), "--state", "failed")
    assert "-244  Zalo, within 48 hours of their last message" in listed.out
    (row,) = shop("broadcast", "recipients", str(number), "--state", "failed", "--json").json
    assert (row["lane"], row["reason"]) == ("consultation", "-244")
    assert "is finished: it is not running" in shop("broadcast", "pause", str(number), "--as", "Mai").refused()


def test_who_may_not_and_what_could_go_wrong_is_refused(shop: Line) -> None:
    draft = ("broadcast", "draft", "Tết", "--to")
    assert "may not" in shop(*draft, "tatca", "--text", TEXT, "--as", "Lan").refused()
    assert "no name" in shop(*draft, "tatca", "--text", "Chào {{ khach.ten }}", "--as", "Mai").refused()
    assert "There is no tier “vnag”" in shop(*draft, "hang>=vnag", "--text", TEXT, "--as", "Mai").refused()
    assert "character 1" in shop(*draft, "hagn>=vang", "--text", TEXT, "--as", "Mai").refused()
    assert "no broadcast" in shop("broadcast", "report", "77").refused()


def test_a_name_that_two_share_is_refused_with_both_and_an_id_is_taken(shop: Line) -> None:
    for name, role in (("Lê Hoa", "lead"), ("Trần Hoa", "marketer")):
        shop("staff", "add", name, "--role", role)
    ids = {each["name"]: each["id"] for each in shop("staff", "list", "--json").json}
    assert ids["Lê Hoa"] in shop("staff", "list").out
    draft = ("broadcast", "draft", "Tết", "--to", "tatca", "--text", TEXT, "--as")
    both = f"“Hoa” may be: Lê Hoa (lead, no chat, {ids['Lê Hoa']}), Trần Hoa (marketer, no chat, {ids['Trần Hoa']})"
    for order in (
        (*draft, "Hoa"), ("broadcast", "cancel", "1", "--as", "Hoa"), ("cmd", "/ds", "--as", "Hoa"),
        ("care", "load", "--shipped", "--as", "Hoa"), ("loyalty", "adjust", "KH1", "+5", "thưởng", "--as", "Hoa"),
    ):  # fmt: skip
        assert both in shop(*order).refused(), order
    assert shop(*draft, ids["Trần Hoa"], "--json").json["created_by"] == f"staff:{ids['Trần Hoa']}"
    assert "may not" in shop(*draft, ids["Lê Hoa"]).refused()
