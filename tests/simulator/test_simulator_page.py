"""The chat page: self-contained, safe against what people write, and playable in a real browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.simulator.stage import Stage, playing

CHROMIUM = Path("/usr/bin/chromium")
HAS_CHROMIUM = CHROMIUM.exists()
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
STATIC = ("chat.css", "chat.js", "sticker.svg", "sample.jpg")


async def test_the_page_loads_nothing_from_elsewhere(stage: Stage) -> None:
    async with stage.http.get("/") as answer:
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; ")
    assert "unsafe" not in policy
    assert not re.search(r"https?://", page)
    assert not re.search(r"<script(?! src=)|<style|\son\w+=|\sstyle=", page)
    for name in STATIC:
        async with stage.http.get(f"/static/{name}") as answer:
            assert answer.status == 200
            assert await answer.read()


@pytest.mark.parametrize("path", ["/static/nope.js", "/static/..%2fapp.py", "/media/nope"])
async def test_what_is_not_served_is_not_found(stage: Stage, path: str) -> None:
    async with stage.http.get(path) as answer:
        assert answer.status == 404


async def test_what_is_no_picture_is_only_downloaded(stage: Stage) -> None:
    html = "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="
    await stage.say("zalo", file=html, name="a.html")
    async with stage.http.get(stage.contact("zalo").lines[-1].media) as answer:
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment"


def test_every_word_of_the_page_exists_in_both_languages() -> None:
    folder = Path(__file__).parents[2] / "simulator" / "static"
    script, page = (folder / "chat.js").read_text("utf-8"), (folder / "index.html").read_text("utf-8")
    vi, en = (
        set(re.findall(r"(\w+): [\"“]", script[script.index(f"  {lang}: {{") : script.index(end)]))
        for lang, end in (("vi", "  en: {"), ("en", "const JOURNAL_SHOWN"))
    )
    used = set(re.findall(r'data-(?:text|label|tip|hint)="(\w+)"', page)) | set(re.findall(r'say\("(\w+)"', script))
    assert vi == en
    assert used <= vi


@pytest.fixture
async def page(stage: Stage) -> AsyncIterator[Page]:
    if not HAS_CHROMIUM:
        pytest.skip("no Chromium on this computer")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = await browser.new_page()
        await page.goto(str(stage.http._base_url))
        yield page
        await browser.close()


@pytest.mark.browser
async def test_a_chat_is_played_on_both_channels(stage: Stage, page: Page) -> None:
    await page.get_by_test_id("composer").fill("xem điểm")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("bubble-person")).to_have_text("xem điểm")
    await expect(page.get_by_test_id("tick")).to_have_attribute("data-tick", "delivered")
    button = {"title": "Đơn hàng", "type": "oa.query.show", "payload": "#don"}
    payload = {"buttons": [button]}
    await stage.consult({"text": "120 điểm", "attachment": {"type": "template", "payload": payload}})
    await expect(page.get_by_test_id("bubble-bot")).to_have_text("120 điểm")
    await page.get_by_test_id("button").click()
    await expect(page.get_by_test_id("bubble-person").last).to_have_text("#don")
    await page.get_by_test_id("photo").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"}
    )
    await expect(page.get_by_test_id("bubble-person").last.locator("img")).to_have_count(1)

    await page.get_by_test_id("channel-messenger").click()
    await page.get_by_test_id("composer").fill("chào shop")
    await page.get_by_test_id("send").click()
    await expect(page.get_by_test_id("bubble-person")).to_have_text("chào shop")
    await stage.send({"text": "Số của bạn?", "quick_replies": [{"content_type": "user_phone_number"}]})
    await page.get_by_test_id("button").click()
    await expect(page.get_by_test_id("bubble-person").last).to_have_text("+84901234501")

    zalo = [webhook.body["event_name"] for webhook in stage.heard if webhook.path.endswith("zalo")]
    messenger = [webhook.event["message"] for webhook in stage.heard if webhook.path.endswith("messenger")]
    assert zalo == ["user_send_text", "user_send_text", "user_send_image"]
    assert [message["text"] for message in messenger] == ["chào shop", "+84901234501"]


@pytest.mark.browser
async def test_names_and_messages_are_never_markup(stage: Stage, page: Page) -> None:
    evil = "<img src=x onerror=document.title='gone'>"
    await page.get_by_test_id("newcomer").fill(evil)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("person").last).to_contain_text(evil)
    await stage.say("zalo", person=evil, text=evil)
    await expect(page.get_by_test_id("bubble-person")).to_have_text(evil)
    assert await page.title() == stage.platform.config.brand_name


@pytest.mark.browser
async def test_staff_answer_and_the_language_changes(stage: Stage, page: Page) -> None:
    await page.get_by_test_id("staff-text").fill("Mình là Thảo")
    await page.get_by_test_id("staff-send").click()
    await expect(page.get_by_test_id("bubble-staff")).to_have_text("Mình là Thảo")
    await page.get_by_test_id("language").click()
    await expect(page.get_by_test_id("staff-send")).to_have_text("Answer")
    await page.get_by_test_id("follow").click()
    await expect(page.get_by_test_id("follow")).to_have_text("Follow")
    assert [webhook.body["event_name"] for webhook in await stage.until(2)] == ["oa_send_text", "unfollow"]


@pytest.mark.browser
async def test_the_page_says_when_the_bot_is_down(stage: Stage, page: Page) -> None:
    alarm = page.get_by_test_id("bot-down")
    await expect(alarm).to_be_hidden()
    url = stage.platform.courier.bot_url
    stage.platform.set_bot_url("http://127.0.0.1:9")
    await page.get_by_test_id("composer").fill("alo")
    await page.get_by_test_id("send").click()
    await expect(alarm).to_contain_text("Chưa kết nối được với bot")
    stage.platform.set_bot_url(url)
    await page.get_by_test_id("composer").fill("alo lần nữa")
    await page.get_by_test_id("send").click()
    await expect(alarm).to_be_hidden()


@pytest.mark.browser
async def test_a_phone_sized_screen_shows_the_whole_chat(stage: Stage, page: Page) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    for number in range(12):
        await stage.say("zalo", text=f"tin nhắn số {number}")
    await expect(page.get_by_test_id("bubble-person").last).to_be_in_viewport()
    await expect(page.get_by_test_id("send")).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_running_page_survives_many_people() -> None:
    async with playing(people=()) as stage:
        for number in range(300):
            await stage.post("/api/people", {"name": f"Khách {number}"})
        assert len((await stage.get("/api/people"))[1]) == 300
