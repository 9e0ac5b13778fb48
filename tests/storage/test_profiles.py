"""What platforms show of people, kept for many at once."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from storage import customers
from tests.storage.rows import NOW, person

LATER = NOW + timedelta(minutes=1)


def test_profiles_are_kept_together_and_name_only_the_nameless(session: Session) -> None:
    lan, minh, hoa = (person(session, each) for each in "123")
    named = customers.person(session, minh)
    assert named is not None
    customers.change(session, named.customer_id, name="Anh Minh khách quen")
    customers.keep_profiles(
        session.connection(),
        [
            {"id": lan, "profile_at": LATER, "name": "Lan", "avatar_url": "https://example.org/lan.jpg"},
            {"id": minh, "profile_at": LATER, "name": "Minh"},
            {"id": hoa, "profile_at": LATER, "followed": True},
        ],
    )
    found = [customers.person(session, each) for each in (lan, minh, hoa)]
    assert [(each.identity_name, each.customer_name, each.followed, each.profile_at) for each in found if each] == [
        ("Lan", "Lan", False, LATER),
        ("Minh", "Anh Minh khách quen", False, LATER),
        ("", "", True, LATER),
    ]
    customers.keep_profiles(session.connection(), [])
