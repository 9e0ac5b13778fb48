"""What one error code of Zalo's means, and short ways to write a table of them."""

from __future__ import annotations

from datetime import timedelta

from bot.channels.base import Fault, SendErrorKind, Subject, Words


def retry(en: str, vi: str, remedy: Words) -> Fault:
    """It failed this time; trying again may help."""
    return Fault(SendErrorKind.RETRY, Subject.MESSAGE, _sentence(en, vi, remedy))


def stale(en: str, vi: str, remedy: Words) -> Fault:
    """The copy of a picture or file is gone: it is uploaded again."""
    return Fault(SendErrorKind.RETRY, Subject.UPLOAD, _sentence(en, vi, remedy))


def later(seconds: int, en: str, vi: str, remedy: Words, subject: Subject = Subject.MESSAGE) -> Fault:
    """A limit is reached: wait, without counting an attempt."""
    return Fault(SendErrorKind.SNOOZE, subject, _sentence(en, vi, remedy), timedelta(seconds=seconds))


def spent(seconds: int, en: str, vi: str, remedy: Words) -> Fault:
    """An allowance is used up: what draws on it waits, and free replies go on."""
    return later(seconds, en, vi, remedy, Subject.ALLOWANCE)


def spent_on_promotion(seconds: int, en: str, vi: str, remedy: Words) -> Fault:
    """The allowance for promotion is used up: marketing that draws on it waits, and all else goes on."""
    return later(seconds, en, vi, remedy, Subject.PROMOTION)


def fix(en: str, vi: str, remedy: Words) -> Fault:
    """Nothing goes out of this account until someone mends it; its messages wait."""
    return Fault(SendErrorKind.SNOOZE, Subject.ACCOUNT, _sentence(en, vi, remedy), timedelta(minutes=15))


def stuck(en: str, vi: str, remedy: Words) -> Fault:
    """Messages of this kind wait until someone mends it; the rest of the account goes on."""
    return Fault(SendErrorKind.SNOOZE, Subject.MESSAGE, _sentence(en, vi, remedy), timedelta(hours=1))


def mend(en: str, vi: str, remedy: Words) -> Fault:
    """The token must be renewed first."""
    return Fault(SendErrorKind.AUTH, Subject.ACCOUNT, _sentence(en, vi, remedy))


def fatal(en: str, vi: str, remedy: Words) -> Fault:
    """This message will never go out as it is."""
    return Fault(SendErrorKind.PERMANENT, Subject.MESSAGE, _sentence(en, vi, remedy))


def unusable(en: str, vi: str, remedy: Words) -> Fault:
    """No message with this template goes out until someone mends it; they wait."""
    return Fault(SendErrorKind.PERMANENT, Subject.TEMPLATE, _sentence(en, vi, remedy))


def lost(en: str, vi: str, remedy: Words) -> Fault:
    """This message may not go to this person now; another one may later."""
    return Fault(SendErrorKind.PERMANENT, Subject.PERSON, _sentence(en, vi, remedy))


def unreachable(en: str, vi: str, remedy: Words) -> Fault:
    """Nothing reaches this person until they come back by themselves."""
    return Fault(SendErrorKind.UNREACHABLE, Subject.PERSON, _sentence(en, vi, remedy))


def _sentence(en: str, vi: str, remedy: Words) -> Words:
    return Words(f"{en}: {remedy.en}.", f"{vi}: {remedy.vi}.")
