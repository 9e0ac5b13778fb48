"""The demo: starts by one command, answers like a real shop, stops with Ctrl-C, and goes on the next time."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot import demo
from bot.commands.report import Refused
from bot.settings import Settings
from tests.demo import MAIN, Demo, environment, playing


def _customers(shown: Demo) -> int:
    key = f"Bearer {shown.told['api_key']}"
    page = shown.get(f"{shown.told['api']}/customers?limit=100", Authorization=key)
    return len(page["customers"])


def test_the_demo_is_played_stopped_and_played_again(tmp_path: Path) -> None:
    with playing(tmp_path) as shown:
        assert "chưa xem được điểm" in shown.says("lan", text="xem điểm")[0]
        linked = shown.says("lan", phone=True)[0]
        assert "Mình đã liên kết tài khoản của bạn." in linked
        assert "đang giao" in shown.says("lan", text=shown.told["order"])[0]
        assert "T1" in shown.says("minh", text="yêu cầu hỗ trợ của tôi sao rồi")[0]
        assert "nhân viên" in shown.says("minh", text="cho mình gặp nhân viên")[0]
        assert "#1 Trần Quang Minh" in shown.says("hoa", text="/ds")[0]
        assert "(Zalo, còn" in shown.says("hoa", text="/vao 1")[0]
        assert "cần PIN" in shown.says("hoa", text="/diem 1 +5 tặng")[0]
        assert "/ok" in shown.says("hoa", text=shown.told["pin"])[0]
        assert _customers(shown) == 30
        key = shown.told["api_key"]
        assert shown.stop() == 0
    assert (tmp_path / "errors.txt").read_text() == ""
    assert (tmp_path / "data" / "demo.key").stat().st_mode & 0o777 == 0o600
    with playing(tmp_path) as shown:
        assert "điểm" in shown.says("lan", text="xem điểm")[0]
        assert "chưa xem được điểm" not in shown.heard("lan")[0]
        assert _customers(shown) == 30
        assert shown.told["api_key"] == key
        assert shown.stop() == 0


def test_the_third_thing_to_try_names_nobody_by_a_number_that_may_be_another_customers(tmp_path: Path) -> None:
    settings = demo.settings_of(Settings(data_dir=tmp_path), 8080, demo.address(8081))
    told = "\n".join(demo.welcome(settings, 8081, 8080, 8081).lines)
    assert '"/vao"' in told and "/vao 1" not in told


def test_commands_beside_the_demo_find_its_settings(tmp_path: Path) -> None:
    given = Settings(data_dir=tmp_path, timezone=ZoneInfo("Asia/Tokyo"), locale="en", broadcast_alone=7)
    settings = demo.settings_of(given, 8123, demo.address(8124))
    assert (settings.timezone, settings.locale, settings.broadcast_alone) == (given.timezone, "en", 7)
    demo.lay_out(settings)
    kept = tmp_path / "demo.env"
    assert Settings.from_env(kept, {}) == settings
    assert kept.stat().st_mode & 0o777 == 0o600
    said = subprocess.run(
        ["sh", "-c", '(set -a; . "$0"; echo "$BRAND_NAME|$OPENING_HOURS")', str(kept)],
        env=environment(), text=True, capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert said == f"{settings.brand_name}|{settings.opening_hours}\n"


def test_a_second_demo_in_the_same_folder_does_not_start(tmp_path: Path) -> None:
    with demo.playing(tmp_path / "data"):
        second = subprocess.run(
            [sys.executable, str(MAIN), "demo"],
            cwd=tmp_path, env=environment(), text=True, capture_output=True, timeout=20, check=False,
        )  # fmt: skip
    assert second.returncode == 1
    assert second.stderr == "khachquen: a demo is running in data already: stop it with Ctrl-C, or set DATA_DIR\n"


def test_a_taken_port_is_left_alone_and_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        port = demo.free_port(taken)
        assert port > taken
        assert demo.free_port(port, taken=port) > port
        settings = demo.settings_of(Settings(data_dir=tmp_path), port, demo.address(9))
    lines = demo.welcome(settings, 8081, taken, 8081).lines
    assert lines[0] == f"Cổng {taken} đang bận, dùng {port}. / Port {taken} is taken, {port} is used instead."
    assert not any("bận" in line for line in demo.welcome(settings, 8081, port, 8081).lines)


def test_who_starts_it_reads_the_manager_s_pin(tmp_path: Path) -> None:
    settings = demo.settings_of(Settings(data_dir=tmp_path), 8080, demo.address(8081))
    report = demo.welcome(settings, 8081, 8080, 8081)
    assert [line for line in report.lines if "PIN" in line and str(report.data["pin"]) in line]


def test_no_port_at_all_is_an_error_in_words() -> None:
    with pytest.raises(Refused, match="no free port"):
        demo.free_port(65_536)


def test_the_real_shop_is_never_touched(tmp_path: Path) -> None:
    real = Settings(
        data_dir=tmp_path, database_url="postgresql://real", secret_key="real", zalo_access_token="real", locale="en"
    )
    settings = demo.settings_of(real, 8080, "http://127.0.0.1:8081")
    assert settings.locale == "en"
    assert settings.database_url == f"sqlite:///{tmp_path}/demo.db"
    played = [getattr(settings, name) for name in ("zalo_api_url", "zalo_oauth_url", "messenger_graph_url")]
    assert all(address.startswith("http://127.0.0.1:8081/") for address in played)
    assert "real" not in (settings.secret_key, settings.zalo_access_token)
