"""Every error in Meta's tables is known: what it asks for, whom it concerns, and words for people."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.channels.base import SendErrorKind, Subject
from bot.channels.messenger import faults
from bot.channels.messenger.errors import FAULTS, error, fault_of
from bot.channels.messenger.faults import Fault

ANY = 0
RETRY, SNOOZE, PERMANENT = SendErrorKind.RETRY, SendErrorKind.SNOOZE, SendErrorKind.PERMANENT
UNREACHABLE, AUTH, UNKNOWN = SendErrorKind.UNREACHABLE, SendErrorKind.AUTH, SendErrorKind.UNKNOWN
MESSAGE, PERSON, ACCOUNT = Subject.MESSAGE, Subject.PERSON, Subject.ACCOUNT

Code = tuple[int, int]
Outcome = tuple[SendErrorKind, Subject]
Row = tuple[str, SendErrorKind, Subject]
"""What the error is to Meta's readers, and our outcome. The names of the classes are explained in ADVISED."""

ADVISED: dict[str, set[Outcome]] = {
    # it passes: try again, a few times
    "passing": {(RETRY, MESSAGE), (RETRY, PERSON), (RETRY, Subject.UPLOAD)},
    # too many calls: the account (or this message's lane) pauses
    "throttled": {(SNOOZE, ACCOUNT), (SNOOZE, PERSON), (SNOOZE, MESSAGE)},
    # the token is dead: the account is held until an admin connects it again
    "token": {(AUTH, ACCOUNT)},
    # the reply window is closed: an answer of then is no answer any more when the person writes again
    "window": {(PERMANENT, PERSON)},
    # the person cannot be reached, or not about this topic
    "gone": {(UNREACHABLE, PERSON), (PERMANENT, PERSON)},
    # something of ours or in the console must be mended: dead, or held where it concerns the whole account
    "mend": {(PERMANENT, MESSAGE), (PERMANENT, ACCOUNT), (PERMANENT, PERSON)},
    # the Page is being punished: stop sending and tell a person
    "policy": {(SNOOZE, ACCOUNT), (SNOOZE, PERSON)},
    # it may have gone out: find out first
    "unknown": {(UNKNOWN, MESSAGE)},
    # another app holds the conversation
    "held": {(SendErrorKind.ELSEWHERE, PERSON)},
    # nothing to do, or not a product of ours
    "nothing": {(PERMANENT, MESSAGE), (PERMANENT, PERSON)},
}


def rows(codes: list[Code], *row: *Row) -> dict[Code, Row]:
    """The same row for several codes."""
    return dict.fromkeys(codes, row)


def ads(*endings: int) -> list[Code]:
    """Codes of the Marketing Messages service, which stand now as codes, now as subcodes."""
    return [(2_300_000 + ending, 0) for ending in endings]


ROWS: dict[Code, Row] = {
    **rows([(1, 0), (2, 0), (1200, 0)], "passing", RETRY, MESSAGE),
    **rows([(100, 2018008), (100, 2018294)], "passing", RETRY, MESSAGE),
    **rows([(100, 2018074)], "passing", RETRY, Subject.UPLOAD),
    **rows([(ANY, 2018321)], "passing", RETRY, PERSON),
    **rows([(1, 1357046)], "unknown", UNKNOWN, MESSAGE),
    **rows([(code, 0) for code in (4, 17, 32, 613, 80001, 80006)], "throttled", SNOOZE, ACCOUNT),
    **rows([(613, 1996), *ads(78, 79, 80)], "throttled", SNOOZE, ACCOUNT),
    **rows(ads(35, 42, 43, 44), "throttled", SNOOZE, PERSON),
    **rows(ads(12, 41, 55, 61, 62), "throttled", SNOOZE, MESSAGE),
    **rows([(190, 0), (190, 460), (190, 463), (190, 467)], "token", AUTH, ACCOUNT),
    **rows([(10, 2018278), (10, 2018065)], "window", PERMANENT, PERSON),
    **rows([(10, 2018108), (100, 2018001), (200, 1545041), (551, 0), (551, 1545041)], "gone", UNREACHABLE, PERSON),
    **rows(ads(36, 52), "gone", UNREACHABLE, PERSON),
    **rows([(10, 1893015), *ads(34, 37)], "gone", PERMANENT, PERSON),
    **rows([(ANY, 2018300)], "held", SendErrorKind.ELSEWHERE, PERSON),
    **rows([(10, 1404170), (10, 1893063), (368, 0), (2022, 0)], "policy", SNOOZE, ACCOUNT),
    **rows([(613, 2018338)], "policy", SNOOZE, PERSON),
    **rows([(1, 99), (10, 0), (200, 0), (200, 2018028)], "mend", PERMANENT, ACCOUNT),
    **rows(ads(11, 13, 19, 66, 67, 69, 15, 16, 17, 53, 54, 56, 58, 59), "mend", PERMANENT, ACCOUNT),
    **rows(ads(30, 31, 32), "mend", PERMANENT, PERSON),
    **rows([(ANY, 2018247)], "mend", PERMANENT, PERSON),
    **rows([(1, 2018382), (2, 2018344), (10, 2018336), (10303, 0)], "mend", PERMANENT, MESSAGE),
    **rows([(100, sub) for sub in (0, 33, 1893061, 2018014, 2018047, 2018109)], "mend", PERMANENT, MESSAGE),
    **rows([(100, sub) for sub in (2018164, 2018320, 2018328)], "mend", PERMANENT, MESSAGE),
    **rows([(200, 2018021), (200, 2018027)], "mend", PERMANENT, MESSAGE),
    **rows([(ANY, sub) for sub in (2018416, 2018171, 2018234)], "mend", PERMANENT, MESSAGE),
    **rows([(ANY, sub) for sub in (2018173, 2018175, *range(2018182, 2018189))], "mend", PERMANENT, MESSAGE),
    **rows(ads(0, 77), "mend", PERMANENT, MESSAGE),
    **rows([(4, 2018354), (9, 2018352), (613, 1893016), (10900, 0), (9000001, 0)], "nothing", PERMANENT, MESSAGE),
    **rows([(ANY, 2018048)], "nothing", PERMANENT, MESSAGE),
    **rows([(230, 0), (ANY, 2018218)], "nothing", PERMANENT, PERSON),
    **rows([(10, 2534022), (10, 2534077), (200, 2534041), (613, 2534040)], "nothing", PERMANENT, MESSAGE),
    **rows([(100, 2534013 + more) for more in (0, 1, 2, 12, 16, 24)], "nothing", PERMANENT, MESSAGE),
    **rows([(24001, 0), (24002, 0), (24005, 0), (36103, 0)], "nothing", PERMANENT, MESSAGE),
    **rows([(ANY, sub) for sub in (2018144, 2018154, 2018163, 2018166)], "nothing", PERMANENT, MESSAGE),
    **rows([(ANY, sub) for sub in range(2018389, 2018397)], "nothing", PERMANENT, MESSAGE),
    **rows([(ANY, sub) for sub in range(2071010, 2071026)], "nothing", PERMANENT, MESSAGE),
}
ALL_FAULTS = {name: value for name, value in vars(faults).items() if isinstance(value, Fault)}
WHO_EN = re.compile(
    r"\b(we|admin|staff|whoever|makers of this program|nobody|by itself|the person must|once the person)\b"
)
WHO_VI = re.compile(
    r"hệ thống|quản trị|nhân viên|người (vận hành|soạn|chọn)|nhóm phát triển|không cần|khách (cần|nhắn)|sẽ tự"
)


def test_each_error_of_the_tables_has_its_outcome() -> None:
    faults = {code: fault_of(*code) for code in ROWS}
    assert {code: (advised, faults[code].kind, faults[code].subject) for code, (advised, *_) in ROWS.items()} == ROWS
    assert {code for code, (advised, *outcome) in ROWS.items() if tuple(outcome) not in ADVISED[advised]} == set()


def test_every_error_we_know_is_one_of_the_tables() -> None:
    marketing = {(ANY, 2300000 + ending) for ending in range(81)}
    assert set(FAULTS) - set(ROWS) - marketing == set()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ((1, 99), "permission"),
        ((100, 1893061), "tag"),
        ((100, 2018008), "could not fetch"),
        ((100, 2018074), "picture or file"),
        ((10, 1893063), "Page Quality"),
        ((10, 2018278), "window"),
        ((190, 460), "connect the Page again"),
        ((551, 0), "cannot be reached"),
        ((ANY, 2018247), "profiles"),
        ((ANY, 2018300), "Page inbox"),
        ((2, 2018344), "terms"),
        ((80006, 0), "Too many calls"),
    ],
)
def test_the_words_are_about_the_error(code: Code, says: str) -> None:
    assert says in fault_of(*code).words.en


def test_the_long_numbers_count_alone() -> None:
    for code, sub in ((2018300, 0), (100, 2018300), (10, 2018300), (999, 2018300)):
        assert fault_of(code, sub) is faults.NOT_OWNER
    assert fault_of(999, 2018278) is faults.WINDOW
    assert fault_of(100, 1545041) is faults.GONE
    assert fault_of(100, 2300043) is faults.AD_TOO_SOON


def test_a_short_subcode_counts_only_with_its_code() -> None:
    assert fault_of(190, 33).kind is SendErrorKind.AUTH
    assert fault_of(190, 99).kind is SendErrorKind.AUTH


def test_an_unknown_error_is_final_unless_the_platform_is_in_trouble() -> None:
    assert fault_of(424242, 0, 400).kind is SendErrorKind.PERMANENT
    assert fault_of(424242, 0, 500).kind is SendErrorKind.RETRY
    assert fault_of(0, 0, 400).kind is SendErrorKind.PERMANENT


def test_who_waits_knows_how_long() -> None:
    waiting = [fault for fault in ALL_FAULTS.values() if fault.kind is SendErrorKind.SNOOZE]
    assert waiting
    assert all(fault.retry_after for fault in waiting)
    assert error(4, 0, 400, timedelta(minutes=7)).retry_after == timedelta(minutes=7)


def test_an_error_says_its_code_its_words_and_its_detail_if_it_has_one() -> None:
    outside = error(10, 2018278, 400, detail="AbC123")
    assert outside.code == "10/2018278"
    assert str(outside) == f"10/2018278: {outside.words.en} (AbC123)"
    assert str(error(551, 0, 400)).endswith(".")


@pytest.mark.parametrize("fault", ALL_FAULTS.values(), ids=ALL_FAULTS)
def test_words_are_whole_sentences_in_both_languages_and_say_who_acts(fault: Fault) -> None:
    for words in (fault.words.en, fault.words.vi):
        assert words[0].isupper()
        assert words.endswith(".")
        assert "  " not in words
    assert fault.words.vi != fault.words.en
    assert WHO_EN.search(fault.words.en.lower())
    assert WHO_VI.search(fault.words.vi.lower())
