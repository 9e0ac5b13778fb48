"""What holds a secret does not show it where it is printed: in a log, a traceback, a failed assertion."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.accounts import App
from bot.channels.base import Account, Keys, TokenPair
from bot.service import apps_of, keys_of
from bot.settings import Settings

SECRETS = {
    name: f"hush-{name.lower()}-0123456789-0123456789"
    for name in (
        "SECRET_KEY", "API_KEY", "ZALO_APP_SECRET", "ZALO_OA_SECRET_KEY", "ZALO_ACCESS_TOKEN", "ZALO_REFRESH_TOKEN",
        "MESSENGER_PAGE_TOKEN", "MESSENGER_APP_SECRET", "MESSENGER_VERIFY_TOKEN",
    )
}  # fmt: skip
SETTINGS = Settings.from_env(None, {**SECRETS, "ZALO_APP_ID": "1", "ZALO_OA_ID": "2", "MESSENGER_PAGE_ID": "3"})


@pytest.mark.parametrize(
    "holder",
    [
        SETTINGS,
        keys_of(SETTINGS),
        apps_of(SETTINGS),
        Keys("1", "hush", "hush", frozenset({"2"})),
        App("1", "hush", "2", "hush", "hush"),
        Account("zalo", "2", "hush", "1", "hush"),
        TokenPair("hush", "hush", timedelta(hours=25)),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_a_secret_is_not_printed_with_what_holds_it(holder: object) -> None:
    assert "hush" not in repr(holder)
    assert "hush" not in str(holder)


def test_what_is_no_secret_is_still_printed() -> None:
    assert "zalo" in repr(Account("zalo", "2", "hush", "1", "hush"))
    assert "app_id='1'" in repr(Keys("1", "hush", "hush"))
