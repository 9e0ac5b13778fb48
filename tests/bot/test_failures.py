"""A platform's refusal is told in the reader's language, with its code; what nobody knows is told as it is."""

from __future__ import annotations

import pytest

from bot import failures
from bot.channels.messenger.errors import FAULTS
from bot.channels.zalo.business_errors import BUSINESS
from bot.channels.zalo.errors import OA
from crm import unsent


@pytest.mark.parametrize(
    ("reason", "vi", "en"),
    [
        ("-244", "Khách không nhận loại tin này", "The person does not accept this kind of message"),
        ("100/2018001", "Không nhắn được cho người này", "This person cannot be reached"),
        ("551", "Không nhắn được cho người này", "This person cannot be reached"),
    ],
)
def test_a_code_is_told_by_what_it_means_in_both_languages(reason: str, vi: str, en: str) -> None:
    words = failures.words(reason)
    assert words.vi.startswith(vi) and words.vi.endswith(f"({reason})")
    assert words.en.startswith(en) and words.en.endswith(f"({reason})")
    assert failures.told(f"{reason}: words in English (trace A1b)") == words


def test_a_reason_stands_once_before_what_it_means() -> None:
    assert failures.coded("cap").en == "cap: they got as many messages as one may get"
    assert failures.coded("551").vi.startswith("551: Không nhắn được cho người này")
    assert [failures.coded(each).en.count(each) for each in ("551", "-999999", "http-502")] == [1, 1, 1]


def test_every_known_code_has_words_of_both_languages() -> None:
    messenger = [f"{code}/{subcode}" if subcode else f"{code}" for code, subcode in FAULTS if code]
    for code in (*map(str, OA), *map(str, BUSINESS), *messenger):
        words = failures.words(code)
        assert words.vi != words.en and code not in (words.vi, words.en), code


@pytest.mark.parametrize("reason", ["opted_out", "cap", "http-502", "-999999", "999999", "IntegrityError", ""])
def test_what_is_no_known_code_is_told_as_before(reason: str) -> None:
    assert failures.words(reason) == failures.told(reason) == unsent.words(reason)
