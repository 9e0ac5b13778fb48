"""Words as people mean and read them: without accents, on one short line, sums and numbers."""

from __future__ import annotations

from storage.folding import plain as plain


def clipped(words: str, longest: int = 60) -> str:
    """Somebody's words on one short line."""
    line = " ".join(words.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def money(amount: int) -> str:
    """1250000 → "1.250.000đ"."""
    return f"{amount:,}".replace(",", ".") + "đ"


def number(value: int, locale: str = "vi") -> str:
    """1250 → "1.250" in Vietnamese, "1,250" in English."""
    grouped = f"{value:,}"
    return grouped.replace(",", ".") if locale == "vi" else grouped
