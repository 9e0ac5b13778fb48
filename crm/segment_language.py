"""The language of segments: one line of text to an inert tree and back, every refusal with its place. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date

from crm import segment_words as words
from crm.errors import CrmError
from crm.segment_clauses import BARE, Clause, Span, Value, Wish
from crm.segment_words import BY_NAME, Takes, Word
from storage.segment_tree import All, No, Some

LONGEST = 2000
DEEPEST = 20
MOST_CLAUSES = 50
LARGEST = 10**15

_OPERATORS = {
    "<=": "<=", "=<": "<=", "≤": "<=", ">=": ">=", "=>": ">=", "≥": ">=", "!=": "!=", "<>": "!=", "≠": "!=",
    "==": "=", "<": "<", ">": ">", "=": "=", ":": "=",
}  # fmt: skip
_OPERATOR = re.compile("|".join(map(re.escape, sorted(_OPERATORS, key=len, reverse=True))))
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[^\W\d_]+(?:_[^\W\d_]+)*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|“((?:[^”\\]|\\.)*)”', re.DOTALL)
_DAY = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?!\w)|(\d{4})-(\d{1,2})-(\d{1,2})(?!\w)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_GROUPS = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")
_DECIMAL = re.compile(r"(\d+)[.,](\d+)")
_BIRTHDAY = re.compile(
    r"(?P<today>h[oô]m[ _]?nay|today)(?:\s*(?P<sign>[+-])\s*(?P<days>\d{1,3}))?(?!\w)"
    r"|(?P<this>th[aá]ng[ _]?nay|this[ _]?month)(?!\w)|(?P<next>th[aá]ng[ _]?sau|next[ _]?month)(?!\w)"
    r"|(?:th[aá]ng|month)[ _]?(?P<month>\d{1,2})(?!\w)",
    re.IGNORECASE,
)


class SegmentError(CrmError):
    """A segment that cannot be understood; what is at fault begins at the character `place` and is `length` long."""

    status = 422
    code = "invalid"

    def __init__(self, place: int, length: int, vi: str, en: str) -> None:
        super().__init__(
            f"{vi} (ở ký tự thứ {place + 1})", f"{en} (at character {place + 1})", field="segment"
        )  # fmt: skip
        self.place, self.length = place, length


def read(text: str) -> Wish:
    """What a text asks for. Raises SegmentError."""
    text = unicodedata.normalize("NFC", text)
    if len(text) > LONGEST:
        raise SegmentError(LONGEST, 1, f"Dài quá {LONGEST} ký tự", f"Longer than {LONGEST} characters")
    reader = _Reader(text)
    tree = reader.either(0)
    if reader.at < len(text):
        raise reader.lost()
    return tree


class _Reader:
    """Reads a text from left to right. `at` is where it stands: always behind spaces."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.clauses = text, 0, 0
        self._skip()

    def either(self, depth: int) -> Wish:
        """Parts of which one must be true."""
        parts = [self._both(depth)]
        while self._takes(words.OR, "|"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def lost(self) -> SegmentError:
        """What stands here belongs nowhere."""
        found = self._shown()
        if self.text[self.at : self.at + 1] == ")":
            return self._error(1, "Dư dấu “)”", "A “)” too many")
        return self._error(
            len(found), f"Cần “va” hoặc “hoac” trước “{found}”", f"“and” or “or” is missing before “{found}”"
        )  # fmt: skip

    def _both(self, depth: int) -> Wish:
        parts = [self._one(depth)]
        while self._takes(words.AND, "&"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, depth: int) -> Wish:
        if depth > DEEPEST:
            raise self._error(1, f"Quá {DEEPEST} lớp ngoặc", f"More than {DEEPEST} levels")
        if self._takes(words.NOT, "!"):
            return No(self._held(depth + 1) or self._one(depth + 1))
        return self._held(depth + 1) or self._clause()

    def _held(self, depth: int) -> Wish | None:
        """What stands between brackets, if one opens here."""
        start = self.at
        if not self._symbol("("):
            return None
        tree = self.either(depth)
        if self._symbol(")"):
            return tree
        if self.at < len(self.text):
            raise self.lost()
        raise SegmentError(start, 1, "Dấu “(” này chưa được đóng", "This “(” is not closed")

    def _clause(self) -> Clause:
        start = self.at
        word = self._word()
        self.clauses += 1
        if self.clauses > MOST_CLAUSES:
            raise SegmentError(start, 1, f"Quá {MOST_CLAUSES} điều kiện", f"More than {MOST_CLAUSES} conditions")
        key = self._key(word)
        operator = _OPERATOR.match(self.text, self.at)
        if operator is None:
            if not (word.alone or word.takes is Takes.FIELD):
                raise self._wants(word)
            return Clause(word.name, key=key, within=self._within(word))
        if word.takes is Takes.NOTHING:
            raise self._error(1, f"“{word.name}” đứng một mình, không so sánh", f"“{word.name}” stands alone")
        self._move(operator.end())
        op = _OPERATORS[operator[0]]
        return Clause(word.name, op, self._value(word, op), self._within(word), key)

    def _word(self) -> Word:
        """The longest of up to three words from here on that is a word of the language."""
        found, end, place = None, self.at, self.at
        joined = ""
        for _ in range(3):
            part = _PART.match(self.text, place)
            if part is None:
                break
            joined += words.folded(part[0])
            if joined in BY_NAME:
                found, end = BY_NAME[joined], part.end()
            following = _SPACE.match(self.text, part.end())
            assert following is not None
            place = following.end()
        if found is None:
            raise self._unknown()
        self._move(end)
        return found

    def _key(self, word: Word) -> str:
        if word.takes is not Takes.FIELD:
            return ""
        if not self._symbol(":"):
            raise self._error(1, "Cần tên trường, như truong:loai_da", "Name the field: field:skin_type")
        return self._named()

    def _value(self, word: Word, op: str) -> Value:
        match word.takes:
            case Takes.NUMBER:
                return self._number(with_multiples=False)
            case Takes.MONEY:
                return self._number(with_multiples=True)
            case Takes.AGE:
                return self._age()
            case Takes.BIRTHDAY:
                return self._birthday(op)
            case Takes.NAME:
                if op not in ("=", "!="):
                    raise self._error(1, f"Viết {word.name}:…", f"Write {word.name}:…")
        return self._named()

    def _named(self) -> str:
        quoted = _QUOTED.match(self.text, self.at)
        if quoted is not None:
            self._move(quoted.end())
            inner = quoted[1] if quoted[1] is not None else quoted[2]
            name = re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)
            if name.strip():
                return name
            self.at = quoted.start()
        bare = BARE.match(self.text, self.at)
        if bare is None:
            raise self._error(1, "Cần một tên ở đây", "A name is missing here")
        self._move(bare.end())
        return bare[0]

    def _number(self, *, with_multiples: bool) -> int:
        start, found = self.at, _NUMBER.match(self.text, self.at)
        if found is None:
            raise self._error(1, "Cần một con số ở đây", "A number is missing here")
        unit = _PART.match(self.text, self._after(found.end()))
        factor, end = 1, found.end()
        more = ""
        if with_multiples and unit is not None and words.folded(unit[0]) in words.MULTIPLES:
            factor, end = words.MULTIPLES[words.folded(unit[0])], unit.end()
            rest = re.compile(r"\d{1,3}(?!\w)").match(self.text, end)
            if rest is not None and found[0].isdigit():
                more, end = rest[0], rest.end()
            unit = _PART.match(self.text, self._after(end))
        if with_multiples and unit is not None and words.folded(unit[0]) in words.CURRENCY:
            end = unit.end()
        value = _whole(f"{found[0]}.{more}" if more else found[0], factor, is_decimal=bool(more))
        if value is None or value > LARGEST:
            raise SegmentError(start, end - start, f"“{self.text[start:end]}” không phải số nguyên dùng được",
                               f"“{self.text[start:end]}” is no whole number")  # fmt: skip
        self._move(end)
        return value

    def _age(self) -> Span | date:
        start, day = self.at, _DAY.match(self.text, self.at)
        if day is None:
            return self._span()
        try:
            found = date(*map(int, day.groups()[3:])) if day[4] else date(*map(int, day.groups()[2::-1]))
        except ValueError:
            raise SegmentError(start, len(day[0]), f"Không có ngày “{day[0]}”", f"There is no day “{day[0]}”") from None
        self._move(day.end())
        return found

    def _span(self) -> Span:
        start, count = self.at, re.compile(r"\d{1,9}").match(self.text, self.at)
        if count is None:
            raise self._error(1, "Cần khoảng thời gian (90ngay, 3thang) hoặc ngày (01/12/2026)",
                              "A span (90d, 3m) or a day (01/12/2026) is missing here")  # fmt: skip
        unit = _PART.match(self.text, self._after(count.end()))
        name = words.UNITS.get(words.folded(unit[0])) if unit else None
        if name is None or unit is None:
            raise SegmentError(start, len(count[0]), "Thiếu đơn vị: ngay, tuan, thang, nam",
                               "The unit is missing: d, w, m or y")  # fmt: skip
        if int(count[0]) > words.LONGEST_SPAN[name]:
            raise SegmentError(start, len(count[0]), "Khoảng thời gian quá dài", "The span is too long")
        self._move(unit.end())
        return Span(int(count[0]), name)

    def _birthday(self, op: str) -> Span | str:
        if op not in ("=", "!="):
            return self._span()
        found = _BIRTHDAY.match(self.text, self.at)
        if found is not None and (found["month"] is None or 1 <= int(found["month"]) <= 12):
            self._move(found.end())
            return _tidy_birthday(found)
        raise self._error(len(self._shown()), "Viết homnay, homnay+3, thangnay, thangsau hoặc thang12",
                          "Write today, today+3, thismonth, nextmonth or month12")  # fmt: skip

    def _within(self, word: Word) -> Span | None:
        start = self.at
        if not self._takes(words.WITHIN, ""):
            return None
        if not word.within:
            raise SegmentError(start, len(self.text) - start, f"“{word.name}” không đi với “trong”",
                               f"“{word.name}” takes no “within”")  # fmt: skip
        return self._span()

    def _takes(self, known: frozenset[str], symbol: str) -> bool:
        """Whether one of these words or this symbol stands here; it is passed then."""
        if symbol and self._symbol(symbol):
            return True
        word = _WORD.match(self.text, self.at)
        if word is None or words.folded(word[0]) not in known or "_" in word[0]:
            return False
        self._move(word.end())
        return True

    def _symbol(self, symbol: str) -> bool:
        if not self.text.startswith(symbol, self.at):
            return False
        self._move(self.at + len(symbol))
        return True

    def _after(self, place: int) -> int:
        spaces = _SPACE.match(self.text, place)
        assert spaces is not None
        return spaces.end()

    def _move(self, place: int) -> None:
        self.at = self._after(place)

    def _skip(self) -> None:
        self._move(self.at)

    def _shown(self) -> str:
        found = re.compile(r"\w+|\S").match(self.text, self.at)
        return found[0][:30] if found else ""

    def _unknown(self) -> SegmentError:
        found = self._shown()
        if not found:
            return self._error(1, "Thiếu một điều kiện ở đây", "A condition is missing here")
        close = words.near(found)
        like_vi = f". Có phải: {', '.join(close)}?" if close else ". Xem các từ: /nhom tu"
        like_en = (
            f". Did you mean: {', '.join(close)}?"
            if close
            else ". All words: /segment words, or khachquen segment words"
        )
        return self._error(len(found), f"Không có từ “{found}”{like_vi}", f"There is no word “{found}”{like_en}")

    def _wants(self, word: Word) -> SegmentError:
        example = _EXAMPLES[word.takes](word.name)
        return self._error(1, f"“{word.name}” cần giá trị, như {example}", f"“{word.name}” needs a value: {example}")

    def _error(self, length: int, vi: str, en: str) -> SegmentError:
        return SegmentError(self.at, max(1, length), vi, en)


_EXAMPLES: dict[Takes, Callable[[str], str]] = {
    Takes.NUMBER: lambda name: f"{name}>=3",
    Takes.MONEY: lambda name: f"{name}>=5tr",
    Takes.AGE: lambda name: f"{name}<90ngay",
    Takes.NAME: lambda name: f"{name}:…",
    Takes.LEVEL: lambda name: f"{name}>=vang",
}


def _whole(text: str, factor: int, *, is_decimal: bool) -> int | None:
    """ "1.200.000" and "1,5" × 1,000,000 as whole numbers; None where it is none. `is_decimal`: the point is one."""
    if text.isdigit():
        return int(text[:20]) * factor
    if _GROUPS.fullmatch(text) and not is_decimal:
        return int(re.sub(r"[.,]", "", text)[:20]) * factor
    parts = _DECIMAL.fullmatch(text)
    if parts is None or factor == 1:
        return None
    value = int(parts[1] + parts[2]) * factor
    scale = 10 ** len(parts[2])
    return value // scale if value % scale == 0 else None


def _tidy_birthday(found: re.Match[str]) -> str:
    if found["today"]:
        days = int(found["days"] or 0)
        return f"homnay{found['sign']}{days}" if days else "homnay"
    return "thangnay" if found["this"] else "thangsau" if found["next"] else f"thang{int(found['month'])}"
