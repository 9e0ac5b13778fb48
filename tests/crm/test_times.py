"""Times in words: real phrases, what they leave open, and that what is told can be read again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import times, words

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 27, 14, 0, tzinfo=ZONE)
"""A Friday afternoon."""


def heard(text: str, now: datetime = NOW) -> str:
    """What is understood, told back without the zone; "" for nothing."""
    when = times.understand_time(text, now, ZONE)
    return times.told(when.at, ZONE, now).removesuffix(" (giờ VN)") if when else ""


PHRASES = [
    ("9h mai", "09:00 thứ Bảy 28/11"),
    ("9h sáng mai", "09:00 thứ Bảy 28/11"),
    ("mai 9h", "09:00 thứ Bảy 28/11"),
    ("20h thứ 6", "20:00 thứ Sáu 27/11"),
    ("20h t6", "20:00 thứ Sáu 27/11"),
    ("9h thứ 6", "21:00 thứ Sáu 27/11"),
    ("13h thứ 6", "13:00 thứ Sáu 04/12"),
    ("30p nữa", "14:30 thứ Sáu 27/11"),
    ("30 phút nữa", "14:30 thứ Sáu 27/11"),
    ("sau 30 phút", "14:30 thứ Sáu 27/11"),
    ("1h30 nữa", "15:30 thứ Sáu 27/11"),
    ("1 tiếng rưỡi nữa", "15:30 thứ Sáu 27/11"),
    ("1 tiếng 15 phút nữa", "15:15 thứ Sáu 27/11"),
    ("nửa tiếng nữa", "14:30 thứ Sáu 27/11"),
    ("2 tiếng", "16:00 thứ Sáu 27/11"),
    ("3 ngày nữa", "14:00 thứ Hai 30/11"),
    ("9h 3 ngày nữa", "09:00 thứ Hai 30/11"),
    ("2 tuần sau", "14:00 thứ Sáu 11/12"),
    ("thứ 2 tuần sau 8h30", "08:30 thứ Hai 30/11"),
    ("8h30 sáng thứ hai tuần tới", "08:30 thứ Hai 30/11"),
    ("thứ 5 tuần này 9h", "09:00 thứ Năm 26/11"),
    ("tuần sau", "08:00 thứ Hai 30/11"),
    ("cuối tuần", "08:00 thứ Bảy 28/11"),
    ("cuối tuần sau 10h", "10:00 thứ Bảy 05/12"),
    ("15/12 9h", "09:00 thứ Ba 15/12"),
    ("9h30 ngày 15/12/2026", "09:30 thứ Ba 15/12"),
    ("ngày 15 tháng 12 lúc 9h", "09:00 thứ Ba 15/12"),
    ("15/1", "08:00 thứ Sáu 15/01/2027"),
    ("26/11 9h", "09:00 thứ Năm 26/11"),
    ("ngày 5", "08:00 thứ Bảy 05/12"),
    ("ngày 28", "08:00 thứ Bảy 28/11"),
    ("5h ngày 2 tháng sau", "17:00 thứ Tư 02/12"),
    ("cuối tháng", "08:00 thứ Hai 30/11"),
    ("chiều nay 3h", "15:00 thứ Sáu 27/11"),
    ("3h chiều nay", "15:00 thứ Sáu 27/11"),
    ("sáng mai", "08:00 thứ Bảy 28/11"),
    ("trưa mốt", "12:00 Chủ nhật 29/11"),
    ("ngày kia", "08:00 Chủ nhật 29/11"),
    ("tối nay", "19:00 thứ Sáu 27/11"),
    ("tối thứ bảy 7h rưỡi", "19:30 thứ Bảy 28/11"),
    ("toi thu bay 7h ruoi", "19:30 thứ Bảy 28/11"),
    ("thứ 7 tối 8h", "20:00 thứ Bảy 28/11"),
    ("thứ 6 tới", "08:00 thứ Sáu 04/12"),
    ("8 giờ kém 15 tối", "19:45 thứ Sáu 27/11"),
    ("12h đêm nay", "00:00 thứ Bảy 28/11"),
    ("2h đêm nay", "02:00 thứ Bảy 28/11"),
    ("2h sáng mai", "02:00 thứ Bảy 28/11"),
    ("12h trưa", "12:00 thứ Bảy 28/11"),
    ("8h", "20:00 thứ Sáu 27/11"),
    ("3h", "15:00 thứ Sáu 27/11"),
    ("1h", "13:00 thứ Bảy 28/11"),
    ("13h", "13:00 thứ Bảy 28/11"),
    ("08:00", "08:00 thứ Bảy 28/11"),
    ("3h mai", "15:00 thứ Bảy 28/11"),
    ("03:00 mai", "03:00 thứ Bảy 28/11"),
    ("sang mai 8h ruoi nhe", "08:30 thứ Bảy 28/11"),
    ("CN 9h", "09:00 Chủ nhật 29/11"),
    ("Chủ nhật, 9h", "09:00 Chủ nhật 29/11"),
    ("tomorrow at 9am", "09:00 thứ Bảy 28/11"),
    ("in 2 hours", "16:00 thứ Sáu 27/11"),
    ("in half an hour", "14:30 thứ Sáu 27/11"),
    ("next friday 3pm", "15:00 thứ Sáu 04/12"),
    ("monday 8:30am", "08:30 thứ Hai 30/11"),
    ("december 15th at 9:30am", "09:30 thứ Ba 15/12"),
    ("2026-12-15 09:30", "09:30 thứ Ba 15/12"),
    ("tonight", "19:00 thứ Sáu 27/11"),
]


@pytest.mark.parametrize(("text", "meant"), PHRASES)
def test_a_phrase_means_this_moment(text: str, meant: str) -> None:
    assert heard(text) == meant


@pytest.mark.parametrize(("text", "meant"), PHRASES)
def test_accents_and_capitals_change_nothing(text: str, meant: str) -> None:
    assert heard(text.upper()) == meant
    if "tới" not in text:
        assert heard(words.plain(text)) == meant


@pytest.mark.parametrize(
    "text", ["", "9", "25h", "9h70", "31/2", "hôm nay", "thứ hai thứ ba", "9h 10h", "sáng chiều mai", "mùng 5",
             "mai mốt", "gọi lại", "thứ 6 5/12", "0 phút nữa", "13h sáng mai", "12am pm", "\x00", "9h mai gọi lại"]
)  # fmt: skip
def test_what_has_no_sense_or_two_means_nothing(text: str) -> None:
    assert heard(text) == ""


def test_what_is_over_is_given_as_it_was_said() -> None:
    for text in ("sáng nay", "hôm nay 1h", "thứ 5 tuần này", "26/11"):
        when = times.understand_time(text, NOW, ZONE)
        assert when is not None and when.at < NOW


def test_a_night_hour_said_in_the_night_is_this_nights() -> None:
    assert heard("2h đêm", datetime(2026, 11, 28, 1, 0, tzinfo=ZONE)) == "02:00 thứ Bảy 28/11"


@pytest.mark.parametrize(
    ("text", "meant", "rest"),
    [
        ("9h mai gọi lại, hỏi size", "09:00 thứ Bảy 28/11", "gọi lại, hỏi size"),
        ("thứ 2 tuần sau Mai nhắn", "08:00 thứ Hai 30/11", "Mai nhắn"),
        ("30p nữa hỏi  lại khách", "14:30 thứ Sáu 27/11", "hỏi lại khách"),
        ("9h mai", "09:00 thứ Bảy 28/11", ""),
    ],
)
def test_what_follows_a_time_is_left_as_written(text: str, meant: str, rest: str) -> None:
    when = times.leading_time(text, NOW, ZONE)
    assert when is not None and times.told(when.at, ZONE, NOW).startswith(meant)
    assert when.rest == rest


def test_a_moment_is_told_with_weekday_and_zone() -> None:
    at = datetime(2026, 12, 4, 13, 0, tzinfo=UTC)
    assert times.told(at, ZONE, NOW) == "20:00 thứ Sáu 04/12 (giờ VN)"
    assert times.told(at, ZONE, NOW, "en") == "20:00 Friday 04/12 (Vietnam time)"
    assert times.told(at.replace(year=2027), ZONE, NOW) == "20:00 thứ Bảy 04/12/2027 (giờ VN)"
    assert times.told(at, ZoneInfo("Asia/Bangkok"), NOW) == "20:00 thứ Sáu 04/12 (Asia/Bangkok)"


_FIRST, _LAST = datetime(2025, 1, 1, tzinfo=ZONE), datetime(2030, 1, 1, tzinfo=ZONE)
MOMENTS = st.integers(0, int((_LAST - _FIRST).total_seconds())).map(lambda number: _FIRST + timedelta(seconds=number))
MINUTES = st.integers(1, 2 * 365 * 24 * 60)


@settings(max_examples=100)
@given(MOMENTS, MINUTES)
def test_what_is_told_of_a_coming_moment_is_understood_again(now: datetime, minutes: int) -> None:
    at = (now + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    if at > now:
        for locale in ("vi", "en"):
            assert times.understand_time(times.told(at, ZONE, now, locale), now, ZONE) == times.When(at.astimezone(UTC))


_SOME = (
    "9h 8h30 20h 07:15 mai mốt nay thứ 6 t2 cn tuần sau này tới sáng trưa chiều tối đêm 30p 2 tiếng nữa sau ngày 15 "
    "tháng 12 15/12 31/2 kém rưỡi next friday in 3 hours pm hẹn"
)
WORDS = st.sampled_from(_SOME.split())


@settings(max_examples=100)
@given(MOMENTS, st.lists(WORDS, min_size=1, max_size=6))
def test_any_words_give_an_aware_moment_or_nothing_and_lose_no_word(now: datetime, said: list[str]) -> None:
    text = " ".join(said)
    when = times.leading_time(text, now, ZONE)
    if when is not None:
        assert when.at.tzinfo is UTC
        assert text.endswith(when.rest)
        assert abs(when.at - now) < timedelta(days=366 * 9)
        read = text.removesuffix(when.rest).strip()
        assert times.understand_time(read, now, ZONE) == times.When(when.at)


@settings(max_examples=50)
@given(MOMENTS, st.integers(1, 999), st.sampled_from(["phút", "p", "tiếng", "ngày", "tuần"]))
def test_a_span_counts_from_now(now: datetime, count: int, unit: str) -> None:
    length = {"phút": 1, "p": 1, "tiếng": 60, "ngày": 1440, "tuần": 10080}[unit]
    when = times.understand_time(f"{count} {unit} nữa", now, ZONE)
    assert when is not None
    assert abs(when.at - now - timedelta(minutes=count * length)) < timedelta(minutes=1)
