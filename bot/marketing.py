"""What stands between those whom broadcasts and care mean to write to and the platforms: rules, pace, money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot import holds
from bot.channels.base import Channel
from bot.looks import Account, Look
from bot.pace import Paces
from crm import phones
from crm.broadcasts import Pause
from crm.choice import Option
from crm.consent import Standing
from crm.content import ByTemplate
from crm.messages import Message, Purpose, TemplateUse
from crm.reach import Reach, ReachFacts, Refusal, Way, chosen, ways
from crm.templates import Key, Tag, Template, Terms
from crm.verdicts import Held, Why
from storage.turns import Place

LOOKS_AGAIN = timedelta(minutes=1)
"""When an account is looked at again that does not send now, or is near the platform's limit."""
LEAST = timedelta(seconds=1)


class Gate:
    """One turn's room, rules and money, as `crm.verdicts` asks for them."""

    def __init__(self, channels: Mapping[str, Channel], paces: Paces, look: Look, now: datetime) -> None:
        self._channels, self._paces, self._look, self._now = channels, paces, look, now
        self._behind: dict[Account, int] = {}
        self._ways: dict[tuple[object, ...], Refusal | tuple[Way, ...]] = {}
        self._shut: dict[tuple[object, ...], Held | None] = {}

    def reach(self, place: Place, purpose: Purpose, standing: Standing, template: ByTemplate | None) -> Reach:
        """What the rules say of writing to this place now."""
        by_phone, unreachable = bool(phones.number_at(place.user_id)), place.unreachable_since is not None
        alike = (place.channel, place.account_id, purpose, standing, template, by_phone, unreachable)
        found = self._ways.get(alike)
        if found is None:
            found = self._ways[alike] = self._open(*alike)
        return chosen(found, place.last_interaction_at, self._now)

    def _open(
        self, channel: str, account_id: str, purpose: Purpose, standing: Standing, template: ByTemplate | None,
        by_phone: bool, unreachable: bool,
    ) -> Refusal | tuple[Way, ...]:  # fmt: skip
        """In which ways all those may be written to who are alike in this."""
        platform, account = self._channels.get(channel), (channel, account_id)
        if platform is None:
            return Refusal.NO_LANE
        known = self._template(account, template) if template else None
        facts = ReachFacts(
            purpose=purpose,
            last_interaction_at=None,
            now=self._now,
            consented=standing is Standing.GRANTED,
            opted_out=standing is Standing.WITHDRAWN,
            unreachable=unreachable,
            template=(known.terms if known else _unknown(purpose)) if template else None,
            by_phone=by_phone,
            paying=self._look.allowed.paying(account, self._now),
        )
        return ways(platform.rules, facts)

    def held(self, place: Place, purpose: Purpose, option: Option) -> Held | None:
        """What keeps this option waiting; None where it may go now."""
        account, lane = (place.channel, place.account_id), option.reach.lane
        alike = (account, purpose, option.template, lane)
        if alike not in self._shut:
            self._shut[alike] = self._held_for_all(account, purpose, option.template, lane)
        held = self._shut[alike]
        if held is not None:
            return held
        if self._look.is_over_budget(account, purpose, option.reach.cost):
            return Held(Pause.BUDGET, self._look.month.end, stops=True)
        if not self._look.has_room(account):
            behind = self._behind[account] = self._behind.get(account, 0) + 1
            return Held(Why.PACE, self._now + max(LEAST, behind * self._look.room[account].interval))
        return None

    def _held_for_all(self, account: Account, purpose: Purpose, template: ByTemplate | None, lane: str) -> Held | None:
        """What keeps everybody waiting for this turn who is to go this way."""
        if account not in self._look.room:
            return Held(Pause.ACCOUNT, self._now + LOOKS_AGAIN, stops=True)
        if template is not None:
            known = self._template(account, template)
            if known is None or not known.is_usable:
                why = known.why_not if known else holds.NOT_KNOWN
                _, until = self._look.waits(_key(account, template), why)
                return Held(Pause.TEMPLATE, until, stops=True)
        shut = self._look.shut(account, purpose, lane)
        if shut is not None:
            return Held(Pause.QUOTA, shut.until, stops=True)
        if purpose.is_marketing and self._paces.holds_marketing(account, self._now):
            return Held(Pause.LIMIT, self._now + LOOKS_AGAIN, stops=True)
        return None

    def fitted(self, place: Place, message: Message) -> Message | None:
        """The message as its channel shows it by one call; without its picture where that would take two."""
        return fitted(self._channels[place.channel], message)

    def spend(self, place: Place, option: Option) -> None:
        """This one goes: take it off the pace and the budget."""
        self._look.spend((place.channel, place.account_id), option.reach.cost)

    def _template(self, account: Account, template: ByTemplate) -> Template | None:
        return self._look.template(_key(account, template))


def fitted(channel: Channel, message: Message) -> Message | None:
    """The message in one part, which one call says: without its picture where words and picture take two calls.

    None where there is nothing to say, or even the words take several.
    """
    parts = channel.split(message)
    if len(parts) > 1 and message.picture and message.text:
        parts = channel.split(message._replace(picture=""))
    return parts[0] if len(parts) == 1 else None


def _key(account: Account, template: ByTemplate) -> Key:
    return holds.key_of(*account, TemplateUse(template.template_id, template.language))


def _unknown(purpose: Purpose) -> Terms:
    """The terms of a template that is not read yet: what waits for it is not refused for good."""
    return Terms(Tag.PROMOTION if purpose is Purpose.BROADCAST else Tag.CARE)
