"""When a Page may write to a person, as dated data (Meta, "Messenger Platform and IG Messaging API Policy")."""

from __future__ import annotations

from datetime import date, timedelta

from crm.reach import Lane, Rules

STANDARD = "standard"
HUMAN_AGENT = "human_agent"
UTILITY = "utility"

RULES = Rules(
    lanes=(
        Lane(STANDARD, within=timedelta(hours=24), since=date(2020, 3, 4)),
        Lane(HUMAN_AGENT, within=timedelta(days=7), since=date(2020, 3, 4), typed_only=True, marketing=False),
        Lane(UTILITY, within=None, since=date(2025, 7, 1), template=True, marketing=False),
    )
)
"""Within 24 hours anything; then, for a week, only what a person typed; at any time an approved utility
template. The old message tags ended on 2026-04-27."""
