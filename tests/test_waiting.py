"""`khachquen waiting`: who was put off is listed so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from storage import conversations, customers
from tests.storage.rows import person, transaction
from tests.test_commands import SECRET, Line


@pytest.mark.parametrize("wrote", [False, True])
def test_who_was_put_off_is_listed_so_until_they_write(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str, wrote: bool
) -> None:
    line = Line(capsys, monkeypatch)
    line.set(SECRET_KEY=SECRET, DATABASE_URL=database_url)
    now = datetime.now(UTC).replace(microsecond=0)
    with transaction(database_url) as session:
        waits = {"id": person(session, "1"), "waiting_since": now - timedelta(hours=1)}
        spoke = now if wrote else now - timedelta(hours=1)
        customers.set_identities(session, [{"id": waits["id"], "last_interaction_at": spoke}])
        put_off = {"snoozed_at": now - timedelta(minutes=1), "snoozed_until": now + timedelta(hours=2)}
        conversations.set_conversations(session, [waits | put_off])
    (found,) = line("waiting", "--json").json
    until = None if wrote else now + timedelta(hours=2)
    assert (found["put_off_until"] and datetime.fromisoformat(found["put_off_until"])) == until
    assert ("[put off until " in line("waiting").out) is not wrote
