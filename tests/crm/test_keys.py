"""API keys: shown once, kept as hashes, dead at once when revoked."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crm import keys
from crm.errors import Invalid, NotFound
from tests.conftest import Clock


def test_a_key_stands_until_it_is_revoked(session: Session, clock: Clock) -> None:
    key = keys.create(session, "Till 1", clock())
    assert keys.stands(session, key)
    keys.revoke(session, key.split("_")[1], clock())
    assert not keys.stands(session, key)


def test_nothing_of_the_secret_is_kept(session: Session, clock: Clock) -> None:
    key = keys.create(session, "Till 1", clock())
    rows = str(session.connection().execute(text("SELECT * FROM api_key")).all())
    assert key.split("_")[1] in rows and key.split("_", 2)[2] not in rows


@pytest.mark.parametrize("change", [lambda k: k[:-1], lambda k: k + "a", lambda k: k.upper(), lambda k: k[3:]])
def test_a_key_that_is_nearly_right_does_not_stand(session: Session, clock: Clock, change: object) -> None:
    key = keys.create(session, "Till 1", clock())
    assert not keys.stands(session, change(key))


@pytest.mark.parametrize("given", ["", "_", "__", "kq", "kq_", "kq__", "kq_%_x", "kq_\ud800_x", "a" * 10_000])
def test_nonsense_does_not_stand(session: Session, given: str) -> None:
    assert not keys.stands(session, given)


def test_the_list_tells_live_keys_from_dead_ones(session: Session, clock: Clock) -> None:
    first, _ = keys.create(session, "Till 1", clock()), keys.create(session, "Till 2", clock())
    keys.revoke(session, first.split("_")[1], clock())
    assert [(key.name, key.revoked_at) for key in keys.everyone(session)] == [("Till 1", clock()), ("Till 2", None)]


def test_an_unknown_key_cannot_be_revoked(session: Session, clock: Clock) -> None:
    with pytest.raises(NotFound):
        keys.revoke(session, "nothing", clock())


@pytest.mark.parametrize("name", ["", "  ", "a" * 101])
def test_a_key_needs_a_name(session: Session, clock: Clock, name: str) -> None:
    with pytest.raises(Invalid):
        keys.create(session, name, clock())
