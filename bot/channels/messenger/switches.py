"""Messenger's webhook fields that are easily forgotten: the Page may be subscribed to them and the app not."""

from __future__ import annotations

from bot.channels.examined import Switch

_WHERE = (
    "The owner of the Meta app adds the field at developers.facebook.com, the app, Messenger, Webhooks; the Page "
    "itself is subscribed by: khachquen account check messenger"
)

SWITCHES = (
    Switch(
        frozenset({"StaffEcho", "OwnEcho"}),
        "message_echoes",
        after=3,
        must=True,
        words=f"Without it the bot does not notice that staff answer in the Page inbox, and talks over them. {_WHERE}",
    ),
    Switch(
        frozenset({"MessageDelivered"}),
        "message_deliveries",
        after=10,
        must=False,
        words=f"Without it nobody sees whether messages arrive. {_WHERE}",
    ),
    Switch(
        frozenset({"MessageSeen"}),
        "message_reads",
        after=30,
        must=False,
        words=f"Without it nobody sees whether messages are read. {_WHERE}",
    ),
)
