"""What an error is called where it is logged or kept: never with its message, for those of databases quote the data."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError


def named(error: BaseException) -> str:
    """Its class; of a database's, the driver's own class and code, too: "IntegrityError (UniqueViolation, 23505)"."""
    name = type(error).__name__
    if not isinstance(error, DBAPIError) or error.orig is None:
        return name
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
    own = type(error.orig).__name__
    return f"{name} ({own}, {code})" if code else f"{name} ({own})"


def told(error: BaseException) -> str:
    """Its class with its message, unless it is a database's."""
    return named(error) if isinstance(error, DBAPIError) else f"{type(error).__name__}: {error}"
