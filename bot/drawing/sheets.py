"""Tables as an XLSX workbook: words stay words, whatever they begin with."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

_WIDEST = 60
_NOT_IN_TITLES = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_UNSEEN = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])
"""What no cell may hold."""


def workbook(sheets: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> bytes:
    """A workbook of these sheets, each a title and rows of words and numbers, the first row as its head."""
    book = Workbook(write_only=True)
    for title, rows in sheets:
        sheet = book.create_sheet(title.translate(_NOT_IN_TITLES)[:31])
        sheet.freeze_panes = "A2"
        for column, cells in enumerate(zip(*rows, strict=True), 1):
            width = min(_WIDEST, max(len(str(cell)) for cell in cells) + 2)
            sheet.column_dimensions[get_column_letter(column)].width = width
        for place, row in enumerate(rows):
            sheet.append([_cell(sheet, value, is_head=place == 0) for value in row])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _cell(sheet: WriteOnlyWorksheet, value: Any, *, is_head: bool) -> WriteOnlyCell:
    """One cell. Words that begin like a formula are no formula: a customer or colleague may be called so."""
    cell = WriteOnlyCell(sheet, value.translate(_UNSEEN) if isinstance(value, str) else value)
    if isinstance(value, str):
        cell.data_type = "s"
    if is_head:
        cell.font = Font(bold=True)
    return cell
