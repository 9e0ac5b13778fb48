"""Accounts as stored: who may write how a refresh ended, and what is known of them."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from storage import accounts
from storage.accounts import AccountView
from tests.storage.rows import ACCOUNT, CHANNEL, NOW

LATER = NOW + timedelta(seconds=60)
MUCH_LATER = NOW + timedelta(seconds=61)


def known(session: Session) -> AccountView:
    """The one account."""
    found = accounts.find(session, CHANNEL, ACCOUNT)
    assert found is not None
    return found


def added(session: Session) -> int:
    """A connected account; its row id."""
    accounts.add(session, CHANNEL, ACCOUNT, NOW)
    key = known(session).id
    accounts.connect(session, key, ("access", "refresh"), NOW)
    return key


def leased(session: Session, key: int) -> int:
    """The lease of somebody who refreshes the token now."""
    token = accounts.lease(session, known(session), "somebody", NOW, LATER, refused=True)
    assert token is not None
    return token


def test_one_at_a_time_refreshes_a_token(session: Session) -> None:
    key = added(session)
    token = leased(session, key)
    assert accounts.lease(session, known(session), "another", NOW, LATER, refused=True) is None
    assert accounts.settle_lease(session, key, token, access_token="new")
    assert known(session).access_token == "new"
    assert not accounts.settle_lease(session, key, token - 1, access_token="old")


def test_who_comes_late_with_a_refused_token_stops_nothing_that_goes_out_with_the_new_one(session: Session) -> None:
    key = added(session)
    before = known(session)
    assert accounts.settle_lease(session, key, leased(session, key), access_token="new", refresh_pending_since=None)
    assert accounts.lease(session, before, "late", NOW, LATER, refused=True) is None
    assert known(session).refresh_pending_since is None


def test_whoever_lost_the_lease_writes_nothing(session: Session) -> None:
    key = added(session)
    late = leased(session, key)
    assert (
        accounts.lease(session, known(session), "another", MUCH_LATER, MUCH_LATER + timedelta(seconds=60), refused=True)
        == late + 1
    )
    assert not accounts.settle_lease(session, key, late, held="refused")
    assert known(session).held == ""


def test_a_new_pair_voids_a_refresh_under_way_and_leaves_the_lease_to_the_next(session: Session) -> None:
    key = added(session)
    accounts.change(session, key, held="its token died")
    late = leased(session, key)
    accounts.connect(session, key, ("typed", "anew"), NOW)
    assert not accounts.settle_lease(session, key, late, access_token="stale", held="refused")
    found = known(session)
    assert (found.access_token, found.refresh_token, found.held) == ("typed", "anew", "")
    assert found.refresh_pending_since is None
    assert accounts.settle_lease(session, key, leased(session, key), access_token="refreshed")


def test_a_removed_account_is_not_brought_back_by_a_refresh_under_way(session: Session) -> None:
    key = added(session)
    late = leased(session, key)
    assert accounts.is_connected(session, CHANNEL, ACCOUNT)
    accounts.remove(session, key)
    assert not accounts.settle_lease(session, key, late, access_token="stale", held="")
    found = known(session)
    assert (found.access_token, found.refresh_token, found.held) == ("", "", accounts.REMOVED)
    assert not accounts.is_connected(session, CHANNEL, ACCOUNT)


def test_an_account_that_is_held_is_still_connected_and_one_that_nobody_added_is_not(session: Session) -> None:
    accounts.change(session, added(session), held="its token died")
    assert accounts.is_connected(session, CHANNEL, ACCOUNT)
    assert not accounts.is_connected(session, CHANNEL, "4444")
    assert not accounts.is_connected(session, "messenger", ACCOUNT)
