"""Phone numbers: many ways to write, one form to keep; what is not one number is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import phones

DIGITS = st.sampled_from(["90", "91", "98", "32", "70", "81", "56"]).flatmap(
    lambda head: st.from_regex(r"[0-9]{7}", fullmatch=True).map(lambda tail: head + tail)
)


@pytest.mark.parametrize(
    "raw",
    [
        "0901234567", "090 123 4567", "090.123.4567", "090-123-4567", "(090) 1234567", "+84901234567", "84901234567",
        "+84 90 123 4567", "+84(0)901234567", "0084901234567", "901234567", " 0901234567\n", "０９０１２３４５６７",
    ],
)  # fmt: skip
def test_all_ways_to_write_a_number_are_one_number(raw: str) -> None:
    assert phones.normalise(raw) == "+84901234567"


@pytest.mark.parametrize(
    "raw",
    [
        "", " ", "abc", "123", "0123456789", "8.49E+10", "0901234567 / 0907654321", "0901234567, 0907654321",
        "0901234567 0907654321", "0901234567x12", "0901234567;ext=5", "=0901234567+1-1", "+", "+84", "9" * 500,
        "1800 FLOWERS",
    ],
)  # fmt: skip
def test_what_is_not_one_valid_number_is_refused(raw: str) -> None:
    assert phones.normalise(raw) is None


def test_a_number_of_another_country_keeps_its_country() -> None:
    assert phones.normalise("+1 650 253 0000") == "+16502530000"
    assert phones.normalise("650 253 0000", region="US") == "+16502530000"


@given(DIGITS, st.lists(st.sampled_from(["", " ", ".", "-"]), min_size=9, max_size=9))
def test_prefix_and_separators_never_change_the_number(number: str, gaps: list[str]) -> None:
    spaced = "".join(digit + gap for digit, gap in zip(number, gaps, strict=True))
    assert {phones.normalise(prefix + spaced) for prefix in ("0", "+84", "+84 ")} == {f"+84{number}"}


@given(st.text(max_size=60))
def test_any_text_gives_a_number_that_stays_itself_or_nothing(raw: str) -> None:
    number = phones.normalise(raw)
    assert number is None or phones.normalise(number) == number
