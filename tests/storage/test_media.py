"""What is kept once by its bytes, and the copies that platforms hold of it."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from storage import media
from storage.media import Kept
from tests.storage.rows import ACCOUNT, CHANNEL, NOW

PHOTO = Kept("ảnh.jpg", "image/jpeg", b"\xff\xd8\x00\xff")


def test_the_same_bytes_are_kept_once(session: Session) -> None:
    first = media.keep(session, PHOTO, NOW)
    assert media.keep(session, PHOTO._replace(name="khác.jpg"), NOW) == first
    assert media.find(session, first) == PHOTO
    assert media.find(session, "0" * 64) is None


def test_a_copy_is_known_until_its_end_and_only_for_its_account(session: Session) -> None:
    photo = media.keep(session, PHOTO, NOW)
    media.note_upload(session, CHANNEL, ACCOUNT, photo, "r1", NOW + timedelta(days=6))
    assert media.uploaded(session, CHANNEL, ACCOUNT, photo, NOW + timedelta(days=6, seconds=-1)) == "r1"
    assert media.uploaded(session, CHANNEL, ACCOUNT, photo, NOW + timedelta(days=6)) == ""
    assert media.uploaded(session, CHANNEL, "another", photo, NOW) == ""


def test_a_later_copy_takes_the_place_of_an_earlier_one_and_can_be_forgotten(session: Session) -> None:
    photo = media.keep(session, PHOTO, NOW)
    for remote_id in ("r1", "r2"):
        media.note_upload(session, CHANNEL, ACCOUNT, photo, remote_id, NOW + timedelta(days=6))
    assert media.uploaded(session, CHANNEL, ACCOUNT, photo, NOW) == "r2"
    media.forget_upload(session, CHANNEL, ACCOUNT, photo)
    assert media.uploaded(session, CHANNEL, ACCOUNT, photo, NOW) == ""
