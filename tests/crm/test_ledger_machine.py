"""Any history of purchases, refunds, redemptions, adjustments, expiry and joins keeps the word of the ledger."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlmodel import Session

from crm import adjustments, customers, due, ledger, loyalty, membership, orders, reckoning, refunds, reservations
from crm.errors import Conflict, CrmError, Invalid
from crm.ledger import Fact, NotEnough
from crm.orders import Item, News, Status
from crm.refunds import Refund
from storage import engines, ledger_check, lots, members
from storage import loyalty as entries
from storage.columns import NEVER
from tests.conftest import Clock
from tests.crm import programme
from tests.crm.people import born
from tests.crm.replay import replay

DAY = timedelta(days=1)
OWNERS = ("C1", "C2")
SHORT = programme.FULL.replace("expire_months = 12", "expire_months = 1").replace('= "month"', '= "day"')


class Machine(RuleBasedStateMachine):
    """Two customers of a shop, its orders, one clock, and whatever the POS, the counter and time may do."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.engine = engines.writer(self.url, "OFF")
        self.connection = self.engine.connect()
        self.connection.begin()
        self.session = Session(bind=self.connection)
        self.clock = Clock()
        self.ids = [customers.known(self.session, name, self.clock()) for name in OWNERS]
        programme.load(self.session, SHORT, self.clock())
        self.told: dict[str, News] = {}
        self.said: dict[tuple[str, int, Status], News] = {}
        self.redeemed: list[int] = []
        self.reserved: list[int] = []
        self.done: list[Callable[[], object]] = []
        self.count = 0

    def teardown(self) -> None:
        self.session.close()
        self.connection.rollback()
        self.connection.close()
        self.engine.dispose()

    def fact(self, what: str) -> Fact:
        """A new fact of this moment."""
        self.count += 1
        return Fact(key=f"{what}:{self.count}", now=self.clock())

    def does(self, act: Callable[[], object]) -> None:
        """Do it, and remember it to be told again; what is refused has changed nothing."""
        self._catch_up()
        before = self._state()
        try:
            act()
        except (NotEnough, Conflict, Invalid):
            assert self._state() == before
        else:
            self.done.append(act)

    def _catch_up(self) -> None:
        """Let what time has brought be written, so that what comes next is all that changes."""
        for customer in self.ids:
            ledger.catch_up(self.session, customer, self.clock())

    def _state(self) -> list[ledger.Holding]:
        return [ledger.holding(self.session, customer) for customer in self.ids]

    @rule(
        name=st.sampled_from("ABC"), version=st.integers(1, 9), status=st.sampled_from(Status),
        tens=st.integers(0, 40), owner=st.sampled_from(OWNERS), beans=st.integers(0, 2),
    )  # fmt: skip
    def buy(self, name: str, version: int, status: Status, tens: int, owner: str, beans: int) -> None:
        items = (Item("Cà phê hạt", beans, 10_000, category="beans"),) if beans else ()
        first = self.told.get(name)
        news = News(
            source="pos", external_id=name, customer=owner, status=status, total=tens * 10_000, version=version,
            placed_at=first.placed_at if first else self.clock(), changed_at=self.clock(), items=items, code=name,
        )  # fmt: skip
        self.told.setdefault(name, news)
        said = self.said.setdefault((name, version, status), news)
        self.does(lambda: orders.put(self.session, said, self.clock()))

    @rule(name=st.sampled_from("ABC"), number=st.integers(1, 3), amount=st.integers(1, 400_000))
    def refund(self, name: str, number: int, amount: int) -> None:
        if name in self.told:
            back = Refund(refunded_at=self.clock(), amount=amount)
            self.does(lambda: refunds.put(self.session, "pos", name, f"R{number}", back, self.clock()))

    @rule(who=st.integers(0, 1), tens=st.integers(1, 200), ago=st.sampled_from([0, 8]), parts=st.integers(1, 3))
    def buy_and_give_all_back(self, who: int, tens: int, ago: int, parts: int) -> None:
        """Whether its points wait still or are there at once: after the last refund all is as it was before."""
        self._catch_up()
        before, at = self._all_of(who), self.clock() - ago * DAY
        self.count += 1
        news = News(
            source="pos", external_id=f"back {self.count}", customer=OWNERS[who], status=Status.DELIVERED,
            total=tens * 10_000, version=1, placed_at=at, changed_at=at, code="B",
        )  # fmt: skip
        orders.put(self.session, news, self.clock())
        left = news.total
        for number in range(parts):
            amount = left if number == parts - 1 else left // 2
            left -= amount
            back = Refund(refunded_at=self.clock(), amount=amount)
            refunds.put(self.session, "pos", news.external_id, f"R{number}", back, self.clock())
        assert self._all_of(who) == before

    def _all_of(self, who: int) -> object:
        customer = self.ids[who]
        member = members.member(self.session, customer)
        return (
            ledger.holding(self.session, customer), ledger.holding(self.session, customer, "qualify").balance,
            lots.open_lots(self.session, customer, "spend"),
            (member.tier, member.first_order_id) if member else ("", None),
        )  # fmt: skip

    @rule(who=st.integers(0, 1), points=st.integers(1, 60))
    def redeem(self, who: int, points: int) -> None:
        fact = self.fact("redeem")
        able = loyalty.card(self.session, self.ids[who], self.clock()).spendable
        try:
            done = ledger.redeem(self.session, self.ids[who], points, fact)
        except NotEnough:
            assert able < points
            return
        assert able - points == done.spendable
        self.redeemed.append(done.entry_id)
        self.done.append(lambda: ledger.redeem(self.session, self.ids[who], points, fact))

    @precondition(lambda self: self.redeemed)
    @rule(which=st.integers(0, 50))
    def give_back(self, which: int) -> None:
        entry_id, fact = self.redeemed[which % len(self.redeemed)], self.fact("back")
        self.does(lambda: loyalty.give_back(self.session, entry_id, fact))

    @rule(who=st.integers(0, 1), points=st.integers(1, 40), minutes=st.integers(1, 5000))
    def reserve(self, who: int, points: int, minutes: int) -> None:
        fact, until = self.fact("reserve"), self.clock() + timedelta(minutes=minutes)

        def act() -> None:
            found = reservations.reserve(self.session, self.ids[who], points, fact, until)
            if found.id not in self.reserved:
                self.reserved.append(found.id)

        self.does(act)

    @precondition(lambda self: self.reserved)
    @rule(which=st.integers(0, 50), commit=st.booleans())
    def decide(self, which: int, commit: bool) -> None:
        number = self.reserved[which % len(self.reserved)]
        act = reservations.spend if commit else reservations.cancel
        self.does(lambda: act(self.session, number, self.clock()))

    @rule(who=st.integers(0, 1), points=st.integers(-30, 30).filter(bool))
    def adjust(self, who: int, points: int) -> None:
        fact = replace(self.fact("adjust"), reason="bù", actor="staff:1")
        self.does(lambda: adjustments.adjust(self.session, self.ids[who], points, fact))

    @rule(who=st.integers(0, 1), points=st.integers(1, 30))
    def guest_turns_out_to_be(self, who: int, points: int) -> None:
        guest = born(self.session, self.clock(), user_id=f"u{self.count}").customer_id
        ledger.earn(self.session, guest, points, self.fact("gift"))
        fact = self.fact("join")
        ledger.transfer(self.session, guest, self.ids[who], self.clock(), fact.key)

    @rule(hours=st.sampled_from([1, 24, 24 * 8, 24 * 20]))
    def time_passes(self, hours: int) -> None:
        self.clock.pass_by(hours=hours)

    @rule(size=st.integers(1, 5))
    def what_is_due_is_done(self, size: int) -> None:
        now = self.clock()
        while due.lapse(self.session, size, now):
            pass
        for work in (due.release, due.expire, membership.review):
            cursor: tuple[object, int] | None = (NEVER, 0)
            while cursor is not None:
                cursor = work(self.session, cursor, size, now)  # type: ignore[arg-type]
        assert lots.due_for_release(self.session, now, (NEVER, 0), 9) == []
        assert all(lot.free == 0 for lot in lots.due_for_expiry(self.session, now, (NEVER, 0), 9))

    @precondition(lambda self: self.done)
    @rule(which=st.integers(0, 200))
    def told_again(self, which: int) -> None:
        """What was told before changes nothing but what time has brought since."""
        act = self.done[which % len(self.done)]
        self._catch_up()
        before = self._state()
        try:
            act()
        except CrmError:
            return
        assert self._state() == before

    @invariant()
    def every_sum_agrees(self) -> None:
        assert ledger_check.faults(self.session) == []

    @invariant()
    def worked_out_anew_from_nothing_it_is_what_is_stored(self) -> None:
        replay(self.session)

    @invariant()
    def nobody_owes_while_they_could_pay(self) -> None:
        for customer in self.ids:
            held = ledger.holding(self.session, customer)
            if held.debt:
                usable = [
                    lot
                    for lot in lots.open_lots(self.session, customer, "spend")
                    if not lot.pending and lot.free and lot.expires_at > self.clock()
                ]
                assert usable == []

    @invariant()
    def the_ledger_holds_what_every_order_earned(self) -> None:
        for name in self.told:
            order = orders.find(self.session, "pos", name)
            written = [
                entry.points
                for entry in entries.of_order(self.session, order.id)
                if entry.kind in ("earn", "reverse") and entry.currency == "spend"
            ]
            if order.customer_id in self.ids:
                assert sum(written) == reckoning.reckon(self.session, order).due.get("spend", 0)


def run(url: str, histories: int, steps: int) -> None:
    """So many histories of so many steps; raises where one breaks a promise. The database has the schema only."""
    machine = type("Running", (Machine,), {"url": url})
    chosen = settings(
        max_examples=histories, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=chosen)


@pytest.mark.timeout(170)
def test_any_history_keeps_the_ledgers_word(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "machine.db"
    shutil.copy(sqlite_template, path)
    run(f"sqlite:///{path}", histories=12, steps=30)
