"""The demo's own settings: made-up accounts, a database and a key of its own, and ports that are free."""

from __future__ import annotations

import secrets
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from sqlalchemy import URL

from bot.alone import alone
from bot.commands.report import Refused, Report
from bot.secrets import fingerprint
from bot.settings import Settings
from crm import sample_shop

HOST = "127.0.0.1"
PORT = 8080
PAGE_PORT = 8081
_PORTS_TRIED = 100
_GUEST = sample_shop.REGULARS[0].name
_MANAGER = sample_shop.MANAGER.split()[-1]


@contextmanager
def playing(folder: Path) -> Iterator[None]:
    """Hold this folder until the block ends; raises Refused where another demo plays in it."""
    folder.mkdir(parents=True, exist_ok=True)
    words = f"a demo is running in {folder} already: stop it with Ctrl-C, or set DATA_DIR"
    with alone(folder / "demo.lock", words):
        yield


def settings_of(given: Settings, port: int, platforms: str) -> Settings:
    """Settings for a bot at `port` whose platforms are played at the address `platforms`.

    Of the given settings only the folder, the language, the time zone and from how many people on a broadcast needs a
    second person are taken over: a real shop's database and tokens are never touched. Tokens are new with every start,
    as the simulator forgets them with every end.
    """
    secret = _secret(given.data_dir / "demo.key")
    return Settings(
        database_url=URL.create("sqlite", database=str(given.data_dir / "demo.db")).render_as_string(),
        secret_key=secret,
        api_key="demo-" + fingerprint("api", secret),
        data_dir=given.data_dir,
        locale=given.locale,
        timezone=given.timezone,
        broadcast_alone=given.broadcast_alone,
        host=HOST,
        port=port,
        public_url=address(port),
        brand_name=sample_shop.BRAND,
        shop_phone=sample_shop.PHONE,
        shop_address=sample_shop.ADDRESS,
        opening_hours=sample_shop.HOURS,
        zalo_app_id="1234567890123456789",
        zalo_app_secret="demo-zalo-app-secret",
        zalo_oa_id="2345678901234567890",
        zalo_oa_secret_key="demo-zalo-oa-secret-key",
        zalo_access_token="demo-" + secrets.token_hex(16),
        zalo_refresh_token="demo-" + secrets.token_hex(16),
        zalo_api_url=f"{platforms}/zalo",
        zalo_oauth_url=f"{platforms}/zalo-oauth",
        zalo_business_api_url=f"{platforms}/zalo-business",
        zalo_bot_token=f"1459232241454765289:demo-{secrets.token_hex(16)}",
        zalo_bot_api_url=f"{platforms}/zalo-bot",
        messenger_page_id="108842917645330",
        messenger_page_token="demo-" + secrets.token_hex(16),
        messenger_app_id="1462098375512094",
        messenger_app_secret="demo-messenger-app-secret",
        messenger_verify_token="demo-messenger-verify-token",
        messenger_graph_url=f"{platforms}/graph/v26.0",
    )


def lay_out(settings: Settings) -> None:
    """Keep the demo's settings in `demo.env` of its folder, for commands beside it; only this user may read them."""
    values = {
        "DATA_DIR": settings.data_dir, "TIMEZONE": settings.timezone, "PORT": settings.port,
        "BROADCAST_ALONE": settings.broadcast_alone,
    }  # fmt: skip
    for item in fields(settings):
        value = getattr(settings, item.name)
        if isinstance(value, str) and value != item.default:
            values[item.name.upper()] = value
    lines = [f"{name}={shlex.quote(str(value))}\n" for name, value in values.items()]
    _put(settings.data_dir / "demo.env", "".join(lines))


def free_port(wanted: int, taken: int = 0) -> int:
    """The first port from `wanted` on that nobody listens on and that is not `taken`; raises Refused for none."""
    for port in range(wanted, min(wanted + _PORTS_TRIED, 65_536)):
        if port == taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                probe.listen(1)
            except OSError:
                continue
            return port
    raise Refused(f"no free port between {wanted} and {wanted + _PORTS_TRIED - 1}")


def _secret(path: Path) -> str:
    """The demo's key, made once."""
    if not path.exists():
        _put(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


def _put(path: Path, text: str) -> None:
    """A whole file, or none, that only this user may read."""
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def address(port: int) -> str:
    """Where something of the demo answers."""
    return f"http://{HOST}:{port}"


def welcome(settings: Settings, page_port: int, wanted: int, wanted_page: int) -> Report:
    """Where the demo is, and three things to try; says so where a port was taken and another is used."""
    moved = [
        f"Cổng {was} đang bận, dùng {port}. / Port {was} is taken, {port} is used instead."
        for was, port in ((wanted, settings.port), (wanted_page, page_port))
        if was != port
    ]
    page, bot = address(page_port), address(settings.port)
    data = {
        "page": page,
        "bot": bot,
        "api": f"{bot}/api/v1",
        "api_key": settings.api_key,
        "order": sample_shop.GUEST_ORDER,
        "pin": sample_shop.MANAGER_PIN,
    }
    lines = [
        *moved,
        f"{settings.brand_name} đang mở cửa. / The sample shop is open.",
        "",
        f"  Trang chat / chat page:  {page}",
        f"  API:                     {bot}/api/v1  (OpenAPI: {bot}/api/v1/openapi.json)",
        f"  API_KEY={settings.api_key}",
        f"  PIN của {_MANAGER}, khi một lệnh hỏi / {_MANAGER}'s PIN, where a command asks: {sample_shop.MANAGER_PIN}",
        "",
        f"Ba điều để thử (bạn là {_GUEST}) / three things to try (you are {_GUEST}):",
        '  1. Nhắn "xem điểm", bấm "Liên kết số ĐT", chia sẻ số, bấm "Điểm của tôi".',
        '     Write "xem điểm", link and share your phone number, press "Điểm của tôi" (my points).',
        f'  2. Nhắn "đơn {sample_shop.GUEST_ORDER} tới đâu rồi". / Or: "where is my order {sample_shop.GUEST_ORDER}".',
        '  3. Nhắn "hàng bị vỡ" và gửi một ảnh; rồi chọn nhân viên Hoa: nhắn "/ds", "/vao" với số',
        f"     của {_GUEST} trong danh sách, và trả lời khách.",
        '     Write "my cup arrived broken" and send a photo; then, as Hoa of the staff: "/ds", "/vao" with the number',
        f"     of {_GUEST} in the list, and answer.",
        "",
        "Ctrl-C để dừng. / Ctrl-C stops it.",
    ]
    return Report(data, lines)
