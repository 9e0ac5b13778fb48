"""What an event does by itself, before anybody answers: transcript, windows, ticks, consent, alarms."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot import allowances, comments, holds, labels, marks, registry
from bot.batch import Batch, moved_window
from bot.context import Talk
from bot.understanding import asks_nothing
from crm import comments as public_comments
from crm import consent, conversations, privacy, referrals, templates, tickets
from crm.consent import Way
from crm.events import (
    AllowanceChanged,
    BrandSpoke,
    Commented,
    ConsentWithdrawn,
    ContactShared,
    Event,
    Followed,
    GrantLost,
    Inbound,
    Labelled,
    LocationShared,
    Media,
    MediaReceived,
    MessageDelivered,
    MessageEdited,
    MessageSeen,
    MessageUnsent,
    Origin,
    OwnEcho,
    Reacted,
    Referred,
    StaffEcho,
    TemplateChanged,
    TextReceived,
    ThreadPassed,
    Unfollowed,
)
from crm.messages import Message, template_in
from crm.outbox import line
from crm.privacy import Kind
from storage import accounts, alarms, customers, doubt, outbox, transcripts

ECHO_MATCHES_FOR = timedelta(minutes=10)
TEMPLATES_ARE_READ_AFTER = timedelta(seconds=10)
"""How long after news of a template its account is read anew: news come in flocks."""


def apply(batch: Batch, event: Event) -> None:
    """Note what happened. Events that concern a person must have been loaded into the batch; news of an account, a
    receipt of a template that went to a phone number, and a public comment concern none that we know."""
    if not event.address.user_id and not isinstance(event, _OF_NOBODY):
        return
    for kind, effect in _EFFECTS:
        if isinstance(event, kind):
            effect(batch, event)
            return


def described(media: tuple[Media, ...]) -> str:
    """Attachments as the transcript keeps them; "" for none."""
    if not media:
        return ""
    return json.dumps([{"kind": item.kind.value, "url": item.url, "name": item.name} for item in media])


def _inbound(batch: Batch, event: Inbound) -> None:
    talk = batch.talk(event.address)
    moved_window(talk, min(event.at, batch.now))
    if event.elsewhere:
        talk.state = conversations.go_elsewhere(talk.state, event.at)
    else:
        talk.state = conversations.come_back(talk.state, event.at)
    if talk.person.staff_id is not None:
        return
    if talk.state.staff_holds:
        _wrote_to_staff(batch, talk, event)
    talk.lines.append(
        line(
            conversation_id=talk.person.identity_id,
            author="customer",
            text=_words(event),
            media=described(event.media) if isinstance(event, MediaReceived) else "",
            at=event.at,
            message_id=event.message_id,
            reply_to=event.reply_to,
        )
    )
    origin = getattr(event, "origin", None)
    if origin is not None:
        _came_by(batch, talk, origin, None, event.at if origin.is_ad else None)
    elif talk.person.ad_silent_since is not None and event.at >= talk.person.ad_silent_since:
        talk.person = talk.person._replace(ad_silent_since=None)
        row = {"id": talk.person.identity_id, "ad_silent_since": None, "ad_first_message_at": event.at}
        customers.set_identities(batch.session, [row])


def _wrote_to_staff(batch: Batch, talk: Talk, event: Inbound) -> None:
    """They wait for staff from now on, and their tickets do, unless they ask for nothing."""
    if not asks_nothing(_words(event), lambda: batch.said_before(talk)):
        talk.state = conversations.customer_spoke(talk.state, event.at)
        tickets.customer_replied(batch.session, talk.person.identity_id, event.at, batch.policy)


def _came_by(
    batch: Batch, talk: Talk, origin: Origin, silent_since: datetime | None, first_message_at: datetime | None
) -> None:
    """Keep what brought a person, and with an advertisement what was before it is over."""
    code = referrals.code_of_ref(origin.ref)
    if code and talk.person.staff_id is None:
        referrals.accept(batch.session, talk.person.customer_id, code, batch.now)
    known = {"referral": origin.label, "referral_source": origin.source}
    row: dict[str, object] = {key: value for key, value in known.items() if value}
    if origin.is_ad:
        row |= {"ad_id": origin.ad_id, "ad_title": origin.ad_title}
        row |= {"ad_silent_since": silent_since, "ad_first_message_at": first_message_at}
        talk.person = talk.person._replace(ad_silent_since=silent_since)
    if row:
        customers.set_identities(batch.session, [{"id": talk.person.identity_id, **row}])


def _words(event: Inbound) -> str:
    if isinstance(event, TextReceived | MediaReceived):
        return event.text
    if isinstance(event, LocationShared):
        return f"{event.latitude},{event.longitude}"
    if isinstance(event, ContactShared):
        return event.phone
    return getattr(event, "title", "") or getattr(event, "payload", "")


def _followed(batch: Batch, event: Followed) -> None:
    talk = batch.talk(event.address)
    moved_window(talk, min(event.at, batch.now))
    customers.set_followed(batch.session, talk.person.identity_id, True, event.at)


def _unfollowed(batch: Batch, event: Unfollowed) -> None:
    talk = batch.talk(event.address)
    customers.set_followed(batch.session, talk.person.identity_id, False, event.at)
    _withdraw(batch, talk, event, Way.UNFOLLOW)


def _withdrawn(batch: Batch, event: ConsentWithdrawn) -> None:
    talk = batch.talk(event.address)
    _withdraw(batch, talk, event, Way.PLATFORM)
    if event.scope == "all":
        privacy.ask(
            batch.session, talk.person.customer_id, Kind.ERASE, now=batch.now, zone=batch.policy.calendar.zone,
            identity_id=talk.person.identity_id, wording="platform",
        )  # fmt: skip


def _withdraw(batch: Batch, talk: Talk, event: Event, way: Way) -> None:
    person = talk.person
    consent.stop(batch.session, person.customer_id, at=event.at, channel=person.channel, way=way)


def _commented(batch: Batch, event: Commented) -> None:
    due = public_comments.hear(batch.session, event, batch.now)
    if due is not None:
        comments.queue(batch.session, event, due, batch.now)


def _referred(batch: Batch, event: Referred) -> None:
    _came_by(batch, batch.talk(event.address), event.origin, event.at, None)


def _edited(batch: Batch, event: MessageEdited) -> None:
    batch.write_lines()
    conversation = batch.talk(event.address).person.identity_id
    revision = event.revision or int(event.at.timestamp() * 1000)
    transcripts.edit(batch.session, conversation, event.message_id, event.text, revision, event.at)


def _unsent(batch: Batch, event: MessageUnsent) -> None:
    batch.write_lines()
    transcripts.unsend(batch.session, batch.talk(event.address).person.identity_id, event.message_id, event.at)


def _reacted(batch: Batch, event: Reacted) -> None:
    """Keep it on the line that it is on."""
    batch.write_lines()
    reaction = event.reaction if event.added else ""
    transcripts.react(batch.session, batch.talk(event.address).person.identity_id, event.message_id, reaction)


def _labelled(batch: Batch, event: Labelled) -> None:
    labels.told(batch.session, event)


def _delivered(batch: Batch, event: MessageDelivered) -> None:
    if event.address.user_id:
        _tick(batch, event, "delivered_at")
    elif marks.in_receipt(event.tracking_id):
        _template_delivered(batch, event)


def _template_delivered(batch: Batch, event: MessageDelivered) -> None:
    """A template reached a phone: the receipt names our send, which settles it where its answer was lost."""
    outbox_id = marks.marked(event.tracking_id)
    found = doubt.tracked(batch.session, outbox_id) if outbox_id else None
    if found is None or (found.channel, found.account_id) != (event.address.channel, event.address.account_id):
        return
    message_id = event.message_ids[0] if event.message_ids else ""
    batch.settled[outbox_id] = outbox.Sent(outbox_id, message_id, "", event.at)
    if message_id:
        batch.ticks.append((found.identity_id, "delivered_at", event.at, (message_id,), None))


def _seen(batch: Batch, event: MessageSeen) -> None:
    _tick(batch, event, "seen_at")


def _tick(batch: Batch, event: MessageDelivered | MessageSeen, column: str) -> None:
    if not (event.message_ids or event.watermark):
        return
    conversation = batch.talk(event.address).person.identity_id
    batch.ticks.append((conversation, column, event.at, event.message_ids, event.watermark))


def _staff_echo(batch: Batch, event: StaffEcho) -> None:
    """Staff speak, so the bot takes back what it had not said yet; to one of themselves they may speak as they like."""
    talk = batch.talk(event.address)
    if talk.person.staff_id is None:
        _silence(batch, talk)
        talk.state = conversations.staff_spoke(talk.state, event.at)
    tickets.staff_answered(batch.session, talk.person.identity_id, event.at, batch.policy)
    talk.lines.append(_echo_line(talk, event, "staff"))


def _silence(batch: Batch, talk: Talk) -> None:
    batch.silenced.add(talk.person.identity_id)
    unsaid = {row["id"] for row in talk.outgoing}
    talk.outgoing.clear()
    talk.lines = [each for each in talk.lines if each["id"] not in unsaid]


def _thread_passed(batch: Batch, event: ThreadPassed) -> None:
    """Who holds a conversation elsewhere answers there; what the bot had not said yet is taken back."""
    talk = batch.talk(event.address)
    if event.to_us:
        back = conversations.come_back(talk.state, event.at)
        talk.state = back if back is talk.state else replace(back, waiting_since=None)
        return
    _silence(batch, talk)
    talk.state = conversations.go_elsewhere(talk.state, event.at)


def _own_echo(batch: Batch, event: OwnEcho) -> None:
    """Settle the send that came back; what no send of ours explains was said by another app."""
    talk = batch.talk(event.address)
    found = _sent_as(batch, talk, event)
    if found is not None:
        batch.settled[found] = outbox.Sent(found, event.message_id, "", event.at)
    elif event.metadata == comments.MARK:
        talk.lines.append(_echo_line(talk, event, "bot"))
    elif not _is_explained(batch, talk, event):
        talk.lines.append(_echo_line(talk, event, "app"))
        talk.state = conversations.answered_elsewhere(talk.state)


def is_of_others(batch: Batch, event: BrandSpoke) -> bool:
    """Whether a line of the brand is none that we sent, nor one that we may have sent."""
    talk = batch.talk(event.address)
    if _looks_like(batch, talk, event) is not None:
        return False
    return not transcripts.is_ours(batch.session, talk.person.identity_id, event.message_id)


def _brand_spoke(batch: Batch, event: BrandSpoke) -> None:
    """Settle the send of ours that this line is; else keep what somebody said, and leave the conversation as it is."""
    talk = batch.talk(event.address)
    found = _looks_like(batch, talk, event)
    if found is not None:
        batch.settled[found] = outbox.Sent(found, event.message_id, "", event.at)
    elif not transcripts.is_ours(batch.session, talk.person.identity_id, event.message_id):
        talk.lines.append(_echo_line(talk, event, "app"))


def _is_explained(batch: Batch, talk: Talk, event: OwnEcho) -> bool:
    """Whether a send of ours is or may be what came back; one may be written down as sent between two looks."""
    return _is_ours(batch, talk, event) or _is_template_out(batch, talk, event) or _is_ours(batch, talk, event)


def _is_ours(batch: Batch, talk: Talk, event: OwnEcho) -> bool:
    return transcripts.is_ours(batch.session, talk.person.identity_id, event.message_id)


def _is_template_out(batch: Batch, talk: Talk, event: OwnEcho) -> bool:
    """Whether a template to this person is on its way: its echo may say anything, so it proves nothing either way."""
    doubtful = doubt.in_doubt(batch.session, talk.person.identity_id, event.at - ECHO_MATCHES_FOR)
    return any(template_in(body) for _, body in doubtful)


def _sent_as(batch: Batch, talk: Talk, event: OwnEcho) -> int | None:
    identity = talk.person.identity_id
    if marks.in_echo(event.metadata):
        claimed = marks.marked(event.metadata)
        return claimed if claimed and doubt.owner_of(batch.session, claimed) == identity else None
    return _looks_like(batch, talk, event)


def _looks_like(batch: Batch, talk: Talk, event: OwnEcho | BrandSpoke) -> int | None:
    """The send of ours in doubt that says the same."""
    identity = talk.person.identity_id
    batch.write_lines()
    if transcripts.is_ours(batch.session, identity, event.message_id):
        return None
    for outbox_id, body in doubt.in_doubt(batch.session, identity, event.at - ECHO_MATCHES_FOR):
        message = Message.loads(body)
        same = message.template is None and message.text == event.text and bool(message.picture) == bool(event.media)
        if same and outbox_id not in batch.settled:
            return outbox_id
    return None


def _echo_line(talk: Talk, event: StaffEcho | OwnEcho | BrandSpoke, author: str) -> dict[str, Any]:
    return line(
        conversation_id=talk.person.identity_id,
        author=author,
        text=event.text,
        media=described(event.media),
        at=event.at,
        message_id=event.message_id,
    )


def _grant_lost(batch: Batch, event: GrantLost) -> None:
    """Hold the account and ring; a loss from before its token was given anew is mended already."""
    account = accounts.find(batch.session, event.address.channel, event.address.account_id)
    if account is None or account.held == accounts.REMOVED:
        return
    if account.refreshed_at is not None and event.at < account.refreshed_at:
        return
    accounts.change(batch.session, account.id, held=event.reason or "grant lost")
    words = "The platform took away our right to send for this account: connect it again, or see why in its console."
    alarms.ring(batch.session, "grant_lost", alarms.of_account(account.channel, account.account_id), words, batch.now)


def _allowance_changed(batch: Batch, event: AllowanceChanged) -> None:
    """Note the new whole, and have the account looked at soon: how much is left of it is not told."""
    account = event.address.channel, event.address.account_id
    allowances.resized(batch.session, account, event.name, event.total, event.at)
    view = accounts.find(batch.session, *account)
    if view is not None:
        accounts.change(batch.session, view.id, checked_at=None)


def _template_changed(batch: Batch, event: TemplateChanged) -> None:
    """Note what the event tells, and read all of the account's templates soon, for it seldom tells all."""
    channel, account_id = event.address.channel, event.address.account_id
    status = event.status.value if event.status else ""
    news = {"status": status, "quality": event.quality, "reason": event.reason}
    templates.note(batch.session, channel, account_id, event.template_id, event.language, batch.now, **news)
    holds.lift_templates(batch.session, batch.now)
    registry.queue(batch.session, channel, account_id, batch.now, TEMPLATES_ARE_READ_AFTER)


_OF_NOBODY = (GrantLost, TemplateChanged, AllowanceChanged, Labelled, MessageDelivered, Commented)
_EFFECTS: tuple[tuple[type[Event], Callable[[Batch, Any], None]], ...] = (
    (Inbound, _inbound),
    (OwnEcho, _own_echo),
    (StaffEcho, _staff_echo),
    (ThreadPassed, _thread_passed),
    (BrandSpoke, _brand_spoke),
    (MessageDelivered, _delivered),
    (MessageSeen, _seen),
    (Followed, _followed),
    (Unfollowed, _unfollowed),
    (Referred, _referred),
    (Commented, _commented),
    (MessageEdited, _edited),
    (MessageUnsent, _unsent),
    (ConsentWithdrawn, _withdrawn),
    (GrantLost, _grant_lost),
    (TemplateChanged, _template_changed),
    (AllowanceChanged, _allowance_changed),
    (Labelled, _labelled),
    (Reacted, _reacted),
)
