"""Saved segments: every version is kept, others use them by name, and none leads back to itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from crm import orders, programmes, saved_segments, segments, tags
from crm.errors import CrmError, Invalid, NotFound
from crm.orders import Item, News, Status
from tests.crm.people import born, give
from tests.crm.shops import AT, NOW, PROGRAMME, ZONE


@pytest.fixture
def shop(session: Session) -> Session:
    """A shop with three tiers."""
    programmes.load(session, PROGRAMME, ZONE, NOW - timedelta(days=1))
    return session


def save(shop: Session, name: str, text: str) -> tuple[str, int]:
    """Save, and what it is kept as."""
    row = saved_segments.save(shop, name, text, AT, "cli")
    return row.name, row.version


def test_a_changed_text_is_a_new_version_and_the_old_one_stays(shop: Session) -> None:
    assert save(shop, "VIP mới", "vip và tạo<30ngày") == ("vip_moi", 1)
    assert save(shop, "vip_moi", "vip va tao < 30d") == ("vip_moi", 1)
    assert save(shop, "vip_moi", "vip va tao<60ngay") == ("vip_moi", 2)
    assert [row.text for row in saved_segments.versions(shop, "vip moi")] == ["vip va tao<60ngay", "vip va tao<30ngay"]
    assert [row.version for row in saved_segments.everyone(shop)] == [2]
    assert saved_segments.find(shop, "vip_moi", 1).text == "vip va tao<30ngay"
    with pytest.raises(NotFound):
        saved_segments.find(shop, "vip_moi", 3)


def test_another_segment_means_the_last_version_or_the_one_that_it_names(shop: Session) -> None:
    person = born(shop, NOW - timedelta(days=45))
    tags.put_on(shop, [person.customer_id], "VIP", by="cli", at=NOW)
    save(shop, "vip_moi", "vip va tao<30ngay")
    save(shop, "vip_moi", "vip va tao<60ngay")
    found = {text: segments.count(shop, segments.named(shop, text), AT)
             for text in ("vip_moi", "nhom:vip_moi", "nhom:vip_moi@1", "segment:vip_moi@2 va ten")}  # fmt: skip
    assert found == {"vip_moi": 1, "nhom:vip_moi": 1, "nhom:vip_moi@1": 0, "segment:vip_moi@2 va ten": 1}


def test_circles_and_names_that_mean_something_else_are_refused(shop: Session) -> None:
    save(shop, "a", "vip")
    save(shop, "b", "nhom:a hoac sdt")
    for name, text in (("a", "nhom:b"), ("a", "nhom:a"), ("c", "nhom:chua_co"), ("c", "nhom:a@9"), ("c", "nhom:a@x")):
        with pytest.raises(Invalid):
            save(shop, name, text)
    for name in ("", "hạng", "sinh nhật", "a:b", "x" * 41):
        with pytest.raises(Invalid):
            save(shop, name, "vip")
    assert save(shop, "a", "sdt") == ("a", 2)


def test_a_saved_segment_is_explained_by_what_it_asks_for(shop: Session) -> None:
    person = born(shop, NOW - timedelta(days=45))
    tags.put_on(shop, [person.customer_id], "VIP", by="cli", at=NOW)
    save(shop, "khach_quen", "vip")
    save(shop, "quen_moi", "nhom:khach_quen va tao<30ngay")
    found = segments.explain(shop, segments.named(shop, "quen_moi"), person.customer_id, AT)
    assert not found.is_member
    assert [(each.clause, each.holds) for each in found.reasons] == [
        ("nhom:quen_moi", False), ("nhom:khach_quen", True), ("tao<30ngay", False),
    ]  # fmt: skip


def test_every_clause_is_explained_with_what_is_so(shop: Session) -> None:
    person = born(shop, NOW - timedelta(days=10))
    news = News("pos", "1", "KH1", Status.DELIVERED, 300_000, 1, NOW - timedelta(days=20), NOW, (Item("Trà", 1, 1),))
    orders.put(shop, news, NOW)
    buyer = orders.find(shop, "pos", "1").customer_id
    give(shop, buyer, 70, NOW)
    text = "hang>=vang hoac (mua<30ngay va khong(diem>1000) va chi>=200k trong 1nam) va sdt"
    found = segments.explain(shop, segments.parse(text), buyer, AT)
    assert not found.is_member and found.is_served
    assert [(each.clause, each.holds, each.value) for each in found.reasons] == [
        ("hang>=vang", False, "Đồng"),
        ("mua<30ngay", True, "03/11/2026 (20 ngày trước)"),
        ("diem>1000", False, "100"),
        ("chi>=200000 trong 1nam", True, "300.000đ"),
        ("sdt", False, "không"),
    ]
    other = segments.explain(shop, segments.parse("khong mua va hoatdong"), person.customer_id, AT, "en")
    assert [each.value for each in other.reasons] == ["never", "never"]
    with pytest.raises(CrmError):
        segments.explain(shop, segments.parse("vip"), 1, AT)


@pytest.mark.parametrize("text", ["sanpham:TRA01", 'sanpham:"Trà \\"sen\\""', 'sp:"Trà \\"sen\\"" trong 30ngay'])
def test_who_bought_a_product_is_found_by_its_code_or_name(shop: Session, text: str) -> None:
    lines = (Item('Trà "sen"', 1, 45_000, "TRA01"),)
    for number, (days, status) in enumerate([(3, Status.DELIVERED), (2, Status.CANCELLED)]):
        news = News("pos", str(number), f"KH{number}", status, 1, 1, NOW - timedelta(days=days), NOW, lines)
        orders.put(shop, news, NOW)
    buyer = orders.find(shop, "pos", "0").customer_id
    assert segments.sample(shop, segments.parse(text), AT, 9) == [buyer]
    assert segments.count(shop, segments.parse("sanpham:sen"), AT) == 0


@pytest.mark.parametrize(
    ("days", "vi", "en"),
    [(0, "(hôm nay)", "(today)"), (1, "(1 ngày trước)", "(1 day ago)"), (2, "(2 ngày trước)", "(2 days ago)")],
)
def test_how_long_ago_it_was_is_said_as_people_say_it(shop: Session, days: int, vi: str, en: str) -> None:
    person = born(shop, NOW - timedelta(days=days))
    for locale, told in (("vi", vi), ("en", en)):
        found = segments.explain(shop, segments.parse("tao<9ngay"), person.customer_id, AT, locale)
        assert found.reasons[0].value.endswith(told)
