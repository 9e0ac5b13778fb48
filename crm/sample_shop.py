"""An invented coffee shop with customers, orders and support requests, for the demo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import care, conversations, customers, orders, outbox, programmes, staff, tickets
from crm.conversations import State
from crm.events import Address
from crm.orders import Item, News, Status
from crm.sla import Policy
from storage import customers as people
from storage import transcripts
from storage.columns import new_id

HARMLESS = "welcome"
"""The one care rule that is on in the demo: it asks for nothing."""
PROGRAMME = Path(__file__).resolve().parent / "sample_programme.toml"
"""The shop's programme of points, and a good start for anybody's."""
_OPEN_DAYS = 400
BRAND = "Tiệm Cà Phê Mây Trưa"
PHONE = "0901 234 500"
ADDRESS = "24 Hoa Sữa, phường An Lành, TP. Hồ Chí Minh"
HOURS = "7:00–22:00 hằng ngày"
GUEST_ORDER = "MT1006"
"""An order of the first customer that is on its way."""
MANAGER = "Phan Mỹ Hoa"
MANAGER_USER_ID = "31" + "0" * 16 + "1"
"""Whose chat gives commands: the shop's manager, played on the demo's chat page."""
MANAGER_PIN = "2468"


@dataclass(frozen=True, slots=True)
class Complaint:
    """A support request that was opened in a chat so many hours ago."""

    hours_ago: float
    words: str
    state: tickets.State = tickets.State.OPEN


@dataclass(frozen=True, slots=True)
class Regular:
    """A customer of the shop, the `number`-th; one with a nickname is played on the demo's chat page."""

    number: int
    name: str
    nickname: str = ""
    complaint: Complaint | None = None

    @property
    def external_id(self) -> str:
        """What the shop's POS calls them."""
        return f"KH{self.number:03}"

    @property
    def phone(self) -> str:
        """Their number as people write it."""
        return f"09012345{self.number:02}"

    @property
    def user_id(self) -> str:
        """Their id in the chat where they complained."""
        return f"30{self.number:017}"


_PLAYED = (
    ("Nguyễn Thị Lan", "lan", None),
    ("Trần Quang Minh", "minh", Complaint(2, "Cà phê hạt mình nhận bị rách túi, mùi nhạt hẳn.")),
    ("Lê Thu Hương", "huong", Complaint(30, "Mình đặt bạc xỉu ít đường mà ly giao tới rất ngọt.")),
    ("Phạm Anh Đức", "duc", Complaint(72, "Bình giữ nhiệt bị móp đáy.", tickets.State.ANSWERED)),
    ("Võ Ngọc Mai", "mai", Complaint(200, "Đơn giao thiếu một phin nhôm.", tickets.State.CLOSED)),
    ("Đặng Gia Bảo", "bao", Complaint(400, "App báo đã giao nhưng mình chưa nhận được.", tickets.State.CLOSED)),
    ("Bùi Khánh Vy", "vy", None),
)
_OTHERS = (
    "Hoàng Minh Tuấn", "Ngô Phương Thảo", "Dương Hải Nam", "Lý Thanh Trúc", "Đỗ Hữu Phước", "Hồ Bích Ngọc",
    "Phan Văn Thành", "Vũ Hồng Nhung", "Trịnh Quốc Khánh", "Mai Diễm My", "Cao Đình Trọng", "Tạ Minh Châu",
    "Lâm Tuấn Kiệt", "Đinh Yến Nhi", "Châu Gia Hân", "Huỳnh Nhật Long", "Nguyễn Đăng Khoa", "Trần Bảo Trâm",
    "Lê Quang Huy", "Phạm Thùy Dương", "Võ Minh Triết", "Đào Kim Liên", "Lương Thế Hiển",
)  # fmt: skip
REGULARS = (
    *(Regular(number, *known) for number, known in enumerate(_PLAYED, 1)),
    *(Regular(number, name) for number, name in enumerate(_OTHERS, len(_PLAYED) + 1)),
)

_MENU = (
    Item("Cà phê sữa đá", 1, 32_000),
    Item("Bạc xỉu", 1, 35_000),
    Item("Cà phê muối", 1, 38_000),
    Item("Cold brew cam sả", 1, 49_000),
    Item("Trà sen vàng", 1, 45_000),
    Item("Bánh mì que pa tê", 1, 22_000),
    Item("Cà phê hạt rang mộc 500 g", 1, 185_000),
    Item("Phin nhôm", 1, 65_000),
    Item("Bình giữ nhiệt 500 ml", 1, 290_000),
    Item("Túi vải Mây Trưa", 1, 120_000),
    Item("Áo thun Mây Trưa", 1, 250_000),
    Item("Hộp quà phin và cà phê", 1, 420_000),
)
_SOURCES = ("pos", "web", "hotline")
_ORDERS_OF_EACH = (6, 2, 4)
_FIRST_CODE = 1001
_ENDED = (Status.DELIVERED,) * 8 + (Status.CANCELLED, Status.RETURNED)
_UNDER_WAY = (Status.SHIPPING, Status.CONFIRMED, Status.PENDING)


def add(session: Session, regular: Regular, channel: str, account_id: str, now: datetime, policy: Policy) -> bool:
    """Add a customer with everything of theirs, their complaint on this account; False where they are there already."""
    if people.external(session, regular.external_id) is not None:
        return False
    birthday = f"{1980 + regular.number}-{regular.number % 12 + 1:02}-{regular.number % 28 + 1:02}"
    customers.put_customer(
        session, regular.external_id, now=now, name=regular.name, phone=regular.phone, birthday=birthday, version=1
    )
    for news in _orders(regular, now):
        orders.put(session, news, news.changed_at)
    if regular.complaint is not None:
        _complain(session, regular, regular.complaint, Address(channel, account_id, regular.user_id), now, policy)
    return True


def hire(session: Session, channel: str, account_id: str, secret_key: str, now: datetime) -> bool:
    """Let the manager give commands in their chat on this account; False where that is so already."""
    if people.people(session, [MANAGER_USER_ID]):
        return False
    member = staff.add(session, MANAGER, staff.Role.ADMIN, now)
    staff.set_pin(session, member.id, MANAGER_PIN, secret_key)
    identity, customer = new_id(), people.add_nameless(session, now)
    row = {
        "id": identity, "customer_id": customer, "channel": channel, "account_id": account_id,
        "user_id": MANAGER_USER_ID, "name": MANAGER, "followed": True, "last_interaction_at": now, "profile_at": now,
        "created_at": now, "staff_id": member.id,
    }  # fmt: skip
    people.add_many(session, [], [row], [conversations.row_of(identity, State())])
    return True


def open_shop(session: Session, zone: ZoneInfo, now: datetime) -> None:
    """Let the sample programme hold since before the first order; keep the care rules, of which one that harms nobody
    is on. Nothing where that is so already."""
    if not care.everything(session):
        care.ship(session, "demo", now)
        care.turn_on(session, HARMLESS, "demo", now)
    if not programmes.versions(session):
        since = now - timedelta(days=_OPEN_DAYS)
        programmes.load(
            session, f"from = {since.isoformat(timespec='seconds')}\n{PROGRAMME.read_text('utf-8')}", zone, now
        )


def _orders(regular: Regular, now: datetime) -> Iterator[News]:
    """The customer's orders, the same ones in every demo; of every third customer the last one is under way."""
    chance = Random(regular.number)
    place = (regular.number - 1) % len(_ORDERS_OF_EACH)
    before = (regular.number - 1) // len(_ORDERS_OF_EACH) * sum(_ORDERS_OF_EACH) + sum(_ORDERS_OF_EACH[:place])
    count = _ORDERS_OF_EACH[place]
    for number, days in enumerate(sorted(chance.sample(range(6, 200), count), reverse=True), 1):
        code = f"MT{_FIRST_CODE + before + number - 1}"
        if place == 0 and number == count:
            status = _UNDER_WAY[regular.number // len(_ORDERS_OF_EACH) % len(_UNDER_WAY)]
            yield _news(regular, code, status, now - timedelta(hours=20), chance)
            continue
        status = chance.choice(_ENDED)
        delivered = _news(regular, code, Status.DELIVERED, now - timedelta(days=days), chance)
        if status is not Status.CANCELLED:
            yield delivered
        if status is not Status.DELIVERED:
            yield _ended(delivered, status)


def _news(regular: Regular, code: str, status: Status, placed_at: datetime, chance: Random) -> News:
    bought = tuple(Item(item.name, chance.choice((1, 1, 1, 2)), item.price) for item in chance.sample(_MENU, 3))
    total = sum(int(item.quantity) * item.price for item in bought)
    changed_at = placed_at + timedelta(hours=6)
    source = chance.choice(_SOURCES)
    return News(source, code, regular.external_id, status, total, 1, placed_at, changed_at, bought, code)


def _ended(news: News, status: Status) -> News:
    return News(
        news.source, news.external_id, news.customer, status, news.total, 2, news.placed_at,
        news.changed_at + timedelta(days=2), news.items, news.code,
    )  # fmt: skip


def _complain(
    session: Session, regular: Regular, complaint: Complaint, address: Address, now: datetime, policy: Policy
) -> None:
    at = now - timedelta(hours=complaint.hours_ago)
    identity = new_id()
    owner = customers.find(session, regular.external_id).id
    row = {
        "id": identity, "customer_id": owner, "channel": address.channel, "account_id": address.account_id,
        "user_id": address.user_id, "name": regular.name, "followed": True, "last_interaction_at": at,
        "profile_at": at, "created_at": at,
    }  # fmt: skip
    people.add_many(session, [], [row], [conversations.row_of(identity, State())])
    line = outbox.line(conversation_id=identity, author="customer", text=complaint.words, at=at)
    transcripts.add_messages(session, [line])
    number = tickets.open(session, owner, identity, complaint.words, at, policy)
    if complaint.state is tickets.State.ANSWERED:
        tickets.answer(session, number, at + timedelta(hours=1), policy)
    elif complaint.state is tickets.State.CLOSED:
        tickets.close(session, number, at + timedelta(days=1), policy, "Đã giao bù cho khách.")
