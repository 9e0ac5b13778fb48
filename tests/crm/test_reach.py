"""Who may be written to, by which lane and at what cost: the rules as data, and the one function that reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.channels.messenger.rules import RULES as MESSENGER
from bot.channels.zalo.rules import RULES as ZALO
from crm.messages import Purpose
from crm.reach import Reach, ReachFacts, Refusal, Rules, reach
from crm.templates import Tag, Terms

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
TRANSACTION, CARE, PROMOTION = (Terms(tag, price_phone=800, price_user=560) for tag in list(Tag)[:3])


def asked(rules: Rules, purpose: Purpose, **facts: Any) -> Reach:
    """What `reach` says of somebody who never wrote, or as the facts say."""
    return reach(rules, ReachFacts(purpose, facts.pop("last", None), NOW, **facts))


@pytest.mark.parametrize(
    ("rules", "facts", "lane", "cost"),
    [
        (ZALO, {}, "template_uid", 560),
        (ZALO, {"by_phone": True}, "template_phone", 800),
        (ZALO, {"last": NOW - timedelta(days=90)}, "template_uid", 560),
        (MESSENGER, {}, "utility", 560),
    ],
)
def test_a_template_needs_no_window(rules: Rules, facts: dict[str, Any], lane: str, cost: int) -> None:
    answer = asked(rules, Purpose.TRANSACTION, template=TRANSACTION, **facts)
    assert (answer.lane, answer.cost, answer.until) == (lane, cost, None)


@pytest.mark.parametrize("rules", [ZALO, MESSENGER])
def test_without_a_template_no_template_lane_is_taken(rules: Rules) -> None:
    assert asked(rules, Purpose.TRANSACTION).refusal is Refusal.NEVER_WROTE
    assert asked(rules, Purpose.TRANSACTION, last=NOW - timedelta(days=8)).refusal is Refusal.WINDOW_CLOSED


@pytest.mark.parametrize(
    ("rules", "purpose", "terms", "refusal"),
    [
        (ZALO, Purpose.BROADCAST, PROMOTION, None),
        (ZALO, Purpose.CARE, CARE, None),
        (ZALO, Purpose.BROADCAST, CARE, Refusal.WRONG_TAG),
        (ZALO, Purpose.BROADCAST, TRANSACTION, Refusal.WRONG_TAG),
        (ZALO, Purpose.TRANSACTION, PROMOTION, Refusal.WRONG_TAG),
        (MESSENGER, Purpose.CARE, TRANSACTION, Refusal.WRONG_TAG),
        (MESSENGER, Purpose.BROADCAST, PROMOTION, Refusal.NO_LANE),
        (MESSENGER, Purpose.CARE, CARE, Refusal.NO_LANE),
    ],
)
def test_promotion_goes_only_by_templates_that_were_approved_for_it(
    rules: Rules, purpose: Purpose, terms: Terms, refusal: Refusal | None
) -> None:
    assert asked(rules, purpose, template=terms, consented=True).refusal is refusal


def test_a_template_does_not_pass_by_consent() -> None:
    assert asked(ZALO, Purpose.BROADCAST, template=PROMOTION).refusal is Refusal.NO_CONSENT
    assert asked(ZALO, Purpose.CARE, template=CARE, opted_out=True).refusal is Refusal.OPTED_OUT
    assert asked(ZALO, Purpose.TRANSACTION, template=TRANSACTION, unreachable=True).refusal is Refusal.UNREACHABLE


def test_messenger_sends_nothing_to_a_phone_number() -> None:
    assert asked(MESSENGER, Purpose.TRANSACTION, template=TRANSACTION, by_phone=True).refusal is Refusal.NO_LANE
