"""Posts of the Page with people's public comments, and the one private answer that each may get."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.messenger_events import seconds
from simulator.people import MESSENGER, Contact, stable_id
from simulator.platform import Platform
from simulator.speech import Said
from simulator.webhooks_out import Delivery

JSON = dict[str, Any]
FIELD = "feed"
POST = "122101234567890999"


@dataclass(slots=True)
class Comment:
    """What somebody wrote under a post; `answered` once the brand wrote to them about it."""

    id: str
    contact: Contact
    at: datetime
    answered: bool = False


def write(platform: Platform, contact: Contact, text: str, post: str = "") -> Said:
    """The person comments on a post; the bot hears of it where the Page is subscribed to `feed`."""
    now = platform.now()
    comment = Comment(f"{post or POST}_{secrets.randbelow(10**15):015d}", contact, now)
    platform.page.comments[comment.id] = comment
    if FIELD not in platform.page.fields:
        return Said(comment.id, None)
    return Said(comment.id, _told(platform, comment, text, post or POST))


def _told(platform: Platform, comment: Comment, text: str, post: str) -> Delivery:
    """The author's id is not the one that messages can go to."""
    page, person = platform.config.messenger_page_id, comment.contact.person
    value: JSON = {
        "from": {"id": stable_id("2", f"author:{person.id}", 16), "name": person.name},
        "item": "comment",
        "comment_id": comment.id,
        "post_id": f"{page}_{post}",
        "verb": "add",
        "parent_id": f"{page}_{post}",
        "created_time": seconds(comment.at),
        "message": text,
    }
    entry = {"id": page, "time": seconds(comment.at), "changes": [{"field": FIELD, "value": value}]}
    body = {"object": "page", "entry": [entry]}
    return platform.courier.send(MESSENGER, comment.contact.user_id, body)
