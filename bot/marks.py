"""The marks that our sends carry where a platform gives them back: so they are known for ours."""

from __future__ import annotations

_IN_ECHO = "kq:"
_IN_RECEIPT = "kq-"
"""The same on a template to a phone number, whose receipt gives it back."""
_LARGEST = (1 << 63) - 1


def mark_of(outbox_id: int) -> str:
    """What a send carries."""
    return f"{_IN_ECHO}{outbox_id}"


def in_echo(metadata: str) -> bool:
    """Whether what an echo gives back is a mark of ours."""
    return metadata.startswith(_IN_ECHO)


def in_receipt(tracking_id: str) -> bool:
    """Whether what a receipt gives back is a mark of ours."""
    return tracking_id.startswith(_IN_RECEIPT)


def marked(mark: str) -> int:
    """The id in the outbox that a mark of ours names; 0 where it names none."""
    number = mark[len(_IN_ECHO) :]
    found = int(number) if number.isascii() and number.isdecimal() and len(number) < 20 else 0
    return found if found <= _LARGEST else 0
