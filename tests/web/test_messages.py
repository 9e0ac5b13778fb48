"""Finding messages by the API and on the command line, page by page."""

from __future__ import annotations

from functools import partial

import pytest
from sqlmodel import Session

from storage import transcripts
from storage.database import Database
from tests.storage.rows import person, transaction
from tests.storage.test_transcripts import line
from tests.test_commands import SECRET, Line
from tests.web.conftest import Client

PATH = "/api/v1/messages"


def tell(session: Session, count: int) -> None:
    """Somebody asked for prices so often, and said something else in between."""
    lan = person(session, "1")
    for number in range(count):
        transcripts.add_messages(session, [line(lan, f"a{number}", text=f"Giá món {number}?"), line(lan, f"b{number}")])


async def test_older_messages_follow_until_all_were_looked_through(pos: Client, database: Database) -> None:
    await database.write(partial(tell, count=12))
    first = await (await pos.get(PATH, params={"words": "gia mon"})).json()
    assert [each["text"] for each in first["messages"]] == [f"Giá món {number}?" for number in range(11, 1, -1)]
    rest = await (await pos.get(PATH, params={"words": "GIÁ", "before": first["next"]})).json()
    assert [each["text"] for each in rest["messages"]] == ["Giá món 1?", "Giá món 0?"]
    assert rest["next"] is None
    assert (rest["messages"][0]["author"], rest["messages"][0]["channel"]) == ("customer", "zalo")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_too_little_is_not_looked_for_and_strangers_find_nothing(pos: Client, stranger: Client) -> None:
    for params in ({"words": "? !"}, {"words": "a"}, {"words": "giá", "before": "x"}):
        assert (await pos.get(PATH, params=params)).status == 422, params
    assert (await stranger.get(PATH, params={"words": "giá"})).status == 401


def test_the_command_line_finds_them_and_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    typed = Line(capsys, monkeypatch)
    typed.set(SECRET_KEY=SECRET, DATABASE_URL=database_url)
    with transaction(database_url) as session:
        tell(session, 11)
    found = typed("find", "gia", "mon", "--json").json
    assert len(found["messages"]) == 10 and found["next"]
    told = typed("find", "gia", "mon").out
    assert f"khachquen find gia mon --before {found['next']}" in told
    assert "Giá món 0?" in typed("find", "gia", "mon", "--before", found["next"]).out
    assert typed("find", "?!").status == 1
