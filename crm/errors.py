"""Refusals that a customer, a member of staff or another program may read."""

from __future__ import annotations


class CrmError(Exception):
    """Something was refused: `status` for HTTP, `code` for programs, `field` for the input."""

    status = 400
    code = "refused"

    def __init__(self, vi: str, en: str, *, field: str = "") -> None:
        super().__init__(en)
        self.vi, self.en, self.field = vi, en, field

    def words(self, locale: str) -> str:
        """The reason in Vietnamese or, for every other locale, in English."""
        return self.vi if locale == "vi" else self.en


class NotFound(CrmError):
    """What was named is not here, or not the asker's to see."""

    status = 404
    code = "not_found"


class Conflict(CrmError):
    """What was asked for does not fit how things stand now."""

    status = 409
    code = "conflict"


class Invalid(CrmError):
    """An input that cannot be understood or is out of bounds."""

    status = 422
    code = "invalid"

    def __init__(self, field: str, vi: str, en: str) -> None:
        super().__init__(vi, en, field=field)
