"""What every channel is: pure functions that read, others that talk to the platform, and one error type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from crm.allowances import Allowance
from crm.events import Address, Event
from crm.messages import Message
from crm.reach import Rules
from crm.templates import Template


@dataclass(frozen=True, slots=True)
class Keys:
    """What a channel's door verifies with. An empty `secret` means pending: nothing is verified, nothing kept."""

    app_id: str = ""
    secret: str = field(default="", repr=False)
    verify_token: str = field(default="", repr=False)
    account_ids: frozenset[str] = frozenset()

    @property
    def pending(self) -> bool:
        """Whether the channel cannot verify anything yet."""
        return not (self.app_id and self.secret)


@dataclass(frozen=True, slots=True)
class Raw:
    """One event as it came. `body` is JSON bytes that `parse` understands by themselves; `occurred_at` is aware UTC.

    `thread_key` orders: events with the same key are handled one after another. `dedup_key` is unique per account.
    """

    account_id: str
    thread_key: str
    dedup_key: str
    occurred_at: datetime | None
    body: bytes
    also: tuple[str, ...] = ()
    """Other dedup keys that the platform may tell the same event under; only of what was read from a conversation."""


class Verdict(StrEnum):
    """How a webhook body was judged at the door; a label of the counter, too."""

    ACCEPTED = "accepted"
    PROBE = "probe"
    CONSOLE_TEST = "console_test"
    PENDING = "pending"
    BAD_SIGNATURE = "bad_signature"
    WRONG_APP = "wrong_app"
    NOT_UNDERSTOOD = "not_understood"


@dataclass(frozen=True, slots=True)
class Received:
    """What the door answers and keeps. `buried` are genuine but not understood: kept raw, shown by `dead list`."""

    status: int
    verdict: Verdict
    raws: tuple[Raw, ...] = ()
    buried: tuple[Raw, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what was said in a span: raws as the door would have made them, those of one person in order.

    `cursor` asks for the next part, "" after the last. `calls` is how many calls this one took.
    """

    raws: tuple[Raw, ...]
    cursor: str = ""
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Account:
    """One OA or Page with its living access token (in memory only; at rest it is encrypted).

    `answers_comments`: public comments on it are to be told us, for they are answered.
    """

    channel: str
    account_id: str
    access_token: str = field(repr=False)
    app_id: str = ""
    app_secret: str = field(default="", repr=False)
    answers_comments: bool = False


class Outgoing(NamedTuple):
    """One send. `metadata` comes back in the echo where the channel can; `lane` was chosen by `reach`.

    `persona` is the platform's id of the name under which it is shown; "" for the account's own.
    """

    to: Address
    message: Message
    lane: str
    metadata: str = ""
    persona: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """How near an account is to the platform's limit, in percent of it, as one answer said; true for `lasts`.

    `regain` is how long the account must rest; zero where it need not.
    """

    percent: int
    lasts: timedelta
    regain: timedelta = timedelta()


class Sent(NamedTuple):
    """What the platform said. `quota` names what the message was charged to; "" where it does not say.

    `cost` is in đồng; None where the answer does not tell, so that what was expected holds. `allowance` is what is left
    of what the message was charged to.
    """

    message_id: str
    quota: str = ""
    usage: Usage | None = None
    cost: int | None = None
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as the platform shows them to us; empty strings where it does not. `labels` are what staff put on them
    in the platform's own tool."""

    name: str = ""
    avatar_url: str = ""
    locale: str = ""
    phone: str = ""
    followed: bool | None = None
    last_interaction_at: datetime | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a refresh gave. `expires_in` counts from the answer."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: timedelta


class Owner(NamedTuple):
    """The OA or Page that a token belongs to, as the platform itself names it."""

    account_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What a browser brought back from a consent page. Anybody may have written it: only `state` can be checked.

    `account_id` is who is said to have agreed; `error` is why there is no `code`, as the platform's own short name.
    """

    state: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    account_id: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Managed:
    """A Page that a person manages; `access_token` is empty where they may not act for it."""

    account_id: str
    name: str
    access_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Words:
    """The same sentence in English and Vietnamese."""

    en: str
    vi: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture or file for a platform to hold."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A copy that a platform holds for an account: `id` stands in a message's `picture` or `file`, for so long."""

    id: str
    lives: timedelta


NOT_HEARD = "not_heard"
"""An alarm's kind: what is written to an account does not come to us."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something about an account that a person must mend: an alarm's kind, and words that say who does what."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Checkup:
    """What a look at an account showed. `facts` can be written as JSON; `name` is "" where the platform hides it.

    `judged` names every kind of trouble that could be told: those of them not in `troubles` are mended. `mended` says
    what the look itself put right. `allowances` are those that the platform told of.
    """

    name: str
    facts: Mapping[str, Any]
    judged: frozenset[str]
    troubles: tuple[Trouble, ...] = ()
    mended: str = ""
    allowances: tuple[Allowance, ...] = ()


class SendErrorKind(StrEnum):
    """What to do about a failed call: try again, wait, give up, give the person up, mend the token, or find out.

    ELSEWHERE: another app or the platform's own inbox holds the conversation.
    """

    RETRY = "retry"
    SNOOZE = "snooze"
    PERMANENT = "permanent"
    UNREACHABLE = "unreachable"
    AUTH = "auth"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"


class Subject(StrEnum):
    """Whom an error concerns: this message, the copy of its picture or file, this person, its template (what uses it
    waits), the allowance that its lane draws on (what goes the same way waits; of PROMOTION, marketing alone), or this
    account (its queue is held)."""

    MESSAGE = "message"
    UPLOAD = "upload"
    PERSON = "person"
    TEMPLATE = "template"
    ALLOWANCE = "allowance"
    PROMOTION = "promotion"
    ACCOUNT = "account"


class SendError(Exception):
    """A call to a platform failed.

    `code` is the platform's own ("-230", "10/2018278", "timeout"); `words` say in plain words what it means and who
    can mend it, as an English/Vietnamese pair. `detail` is what helps to look into it: the platform's trace id, or how
    a connection broke; never the platform's free words, which may quote the message, a phone or a token. As text it is
    "code: words (detail)" and is kept with what failed. UNKNOWN means that the platform may have acted. `usage` is
    what the answer said of the account's limits.
    """

    def __init__(
        self,
        kind: SendErrorKind,
        code: str,
        words: Words,
        *,
        retry_after: timedelta | None = None,
        subject: Subject = Subject.MESSAGE,
        detail: str = "",
        usage: Usage | None = None,
    ) -> None:
        super().__init__(f"{code}: {words.en}" + (f" ({detail})" if detail else ""))
        self.kind = kind
        self.code = code
        self.words = words
        self.retry_after = retry_after
        self.subject = subject
        self.detail = detail
        self.usage = usage


@dataclass(frozen=True, slots=True)
class Fault:
    """What one error code of a platform means and asks for.

    `retry_after` is how long to wait where the answer itself does not say.
    """

    kind: SendErrorKind
    subject: Subject
    words: Words
    retry_after: timedelta | None = None


def raised(fault: Fault, code: str, wait: timedelta | None = None, detail: str = "") -> SendError:
    """A fault as the error to raise; `wait` is what the answer asked for."""
    return SendError(
        fault.kind, code, fault.words, retry_after=wait or fault.retry_after, subject=fault.subject, detail=detail
    )


class Channel(Protocol):
    """One platform. `receive` and `parse` are pure; the rest is I/O and raises only `SendError`.

    On a channel that is `staff_only` nobody is a customer: what customers may ask is not answered there. On one with
    `tables` a message may bring a file with rows of this kind (`.xlsx`, `.csv`), "" for none.
    """

    name: str
    rules: Rules
    staff_only: bool
    tables: str

    def receive(self, headers: Mapping[str, str], body: bytes, keys: Keys, now: datetime) -> Received:
        """Verify the raw bytes in constant time and split them into events. Never raises."""

    def challenge(self, query: Mapping[str, str], keys: Keys) -> str | None:
        """The text to answer a GET handshake with; None where it is to be refused."""

    def parse(self, body: bytes, now: datetime) -> list[Event]:
        """One raw event in our words. Raises ValueError where a body cannot be understood."""

    def invitation(self, account_id: str, ref: str) -> str:
        """A web address that opens a chat with this account; where the platform can, `ref` comes along."""

    def split(self, message: Message) -> tuple[Message, ...]:
        """Degrade to what the channel can show, as messages that take exactly one call each, in order."""

    async def send(self, account: Account, outgoing: Outgoing) -> Sent:
        """Say one message that `split` gave, by exactly one call."""

    async def upload(self, account: Account, attachment: Attachment) -> Uploaded:
        """Give the platform a picture or file to send. May be called twice: that costs a copy and nothing else."""

    async def templates(self, account: Account) -> list[Template]:
        """The account's message templates, all of them, whatever their state."""

    async def profile(self, account: Account, user_id: str) -> Profile:
        """Look a person up. Slow and rationed: never on the way of a message."""

    async def last_interaction(self, account: Account, user_id: str) -> datetime | None:
        """When the person last did something that opens the reply window; None where the platform does not say."""

    async def refresh(self, account: Account, refresh_token: str) -> TokenPair:
        """Trade a single-use refresh token for a new pair. AUTH: the token is spent; UNKNOWN: the answer was lost."""

    async def recent(self, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
        """What was said in this span, both ways, read from the platform's conversations, a few calls at a time.

        A line of the brand does not tell who wrote it: `parse` calls it `BrandSpoke`.
        """

    async def find_sent(self, account: Account, user_id: str, text: str, since: datetime) -> str | None:
        """The id of our own message with this text, sent since then; None where the platform shows none."""

    async def check_up(self, account: Account, now: datetime) -> Checkup:
        """Look whether the account still works for us, and mend what can be mended. AUTH: its token died."""

    async def whose(self, account: Account) -> Owner:
        """The OA or Page that the account's token belongs to, whatever id it is held under here."""
