"""When Zalo lets an OA write to a person, and at what price, with the dates from which each rule holds.

https://docs.zaloplatforms.com/docs/OA/tin-nhan/tin-tu-van/dieu-kien-gui-tin-tu-van
"""

from __future__ import annotations

from datetime import date, timedelta

from crm.reach import Lane, Rules

RULES = Rules(
    lanes=(
        Lane("consultation", within=timedelta(hours=48), since=date(2026, 1, 1)),
        Lane("consultation", within=timedelta(hours=48), since=date(2020, 1, 1), until=date(2026, 1, 1)),
        Lane("consultation_paid", within=timedelta(days=7), since=date(2020, 1, 1), cost=55),
    )
)
"""Free for 48 hours (until 2025 only the first eight messages), then 55 đồng up to 7 days; later only templates."""
