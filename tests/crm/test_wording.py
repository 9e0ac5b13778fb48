"""Texts with gaps: what may stand in them, what is refused at once, and that nothing goes out half filled."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import wording
from crm.errors import Conflict, CrmError, Invalid

KNOWN = ("khach.ten", "khach.diem", "don.ma")
VALUES = {"khach": {"ten": "Lan", "diem": 1250}, "don": {"ma": ""}}


def written(text: str, *filled: str) -> str:
    """The text as it goes out."""
    return wording.write(wording.read(text, KNOWN), VALUES, filled)


@pytest.mark.parametrize(
    ("text", "filled", "out"),
    [
        ("Chào {{ khach.ten }}!", (), "Chào Lan!"),
        ("{{khach.diem|so}} điểm, {{ 5000|tien }}", (), "1.250 điểm, 5.000đ"),
        ("Giao sau [số ngày?] ngày", ("3",), "Giao sau 3 ngày"),
        ("[a?] rồi [b?] rồi [a?]", ("1", "2"), "1 rồi 2 rồi 1"),
        ("{% if khach.diem >= 1000 and not don.ma %}Nhiều{% else %}Ít{% endif %} điểm", (), "Nhiều điểm"),
        ("{% if don.ma %}Đơn {{ don.ma }}{% else %}Chưa có đơn{% endif %}", (), "Chưa có đơn"),
        ("Số [ngày?]", ("{{ khach.ten }} [x?] {% if %}",), "Số {{ khach.ten }} [x?] {% if %}"),
        ("Ghi [1] và [hỏi gì]?", (), "Ghi [1] và [hỏi gì]?"),
    ],
)
def test_gaps_are_filled(text: str, filled: tuple[str, ...], out: str) -> None:
    assert written(text, *filled) == out


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "x" * 1501, "{{ khach.hoten }}", "{{ khach }}", "{{ ten }}", "{{ khach.ten.__class__ }}",
        "{{ khach['ten'] }}", "{{ khach.ten() }}", "{{ khach.ten|safe }}", "{{ khach.ten|upper('x') }}", "{{ 2 ** 9 }}",
        "{{ khach.ten ~ khach.ten }}", "{% for a in khach.ten %}{% endfor %}", "{% set a = 1 %}", "{% include 'a' %}",
        "{% macro a() %}{% endmacro %}", "{{ khach.ten", "{% if khach.ten %}", "{{ [1, 2] }}",
        "{{ khach.ten is defined }}", "{{ self }}", "{{ {} }}", "{{ [ngày?] ",
        " ".join(f"[b{n}?]" for n in range(11)),
    ],
)  # fmt: skip
def test_what_is_not_understood_or_not_harmless_is_refused_at_once(text: str) -> None:
    with pytest.raises(Invalid):
        wording.read(text, KNOWN)


def test_what_is_not_known_of_somebody_is_not_left_out_silently() -> None:
    with pytest.raises(Conflict) as refused:
        written("Đơn {{ don.ma }} của {{ khach.ten }}")
    assert refused.value.vi == "Không điền được cho khách này: don.ma."
    with pytest.raises(Conflict):
        written("{% if don.ma %}Có đơn{% endif %}")
    with pytest.raises(Conflict):
        written("{% if khach.ten > 3 %}a{% endif %}b")


PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "khach.ten", "khach", ".", "|upper", "if ", "endif", "[x?]", "[", "]", "'", "Lan ", "1"]
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(PIECES, max_size=10).map("".join))
def test_whatever_is_typed_is_refused_in_words_or_goes_out_whole(text: str) -> None:
    try:
        read = wording.read(text, KNOWN)
        assert wording.write(read, VALUES, ["đầy"] * len(read.blanks)).strip()
    except CrmError as error:
        assert error.vi and error.en


@given(
    st.lists(
        st.sampled_from(
            [
                "Chào ",
                "\n",
                " {{",
                "%",
                "{# lời #}",
                "{{ khach.ten }}",
                '{{ khach.ten or "bạn" }}',
                "{{ khach.diem }}",
                "{{ khach.diem or 'không' }}",
                "{{ don.ma }}",
                '{{ don.ma or "" }}',
                "{{ don.ma or khach.ten }}",
            ]
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["", "Lan", "  ", "{{ x }}"]),
    st.sampled_from([0, 1, 1250]),
)
def test_what_is_written_in_short_is_what_jinja2_would_write(parts: list[str], name: str, points: int) -> None:
    values = {"khach": {"ten": name, "diem": points}, "don": {"ma": ""}}
    try:
        read = wording.read("".join(parts), KNOWN)
    except Invalid:
        return
    assert _outcome(read, values) == _outcome(replace(read, pieces=None), values)


def _outcome(read: wording.Wording, values: wording.Values) -> str:
    try:
        return wording.write(read, values, ())
    except Conflict as refused:
        return f"refused: {refused}"
