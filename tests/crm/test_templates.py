"""Templates as they are known: what fits into them, what they are for, and what a look at the platform changes."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from crm import templates
from crm.messages import Message, Purpose, TemplateUse, template_in
from crm.templates import Kind, Parameter, Status, Tag, Template

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ORDER = Template(
    "zalo", "oa", "123456", name="Xác nhận đơn", status=Status.APPROVED, tag=Tag.TRANSACTION,
    parameters=(
        Parameter("customer_name", max_length=10),
        Parameter("amount", kind=Kind.NUMBER),
        Parameter("day", required=False, kind=Kind.DATE),
        Parameter("page", required=False, kind=Kind.LINK),
    ),
    price_phone=800, price_user=560,
)  # fmt: skip
FITS = {"customer_name": "Lan", "amount": "250000"}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (FITS, []),
        ({"amount": "1"}, ["customer_name is missing"]),
        ({**FITS, "customer_name": "  "}, ["customer_name is missing"]),
        ({**FITS, "colour": "đỏ"}, ["colour is no parameter of this template"]),
        ({**FITS, "customer_name": "N" * 11}, ["customer_name has 11 characters; 10 is the most"]),
        ({**FITS, "amount": "250.000đ"}, ["amount must be a whole number, without dots or a currency"]),
        ({**FITS, "amount": "٣"}, ["amount must be a whole number, without dots or a currency"]),
        ({**FITS, "day": "2026-11-23"}, ["day must be a day as dd/mm/yyyy, perhaps with a time (hh:mm:ss) before it"]),
        ({**FITS, "day": "08:30:00 23/11/2026"}, []),
        ({**FITS, "page": "javascript:alert(1)"}, ["page must be a web address"]),
        ({**FITS, "page": "https://example.vn/7"}, []),
    ],
)
def test_what_does_not_fit_is_said_in_words(values: dict[str, str], told: list[str]) -> None:
    assert templates.problems(ORDER, values) == told


def test_length_is_counted_in_composed_characters() -> None:
    name = unicodedata.normalize("NFD", "Nguyễn Ế Ộ")
    assert len(name) > 10
    assert templates.problems(ORDER, {**FITS, "customer_name": name}) == []


@pytest.mark.parametrize(
    ("tag", "allowed"),
    [
        (Tag.TRANSACTION, {Purpose.REPLY, Purpose.STAFF, Purpose.TRANSACTION}),
        (Tag.OTHER, {Purpose.REPLY, Purpose.STAFF, Purpose.TRANSACTION}),
        (Tag.CARE, {Purpose.REPLY, Purpose.STAFF, Purpose.TRANSACTION, Purpose.CARE}),
        (Tag.PROMOTION, {Purpose.CARE, Purpose.BROADCAST}),
    ],
)
def test_a_tag_says_what_a_template_is_for(tag: Tag, allowed: set[Purpose]) -> None:
    assert {purpose for purpose in Purpose if tag.allows(purpose)} == allowed


def test_the_words_are_shown_where_the_platform_gives_them() -> None:
    told = replace(ORDER, text="Chào {{ customer_name }}, {{header:1}}")
    assert templates.rendered(told, {"customer_name": "Lan", "header:1": "xin chào"}) == "Chào Lan, xin chào"
    assert templates.rendered(ORDER, FITS) == "Xác nhận đơn\ncustomer_name: Lan\namount: 250000"


def test_a_message_with_a_template_survives_the_outbox() -> None:
    message = templates.message(ORDER, {"customer_name": 'Lan "template" 👩‍🦰', "amount": "1"})
    assert Message.loads(message.dumps()) == message
    assert template_in(message.dumps()) == message.template
    assert template_in(Message('nói về "template"').dumps()) is None
    assert template_in(Message("template").dumps()) is None
    assert Message.loads(Message(template=TemplateUse("7")).dumps()).template == TemplateUse("7")


def test_a_look_at_the_platform_says_what_is_new_changed_and_gone(session: Session) -> None:
    other = replace(ORDER, template_id="7")
    assert templates.keep(session, "zalo", "oa", [ORDER, other], NOW) == templates.Synced(2, 2, 0, 0)
    assert templates.keep(session, "zalo", "oa", [ORDER, other], NOW) == templates.Synced(2, 0, 0, 0)
    dearer = replace(ORDER, price_phone=900)
    assert templates.keep(session, "zalo", "oa", [dearer], NOW) == templates.Synced(1, 0, 1, 1)
    known = {each.template_id: each for each in templates.everyone(session)}
    assert known["123456"] == dearer
    assert known["7"].gone and not known["7"].is_usable
    assert templates.keep(session, "zalo", "oa", [dearer, other], NOW) == templates.Synced(2, 0, 1, 0)
    assert all(each.is_usable for each in templates.everyone(session))


def test_a_look_at_one_account_leaves_the_others_alone(session: Session) -> None:
    templates.keep(session, "zalo", "oa", [ORDER], NOW)
    templates.keep(session, "zalo", "oa-2", [replace(ORDER, account_id="oa-2")], NOW)
    templates.keep(session, "zalo", "oa", [], NOW)
    assert [(each.account_id, each.gone) for each in templates.everyone(session)] == [("oa", True), ("oa-2", False)]


def test_news_are_noted_by_the_platforms_own_number_in_every_language(session: Session) -> None:
    page = [
        Template("messenger", "page", "order", language, platform_id="61", status=Status.APPROVED)
        for language in ("vi", "en")
    ]
    templates.keep(session, "messenger", "page", page, NOW)
    told = templates.note(session, "messenger", "page", "61", "vi", NOW, status="rejected", reason="WORDS")
    assert [(each.language, each.why_not) for each in told] == [("vi", "it is rejected (WORDS)")]
    assert len(templates.note(session, "messenger", "page", "order", "", NOW, quality="low")) == 2
    assert templates.note(session, "messenger", "page", "unknown", "", NOW, status="rejected") == []
    found = templates.find(session, ("messenger", "page", "order", "vi"))
    assert found and (found.status, found.quality) == (Status.REJECTED, "low")


def test_why_it_was_refused_is_kept_until_its_state_changes(session: Session) -> None:
    templates.keep(session, "zalo", "oa", [ORDER], NOW)
    templates.note(session, "zalo", "oa", "123456", "", NOW, status="rejected", reason="Thiếu logo")
    rejected = replace(ORDER, status=Status.REJECTED)
    templates.keep(session, "zalo", "oa", [rejected], NOW + timedelta(hours=6))
    assert [each.reason for each in templates.everyone(session)] == ["Thiếu logo"]
    templates.keep(session, "zalo", "oa", [ORDER], NOW + timedelta(hours=12))
    assert [each.reason for each in templates.everyone(session)] == [""]
