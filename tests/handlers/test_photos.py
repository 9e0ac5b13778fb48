"""Photos of requests are copied into our own store, from the platform's own hosts, if they are pictures."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels.abilities import Keeping
from bot.channels.base import SendError, SendErrorKind
from bot.channels.pictures import client
from bot.photos import picture_type
from crm import tickets
from storage import media
from storage.tickets import Photo
from tests.chat import PATIENCE_S, Chat

JPEG, PNG = b"\xff\xd8\xff\xe0 a picture", b"\x89PNG\r\n\x1a\n a picture"


async def the_photo(chat: Chat) -> Photo:
    """The request's photo, once its job is done."""
    for _ in range(round(PATIENCE_S / 0.02)):
        (photo,) = await chat.does(lambda session: [tuple(each) for each in tickets.photos(session, 1)])
        if Photo(*photo).media_id or Photo(*photo).trouble:
            return Photo(*photo)
        await asyncio.sleep(0.02)
    raise TimeoutError("the photo was not copied")


def fetcher(chat: Chat) -> Keeping:
    channel = chat.service.channels[chat.channel]
    assert isinstance(channel, Keeping)
    return channel


async def test_a_photo_of_a_request_is_copied_under_our_own_id(each: Chat) -> None:
    await each.says("hàng bị vỡ")
    await each.sends_photo()
    photo = await the_photo(each)
    assert photo.media_id and not photo.trouble
    found = await each.does(lambda session: tuple(media.find(session, photo.media_id or "") or ()))
    sample = each.platform.media.sample()
    assert found == ("photo-1.jpg", "image/jpeg", sample.content)


async def test_what_only_calls_itself_a_picture_is_not_kept(chat: Chat) -> None:
    shelf = chat.platform.media
    shelf._shelf["sample"] = shelf.keep(b"<html>login</html>", "image/jpeg")
    await chat.says("hàng bị vỡ")
    await chat.sends_photo()
    photo = await the_photo(chat)
    assert (photo.media_id, photo.trouble) == (None, "It is no JPEG, PNG, GIF or WebP picture.")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/a.jpg", "https://zdn.vn.evil.example/a.jpg", "https://notzdn.vn/a.jpg", "/a.jpg", "",
        "http://169.254.169.254/latest", "https://127.0.0.1/a.jpg", "https://localhost:1/a.jpg", "file:///etc/passwd",
        "https://user:pass@f6.photo.talk.zdn.vn/a.jpg", "https://f6.photo.talk.zdn.vn:8443/a.jpg", "::",
        "https://scontent.xx.fbcdn.net.evil.example/a.jpg",
    ],
)  # fmt: skip
async def test_nothing_is_fetched_from_hosts_that_are_not_the_platforms(each: Chat, address: str) -> None:
    with pytest.raises(SendError) as refused:
        await fetcher(each).fetch(address)
    assert refused.value.kind is SendErrorKind.PERMANENT
    assert refused.value.code in ("host", "address")


async def test_a_picture_that_is_gone_or_too_large_is_given_up(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = chat.platform.media
    with pytest.raises(SendError) as gone:
        await fetcher(chat).fetch(f"{shelf.base_url}/media/none")
    assert (gone.value.kind, gone.value.code) == (SendErrorKind.PERMANENT, "404")
    monkeypatch.setattr(client, "MOST_BYTES", 100)
    with pytest.raises(SendError) as large:
        await fetcher(chat).fetch(shelf.url(shelf.keep(JPEG * 100, "image/jpeg")))
    assert (large.value.kind, large.value.code) == (SendErrorKind.PERMANENT, "size")
    assert await fetcher(chat).fetch(shelf.url(shelf.keep(PNG, "text/html"))) == PNG


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        (JPEG, ("jpg", "image/jpeg")), (PNG, ("png", "image/png")), (b"GIF89a", ("gif", "image/gif")),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", ("webp", "image/webp")), (b"RIFF\x00\x00\x00\x00WAVE", ("", "")),
        (b"", ("", "")), (b"<svg onload=alert(1)>", ("", "")), (b"MZ\x90", ("", "")),
    ],
)  # fmt: skip
def test_a_picture_is_known_by_its_first_bytes(content: bytes, meant: tuple[str, str]) -> None:
    assert picture_type(content) == meant
