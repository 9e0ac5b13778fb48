"""Care rules in the API: looked through, kept, turned on, and how they stand."""

from __future__ import annotations

from tests.conftest import Clock
from tests.crm.test_care_file import RULE
from tests.web.conftest import Client
from tests.web.test_api import refused
from tests.web.test_loyalty import LAN, ORDER, answer


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


async def test_what_a_rule_will_do_for_a_customer_is_told_and_nothing_is_kept(pos: Client, clock: Clock) -> None:
    await answer(pos, "POST", "/care/rules", {"source": RULE})
    await answer(pos, "PUT", "/care/rules/thanks/state", {"state": "on"})
    clock.pass_by(hours=1)
    await answer(pos, "PUT", "/customers/C1", LAN)
    await answer(pos, "PUT", "/orders/pos/A1", ORDER | {"updated_at": clock().isoformat()})
    asked = "/care/rules/thanks/timeline?customer=C1"
    (step,) = (await answer(pos, "GET", asked))["steps"]
    assert (step["at"], step["state"], step["reason"], step["text"]) == (
        "2026-11-25T02:30:00Z", "planned", "no_identity", "",
    )  # fmt: skip
    assert step["subject"].startswith("order:")
    assert (step["words"], step["why"]) == ("đơn DH1", "khách chưa có ở kênh nào")
    (step,) = (await answer(pos, "GET", f"{asked}&locale=en"))["steps"]
    assert (step["words"], step["why"]) == ("the order DH1", "they are on no channel")
    assert (await answer(pos, "GET", f"{asked}&until=2026-11-25T02:00:00Z"))["steps"] == []
    assert (await answer(pos, "GET", "/care/rules/thanks"))["waiting"] == 0
    for wrong, status, field in (
        ("locale=fr", 422, "locale"),
        ("until=2020-01-01T00:00:00Z", 422, "until"),
        ("until=2027-01-01", 422, "until"),
    ):
        assert await refused(pos, "GET", f"/api/v1{asked}&{wrong}") == (status, [field])
    assert await refused(pos, "GET", "/api/v1/care/rules/thanks/timeline?customer=C9") == (404, ["customer"])


async def test_a_program_is_warned_as_the_command_line_is(pos: Client) -> None:
    rule = {"source": RULE.replace("days = 2", 'days = 2\ncondition = "nhom:vip_moi"')}
    checked = await answer(pos, "POST", "/care/checks", rule)
    assert (checked["fits"], [each["place"] for each in checked["problems"]]) == (True, ["condition"])
    loaded = await answer(pos, "POST", "/care/rules", rule)
    turned_on = await answer(pos, "PUT", "/care/rules/thanks/state", {"state": "on"})
    assert loaded["warnings"] == turned_on["warnings"] == checked["problems"]
    await answer(pos, "PUT", "/segments/vip_moi", {"segment": "vip"})
    assert (await answer(pos, "PUT", "/care/rules/thanks/state", {"state": "on"}))["warnings"] == []
