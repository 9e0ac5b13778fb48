"""The guides name what is there: every operation, field, status and gauge."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from crm.customers import Outcome
from crm.orders import Status
from web.app import OPERATIONS
from web.customers import CustomerIn
from web.health import Health
from web.operations import Operation
from web.orders import OrderIn

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    "word", [*CustomerIn.model_fields, *OrderIn.model_fields, *(str(word) for word in (*Status, *Outcome))]
)
def test_the_guide_names_every_field_and_word(word: str) -> None:
    assert f"`{word}`" in (DOCS / "api.md").read_text()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_guide_shows_every_operation(operation: Operation) -> None:
    shown = re.sub(r"\{.*?\}", "[^/ ]+", operation.path)
    method = "-X PUT .*" if operation.method == "PUT" else f"`{operation.method} "
    assert re.search(rf"{method}[^ ]*{shown}[`?\" ]", (DOCS / "api.md").read_text())


@pytest.mark.parametrize("name", [field.name for field in fields(Health)])
def test_the_health_page_explains_every_field(name: str) -> None:
    assert f"`{name}`" in (DOCS / "operations-health.md").read_text()
