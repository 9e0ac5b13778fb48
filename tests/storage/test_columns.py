"""Ids that never meet, hashes that keep nothing readable."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.columns import hashed, hashed_id, new_id


def test_ids_are_unique_across_threads_and_grow_within_each() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: [new_id() for _ in range(2000)], range(8)))
    assert len({each for ids in found for each in ids}) == 16_000
    assert all(ids == sorted(ids) for ids in found)


def test_processes_forked_from_one_that_gave_ids_do_not_share_its_part_of_them() -> None:
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        found = pool.map(_id_of_this_process, range(8), chunksize=1)
    assert len({each % 4096 for each in found}) > 4, "the lowest 12 bits stand for the process, and each had one id"


def _id_of_this_process(_: int) -> int:
    return new_id()


def test_ids_fit_a_signed_column_of_64_bits() -> None:
    assert 0 < new_id() < 2**63


@pytest.mark.parametrize(("one", "other"), [(("ab", "c"), ("a", "bc")), (("a", ""), ("a",)), (("é",), ("e\u0301",))])
def test_different_parts_have_different_hashes(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert hashed(*one) != hashed(*other)
    assert hashed_id(*one) != hashed_id(*other)


def test_any_text_can_be_hashed() -> None:
    assert len(hashed("\ud83d", "\0", "ễ")) == 16
    assert 0 <= hashed_id("\ud83d") < 2**63
