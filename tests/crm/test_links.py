"""What customers may be sent to: whole https addresses, in broadcasts, their pictures and care rules alike."""

from __future__ import annotations

import pytest

from crm import links
from crm.content import Content, check
from crm.errors import Invalid
from crm.messages import Button, ButtonKind

GOOD = (
    "https://shop.vn", "https://shop.vn/tết?a=1#b", "HTTPS://Shop.vn/", "https://cửa-hàng.vn/x", "https://shop.vn:8443/a",
    "https://a.b.shop.vn?x=1",
)  # fmt: skip
BAD = (
    "http://x", "http://shop.vn", "https://x", "https://localhost/a", "https://.vn", "https://shop.", "shop.vn",
    "https://shop.vn@evil.vn/", "https://shop.vn/ a", "https://", "javascript:alert(1)", "https:/shop.vn",
    "https://shop..vn", "",
)  # fmt: skip


@pytest.mark.parametrize("address", GOOD)
def test_a_whole_address_may_stand_in_a_button_and_be_a_picture(address: str) -> None:
    assert links.is_link(address)
    check(Content("Chào bạn", address, (Button("Xem", address, ButtonKind.URL),)))


@pytest.mark.parametrize("address", BAD)
def test_what_is_none_is_refused_with_what_to_write(address: str) -> None:
    assert not links.is_link(address)
    with pytest.raises(Invalid) as refused:
        check(Content("Chào bạn", buttons=(Button("Xem", address, ButtonKind.URL),)))
    assert refused.value.field == "buttons"
    assert "Nút “Xem” cần một địa chỉ https://" in refused.value.vi and "https://shop.vn/tet" in refused.value.en
    if address:
        with pytest.raises(Invalid) as refused:
            check(Content("Chào bạn", address))
        assert refused.value.field == "picture"
