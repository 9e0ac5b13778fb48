"""Connecting OAs in a browser: from an empty install to an answer, and whatever may go wrong on the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import text
from yarl import URL

import main
from bot import grants as flow
from bot.commands.report import Refused, Report
from bot.settings import Settings
from simulator.people import ZALO
from storage import faults
from tests.conftest import Clock
from tests.pipeline.owner import SECOND, Owner, changed, heard, moving_in, says
from tests.pipeline.stage import ANSWER


@pytest.fixture
async def owner(sqlite_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Owner]:
    """An owner with an empty install."""
    async with moving_in(sqlite_url, clock, tmp_path) as owner:
        yield owner


@pytest.fixture
def broken_off() -> Iterator[None]:
    """The service breaks off between the mark and the exchange, once."""
    faults.arm("grant.used:raise")
    yield
    faults.arm("")


async def waiting(owner: Owner) -> asyncio.Task[Report]:
    """`account add zalo` in another window: it has printed its address and waits."""
    task = asyncio.create_task(owner.types("account", "add", "zalo"))
    async with asyncio.timeout(10):
        await owner.heard.wait()
    return task


async def refusal(task: asyncio.Task[Report]) -> str:
    """Why a command that waited ended in vain."""
    with pytest.raises(Refused) as refused:
        async with asyncio.timeout(10):
            await task
    return str(refused.value)


# --- the whole way ----------------------------------------------------------------------------------------------------


async def test_an_empty_install_connects_an_oa_and_answers_its_customers(
    database_url: str, clock: Clock, tmp_path: Path
) -> None:
    async with moving_in(database_url, clock, tmp_path) as owner:
        stage, oa = owner.stage, owner.stage.platform.config.zalo_oa_id
        task = await waiting(owner)
        assert f"{stage.url}/connect/zalo must be saved" in owner.told[2]
        page = await owner.opens(await owner.agrees(owner.told[0]))
        assert (page.status, "Đã kết nối Khách Quen" in page.text) == (200, True)
        async with asyncio.timeout(10):
            report = await task
        assert (report.ok, report.lines) == (True, [f"zalo {oa} (Khách Quen) is connected."])
        listed = await owner.types("account", "list")
        assert (listed.data[0]["account_id"], listed.data[0]["name"]) == (oa, "Khách Quen")
        assert "Khách Quen" in listed.lines[0]
        await stage.said(ZALO)
        assert stage.heard() == [ANSWER]
        assert stage.platform.zalo_tokens.pairs_issued == 1
        shown = await owner.types("account", "token", "zalo", oa)
        assert shown.data["expires_at"] is not None


async def test_two_oas_of_one_app_answer_with_their_own_tokens(database_url: str, clock: Clock, tmp_path: Path) -> None:
    async with moving_in(database_url, clock, tmp_path) as owner:
        stage = owner.stage
        first, second = stage.platform.brands
        assert (await owner.connects_an_oa()).status == 200
        assert (await owner.connects_an_oa(SECOND.zalo_oa_id)).status == 200
        for brand in (first, second):
            await says(stage, brand, ZALO)
            assert heard(stage, brand, ZALO) == [ANSWER]
        assert stage.platform.refused_seen == 0
        before = await owner.account(ZALO, SECOND.zalo_oa_id)
        first.zalo_tokens.expire()
        await says(stage, first, ZALO)
        await says(stage, second, ZALO)
        assert (first.zalo_tokens.pairs_issued, second.zalo_tokens.pairs_issued) == (2, 1)
        assert heard(stage, first, ZALO) == heard(stage, second, ZALO) == [ANSWER, ANSWER]
        assert await owner.account(ZALO, SECOND.zalo_oa_id) == before


async def test_messages_that_waited_go_out_when_the_oa_is_connected_again(owner: Owner) -> None:
    stage, tokens = owner.stage, owner.stage.platform.zalo_tokens
    assert (await owner.connects_an_oa()).status == 200
    tokens.expire()
    tokens.refresh = "revoked by somebody"
    await stage.taken(stage.says(ZALO))
    await stage.until(lambda session: bool(session.connection().execute(text("SELECT 1 FROM alarm")).first()))
    assert (await owner.connects_an_oa()).status == 200
    stage.clock.pass_by(seconds=6)
    await stage.quiet()
    assert stage.heard() == [ANSWER], "at once, or seconds later where the sender looked just before"


# --- callbacks that change nothing ------------------------------------------------------------------------------------


async def test_a_callback_that_nobody_asked_for_changes_nothing(owner: Owner) -> None:
    back = await owner.agrees(await owner.adds_an_oa())
    for address in (
        changed(back, state="made-up"), changed(back, state=None), changed(back, code=None), changed(back, code=""),
        changed(back, state="x" * 5000), changed(back, state="không\0"), changed(back, state=None) + "&state=%ff%00",
        back.partition("?")[0],
        changed(back, state="made-up", error="access_denied"),
    ):  # fmt: skip
        page = await owner.opens(address)
        assert page.status == 400
        assert "Địa chỉ này không do hệ thống tạo ra" in page.text
    assert await owner.accounts() == []
    assert (await owner.opens(back)).status == 200, "the real one still works"


@pytest.mark.parametrize(("name", "status"), [("code", 400), ("error", 400), ("oa_id", 200)])
async def test_a_callback_with_what_is_no_text_is_answered_clearly(
    database_url: str, clock: Clock, tmp_path: Path, name: str, status: int
) -> None:
    async with moving_in(database_url, clock, tmp_path) as owner:
        for strange in ("a%00b", "a%FFb", "a%ED%A0%BDb"):
            back = changed(await owner.agrees(await owner.adds_an_oa()), **{name: None})
            page = await owner.opens(URL(f"{back}&{name}={strange}", encoded=True))
            assert page.status == status, strange
            assert ("Chưa kết nối" in page.text) == (status == 400)


async def test_an_address_works_once(owner: Owner) -> None:
    back = await owner.agrees(await owner.adds_an_oa())
    assert (await owner.opens(back)).status == 200
    again = await owner.opens(back)
    assert (again.status, "was used before" in again.text) == (400, True)
    assert owner.stage.platform.zalo_tokens.pairs_issued == 1


async def test_an_address_expires_and_a_new_one_clears_it_away(owner: Owner) -> None:
    back = await owner.agrees(await owner.adds_an_oa())
    owner.stage.clock.pass_by(minutes=30)
    late = await owner.opens(back)
    assert (late.status, "has expired" in late.text) == (400, True)
    owner.stage.clock.pass_by(days=2)
    await owner.adds_an_oa()
    assert await owner.stage.count("grant_request") == 1


async def test_who_only_looks_at_an_address_does_not_use_it_up(owner: Owner) -> None:
    back = await owner.agrees(await owner.adds_an_oa())
    assert (await owner.opens(back, method="HEAD")).status == 405
    assert (await owner.opens(back)).status == 200


async def test_pages_hold_no_secrets_and_nothing_of_the_query_as_html(owner: Owner) -> None:
    back = await owner.agrees(await owner.adds_an_oa())
    page = await owner.opens(changed(back, error="<script>alert(1)</script>"))
    assert (page.status, "script" in page.text) == (400, False)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_state_and_verifier_do_not_lie_readable_in_the_database(owner: Owner) -> None:
    address = await owner.adds_an_oa()
    state = address.rpartition("state=")[2]
    query = text("SELECT state, verifier FROM grant_request")
    kept, verifier = await owner.stage.read(lambda session: tuple(session.connection().execute(query).one()))
    assert state not in kept and len(kept) == 64
    assert len(verifier) > 43, "sealed"
    assert (await owner.opens(await owner.agrees(address))).status == 200
    assert await owner.stage.read(lambda session: session.connection().execute(query).one()[1]) == ""


async def test_no_log_holds_a_code_a_state_or_a_token(owner: Owner, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    backs = [await owner.agrees(await owner.adds_an_oa()) for _ in range(4)]
    owner.stage.goes_wrong("lost_response", host="zalo-oauth", path="access_token")
    assert (await owner.opens(backs[0])).status == 400
    assert (await owner.opens(changed(backs[1], oa_id=SECOND.zalo_oa_id))).status == 400
    faults.arm("grant.used:raise")
    assert (await owner.opens(backs[2])).status == 500
    assert (await owner.opens(backs[3])).status == 200
    said = [record for record in caplog.records if record.name != "aiohttp.access"]
    assert {"an account was connected", "a consent connected no account"} <= {record.message for record in said}
    written = "".join(str(vars(record)) for record in said)
    queries = [dict(parse_qsl(urlsplit(back).query)) for back in backs]
    tokens = owner.stage.platform.zalo_tokens
    secrets = [query[name] for query in queries for name in ("code", "state")] + [tokens.access, tokens.refresh]
    assert [secret for secret in secrets if secret in written] == []


# --- consents that come to nothing ------------------------------------------------------------------------------------


async def test_an_admin_who_refuses_is_told_and_so_is_the_command(owner: Owner) -> None:
    task = await waiting(owner)
    back = await owner.agrees(owner.told[0])
    page = await owner.opens(changed(back, error="access_denied", code=None))
    assert (page.status, "access_denied" in page.text) == (400, True)
    assert "access was not granted (access_denied)" in await refusal(task)
    assert (await owner.opens(back)).status == 400
    assert await owner.accounts() == []


async def test_an_oa_that_is_not_the_one_of_the_callback_is_refused_as_swapped(owner: Owner) -> None:
    task = await waiting(owner)
    page = await owner.opens(changed(await owner.agrees(owner.told[0]), oa_id=SECOND.zalo_oa_id))
    assert (page.status, "không khớp" in page.text) == (400, True)
    assert "swapped" in await refusal(task)
    assert await owner.accounts() == []


@pytest.mark.parametrize("change", [{"code": "made-up"}, {"code": "x" * 4000}], ids=["made up", "long"])
async def test_a_code_that_zalo_refuses_says_begin_again(owner: Owner, change: dict[str, str]) -> None:
    page = await owner.opens(changed(await owner.agrees(await owner.adds_an_oa()), **change))
    assert (page.status, "works once and for ten minutes" in page.text) == (400, True)
    assert await owner.accounts() == []


async def test_a_code_that_was_used_elsewhere_connects_nothing(owner: Owner) -> None:
    back = await owner.agrees(await owner.adds_an_oa())
    code = back.partition("code=")[2].partition("&")[0]
    owner.stage.platform.zalo_tokens.take_code(code, owner.stage.platform.now())
    assert (await owner.opens(back)).status == 400
    assert (await owner.connects_an_oa()).status == 200, "a new attempt works"


@pytest.mark.parametrize(
    "answer",
    ['{"access_token": "half"}', '{"refresh_token": "half"}', '{"access_token": "", "refresh_token": "x"}',
     '{"access_token": 1, "refresh_token": 2}', "{}", "[]", "<html>"],
)  # fmt: skip
async def test_half_a_pair_is_no_pair(owner: Owner, answer: str) -> None:
    owner.stage.goes_wrong("status", host="zalo-oauth", path="access_token", status=200, body=answer, times=2)
    page = await owner.connects_an_oa()
    assert (page.status, "account add zalo" in page.text) == (400, True)
    assert await owner.accounts() == []


async def test_an_exchange_that_never_reached_zalo_is_tried_once_more(owner: Owner) -> None:
    owner.stage.goes_wrong("reset", host="zalo-oauth", path="access_token")
    assert (await owner.connects_an_oa()).status == 200


async def test_a_lost_answer_to_the_exchange_says_begin_again_and_a_new_attempt_works(owner: Owner) -> None:
    """The code is single-use: the second try finds it spent."""
    owner.stage.goes_wrong("lost_response", host="zalo-oauth", path="access_token")
    page = await owner.connects_an_oa()
    assert (page.status, "Begin again: khachquen account add zalo" in page.text) == (400, True)
    assert await owner.accounts() == []
    assert (await owner.connects_an_oa()).status == 200


async def test_zalo_is_asked_again_whose_token_it_is(owner: Owner) -> None:
    owner.stage.goes_wrong("html_502", host="zalo", path="getoa", times=flow.LOOKS - 1)
    assert (await owner.connects_an_oa()).status == 200
    owner.stage.goes_wrong("html_502", host="zalo", path="getoa", times=flow.LOOKS)
    page = await owner.connects_an_oa()
    assert (page.status, "could not be reached" in page.text) == (400, True)


async def test_a_right_that_the_oa_did_not_grant_is_named(owner: Owner) -> None:
    owner.stage.goes_wrong("code", host="zalo", path="getoa", code=-223)
    page = await owner.connects_an_oa()
    assert (page.status, "OA chưa cấp quyền này cho ứng dụng" in page.text) == (400, True)


async def test_two_callbacks_at_once_exchange_once(database_url: str, clock: Clock, tmp_path: Path) -> None:
    async with moving_in(database_url, clock, tmp_path) as owner:
        back = await owner.agrees(await owner.adds_an_oa())
        pages = await asyncio.gather(*(owner.opens(back) for _ in range(5)))
        assert sorted(page.status for page in pages) == [200, 400, 400, 400, 400]
        assert owner.stage.platform.zalo_tokens.pairs_issued == 1
        await owner.stage.said(ZALO)
        assert owner.stage.heard() == [ANSWER]


@pytest.mark.usefixtures("broken_off")
async def test_a_service_that_dies_before_the_exchange_leaves_a_used_address_and_a_clear_way_on(owner: Owner) -> None:
    task = await waiting(owner)
    back = await owner.agrees(owner.told[0])
    assert (await owner.opens(back)).status == 500
    again = await owner.opens(back)
    assert (again.status, "was used before" in again.text) == (400, True)
    assert owner.stage.platform.zalo_tokens.pairs_issued == 0
    owner.stage.clock.pass_by(minutes=3)
    assert "the service was stopped while it connected the account" in await refusal(task)
    assert (await owner.connects_an_oa()).status == 200


async def test_a_command_that_waits_in_vain_says_how_long_its_address_stays_good(owner: Owner) -> None:
    task = await waiting(owner)
    owner.stage.clock.pass_by(minutes=10)
    assert "nobody agreed within 10 minutes. The address stays good until 23/11/2026 10:30" in await refusal(task)
    assert (await owner.opens(await owner.agrees(owner.told[0]))).status == 200


@pytest.mark.parametrize(("doors", "status"), [(True, 400), (False, 404)])
async def test_browsers_are_answered_where_there_are_doors(
    sqlite_url: str, clock: Clock, doors: bool, status: int
) -> None:
    settings = Settings(database_url=sqlite_url, secret_key="a secret key for tests only")
    async with (
        main.compose(settings, clock, doors=doors, worker=False) as (_, app),
        TestClient(TestServer(app)) as browser,
        browser.get("/connect/zalo?state=s&code=c") as page,
    ):
        assert page.status == status


async def test_programs_get_the_address_as_json_and_do_not_wait(owner: Owner) -> None:
    report = await owner.types("account", "add", "zalo", "--json")
    assert set(report.data) == {"channel", "address", "callback", "expires_at"}
    assert owner.told == []
    assert (await owner.opens(await owner.agrees(report.data["address"]))).status == 200
