"""Every error code of the Graph API that we know, and the error to raise for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.channels.base import Fault, SendError, Words, raised
from bot.channels.messenger import faults

Code = tuple[int, int]
"""An error's code and subcode; 0 stands for none as a subcode, and for any as a code."""


def fault_of(code: int, subcode: int, status: int = 400) -> Fault:
    """What an error asks for, by code and subcode; the long numbers count alone, as either of the two.

    An error that we do not know failed for good, unless the platform itself was in trouble (5xx).
    """
    return (
        FAULTS.get((code, subcode))
        or _BY_LONG_NUMBER.get(subcode)
        or _BY_LONG_NUMBER.get(code)
        or FAULTS.get((code, 0))
        or (faults.UNKNOWN_TROUBLE if status >= 500 else faults.UNKNOWN_REFUSAL)
    )


def meaning(code: int, subcode: int) -> Words | None:
    """What an error says, in words; None for one that we do not know."""
    fault = fault_of(code, subcode)
    return None if fault is faults.UNKNOWN_REFUSAL else fault.words


def error(code: int, subcode: int, status: int, wait: timedelta | None = None, detail: str = "") -> SendError:
    """The error that an answer with this code stands for; `wait` is what the answer asked for."""
    fault = fault_of(code, subcode, status)
    name = f"{code}/{subcode}" if subcode else str(code)
    return raised(fault, name, wait, detail)


def _any(*numbers: int) -> list[Code]:
    return [(0, number) for number in numbers]


def _marketing(*endings: int) -> list[Code]:
    return _any(*(2_300_000 + ending for ending in endings))


def _rows() -> Iterator[tuple[list[Code], Fault]]:
    yield [(1, 0), (2, 0), (1200, 0)], faults.PASSING
    yield [(100, 2018008), (100, 2018294)], faults.FETCH
    yield _any(2018321), faults.FLOW_RUNNING
    yield [(1, 1357046)], faults.MAYBE_SENT
    yield [(4, 0), (17, 0), (32, 0), (613, 0), (613, 1996), (80001, 0), (80006, 0)], faults.THROTTLED
    yield [(190, 0), (190, 460)], faults.RECONNECT
    yield [(10, 2018278), (10, 2018065)], faults.WINDOW
    yield [(10, 2018108), (100, 2018001), (200, 1545041), (551, 0), (551, 1545041)], faults.GONE
    yield _any(2018300), faults.NOT_OWNER
    yield [(10, 1404170), (10, 1893063), (368, 0), (2022, 0)], faults.RESTRICTED
    yield [(613, 2018338)], faults.TOO_OFTEN_TAGGED
    yield [(1, 99), (10, 0), (200, 0), (200, 2018028)], faults.PERMISSION
    yield [(2, 2018344)], faults.TERMS
    yield [(100, 0), (100, 33), (100, 2018014), (100, 2018164), (1, 2018382), (10, 2018336)], faults.BAD_REQUEST
    yield [(100, 2018320), (100, 2018328), (200, 2018021), (200, 2018027), (10303, 0)], faults.BAD_REQUEST
    yield _any(2018416, 2018171, 2018234), faults.BAD_REQUEST
    yield [(100, 1893061)], faults.DEAD_TAG
    yield (
        [(100, 2018047), (100, 2018109), *_any(2018173, 2018175, *range(2018182, 2018189))],
        faults.FILE,
    )
    yield [(100, 2018074)], faults.STALE_UPLOAD
    yield [(4, 2018354), (9, 2018352), (613, 1893016), (9000001, 0), *_any(2018048)], faults.SKIPPED
    yield [(10900, 0)], faults.ANSWERED_BEFORE
    yield [(230, 0), *_any(2018218)], faults.NO_PROFILE
    yield _any(2018247), faults.PROFILE_RIGHT
    yield [(10, 2534022), (10, 2534077), (200, 2534041), (613, 2534040)], faults.NOT_OURS
    yield [(100, 2534013 + more) for more in (0, 1, 2, 12, 16, 24)], faults.NOT_OURS
    yield [(24001, 0), (24002, 0), (24005, 0), (36103, 0)], faults.NOT_OURS
    yield _any(2018144, 2018154, 2018163, 2018166, *range(2018389, 2018397), *range(2071010, 2071026)), faults.NOT_OURS
    yield _marketing(*range(81)), faults.AD_OTHER
    yield _marketing(12, 41, 55, 61, 62), faults.AD_NOT_READY
    yield [(10, 1893015), *_marketing(34, 37)], faults.TOPIC_STOPPED
    yield _marketing(35, 42, 43, 44), faults.AD_TOO_SOON
    yield _marketing(36, 52), faults.GONE
    yield _marketing(11, 13, 19, 66, 67, 69, 15, 16, 17, 53, 54, 56, 58, 59), faults.AD_ACCOUNT
    yield _marketing(30, 31, 32), faults.AD_REGION
    yield _marketing(78, 79, 80), faults.THROTTLED


FAULTS: dict[Code, Fault] = {code: fault for codes, fault in _rows() for code in codes}
"""Every known error; later rows are the more exact ones."""

_BY_LONG_NUMBER = {number: fault for (_, number), fault in FAULTS.items() if number >= 1_000_000}
"""The long numbers are unique and stand now as a code, now as a subcode."""
