"""Segments select exactly those whom a plain look at each customer finds, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session

from crm import programmes, segment_meaning, segments
from crm.errors import CrmError
from crm.segment_clauses import Wish, printed
from storage import segment_plan
from tests.crm.shops import AT, NOW, PEOPLE, PROGRAMME, WISHES, ZONE, Said, Someone, belongs, write


@pytest.fixture
def shop(session: Session) -> Session:
    """A shop with three tiers."""
    programmes.load(session, PROGRAMME, ZONE, NOW - timedelta(days=1))
    return session


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PEOPLE, min_size=3, max_size=6), st.lists(WISHES, min_size=3, max_size=3))
def test_a_segment_is_who_a_plain_look_at_everybody_finds(
    shop: Session, people: list[Someone], wishes: list[Wish]
) -> None:
    with shop.begin_nested() as before:
        written = write(shop, people)
        for wish in wishes:
            segment = segments.parse(printed(wish))
            assert segment.tree == wish
            found = set(segments.sample(shop, segment, AT, 100)) & set(written)
            assert found == {own for own, each in written.items() if belongs(each, wish)}, segment.text
            every = segments.everyone(shop, segment, AT)
            assert len(every) == len(set(every)) == segments.count(shop, segment, AT)
            assert found == set(every) & set(written), segment.text
        before.rollback()


def test_who_took_back_a_yes_to_all_on_each_channel_agrees_nowhere(shop: Session) -> None:
    def told(*said: Said) -> Someone:
        return replace(_someone(1), said=said)

    yes, no = Said("", True, 2), Said("zalo", False, 1)
    agreed, partly, nowhere = told(yes), told(yes, no), told(yes, no, Said("messenger", False, 1))
    written = write(shop, [agreed, partly, nowhere])
    found = {text: segments.sample(shop, segments.parse(text), AT, 9) for text in ("dongy", "tuchoi", "dongy:zalo")}
    names = {text: [written[own] for own in some if own in written] for text, some in found.items()}
    assert names == {"dongy": [agreed, partly], "tuchoi": [nowhere], "dongy:zalo": [agreed]}


def test_who_is_counted_is_who_is_selected_in_any_ranges_of_ids(shop: Session) -> None:
    with_orders = [each for each in (_someone(number) for number in range(9)) if each]
    ids = sorted(write(shop, with_orders))
    segment = segments.parse("don>=0 va tao<=10ngay")
    every = segments.sample(shop, segment, AT, 100)
    assert segments.count(shop, segment, AT) == len(every) == 10
    assert [each for each in every if each in ids] == ids
    assert segments.sample(shop, segment, AT, 3, after=ids[2]) == ids[3:6]


@pytest.mark.parametrize("text", ["hang>=kimcuong", "truong:loai_da=dau", "trangthai:bay", "dongy:zal"])
def test_what_is_not_there_is_refused_with_what_is(shop: Session, text: str) -> None:
    with pytest.raises(CrmError, match="There is no"):
        segments.count(shop, segments.parse(text), AT)


def test_tiers_are_offered_by_the_names_that_people_know(shop: Session) -> None:
    with pytest.raises(CrmError) as told:
        segments.count(shop, segments.parse("hang>=kimcuong"), AT)
    assert told.value.words("vi") == "Không có hạng “kimcuong”. Có: Đồng, Bạc, Vàng"


def test_a_segment_is_printed_in_one_way() -> None:
    assert segments.parse("Hạng ≥ vang AND not bought<3w") == segments.parse("hang>=vang va khong(mua<3tuan)")


def _someone(number: int) -> Someone:
    return Someone("Lan", None, "", "", (), number, frozenset(), 0, "", (), (), "served")


@pytest.mark.parametrize(
    "text",
    [
        "tag:khach_si va hoatdong<7ngay",
        "hang>=vang va khong(mua<30ngay)",
        "mua<7ngay",
        "tag:a hoac tag:b",
        "don>=5 va ten",
        "tag:a hoac (tao<30ngay va dongy)",
        "sinhnhat:homnay va dongy",
    ],
)
def test_nobody_is_looked_at_who_is_not_named_by_a_part(sqlite_engine: Engine, text: str) -> None:
    with sqlite_engine.connect() as connection, Session(bind=connection) as session:
        programmes.load(session, PROGRAMME, ZONE, NOW - timedelta(days=1))
        statement = segment_plan.members(session, segment_meaning.meant(session, segments.parse(text).tree, AT))
        compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
        values = [compiled.params[name] for name in compiled.positiontup or ()]
        asked = [each.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(each, datetime) else each for each in values]
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", tuple(asked))]
        session.rollback()
    assert not any(step.startswith("SCAN customer") and "COVERING INDEX" not in step for step in plan), plan
