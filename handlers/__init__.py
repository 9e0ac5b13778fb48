"""All handlers: what the bot answers, by whom it is written to."""

from __future__ import annotations

from bot.router import Router
from handlers.customer import consent, fallback, link, loyalty, media, orders, person, privacy, shop, support, welcome

ROUTERS: list[Router] = [
    consent.router,
    fallback.router,
    link.router,
    loyalty.router,
    media.router,
    orders.router,
    person.router,
    privacy.router,
    shop.router,
    support.router,
    welcome.router,
]
