"""The guides lead from an empty server to an OA and a Page that answer, and both languages say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guide import NOT_HERE, TYPED, chapter, commands, followed, steps

CHAPTERS = (("Zalo OA", "Zalo OA"), ("Facebook Messenger", "Facebook Messenger"))
INSTALL = (
    ("1. The program", "1. Chương trình"),
    ("2. The settings", "2. Cấu hình"),
    ("3. The service", "3. Dịch vụ"),
    ("4. HTTPS", "4. HTTPS"),
    ("5. A look", "5. Kiểm tra"),
    ("6. Zalo and Facebook", "6. Zalo và Facebook"),
)
WORDS = (
    ("<this repository>", "<kho mã này>"),
    ("<the key from above>", "<khóa vừa tạo>"),
    ("<your shop>", "<tên cửa hàng>"),
    ("<your domain>", "<tên miền>"),
)


async def test_who_follows_the_guides_comes_from_an_empty_server_to_answers_on_both_channels(tmp_path: Path) -> None:
    newcomer = await followed(tmp_path)
    assert "ZALO_APP_ID is not set" in newcomer.unfinished[0]
    assert not (tmp_path / "token.txt").exists()
    assert len(newcomer.took) == 5 + 7 + 7 + 3


@pytest.mark.parametrize(("english", "vietnamese"), CHAPTERS)
def test_both_guides_ask_for_the_same_settings_and_commands_in_the_same_steps(english: str, vietnamese: str) -> None:
    ours, theirs = steps("connect.md", english), steps("connect.vi.md", vietnamese)
    assert [each[1:] for each in ours] == [each[1:] for each in theirs]
    assert any(step.commands for step in ours) and any(step.settings for step in ours)


@pytest.mark.parametrize(("english", "vietnamese"), INSTALL)
def test_both_installations_type_the_same(english: str, vietnamese: str) -> None:
    theirs = "\n".join(commands(chapter("cai-dat.vi.md", vietnamese)))
    for ours, word in WORDS:
        theirs = theirs.replace(word, ours)
    assert theirs.splitlines() == list(commands(chapter("install.md", english)))


def test_no_command_is_known_that_no_guide_shows() -> None:
    shown = {line for english, _ in INSTALL for line in commands(chapter("install.md", english))}
    shown |= {line for english, _ in CHAPTERS for step in steps("connect.md", english) for line in step.commands}
    assert (set(TYPED) | NOT_HERE) - shown == set()
