"""What a channel still lacks, in the order in which it can be had, and where to fetch it."""

from __future__ import annotations

from typing import NamedTuple

from bot.settings import Settings

CHANNELS = ("zalo", "messenger")

_STEPS = {
    "zalo": (
        ("zalo_app_id", "The owner of the Zalo app copies its id from developers.zalo.me."),
        ("zalo_app_secret", "The owner of the Zalo app copies its secret key from the app's settings."),
        (
            "zalo_oa_secret_key",
            "Zalo shows this key only after it accepted the running address: keep khachquen serve running, let the "
            "owner of the Zalo app enter {url}/webhooks/zalo under Webhook, copy the OA Secret Key that appears there, "
            "set it, and restart.",
        ),
    ),
    "messenger": (
        ("messenger_app_id", "The owner of the Meta app copies its id from developers.facebook.com."),
        ("messenger_app_secret", "The owner of the Meta app copies the App Secret from App settings, Basic."),
        (
            "messenger_verify_token",
            "Make up a word, set it, restart, enter it with {url}/webhooks/messenger under Webhooks of the Meta app.",
        ),
    ),
}


CONNECT = {
    "zalo": "Whoever runs the server does: khachquen account add zalo; an admin of the OA opens the address it prints.",
    "messenger": "Whoever runs the server does: khachquen account add messenger --user-token-file FILE, with the token "
    "of a person who manages the Page.",
}
"""How the first account of a channel is connected once it has its keys."""


class Step(NamedTuple):
    """The next thing to fetch: the setting that is missing, and who gets it where."""

    missing: str
    remedy: str


def again(channel: str, account_id: str) -> str:
    """Who connects a known account again, and how."""
    how = {"zalo": "", "zalobot": " --access-token-file FILE"}.get(channel, f" {account_id} --user-token-file FILE")
    return f"An admin of it connects it again: khachquen account add {channel}{how}"


def next_step(settings: Settings, channel: str) -> Step | None:
    """What to fetch next for this channel; None where it has everything. Tokens are looked at elsewhere."""
    url = settings.public_url.rstrip("/") or "https://<your address>"
    for name, remedy in _STEPS[channel]:
        if not getattr(settings, name):
            return Step(name.upper(), remedy.format(url=url))
    return None


def is_begun(settings: Settings, channel: str) -> bool:
    """Whether anything of this channel is set."""
    return any(getattr(settings, name) for name, _ in _STEPS[channel])
