"""Who may use which command: the whole table of roles and commands, and that it is kept."""

from __future__ import annotations

import pytest

from crm import staff
from crm.staff import MAY, STEPPED_UP, Permission, Role
from handlers import STAFF_ROUTERS
from tests.chat import Chat
from tests.staff import SECRET, hired, order

EVERYBODY = "agent lead marketer admin"
MATRIX = {
    "r": "agent lead admin",
    "vao": "agent lead admin",
    "ra": "agent lead admin",
    "huy": "agent lead admin",
    "ok": EVERYBODY,
    "mau": "agent lead admin",
    "mausua": "lead marketer admin",
    "mauanh": "lead marketer admin",
    "mauxoa": "lead marketer admin",
    "macro": "agent lead admin",
    "macrosua": "lead marketer admin",
    "macroxoa": "lead marketer admin",
    "ds": EVERYBODY,
    "giu": "agent lead admin",
    "tra": "agent lead admin",
    "bot": "agent lead admin",
    "giao": "agent lead admin",
    "hen": "agent lead admin",
    "dong": "agent lead admin",
    "mo": "agent lead admin",
    "chan": "agent lead admin",
    "bochan": "agent lead admin",
    "kh": EVERYBODY,
    "tim": EVERYBODY,
    "gc": "agent lead admin",
    "the": "agent lead admin",
    "tt": "agent lead admin",
    "don": EVERYBODY,
    "phieu": EVERYBODY,
    "dulieu": "lead admin",
    "loai": "agent lead admin",
    "uutien": "agent lead admin",
    "diem": "lead admin",
    "duyet": "lead admin",
    "khoadiem": "lead admin",
    "noi": "lead admin",
    "tach": "lead admin",
    "thudiem": EVERYBODY,
    "v": "agent lead admin",
    "tem": "agent lead admin",
    "gui": "lead marketer admin",
    "chamsoc": "marketer admin",
    "sapgui": EVERYBODY,
    "ca": EVERYBODY,
    "nghi": EVERYBODY,
    "pin": EVERYBODY,
    "khach": EVERYBODY,
    "bc": "lead marketer admin",
    "nhom": "lead marketer admin",
    "visao": "lead marketer admin",
    "truong": "admin",
    "he": "lead admin",
    "help": EVERYBODY,
    "thoat": EVERYBODY,
}
COMMANDS = {command.name: command for router in STAFF_ROUTERS for command in router.commands}


def test_the_table_names_every_command_and_who_may_use_it() -> None:
    allowed = {name: " ".join(role for role in Role if command.may in MAY[role]) for name, command in COMMANDS.items()}
    assert allowed == MATRIX


@pytest.mark.parametrize("role", Role)
async def test_what_a_role_may_not_do_is_said_and_not_done(chat: Chat, role: Role) -> None:
    await chat.does(lambda session: hired(session, "Minh", role, chat))
    (helped,) = await order(chat, "Minh", "/help")
    for name in COMMANDS:
        (answer, *_) = await order(chat, "Minh", f"/{name}")
        refused = answer.startswith(f"✗ Vai trò {role} không được dùng /{name}.")
        assert refused is (role not in MATRIX[name].split()), (name, answer)
        assert (f"/{name}" in helped.replace("\n", " ").split(" ")) is not refused or name in ("help",), name
    assert len(helped.splitlines()) <= 12


async def test_a_new_role_holds_from_the_next_command_on(chat: Chat) -> None:
    await chat.does(lambda session: hired(session, "Minh", Role.AGENT, chat))
    assert "không được dùng /he" in (await order(chat, "Minh", "/he"))[0]
    member = await chat.does(lambda session: staff.named(session, "Minh"))
    await chat.does(lambda session: staff.change_role(session, member.id, Role.LEAD))
    assert "khách chờ" in (await order(chat, "Minh", "/he"))[0]


def test_money_points_and_export_take_a_pin() -> None:
    assert {Permission.ADJUST_POINTS, Permission.BROADCAST, Permission.EXPORT, Permission.PRIVACY} <= STEPPED_UP
    assert COMMANDS["diem"].may in STEPPED_UP


async def test_five_wrong_pins_lock_and_an_admin_opens(chat: Chat) -> None:
    await chat.does(lambda session: hired(session, "Minh", Role.LEAD, chat))
    member = await chat.does(lambda session: staff.named(session, "Minh"))
    await order(chat, "Minh", "/pin")
    for _ in range(4):
        assert "PIN chưa đúng" in (await order(chat, "Minh", "000001"))[0]
    assert "PIN đã bị khóa" in (await order(chat, "Minh", "000001"))[0]
    await order(chat, "Minh", "/pin")
    assert "PIN đã bị khóa" in (await order(chat, "Minh", "271828"))[0]
    await chat.does(lambda session: staff.set_pin(session, member.id, "602214", SECRET))
    await order(chat, "Minh", "/pin")
    assert "PIN mới" in (await order(chat, "Minh", "602214"))[0]
