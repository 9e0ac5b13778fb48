"""All handlers: what the bot answers customers, and what staff order."""

from __future__ import annotations

from bot.router import Router
from bot.staff import dispatch
from bot.staff.router import StaffRouter
from handlers.customer import (
    consent,
    fallback,
    link,
    loyalty,
    media,
    orders,
    person,
    privacy,
    ratings,
    referral,
    rewards,
    shop,
    support,
    welcome,
)
from handlers.staff import (
    answer,
    attend,
    block,
    broadcast_drafts,
    broadcasts,
    canned,
    care,
    customer,
    help,
    lookup,
    macros,
    oneself,
    points,
    queue,
    reports,
    segments,
    setup,
    shift,
    system,
    tickets,
    vouchers,
)
from handlers.staff import privacy as data_requests

ROUTERS: list[Router] = [
    consent.router,
    fallback.router,
    link.router,
    loyalty.router,
    referral.router,
    media.router,
    orders.router,
    person.router,
    privacy.router,
    ratings.router,
    rewards.router,
    shop.router,
    support.router,
    welcome.router,
]
STAFF_ROUTERS: list[StaffRouter] = [
    answer.router,
    canned.router,
    queue.router,
    macros.router,
    attend.router,
    block.router,
    customer.router,
    lookup.router,
    tickets.router,
    data_requests.router,
    points.router,
    shift.router,
    vouchers.router,
    broadcasts.router,
    broadcast_drafts.router,
    care.router,
    oneself.router,
    reports.router,
    segments.router,
    setup.router,
    system.router,
    help.router,
    dispatch.router,
]
