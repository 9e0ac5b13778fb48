"""The demo in a real browser: a customer on Zalo, then on Messenger, and nothing said twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.demo import Demo, playing

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PATIENCE_MS = 15_000
PHOTO = {
    "name": "ly-vo.png",
    "mimeType": "image/png",
    "buffer": bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
        "0000000d49444154789c63f8cfc0f01f0005000"
        "1ff56c74f8d0000000049454e44ae426082"
    ),
}

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """The demo, freshly made."""
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    with playing(tmp_path) as demo:
        yield demo
        assert demo.stop() == 0
    assert (tmp_path / "errors.txt").read_text() == ""


@pytest.fixture
async def page(demo: Demo) -> AsyncIterator[Page]:
    """The chat page, with Lan chosen on Zalo; an error of its script fails the test."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = await browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(demo.told["page"])
        await page.locator("[data-person=lan]").click()
        yield page
        await browser.close()
        assert errors == []


class Screen:
    """What one person does on the page and what they see; every step waits for exactly one answer."""

    def __init__(self, page: Page) -> None:
        self._page, self._answers = page, 0

    @property
    def answers(self) -> Locator:
        """What the shop said."""
        return self._page.get_by_test_id("bubble-bot")

    async def writes(self, text: str, answer: str) -> None:
        """Send words, and read the answer."""
        await self._page.get_by_test_id("composer").fill(text)
        await self._page.get_by_test_id("send").click()
        await self.hears(answer)

    async def presses(self, title: str, answer: str) -> None:
        """Press the newest button of that title, and read the answer."""
        await self._page.get_by_test_id("button").filter(has_text=title).last.click()
        await self.hears(answer)

    async def sends(self, photo: dict[str, object], answer: str) -> None:
        """Send a picture, and read the answer."""
        await self._page.get_by_test_id("photo").set_input_files(photo)  # type: ignore[arg-type]
        await self.hears(answer)

    async def hears(self, answer: str) -> None:
        self._answers += 1
        await expect(self.answers.nth(self._answers - 1)).to_contain_text(answer)
        await expect(self.answers).to_have_count(self._answers)

    async def is_ticked(self) -> None:
        """The bot got every line of ours, and we saw every line of the shop's."""
        ours, theirs = self._page.locator(".line.person .tick"), self._page.locator(".line.bot .tick")
        await expect(ours).to_have_count(await self._page.get_by_test_id("bubble-person").count())
        await expect(self._page.locator(".line.person .tick[data-tick=sent]")).to_have_count(0)
        await expect(self._page.locator(".line.bot .tick[data-tick=seen]")).to_have_count(await theirs.count())

    async def is_the_same_when_loaded_anew(self) -> None:
        """No line was shown twice, and none is missing."""
        lines = self._page.locator(".line")
        before = await lines.all_inner_texts()
        await self._page.reload()
        await expect(lines).to_have_count(len(before))
        assert await lines.all_inner_texts() == before


async def test_a_customer_links_asks_and_complains_on_zalo(demo: Demo, page: Page) -> None:
    lan = Screen(page)
    await lan.writes("xem điểm", "chưa xem được điểm của bạn")
    await lan.presses("Liên kết số ĐT", "chia sẻ số điện thoại")
    await lan.presses("Chia sẻ thông tin", "Mình đã liên kết tài khoản của bạn.")
    await lan.presses("Điểm của tôi", "Hạng của bạn: Bạc.")
    await lan.writes(f"đơn {demo.told['order']} tới đâu rồi", f"Đơn {demo.told['order']}: đang giao")
    await lan.writes("hàng bị vỡ", "chuyện gì đã xảy ra")
    await lan.writes("ly bị nứt một đường dài", "yêu cầu hỗ trợ T6")
    await lan.sends(PHOTO, "Mình đã đính kèm ảnh vào yêu cầu T6.")
    await expect(page.get_by_test_id("bubble-person").last.locator("img")).to_have_count(1)
    await lan.is_ticked()
    await lan.is_the_same_when_loaded_anew()
    await expect(page.get_by_test_id("bot-down")).to_be_hidden()
    await expect(page.get_by_test_id("call-refused")).to_have_count(0)


async def test_a_customer_starts_and_presses_a_menu_button_on_messenger(demo: Demo, page: Page) -> None:
    await page.get_by_test_id("channel-messenger").click()
    lan = Screen(page)
    await page.get_by_test_id("follow").click()
    await lan.hears("Tiệm Cà Phê Mây Trưa")
    await lan.presses("Giờ & địa chỉ", "7:00–22:00")
    await lan.writes("xem điểm", "chưa xem được điểm của bạn")
    await lan.is_ticked()
    await lan.is_the_same_when_loaded_anew()
    await expect(page.get_by_test_id("call-refused")).to_have_count(0)
