"""A receipt as Messenger's template of that name (Messenger, "Receipt Template"). Pure."""

from __future__ import annotations

from typing import Any

from bot.channels.messenger.fit import cut
from bot.channels.text import clean
from crm.messages import Bought, Receipt

ITEMS = 100
TITLE = 80
CURRENCY = "VND"
_FILLER = "·"
"""Stands for words that Messenger demands and nobody gave."""


def template(receipt: Receipt) -> dict[str, Any]:
    """The template's payload. What stands after the hundredth line is counted in the sums, and not shown."""
    content: dict[str, Any] = {
        "template_type": "receipt",
        "recipient_name": _said(receipt.recipient),
        "order_number": _said(receipt.order_code),
        "currency": CURRENCY,
        "payment_method": _said(receipt.payment),
        "summary": _summary(receipt),
    }
    if receipt.url.startswith(("https://", "http://")):
        content["order_url"] = clean(receipt.url).strip().replace(" ", "%20")
    if receipt.discounts:
        content["adjustments"] = [{"name": _said(name), "amount": amount} for name, amount in receipt.discounts]
    if receipt.items:
        content["elements"] = [_element(bought) for bought in receipt.items[:ITEMS]]
    return content


def _summary(receipt: Receipt) -> dict[str, int]:
    summary = {"total_cost": receipt.total}
    if receipt.items:
        summary["subtotal"] = sum(bought.quantity * bought.price for bought in receipt.items)
    if receipt.shipping:
        summary["shipping_cost"] = receipt.shipping
    return summary


def _element(bought: Bought) -> dict[str, Any]:
    element: dict[str, Any] = {
        "title": _said(bought.title),
        "quantity": bought.quantity,
        "price": bought.price,
        "currency": CURRENCY,
    }
    if detail := cut(bought.detail, TITLE):
        element["subtitle"] = detail
    if bought.image_url.startswith(("https://", "http://")):
        element["image_url"] = clean(bought.image_url).strip().replace(" ", "%20")
    return element


def _said(words: str) -> str:
    return cut(words, TITLE) or _FILLER
