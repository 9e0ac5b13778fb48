"""Texts that people type with gaps in them: `{{ khach.ten }}` that we know, and `[số ngày?]` that a person fills.

Such a text is not trusted: it is read by Jinja2, and refused unless it holds nothing but known names, known filters,
`if` and constants. What goes into it are words and numbers, never objects.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from crm.errors import Conflict, Invalid
from crm.words import money, number

LONGEST = 1500
MOST_BLANKS = 10
Values = Mapping[str, Mapping[str, str | int]]
"""What is known, by the two parts of its name: `{"khach": {"ten": "Lan"}}`."""

_BLANK = re.compile(r"\[([^\[\]{}?\n]{1,40})\?\]")
_HARMLESS = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.If, nodes.Compare, nodes.Operand, nodes.And,
    nodes.Or, nodes.Not,
)  # fmt: skip
_FILTERS = {"tien": money, "so": number, "upper": str.upper, "lower": str.lower}


class _Empty(TemplateError):
    """Nothing is known for a gap."""


def _shown(value: object) -> object:
    if value == "":
        raise _Empty
    return value


_environment = ImmutableSandboxedEnvironment(
    autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown
)
_environment.filters = dict(_FILTERS)
_environment.globals = {}


class _Gap(NamedTuple):
    """A name that is known by two parts, and what stands there where nothing is known."""

    group: str
    part: str
    instead: str


@dataclass(frozen=True, slots=True)
class Wording:
    """A text that was read: the blanks that a person fills, and the names that we do, in their order.

    `pieces` are the same text where it is nothing but words and gaps; then it is written without Jinja2, which would
    take ten times as long. None where it is more.
    """

    text: str
    blanks: tuple[str, ...]
    names: tuple[str, ...]
    pieces: tuple[str | _Gap, ...] | None = field(default=None, compare=False, repr=False)


def read(text: str, known: Collection[str]) -> Wording:
    """A text with gaps, where `known` are the names that may stand in it. Raises Invalid in words."""
    text = text.strip()
    if not 0 < len(text) <= LONGEST:
        raise Invalid("text", f"Nội dung cần từ 1 đến {LONGEST} ký tự.", f"A text has 1 to {LONGEST} characters.")
    blanks = _blanks(text)
    if len(blanks) > MOST_BLANKS:
        raise Invalid("text", f"Tối đa {MOST_BLANKS} chỗ trống.", f"{MOST_BLANKS} blanks at most.")
    try:
        tree = _environment.parse(_source(text))
        names = tuple(dict.fromkeys(_names(tree, known, {_variable(place) for place in range(len(blanks))})))
        _template(text)
    except TemplateError as error:
        line = error.lineno if isinstance(error, TemplateSyntaxError) else 1
        raise Invalid("text", f"Dòng {line}: không hiểu phần trong {{{{ }}}} hoặc {{% %}}.",
                      f"Line {line}: what stands in {{{{ }}}} or {{% %}} is not understood.") from None  # fmt: skip
    return Wording(text, blanks, names, _pieces(tree))


def write(wording: Wording, values: Values, filled: Sequence[str]) -> str:
    """The text with every gap filled. Raises Conflict where nothing is known for one, or nothing comes of it."""
    if wording.pieces is not None:
        simple = _poured(wording.pieces, values)
        if simple:
            return simple
    given = {_variable(place): words for place, words in enumerate(filled)}
    try:
        text = _template(wording.text).render(values, **given).strip()
    except _Empty:
        told = ", ".join(name for name in wording.names if _value(values, name) == "") or '""'
        raise Conflict(f"Không điền được cho khách này: {told}.", f"Not known of this customer: {told}.") from None
    except (TemplateError, TypeError, ValueError):
        text = ""
    if not text:
        raise Conflict("Không viết được mẫu này cho khách này.", "This text cannot be written for this customer.")
    return text


def _pieces(tree: nodes.Template) -> tuple[str | _Gap, ...] | None:
    """What is written one after the other; None where anything must be decided or worked out."""
    found: list[str | _Gap] = []
    for output in tree.body:
        if not isinstance(output, nodes.Output):
            return None
        for each in output.nodes:
            node: nodes.Node = each
            instead = ""
            if isinstance(each, nodes.Or) and isinstance(each.right, nodes.Const) and isinstance(each.right.value, str):
                node, instead = each.left, each.right.value
            if isinstance(node, nodes.TemplateData):
                found.append(node.data)
            elif isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
                found.append(_Gap(node.node.name, node.attr, instead))
            else:
                return None
    return tuple(found)


def _poured(pieces: Sequence[str | _Gap], values: Values) -> str:
    """The text; "" where nothing is known for a gap, which Jinja2 tells in words."""
    written: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            written.append(piece)
            continue
        value = values.get(piece.group, {}).get(piece.part)
        words = "" if value is None else str(value or piece.instead or value)
        if not words:
            return ""
        written.append(words)
    return "".join(written).strip()


def _blanks(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found.strip() for found in _BLANK.findall(text)))


def _variable(place: int) -> str:
    return f"blank{place}"


def _source(text: str) -> str:
    """The text as Jinja2 reads it: every blank as a name."""
    places = {blank: _variable(place) for place, blank in enumerate(_blanks(text))}
    return _BLANK.sub(lambda found: "{{ " + places[found[1].strip()] + " }}", text)


@lru_cache(256)
def _template(text: str) -> Template:
    return _environment.from_string(_source(text))


def _names(node: nodes.Node, known: Collection[str], blanks: Collection[str]) -> Iterator[str]:
    """The known names within; raises Invalid where anything else than the harmless is there."""
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        yield _known(f"{node.node.name}.{node.attr}", known)
        return
    if isinstance(node, nodes.Name):
        if node.name not in blanks:
            _known(node.name, known)
        return
    if isinstance(node, nodes.Filter):
        if node.name not in _FILTERS or node.args or node.kwargs:
            told = ", ".join(_FILTERS)
            raise Invalid("text", f"Không dùng được |{node.name}; chỉ có: {told}.",
                          f"|{node.name} cannot be used here; there are: {told}.")  # fmt: skip
    elif not isinstance(node, _HARMLESS):
        raise Invalid("text", f"Dòng {node.lineno}: chỉ dùng được tên, if và chữ.",
                      f"Line {node.lineno}: only names, if and words can be used.")  # fmt: skip
    for child in node.iter_child_nodes():
        yield from _names(child, known, blanks)


def _known(name: str, known: Collection[str]) -> str:
    if name in known:
        return name
    told = ", ".join(known)
    raise Invalid("text", f"Không có {{{{ {name} }}}}; chỉ có: {told}.",
                  f"There is no {{{{ {name} }}}}; there are: {told}.")  # fmt: skip


def _value(values: Values, name: str) -> str | int:
    group, _, part = name.partition(".")
    return values.get(group, {}).get(part, "")
