"""Phone numbers: one form for keeping and comparing, one for showing to others."""

from __future__ import annotations

import phonenumbers

_LONGEST = 40


def normalise(raw: str, region: str = "VN") -> str | None:
    """The number in E.164 (`+84901234567`), or None where this is not one valid number.

    `region` says what a number without a country code means. Letters and extensions are refused rather than guessed.
    """
    text = raw.strip()
    if not text or len(text) > _LONGEST or any(letter.isalpha() for letter in text):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    whole = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return whole if _digits(text) <= len(whole) + 2 else None


def address(number: str, customer_id: int) -> str:
    """A customer's number (E.164) as an address to write to. Two customers may share a number, but no address."""
    return f"{number}#{customer_id}"


def number_at(user_id: str) -> str:
    """The number (E.164) of such an address; "" for a channel's own id of a person."""
    return user_id.partition("#")[0] if user_id.startswith("+") else ""


def _digits(text: str) -> int:
    return sum(letter.isdigit() for letter in text)
