"""When a bot may write to a person of the staff.

No page of Zalo's names a window, a price or a quota for bots, nor says whether a bot may write first: it cannot, as it
knows nobody's id before they wrote to it. So the lane is open to everybody who ever wrote, and what Zalo refuses all
the same waits until that person writes again (`errors.py`). Staff get no marketing.
"""

from __future__ import annotations

from datetime import date

from crm.reach import Lane, Rules

BOT = "bot"

RULES = Rules(lanes=(Lane(BOT, within=None, since=date(2025, 7, 4), marketing=False),))
"""The platform's pages are dated from 2025-07-04 on."""
