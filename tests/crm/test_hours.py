"""Opening hours and free days as owners write them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import calendar, hours
from crm.calendar import Rule, Week

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MORNING, AFTERNOON, WHOLE = (480, 720), (810, 1260), (480, 1260)


def week(*days: tuple[tuple[int, int], ...]) -> Week:
    return (days[0], days[1], days[2], days[3], days[4], days[5], days[6])


DAILY = week(*[(WHOLE,)] * 7)
SPLIT = week(*[(MORNING, AFTERNOON)] * 6, ((540, 1080),))
OFFICE = week(*[((480, 1020),)] * 5, ((480, 720),), ())


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("8h-21h hằng ngày", DAILY),
        ("8h–21h mỗi ngày", DAILY),
        ("8:00 - 21:00", DAILY),
        ("Mở cửa từ 8h đến 21h tất cả các ngày trong tuần", DAILY),
        ("hang ngay tu 8h toi 21h", DAILY),
        ("8h sáng - 9h tối", DAILY),
        ("8-21h", DAILY),
        ("Every day 8am to 9pm", DAILY),
        ("8 giờ đến 21 giờ 00 mỗi ngày.", DAILY),
        ("T2-T7 8:00-12:00 13:30-21:00; CN 9:00-18:00", SPLIT),
        ("Thứ 2-7: 8:00 – 12:00, 13:30 – 21:00 | Chủ nhật: 9:00 – 18:00", SPLIT),
        ("thứ hai đến thứ bảy: sáng 8h-12h, chiều 1h30 - 9h; chủ nhật 9h-18h", SPLIT),
        ("8h-12h và 13h30-21h T2 đến T7, 9h-18h CN", SPLIT),
        ("Mon-Fri 8am-5pm, Sat 8-12h, Sun closed", OFFICE),
        ("Monday to Friday 8:00 am - 5:00 pm; Saturday 8am - 12pm", OFFICE),
        ("T2, T3, T4, T5, T6: 8h-17h\nT7: 8h-12h\nCN nghỉ", OFFICE),
        ("8h-21h hằng ngày trừ chủ nhật", week(*[(WHOLE,)] * 6, ())),
        ("T7-T2 18:00-2:00", week(((1080, 1560),), (), (), (), (), ((1080, 1560),), ((1080, 1560),))),
        ("24/7", calendar.ALWAYS),
        ("8h-12h, 10h-14h", week(*[((480, 840),)] * 7)),
    ],
)
def test_clear_hours_are_read(text: str, meant: Week) -> None:
    assert hours.opening_hours(text) == meant


@pytest.mark.parametrize(
    "text",
    ["", "giờ hành chính", "8-21", "8h", "8h-", "T2-T6", "8h-25h", "8h-21h T2; 9h-18h T2", "8h-21h; 9h-18h", "CN nghỉ",
     "8h-17h nghỉ trưa 12h-13h", "khoảng 8h tới tối", "8h-21h, gọi trước khi đến", "mở cửa cả năm", "24h-8h"],
)  # fmt: skip
def test_hours_that_leave_a_doubt_are_none(text: str) -> None:
    assert hours.opening_hours(text) is None


def test_a_shop_whose_hours_are_not_understood_counts_as_always_open() -> None:
    for text in ("", "giờ hành chính"):
        assert hours.calendar_of(text, hours.free_days("24/12"), ZONE).is_always_open


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", (True, ())),
        ("không", (False, ())),
        ("24/12", (True, (Rule((), first=(12, 24), last=(12, 24)),))),
        ("24/12 nghỉ; 30/4 mở", (True, (Rule((), first=(12, 24), last=(12, 24)),
                                        Rule(None, first=(4, 30), last=(4, 30))))),
        ("13/2-20/2/2027 nghỉ", (True, (Rule((), first=(2, 13), last=(2, 20), year=2027),))),
        ("28/12/2026 - 3/1/2027", (True, (Rule((), first=(12, 28), last=(1, 3), year=2026),))),
        ("31/12 8:00-12:00", (True, (Rule((MORNING,), first=(12, 31), last=(12, 31)),))),
        ("giỗ tổ mở; tết nguyên đán 8h-12h", (True, (Rule(None, name="hung_kings"), Rule((MORNING,), name="tet")))),
        ("none; New Year closed", (False, (Rule((), name="new_year"),))),
    ],
)  # fmt: skip
def test_free_days_are_read(text: str, meant: tuple[bool, tuple[Rule, ...]]) -> None:
    assert hours.free_days(text) == meant


@pytest.mark.parametrize("text", ["tất niên", "31/2", "24/12 chắc nghỉ", "1/1/2026-3/1/2028", "12/24"])
def test_free_days_that_are_not_understood_are_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is not understood"):
        hours.free_days(f"30/4 mở; {text}")


SHIFT = st.sets(st.integers(0, 1439), min_size=2, max_size=2).map(lambda times: (min(times), max(times)))


@settings(max_examples=30)
@given(st.lists(st.lists(SHIFT, max_size=3), min_size=7, max_size=7).filter(any))
def test_hours_written_day_by_day_are_read_as_they_were_meant(days: list[list[tuple[int, int]]]) -> None:
    names = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")
    written = "; ".join(
        f"{name} " + (" ".join(f"{a // 60}:{a % 60:02}-{b // 60}:{b % 60:02}" for a, b in shifts) or "nghỉ")
        for name, shifts in zip(names, days, strict=True)
    )
    assert hours.opening_hours(written) == calendar.joined(dict(enumerate(days)))
