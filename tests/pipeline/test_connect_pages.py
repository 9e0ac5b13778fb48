"""Connecting Pages with a person's token, and tokens given by hand: whose they are is asked before they are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channels.messenger.page import COMMENTS, SUBSCRIBED_FIELDS
from bot.commands.report import Refused
from simulator.people import MESSENGER, ZALO
from tests.conftest import Clock
from tests.pipeline.owner import SECOND, USER_TOKEN, Owner, heard, moving_in, says
from tests.pipeline.stage import ANSWER

FIRST_PAGE = "108842917645330"
FIRST_TOKEN = "messenger-page-token"
GONE = "http://127.0.0.1:9"


@pytest.fixture
async def owner(sqlite_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Owner]:
    """An owner with an empty install."""
    async with moving_in(sqlite_url, clock, tmp_path) as owner:
        yield owner


async def refused(owner: Owner, *arguments: str, **settings: str) -> str:
    """Why a command was refused; nothing was stored."""
    before = await owner.accounts()
    with pytest.raises(Refused) as caught:
        await owner.types("account", "add", *arguments, **settings)
    assert await owner.accounts() == before
    return str(caught.value)


# --- a person's token -------------------------------------------------------------------------------------------------


async def test_an_empty_install_connects_its_only_page_and_answers_its_customers(
    database_url: str, clock: Clock, tmp_path: Path
) -> None:
    async with moving_in(database_url, clock, tmp_path, more_brands=()) as owner:
        stage = owner.stage
        stage.platform.page.fields = set()
        report = await owner.types("account", "add", "messenger", "--user-token-file", owner.file(USER_TOKEN))
        assert (report.ok, report.lines) == (True, [f"messenger {FIRST_PAGE} (Khách Quen) is connected."])
        assert stage.platform.page.fields == set(SUBSCRIBED_FIELDS)
        await owner.is_noticed()
        await stage.said(MESSENGER)
        assert stage.heard() == [ANSWER]
        view = await owner.account(MESSENGER, FIRST_PAGE)
        assert view is not None
        assert (view.name, FIRST_TOKEN in view.access_token, view.refresh_token) == ("Khách Quen", False, "")


async def test_a_page_that_is_connected_anew_goes_on_hearing_of_comments(
    database_url: str, clock: Clock, tmp_path: Path
) -> None:
    async with moving_in(database_url, clock, tmp_path, more_brands=()) as owner:
        connect = ("account", "add", "messenger", "--user-token-file", owner.file(USER_TOKEN))
        await owner.types(*connect)
        await owner.types("page", "replies", "set", FIRST_PAGE, "Chào bạn")
        owner.stage.platform.page.fields = set()
        await owner.types(*connect)
        assert owner.stage.platform.page.fields == {*SUBSCRIBED_FIELDS, COMMENTS}


async def test_two_named_pages_are_connected_and_answer_with_their_own_tokens(owner: Owner) -> None:
    stage, pages = owner.stage, (FIRST_PAGE, SECOND.messenger_page_id)
    for brand in stage.platform.brands:
        brand.page.fields = set()
    report = await owner.types(
        "account", "add", "messenger", *pages, pages[0], "--user-token-file", owner.file(USER_TOKEN)
    )
    assert [line["subscribed"] for line in report.data["connected"]] == [True, True]
    await owner.is_noticed()
    for brand in stage.platform.brands:
        await says(stage, brand, MESSENGER)
        assert heard(stage, brand, MESSENGER) == [ANSWER]
    assert stage.platform.refused_seen == 0


async def test_several_pages_are_listed_and_none_is_taken_unasked(owner: Owner) -> None:
    report = await owner.types("account", "add", "messenger", "--user-token-file", owner.file(USER_TOKEN))
    assert not report.ok
    assert [page["account_id"] for page in report.data["pages"]] == [FIRST_PAGE, SECOND.messenger_page_id]
    assert SECOND.name in report.lines[1] and "Which of them?" in report.lines[-1]
    assert await owner.accounts() == []


async def test_a_named_page_that_the_person_does_not_manage_connects_none(owner: Owner) -> None:
    file = owner.file(USER_TOKEN)
    said = await refused(owner, "messenger", FIRST_PAGE, "4444", "--user-token-file", file)
    assert f"does not open 4444; it opens {FIRST_PAGE} (Khách Quen)" in said


async def test_a_user_token_that_expired_or_was_never_one_is_refused(owner: Owner) -> None:
    old, false = owner.file(USER_TOKEN), owner.file("no-token-of-anybody")
    assert "does not accept this user token" in await refused(owner, "messenger", "--user-token-file", false)
    owner.stage.clock.pass_by(hours=1)
    said = await refused(owner, "messenger", "--user-token-file", old)
    assert "Page's admin must make a new one in the Graph API Explorer" in said and "(190/463)" in said


async def test_a_wrong_app_secret_connects_nothing(owner: Owner) -> None:
    file = owner.file(USER_TOKEN)
    said = await refused(owner, "messenger", "--user-token-file", file, MESSENGER_APP_SECRET="another")
    assert "MESSENGER_APP_SECRET are those of the app" in said and USER_TOKEN not in said
    missing = await refused(owner, "messenger", "--user-token-file", file, MESSENGER_APP_SECRET="")
    assert missing.startswith("MESSENGER_APP_SECRET must be set first")


async def test_a_subscription_that_fails_is_told_and_the_page_stays_connected(owner: Owner) -> None:
    owner.stage.goes_wrong("code", host="graph", path="subscribed_apps", code=200)
    report = await owner.types("account", "add", "messenger", FIRST_PAGE, "--user-token-file", owner.file(USER_TOKEN))
    assert (report.ok, report.data["connected"][0]["subscribed"]) == (False, False)
    assert "But Facebook does not tell us of it yet: " in report.lines[0]
    assert await owner.accounts() == [FIRST_PAGE]


async def test_the_persons_token_is_kept_nowhere(owner: Owner, sqlite_url: str) -> None:
    await owner.types("account", "add", "messenger", FIRST_PAGE, "--user-token-file", owner.file(USER_TOKEN))
    long_lived = [token for token in owner.stage.platform.user_tokens if token != USER_TOKEN]
    raw = b"".join(path.read_bytes() for path in Path(sqlite_url.removeprefix("sqlite:///")).parent.glob("*.db*"))
    assert len(long_lived) == 1
    assert FIRST_PAGE.encode() in raw
    assert not any(token.encode() in raw for token in (*long_lived, USER_TOKEN, FIRST_TOKEN))


# --- tokens given by hand ---------------------------------------------------------------------------------------------


async def test_a_pages_token_is_checked_and_its_name_is_kept(owner: Owner) -> None:
    report = await owner.types(
        "account", "add", "messenger", FIRST_PAGE, "--access-token-file", owner.file(FIRST_TOKEN)
    )
    assert (report.data["checked"], report.data["name"]) == (True, "Khách Quen")
    assert "Khách Quen" in (await owner.types("account", "list")).lines[0]


@pytest.mark.parametrize(
    ("token", "whose"), [(SECOND.messenger_page_token, SECOND.messenger_page_id), (USER_TOKEN, "1207059")]
)
async def test_a_token_of_another_page_or_of_a_person_is_refused(owner: Owner, token: str, whose: str) -> None:
    said = await refused(owner, "messenger", FIRST_PAGE, "--access-token-file", owner.file(token))
    assert "foreign or swapped" in said and whose in said and token not in said


async def test_a_token_that_the_platform_refuses_is_not_kept(owner: Owner) -> None:
    owner.stage.platform.zalo_tokens.issue(owner.stage.clock())
    file, oa = owner.file("a-token-of-nobody"), owner.stage.platform.config.zalo_oa_id
    assert "zalo does not accept this access token (-216)" in await refused(
        owner, "zalo", oa, "--access-token-file", file
    )
    assert "messenger does not accept this access token (190)" in await refused(
        owner, "messenger", FIRST_PAGE, "--access-token-file", file
    )


async def test_a_token_of_another_oa_is_refused_and_leaves_the_living_pair_alone(owner: Owner) -> None:
    first, second = owner.stage.platform.brands
    await owner.connects_an_oa()
    foreign, refresh = second.zalo_tokens.issue(owner.stage.clock())
    files = ("--access-token-file", owner.file(foreign), "--refresh-token-file", owner.file(refresh))
    before = await owner.account(ZALO, first.config.zalo_oa_id)
    said = await refused(owner, "zalo", first.config.zalo_oa_id, *files)
    assert "foreign or swapped" in said and SECOND.name in said
    assert await owner.account(ZALO, first.config.zalo_oa_id) == before


async def test_a_dead_access_token_with_a_living_refresh_token_is_kept_and_renewed_by_the_service(owner: Owner) -> None:
    stage, tokens = owner.stage, owner.stage.platform.zalo_tokens
    access, refresh = tokens.issue(stage.clock())
    tokens.expire()
    files = ("--access-token-file", owner.file(access), "--refresh-token-file", owner.file(refresh))
    report = await owner.types("account", "add", "zalo", stage.platform.config.zalo_oa_id, *files)
    assert (report.data["checked"], "the service renews it" in report.lines[0]) == (False, True)
    await owner.is_noticed()
    await stage.said(ZALO)
    assert stage.heard() == [ANSWER]
    assert tokens.pairs_issued == 2


@pytest.mark.parametrize("channel", [ZALO, MESSENGER])
async def test_a_token_that_cannot_be_checked_is_kept_with_a_note(owner: Owner, channel: str) -> None:
    gone = {"ZALO_API_URL": GONE, "MESSENGER_GRAPH_URL": GONE}
    report = await owner.types(
        "account", "add", channel, "77", "--access-token-file", owner.file("a-token-typed-in"), **gone
    )
    assert (report.data["checked"], "could not be checked" in report.lines[0]) == (False, True)
    assert await owner.accounts() == ["77"]


async def test_a_wrong_app_secret_refuses_a_token_given_by_hand(owner: Owner) -> None:
    access, _ = owner.stage.platform.zalo_tokens.issue(owner.stage.clock())
    oa, file = owner.stage.platform.config.zalo_oa_id, owner.file(access)
    said = await refused(owner, "zalo", oa, "--access-token-file", file, ZALO_APP_SECRET="another")
    assert "app secret is wrong" in said and "Nothing was stored" in said
    said = await refused(
        owner, "messenger", FIRST_PAGE, "--access-token-file", owner.file(FIRST_TOKEN), MESSENGER_APP_SECRET="another"
    )
    assert "MESSENGER_APP_SECRET must be those of the app" in said
