"""Messages that use a template: by which way they go, what holds them up, and how a lost answer is settled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot import holds, registry
from crm import consent, customers, outbox, templates
from crm.messages import Message, Purpose, TemplateUse
from crm.reach import Refusal
from crm.templates import Template
from simulator.config import SAMPLE_TEMPLATES, ZbsTemplate
from simulator.people import MESSENGER, ZALO
from simulator.templates import change_utility, change_zbs
from storage import alarms
from storage import outbox as rows
from storage.customers import Person
from tests.conftest import Clock
from tests.pipeline.stage import Stage, playing

ORDER = "123456"
VALUES = {"customer_name": "Lan", "order_code": "DH-1"}
SAID = "Chào Lan, đơn DH-1 của bạn đã được xác nhận."
UTILITY = {
    "id": "61", "name": "order_update", "language": "vi", "status": "APPROVED", "category": "UTILITY",
    "components": [{"type": "BODY", "text": "Đơn {{1}} đang được giao."}],
}  # fmt: skip


async def synced(stage: Stage) -> None:
    """All templates are known."""
    await stage.tick(registry.SYNC)
    await stage.jobs_done(registry.SYNC)


async def lan(stage: Stage, channel: str = ZALO) -> Person:
    """Somebody who wrote once, so that we know them."""
    await stage.said(channel)
    return await stage.person(channel)


async def send(
    stage: Stage, person: Person, values: Mapping[str, str] = VALUES, purpose: Purpose = Purpose.TRANSACTION,
    template_id: str = ORDER, language: str = "",
) -> Refusal | None:  # fmt: skip
    """Queue a message with a template, whether it is known or not."""

    def queue(session: Session) -> Refusal | None:
        key = (person.channel, person.account_id, template_id, language)
        known = templates.find(session, key) or Template(*key)
        return outbox.send(session, person, [templates.message(known, values)], purpose, stage.clock())

    refusal = await stage.service.database.write(queue)
    await stage.quiet()
    return refusal


async def number_of(stage: Stage, person: Person) -> Person:
    """The phone number of a customer whom the POS knows, as somebody to write to."""

    def join(session: Session) -> Person:
        customers.put_customer(session, "KH-1", now=stage.clock(), name="Lan", phone="0901234501")
        customer = customers.known(session, "KH-1", stage.clock())
        found = customers.by_phone(session, customer, ZALO, person.account_id, stage.clock())
        assert found == customers.by_phone(session, customer, ZALO, person.account_id, stage.clock())
        assert found is not None
        return found

    return await stage.service.database.write(join)


async def rung(stage: Stage) -> set[str]:
    """What the alarms about templates are about."""
    return await stage.read(lambda session: alarms.subjects(session, holds.STOPPED))


async def errors(stage: Stage) -> list[str]:
    """Why the messages that wait do."""
    query = text("SELECT error FROM outbox WHERE state = 'waiting' ORDER BY id")
    return list(await stage.read(lambda session: list(session.connection().execute(query).scalars())))


async def paid(stage: Stage) -> list[tuple[str, str, int]]:
    """Lane, quota and cost of every message, oldest first."""
    query = text("SELECT lane, quota, cost FROM outbox ORDER BY id")
    return await stage.read(lambda session: [(a, b, c) for a, b, c in session.connection().execute(query)])


async def test_a_template_goes_to_a_person_long_after_the_window_closed(database_url: str, clock: Clock) -> None:
    async with playing(database_url, clock) as stage:
        person = await lan(stage)
        await synced(stage)
        clock.pass_by(days=30)
        assert await send(stage, person) is None
        assert stage.heard()[-1] == SAID
        assert (await paid(stage))[-1] == ("template_uid", "purchase_quota", 560)
        assert (await stage.lines(ZALO))[-1] == ("bot", "Xác nhận đơn hàng\ncustomer_name: Lan\norder_code: DH-1")


async def test_a_template_goes_to_a_phone_number_that_never_wrote(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock, receipts=True) as stage:
        phone = await number_of(stage, await lan(stage))
        await synced(stage)
        assert await send(stage, phone) is None
        call = stage.calls()[-1]
        assert (call.kind, call.request["phone"]) == ("template_phone", "84901234501")
        assert call.request["tracking_id"].startswith("kq-")
        assert (await paid(stage))[-1] == ("template_phone", "", 800)
        query = text("SELECT delivered_at FROM message ORDER BY id DESC LIMIT 1")
        assert await stage.read(lambda session: session.connection().execute(query).scalar_one()) is not None


async def test_nothing_but_templates_goes_to_a_phone_number(stage: Stage) -> None:
    phone = await number_of(stage, await lan(stage))
    await stage.service.database.write(
        lambda session: outbox.send(session, phone, [Message("Chào")], Purpose.TRANSACTION, stage.clock())
    )
    await stage.quiet()
    assert [each.error for each in await stage.read(rows.dead)] == ["never_wrote"]


async def test_a_lost_answer_is_settled_by_the_receipt_that_names_our_send(database_url: str, clock: Clock) -> None:
    async with playing(database_url, clock, receipts=True) as stage:
        phone = await number_of(stage, await lan(stage))
        await synced(stage)
        stage.goes_wrong("lost_response", host="zalo-business", path="message/template")
        await send(stage, phone)
        clock.pass_by(hours=1)
        await stage.tick("outbox.sweep")
        await stage.quiet()
        assert (await stage.states())[-1] == "sent"
        assert [call.kind for call in stage.calls()].count("template_phone") == 1
        assert (await paid(stage))[-1] == ("template_phone", "", 800), "it cost what it costs"


async def test_a_receipt_of_another_account_or_with_a_strange_mark_settles_nothing(stage: Stage) -> None:
    phone = await number_of(stage, await lan(stage))
    await synced(stage)
    stage.goes_wrong("reset", host="zalo-business", path="message/template")
    await send(stage, phone)
    for mark in ("kq-", "kq-x", f"kq-{1 << 63}", "kq-99999999999999999999", "kq-7", "order-7", "kq-²"):
        body = {
            "sender": {"id": stage.platform.config.zalo_oa_id}, "recipient": {"id": "84901234501"},
            "event_name": "user_received_message", "app_id": stage.platform.config.zalo_app_id,
            "message": {"delivery_time": "1763798400999", "msg_id": f"m{hash(mark)}", "tracking_id": mark},
            "timestamp": "1763798400123",
        }  # fmt: skip
        assert await stage.webhook(ZALO, body) == 200
    await stage.quiet()
    assert (await stage.states())[-1] == "unknown"
    assert await stage.dead() == []


async def test_a_transaction_by_user_id_is_never_sent_twice(stage: Stage) -> None:
    person = await lan(stage)
    await synced(stage)
    stage.goes_wrong("reset", path="message/template")
    await send(stage, person)
    for _ in range(4):
        stage.clock.pass_by(hours=8)
        await stage.tick("outbox.sweep")
        await stage.quiet()
    assert (await stage.states())[-1] == "unknown"
    assert SAID not in stage.heard()


async def test_the_echo_of_a_template_whose_answer_was_lost_proves_nothing(stage: Stage) -> None:
    person = await lan(stage)
    await synced(stage)
    before = await stage.lines(ZALO)
    stage.goes_wrong("lost_response", path="message/template")
    await send(stage, person)
    assert (await stage.states())[-1] == "unknown"
    assert len(await stage.lines(ZALO)) == len(before) + 1, "our own line, and no app's"


async def test_a_utility_template_goes_out_on_messenger(stage: Stage) -> None:
    stage.platform.page.templates = [dict(UTILITY)]
    person = await lan(stage, MESSENGER)
    await synced(stage)
    stage.clock.pass_by(days=9)
    await send(stage, person, {"1": "DH-7"}, template_id="order_update", language="vi")
    call = stage.calls()[-1]
    assert (call.request["messaging_type"], call.text) == ("UTILITY", "Đơn DH-7 đang được giao.")
    assert (await paid(stage))[-1] == ("utility", "", 0)
    assert (await stage.states())[-1] == "sent"


async def test_values_that_do_not_fit_are_refused_before_they_are_queued(stage: Stage) -> None:
    person = await lan(stage)
    await synced(stage)
    assert await send(stage, person, {"customer_name": "Lan"}) is Refusal.BAD_VALUES
    assert await send(stage, person, {**VALUES, "order_code": "é" * 31}) is Refusal.BAD_VALUES
    assert await send(stage, person, {**VALUES, "order_code": "e\u0301" * 30}) is None


async def test_a_template_that_is_not_known_yet_lets_its_message_wait(stage: Stage) -> None:
    person = await lan(stage)
    await send(stage, person)
    assert await errors(stage) == [f"template {ORDER}: {holds.NOT_KNOWN}"]
    assert await rung(stage) == {f"{ZALO}:{person.account_id}:{ORDER}:"}
    await synced(stage)
    await stage.quiet()
    assert stage.heard()[-1] == SAID
    assert await rung(stage) == set()


async def test_a_stopped_template_holds_its_messages_and_lets_others_pass(database_url: str, clock: Clock) -> None:
    async with playing(database_url, clock) as stage:
        person = await lan(stage)
        await synced(stage)
        for delivery in change_zbs(stage.platform, ORDER, status="REJECT", reason="Thiếu logo"):
            await stage.taken(delivery)
        await stage.quiet()
        await send(stage, person)
        await stage.send(ZALO, "Shop chào bạn", Purpose.TRANSACTION)
        await stage.quiet()
        assert stage.heard()[-1] == "Shop chào bạn"
        assert await errors(stage) == [f"template {ORDER}: it is rejected (Thiếu logo)"]
        (alarm,) = await stage.read(alarms.unsolved)
        assert alarm.kind == holds.STOPPED and "Thiếu logo" in alarm.words
        for delivery in change_zbs(stage.platform, ORDER, status="ENABLE"):
            await stage.taken(delivery)
        await stage.quiet()
        assert stage.heard()[-1] == SAID
        assert await rung(stage) == set()


async def test_a_status_that_flips_sends_the_message_once(stage: Stage) -> None:
    person = await lan(stage)
    await synced(stage)
    for status in ("DISABLE", "ENABLE", "DISABLE"):
        for delivery in change_zbs(stage.platform, ORDER, status=status):
            await stage.taken(delivery)
        stage.clock.pass_by(seconds=1)
    await stage.quiet()
    await send(stage, person)
    assert SAID not in stage.heard()
    for status in ("ENABLE", "DISABLE", "ENABLE"):
        for delivery in change_zbs(stage.platform, ORDER, status=status):
            await stage.taken(delivery)
        stage.clock.pass_by(seconds=1)
        await stage.quiet()
    assert stage.heard().count(SAID) == 1
    assert (await stage.states())[-1] == "sent"


@pytest.mark.parametrize("code", [-109, -117, -131, -146])
async def test_a_template_that_the_platform_refuses_at_send_time_is_stopped(stage: Stage, code: int) -> None:
    person = await lan(stage)
    await synced(stage)
    stage.goes_wrong("code", path="message/template", code=code)
    await send(stage, person)
    assert (await errors(stage))[0].startswith(f"template {ORDER}: {code}: ")
    assert len(await rung(stage)) == 1
    (known,) = [each for each in await stage.read(templates.everyone) if each.template_id == ORDER]
    assert not known.is_usable
    stage.clock.pass_by(minutes=16)
    await stage.jobs_done(registry.SYNC)
    await stage.quiet()
    assert stage.heard()[-1] == SAID, "the platform lists it as usable: it is tried again"
    assert await rung(stage) == set()


async def test_a_template_that_vanishes_between_queueing_and_sending(stage: Stage) -> None:
    person = await lan(stage)
    await synced(stage)
    change_zbs(stage.platform, ORDER, gone=True)
    await send(stage, person)
    assert SAID not in stage.heard()
    await synced(stage)
    stage.clock.pass_by(minutes=16)
    await stage.quiet()
    assert await errors(stage) == [f"template {ORDER}: the platform lists it no more"]
    stage.platform.zbs_templates[ORDER] = SAMPLE_TEMPLATES[0]
    await synced(stage)
    await stage.quiet()
    assert stage.heard()[-1] == SAID


async def test_a_utility_template_that_was_disabled_holds_its_messages(stage: Stage) -> None:
    stage.platform.page.templates = [dict(UTILITY)]
    person = await lan(stage, MESSENGER)
    await synced(stage)
    change_utility(stage.platform, "order_update", status="DISABLED")
    await synced(stage)
    await send(stage, person, {"1": "DH-7"}, template_id="order_update", language="vi")
    assert await errors(stage) == ["template order_update vi: it is disabled"]
    assert await rung(stage) == {f"{MESSENGER}:{person.account_id}:order_update:vi"}


async def test_a_template_with_the_longest_name_holds_only_its_own_messages(database_url: str, clock: Clock) -> None:
    name = "a" * 512
    async with playing(database_url, clock) as stage:
        person = await lan(stage, MESSENGER)
        await send(stage, person, {}, template_id=name, language="vi")
        await stage.send(MESSENGER, "Shop chào bạn", Purpose.TRANSACTION)
        await stage.quiet()
        assert stage.heard()[-1] == "Shop chào bạn"
        assert await rung(stage) == {f"{MESSENGER}:{person.account_id}:{name}:vi"}


async def test_a_utility_template_that_vanished_is_found_out_by_the_refusal(stage: Stage) -> None:
    """Facebook says only that a parameter is wrong."""
    stage.platform.page.templates = [dict(UTILITY)]
    person = await lan(stage, MESSENGER)
    await synced(stage)
    change_utility(stage.platform, "order_update", gone=True)
    await send(stage, person, {"1": "DH-7"}, template_id="order_update", language="vi")
    assert (await stage.states())[-1] == "waiting"
    await stage.jobs_done(registry.SYNC)
    stage.clock.pass_by(minutes=1)
    await stage.quiet()
    assert await errors(stage) == ["template order_update vi: the platform lists it no more"]


async def test_a_message_that_its_template_does_not_fit_is_given_up_after_a_second_try(stage: Stage) -> None:
    person = await lan(stage)
    await synced(stage)
    stage.goes_wrong("code", path="message/template", code=-1121, times=2)
    await send(stage, person)
    stage.clock.pass_by(minutes=1)
    await stage.quiet()
    assert [each.error[:6] for each in await stage.read(rows.dead)] == ["-1121:"]


async def test_the_alarm_ends_when_nothing_waits_any_more(stage: Stage) -> None:
    person = await lan(stage)
    await send(stage, person)
    assert len(await rung(stage)) == 1
    await stage.service.database.write(
        lambda session: rows.withdraw(session.connection(), [person.identity_id], Purpose.TRANSACTION)
    )
    await stage.tick("outbox.expire")
    assert await rung(stage) == set()


async def test_a_message_that_makes_no_sense_any_more_does_not_wait_for_its_template(
    sqlite_url: str, clock: Clock
) -> None:
    care = ZbsTemplate(id="8", name="Hỏi thăm", tag="CUSTOMER_CARE", status="DISABLE")
    async with playing(sqlite_url, clock, zbs_templates=(care,)) as stage:
        person = await lan(stage)
        await synced(stage)
        await stage.service.database.write(partial(_queue_and_stop, person=person, now=stage.clock()))
        await stage.quiet()
        assert [each.error for each in await stage.read(rows.dead)] == ["opted_out"]


def _queue_and_stop(session: Session, person: Person, now: datetime) -> None:
    """A message is queued for somebody who agreed, and who then takes it back."""
    consent.say(session, person.customer_id, granted=True, at=now)
    known = Template(person.channel, person.account_id, "8", "")
    assert outbox.send(session, person, [templates.message(known, {})], Purpose.CARE, now) is None
    consent.stop(session, person.customer_id, at=now)


async def test_a_held_account_does_not_bury_what_its_templates_may_still_send(stage: Stage) -> None:
    person = await lan(stage)
    await synced(stage)
    hold = text("UPDATE account SET held = 'for a test' WHERE channel = 'zalo'")
    await stage.service.database.write(lambda session: session.connection().execute(hold).rowcount)
    stage.clock.pass_by(days=30)

    def queue(session: Session) -> None:
        messages = [Message(template=TemplateUse(template_id)) for template_id in ("7", ORDER)]
        outbox.send(session, person, messages[:1], Purpose.TRANSACTION, stage.clock())
        rows.add_many(session.connection(), outbox.compose(person, messages[1:], Purpose.TRANSACTION, stage.clock()))

    await stage.service.database.write(queue)
    await stage.tick("outbox.expire")
    assert (await stage.states())[-2:] == ["waiting", "waiting"]
