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
    shop,
    support,
    welcome,
)
from handlers.staff import answer, attend, block, help, lookup, oneself, points, queue, shift, system

ROUTERS: list[Router] = [
    consent.router,
    fallback.router,
    link.router,
    loyalty.router,
    media.router,
    orders.router,
    person.router,
    privacy.router,
    ratings.router,
    shop.router,
    support.router,
    welcome.router,
]
STAFF_ROUTERS: list[StaffRouter] = [
    answer.router,
    queue.router,
    attend.router,
    block.router,
    lookup.router,
    points.router,
    shift.router,
    oneself.router,
    system.router,
    help.router,
    dispatch.router,
]
