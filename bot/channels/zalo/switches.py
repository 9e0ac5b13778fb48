"""Zalo's event switches that are easily forgotten: in the developer console all of them are off at first."""

from __future__ import annotations

from bot.channels.examined import Switch

_WHERE = "The owner of the Zalo app turns it on at developers.zalo.me, the app, Webhook, in the list of events."

SWITCHES = (
    Switch(
        frozenset({"StaffEcho", "OwnEcho"}),
        "the OA sends a message (oa_send_text and its sisters)",
        after=3,
        must=True,
        words=f"Without it the bot does not notice that staff answer in OA Manager, and talks over them. {_WHERE}",
    ),
    Switch(
        frozenset({"MessageDelivered"}),
        "a person received a message (user_received_message)",
        after=10,
        must=False,
        words=f"Without it nobody sees whether messages arrive. {_WHERE}",
    ),
    Switch(
        frozenset({"MessageSeen"}),
        "a person saw a message (user_seen_message)",
        after=30,
        must=False,
        words=f"Without it nobody sees whether messages are read. {_WHERE}",
    ),
)
