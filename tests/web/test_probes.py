"""Probes and the front page: what watchers and Zalo ask is answered, whatever is broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import knock
from tests.web.conftest import SECRET, Client, Patient
from web.health import Health

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_who_runs_is_alive_even_when_nothing_else_works(stranger: Client, patient: Patient) -> None:
    patient.failure = RuntimeError("no database")
    assert (await stranger.get("/healthz")).status == 200


async def test_ready_shows_what_waits(stranger: Client, patient: Patient) -> None:
    patient.health = Health(ready=True, inbox_age_s=1.5, token_age_days={"zalo": 3}, pending_channels=("messenger",))
    async with stranger.get("/readyz") as response:
        shown = await response.json()
        assert response.status == 200
    assert (shown["inbox_age_s"], shown["token_age_days"], shown["pending_channels"]) == (
        1.5,
        {"zalo": 3},
        ["messenger"],
    )


async def test_not_ready_is_503_with_its_reasons(stranger: Client, patient: Patient) -> None:
    patient.health = Health(ready=False, reasons=("a migration is pending",))
    async with stranger.get("/readyz") as response:
        assert (response.status, (await response.json())["reasons"]) == (503, ["a migration is pending"])


async def test_a_look_that_fails_is_not_ready_and_tells_no_secret(stranger: Client, patient: Patient) -> None:
    patient.failure = RuntimeError("password=hunter2")
    async with stranger.get("/readyz") as response:
        text = await response.text()
        assert response.status == 503 and response.content_type == "application/json"
    assert "hunter2" not in text


async def test_figures_follow_health(stranger: Client, patient: Patient) -> None:
    patient.health = Health(
        ready=True, inbox_age_s=4, outbox_age_s=5, job_age_s=6, dead=2, unknown=3, wal_bytes=4096,
        token_age_days={"zalo:1": 7.5}, alarms=("token",), pending_channels=("messenger",),
    )  # fmt: skip
    text = await (await stranger.get("/metrics")).text()
    for line in (
        "khachquen_ready 1.0",
        'khachquen_queue_age_seconds{queue="inbox"} 4.0',
        'khachquen_queue_age_seconds{queue="outbox"} 5.0',
        'khachquen_queue_age_seconds{queue="job"} 6.0',
        "khachquen_dead_rows 2.0",
        "khachquen_unknown_sends 3.0",
        "khachquen_wal_bytes 4096.0",
        'khachquen_token_age_days{account="zalo:1"} 7.5',
        "khachquen_alarms 1.0",
        "khachquen_pending_channels 1.0",
    ):
        assert line in text.splitlines()


async def test_an_account_that_went_away_leaves_no_figure(stranger: Client, patient: Patient) -> None:
    patient.health = Health(ready=True, token_age_days={"zalo:1": 7})
    await stranger.get("/metrics")
    patient.health = replace(patient.health, token_age_days={})
    assert "zalo:1" not in await (await stranger.get("/metrics")).text()


async def test_figures_are_shown_even_when_health_is_not_known(stranger: Client, patient: Patient) -> None:
    patient.failure = RuntimeError("no database")
    async with stranger.get("/metrics") as response:
        assert response.status == 200 and "khachquen_ready 0.0" in (await response.text()).splitlines()


async def test_the_front_page_carries_the_proof_and_escapes_the_brand(stranger: Client) -> None:
    async with stranger.get("/") as response:
        page = await response.text()
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert '<meta name="zalo-platform-site-verification" content="proof-1">' in page
    assert "Trà &lt;Sen&gt;" in page and "<Sen>" not in page


async def test_only_our_own_verifier_file_is_there(stranger: Client) -> None:
    async with stranger.get("/zalo_verifierproof-1.html") as response:
        assert response.status == 200 and 'content="proof-1"' in await response.text()
    assert (await stranger.get("/zalo_verifierproof-2.html")).status == 404


async def test_only_our_own_doctor_is_told_which_headers_arrived(stranger: Client) -> None:
    proof = knock.asked(SECRET, "nonce")
    for header in ("", "nonce", "nonce.", f"another.{proof.partition('.')[2]}", knock.asked("a guess", "nonce"), "é.x"):
        async with stranger.get("/healthz", headers={knock.HEADER: header}) as response:
            assert await response.json() == {"alive": True}
    async with stranger.get("/healthz", headers={knock.HEADER: proof, "num_retry": "1"}) as response:
        told = await response.json()
    assert told["knock"] == knock.answered(SECRET, "nonce") != proof.partition(".")[2]
    assert {"num_retry", knock.HEADER.lower()} <= set(told["headers"])
