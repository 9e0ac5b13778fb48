"""What one error code of Zalo's means, and short ways to write a table of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.channels.base import SendErrorKind, Subject, Words


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of a table of error codes; `retry_after` where waiting a known time helps."""

    kind: SendErrorKind
    words: Words
    subject: Subject = Subject.MESSAGE
    retry_after: timedelta | None = None


def retry(en: str, vi: str, remedy: Words) -> Fault:
    """It failed this time; trying again may help."""
    return Fault(SendErrorKind.RETRY, _sentence(en, vi, remedy))


def later(seconds: int, en: str, vi: str, remedy: Words, subject: Subject = Subject.MESSAGE) -> Fault:
    """A limit is reached: wait, without counting an attempt."""
    return Fault(SendErrorKind.SNOOZE, _sentence(en, vi, remedy), subject, timedelta(seconds=seconds))


def fix(en: str, vi: str, remedy: Words) -> Fault:
    """Nothing goes out of this account until someone mends it; its messages wait."""
    return Fault(SendErrorKind.SNOOZE, _sentence(en, vi, remedy), Subject.ACCOUNT, timedelta(minutes=15))


def stuck(en: str, vi: str, remedy: Words) -> Fault:
    """Messages of this kind wait until someone mends it; the rest of the account goes on."""
    return Fault(SendErrorKind.SNOOZE, _sentence(en, vi, remedy), retry_after=timedelta(hours=1))


def mend(en: str, vi: str, remedy: Words) -> Fault:
    """The token must be renewed first."""
    return Fault(SendErrorKind.AUTH, _sentence(en, vi, remedy), Subject.ACCOUNT)


def fatal(en: str, vi: str, remedy: Words) -> Fault:
    """This message will never go out as it is."""
    return Fault(SendErrorKind.PERMANENT, _sentence(en, vi, remedy))


def lost(en: str, vi: str, remedy: Words) -> Fault:
    """This message may not go to this person now; another one may later."""
    return Fault(SendErrorKind.PERMANENT, _sentence(en, vi, remedy), Subject.PERSON)


def unreachable(en: str, vi: str, remedy: Words) -> Fault:
    """Nothing reaches this person until they come back by themselves."""
    return Fault(SendErrorKind.UNREACHABLE, _sentence(en, vi, remedy), Subject.PERSON)


def _sentence(en: str, vi: str, remedy: Words) -> Words:
    return Words(f"{en}: {remedy.en}.", f"{vi}: {remedy.vi}.")
