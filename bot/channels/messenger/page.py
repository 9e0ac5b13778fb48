"""What a Page must be subscribed to, so that its updates come to us."""

from __future__ import annotations

SUBSCRIBED_FIELDS = (
    "messages",
    "messaging_postbacks",
    "messaging_optins",
    "messaging_referrals",
    "messaging_handovers",
    "messaging_policy_enforcement",
    "message_deliveries",
    "message_reads",
    "message_echoes",
    "message_edits",
    "message_reactions",
    "standby",
)
"""Every field whose updates we understand (Messenger, "Webhooks", Subscribe to Webhooks fields)."""
