"""Every error in Meta's tables is known: what it asks for, whom it concerns, and words for people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.channels.base import SendErrorKind, Subject
from bot.channels.messenger import faults
from bot.channels.messenger.errors import FAULTS, error, fault_of
from bot.channels.messenger.faults import Fault

ANY = 0
CLASSES: dict[SendErrorKind, list[tuple[int, int]]] = {
    SendErrorKind.RETRY: [(1, 0), (2, 0), (100, 2018008), (100, 2018294), (100, 2018074), (1200, 0), (ANY, 2018321)],
    SendErrorKind.SNOOZE: [
        *((code, 0) for code in (4, 17, 32, 613, 80001, 80006)),
        (613, 1996),
        *((10, 1404170), (10, 1893063), (368, 0), (2022, 0), (613, 2018338)),
        (ANY, 2018300),
        *((2300000 + ending, 0) for ending in (12, 41, 55, 61, 62, 35, 42, 43, 44, 78, 79, 80)),
    ],
    SendErrorKind.AUTH: [(190, 0), (190, 460), (190, 463), (190, 467)],
    SendErrorKind.UNREACHABLE: [
        *((100, 2018001), (10, 2018108), (200, 1545041), (551, 0), (551, 1545041)),
        *((2300036, 0), (2300052, 0)),
    ],
    SendErrorKind.UNKNOWN: [(1, 1357046)],
    SendErrorKind.PERMANENT: [
        *((10, 2018278), (10, 2018065)),
        *((1, 99), (1, 2018382), (2, 2018344), (10, 0), (10, 2018336), (10303, 0)),
        *((100, sub) for sub in (0, 33, 1893061, 2018014, 2018047, 2018109, 2018164, 2018320, 2018328)),
        *((200, sub) for sub in (0, 2018028, 2018021, 2018027, 2534041)),
        *((4, 2018354), (9, 2018352), (10, 1893015), (613, 1893016), (10900, 0), (9000001, 0)),
        *((230, 0), (ANY, 2018048), (ANY, 2018218), (ANY, 2018247), (ANY, 2018416), (ANY, 2018171), (ANY, 2018234)),
        *((10, 2534022), (10, 2534077), (613, 2534040), (24001, 0), (24002, 0), (24005, 0), (36103, 0)),
        *((100, sub) for sub in (2534013, 2534014, 2534015, 2534025, 2534029, 2534037)),
        *((ANY, sub) for sub in (2018144, 2018154, 2018163, 2018166, 2018173, 2018175, *range(2018182, 2018189))),
        *((ANY, sub) for sub in (*range(2018389, 2018397), *range(2071010, 2071026))),
        *((2300000 + ending, 0) for ending in (34, 37, 11, 13, 19, 66, 67, 69, 30, 31, 32, 0, 77)),
        *((2300000 + ending, 0) for ending in (15, 16, 17, 53, 54, 56, 58, 59)),
    ],
}
ACCOUNT_WIDE = [(4, 0), (17, 0), (32, 0), (613, 0), (80001, 0), (80006, 0), (190, 0), (190, 463), (368, 0), (2022, 0)]
ACCOUNT_WIDE += [(10, 1893063), (10, 1404170), (10, 0), (200, 0), (200, 2018028), (2300011, 0), (2300053, 0)]
ONE_PERSON = [(10, 2018278), (551, 0), (100, 2018001), (200, 1545041), (613, 2018338), (ANY, 2018300)]
ALL_FAULTS = [value for value in vars(faults).values() if isinstance(value, Fault)]


@pytest.mark.parametrize("kind", CLASSES)
def test_each_error_of_the_tables_has_its_kind(kind: SendErrorKind) -> None:
    assert {code: fault_of(*code).kind for code in CLASSES[kind]} == dict.fromkeys(CLASSES[kind], kind)


def test_every_error_we_know_is_one_of_the_tables() -> None:
    listed = {code for codes in CLASSES.values() for code in codes}
    marketing = {(ANY, 2300000 + ending) for ending in range(81)}
    assert set(FAULTS) - listed - marketing == set()


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


def test_errors_of_the_page_and_of_the_person_say_so() -> None:
    assert {fault_of(*code).subject for code in ACCOUNT_WIDE} == {Subject.ACCOUNT}
    assert {fault_of(*code).subject for code in ONE_PERSON} == {Subject.PERSON}


def test_who_waits_knows_how_long() -> None:
    waiting = [fault for fault in ALL_FAULTS if fault.kind is SendErrorKind.SNOOZE]
    assert waiting
    assert all(fault.retry_after for fault in waiting)
    assert error(4, 0, 400, timedelta(minutes=7)).retry_after == timedelta(minutes=7)


def test_an_error_says_its_code_its_words_and_its_detail_if_it_has_one() -> None:
    outside = error(10, 2018278, 400, detail="AbC123")
    assert outside.code == "10/2018278"
    assert str(outside) == f"10/2018278: {outside.words.en} (AbC123)"
    assert str(error(551, 0, 400)).endswith(".")


@pytest.mark.parametrize("fault", ALL_FAULTS)
def test_words_are_whole_sentences_in_both_languages(fault: Fault) -> None:
    for words in (fault.words.en, fault.words.vi):
        assert words[0].isupper()
        assert words.endswith(".")
        assert "  " not in words
    assert fault.words.vi != fault.words.en
