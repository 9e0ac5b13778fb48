"""Any history of rewards taken, vouchers reserved, redeemed, released and cancelled, and cards stamped, adds up."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlmodel import Session

from crm import ledger, rewards, stamps, vouchers
from crm.errors import CrmError
from crm.ledger import Fact
from crm.vouchers import VoucherRow
from storage import engines, ledger_check
from storage import rewards as stock
from tests.conftest import Clock
from tests.crm.rewards import member, open_shop

HAD = 100
PRICES = {"coffee": 30, "last": 10, "off": 20}
BILLS = st.sampled_from(["bill 1", "bill 2", "bill 3"])
WHICH = st.integers(0, 30)


class Machine(RuleBasedStateMachine):
    """Two members and a till; beside the shop, what each voucher's sales came to as one would note it on paper."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.engine = engines.writer(self.url, "OFF")
        self.connection = self.engine.connect()
        self.connection.begin()
        self.session = Session(bind=self.connection)
        self.clock = Clock()
        open_shop(self.session, self.clock())
        self.people = [member(self.session, name, HAD, self.clock()) for name in ("lan", "minh")]
        self.found: list[int] = []
        self.cancelled: set[int] = set()
        self.sales: dict[tuple[int, str], tuple[str, datetime | None]] = {}
        self.stamped: Counter[int] = Counter()
        self.count = 0

    def teardown(self) -> None:
        self.session.close()
        self.connection.rollback()
        self.connection.close()
        self.engine.dispose()

    def voucher(self, which: int) -> VoucherRow:
        """One of those that were ever taken."""
        return vouchers.find(self.session, self.found[which % len(self.found)], self.clock())

    def fact(self, key: str) -> Fact:
        """A sale or a wish of this moment."""
        return Fact(key=key, now=self.clock())

    def tries(self, act: Callable[[], object], *, may: bool) -> bool:
        """Do it; it is done just where it may be, and what is refused has changed nothing."""
        before = self._all()
        try:
            act()
        except CrmError:
            assert not may
            assert self._all() == before
            return False
        assert may
        return True

    def _all(self) -> tuple[object, ...]:
        held = [ledger.holding(self.session, each) for each in self.people]
        return held, stock.taken(self.session), [vouchers.find(self.session, each, self.clock()) for each in self.found]

    def counts(self, voucher_id: int) -> tuple[int, int]:
        """How many uses are redeemed and how many reserved now, on paper."""
        own = [sale for (each, _), sale in self.sales.items() if each == voucher_id]
        reserved = sum(state == "reserved" and until is not None and until > self.clock() for state, until in own)
        return sum(state == "redeemed" for state, _ in own), reserved

    def is_usable(self, voucher: VoucherRow) -> bool:
        """Whether it has a use left for anybody, on paper."""
        fresh = voucher.id not in self.cancelled and voucher.expires_at > self.clock()
        return fresh and sum(self.counts(voucher.id)) < voucher.uses

    @rule(who=st.integers(0, 1), reward=st.sampled_from(["coffee", "last", "off", "gold", "none"]))
    def take(self, who: int, reward: str) -> None:
        self.count += 1
        fact, customer = self.fact(f"wish {self.count}"), self.people[who]
        if reward in PRICES:
            offer = rewards.offer(self.session, customer, reward, self.clock())
            may = offer.why is rewards.Why.OPEN
        else:
            may = False
        if self.tries(lambda: rewards.take(self.session, customer, reward, fact), may=may):
            voucher, repeated = rewards.take(self.session, customer, reward, fact)
            assert repeated
            self.found.append(voucher.id)

    @precondition(lambda self: self.found)
    @rule(which=WHICH, bill=BILLS, minutes=st.sampled_from([5, 60 * 24]))
    def reserve(self, which: int, bill: str, minutes: int) -> None:
        voucher, now = self.voucher(which), self.clock()
        state, until = self.sales.get((voucher.id, bill), ("", None))
        lives = state == "reserved" and until is not None and until > now
        end = now + timedelta(minutes=minutes)
        may = lives or (not state and self.is_usable(voucher))
        if self.tries(lambda: vouchers.reserve(self.session, voucher.id, self.fact(bill), end), may=may) and not lives:
            self.sales[voucher.id, bill] = ("reserved", end)

    @precondition(lambda self: self.found)
    @rule(which=WHICH, bill=BILLS)
    def redeem(self, which: int, bill: str) -> None:
        voucher = self.voucher(which)
        state, until = self.sales.get((voucher.id, bill), ("", None))
        lives = state == "reserved" and until is not None and until > self.clock()
        may = state == "redeemed" or lives or (state != "released" and self.is_usable(voucher))
        if self.tries(lambda: vouchers.redeem(self.session, voucher.id, self.fact(bill)), may=may):
            self.sales[voucher.id, bill] = ("redeemed", None)

    @precondition(lambda self: self.found)
    @rule(which=WHICH, bill=BILLS)
    def release(self, which: int, bill: str) -> None:
        voucher = self.voucher(which)
        may = (voucher.id, bill) in self.sales
        if self.tries(lambda: vouchers.release(self.session, voucher.id, self.fact(bill)), may=may):
            self.sales[voucher.id, bill] = ("released", None)

    @precondition(lambda self: self.found)
    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        voucher = self.voucher(which)
        free = not any(self.counts(voucher.id)) and voucher.expires_at > self.clock() and voucher.currency == "spend"
        may = voucher.id in self.cancelled or free
        if self.tries(lambda: rewards.give_back(self.session, voucher.id, self.fact("undo")), may=may):
            self.cancelled.add(voucher.id)

    @rule(who=st.integers(0, 1), some=st.integers(1, 20))
    def stamp(self, who: int, some: int) -> None:
        self.count += 1
        fact = self.fact(f"visit {self.count}")
        brought = stamps.give(self.session, self.people[who], some, "", fact)
        assert stamps.give(self.session, self.people[who], some, "", fact) == []
        self.stamped[who] += some
        self.found += [each.id for each in brought]

    @rule(hours=st.sampled_from([1, 25, 24 * 6]))
    def time_passes(self, hours: int) -> None:
        self.clock.pass_by(hours=hours)

    @invariant()
    def every_voucher_stands_as_on_paper(self) -> None:
        for voucher_id in self.found:
            voucher = vouchers.find(self.session, voucher_id, self.clock())
            assert (voucher.redeemed, voucher.reserved) == self.counts(voucher_id)
            assert voucher.left >= 0 and (voucher.cancelled_at is not None) is (voucher_id in self.cancelled)

    @invariant()
    def points_stock_and_stamps_add_up(self) -> None:
        rows = [vouchers.find(self.session, each, self.clock()) for each in self.found]
        kept = [each for each in rows if each.currency == "spend" and each.id not in self.cancelled]
        assert Counter(each.reward for each in kept) == Counter(stock.taken(self.session))
        for who, customer in enumerate(self.people):
            own = Counter(each.reward for each in kept if each.customer_id == customer)
            paid = sum(PRICES[reward] * number for reward, number in own.items())
            assert ledger.holding(self.session, customer).balance == HAD - paid >= 0
            assert own["last"] <= 1 and own["off"] <= 1
            full = sum(each.currency == "stamp:coffee" and each.customer_id == customer for each in rows)
            assert full == self.stamped[who] // 9
            assert ledger.holding(self.session, customer, "stamp:coffee").balance == self.stamped[who] % 9
        assert ledger_check.faults(self.session) == []


@pytest.mark.timeout(170)
def test_any_history_of_vouchers_adds_up(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "machine.db"
    shutil.copy(sqlite_template, path)
    machine = type("Running", (Machine,), {"url": f"sqlite:///{path}"})
    chosen = settings(
        max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=chosen)
