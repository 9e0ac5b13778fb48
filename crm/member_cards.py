"""A member's card as a picture shows it, and the recipe that names the picture: the same words, the same recipe."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from datetime import datetime

from sqlmodel import Session

from crm import loyalty, membership, programmes, tiers
from storage import customers as people

RECIPE = "card:"
"""How a recipe begins: `card:<language>:<customer>:<version>`."""


@dataclass(frozen=True, slots=True)
class MemberCard:
    """What is shown of a member. `level` is the place of their tier, `tier` "" where the programme has none."""

    customer_id: int
    locale: str
    name: str
    tier: str
    level: int
    points: int
    code: str

    @property
    def spelled(self) -> str:
        """The code as people read it out."""
        half = len(self.code) // 2
        return f"{self.code[:half]} {self.code[half:]}"

    @property
    def recipe(self) -> str:
        """Names the picture; another one as soon as anything shown on it is different."""
        version = hashlib.sha256("\x1f".join(map(str, astuple(self))).encode()).hexdigest()[:16]
        return f"{RECIPE}{self.locale}:{self.customer_id}:{version}"


def card(session: Session, customer_id: int, locale: str, now: datetime) -> MemberCard:
    """A member's card as it is now; who has no code yet gets one."""
    code = membership.code_of(session, customer_id) or membership.issue_code(session, customer_id, now)
    return _card(session, customer_id, locale, code, now)


def named(session: Session, recipe: str, now: datetime) -> MemberCard | None:
    """The card that a recipe names, as it is now: of another version where something changed since. Reads only."""
    _, locale, number, _ = recipe.split(":")
    code = membership.code_of(session, int(number))
    return _card(session, int(number), locale, code, now) if code else None


def _card(session: Session, customer_id: int, locale: str, code: str, now: datetime) -> MemberCard:
    profile = people.profile(session, customer_id)
    held = loyalty.card(session, customer_id, now)
    tier = held.standing.tier
    return MemberCard(
        customer_id=customer_id,
        locale=locale,
        name=profile.name if profile else "",
        tier=tier.name(locale) if tier else "",
        level=tiers.level_of(programmes.at(session, now).tiers, tier.code) if tier else 0,
        points=held.spendable,
        code=code,
    )
