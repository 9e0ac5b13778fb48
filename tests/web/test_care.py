"""Care rules in the API: looked through, kept, turned on, and how they stand."""

from __future__ import annotations

from tests.crm.test_care_file import RULE
from tests.web.conftest import Client
from tests.web.test_api import refused
from tests.web.test_loyalty import answer


async def test_a_rule_is_loaded_turned_on_and_told_of(pos: Client) -> None:
    checked = await answer(pos, "POST", "/care/checks", {"source": RULE.replace('"09:30"', '"23:00"')})
    assert (checked["fits"], checked["problems"][0]["place"]) == (False, "at")
    loaded = await answer(pos, "POST", "/care/rules", {"source": RULE})
    assert (loaded["rule"], loaded["version"], loaded["state"]) == ("thanks", 1, "off")
    for state in ("on", "on", "paused", "paused", "off"):
        assert (await answer(pos, "PUT", "/care/rules/thanks/state", {"state": state}))["state"] == state
    assert await refused(pos, "PUT", "/api/v1/care/rules/thanks/state", json={"state": "paused"}) == (409, [])
    assert (await answer(pos, "GET", "/care/rules"))["rules"][0]["rule"] == "thanks"
    assert (await answer(pos, "GET", "/care/rules/thanks/source"))["source"] == RULE
    assert (await answer(pos, "GET", "/care/rules/thanks"))["waiting"] == 0
    assert (await answer(pos, "GET", "/care/rules/thanks/report"))["outcomes"] == []
    assert await refused(pos, "GET", "/api/v1/care/rules/nothing") == (404, ["rule"])
