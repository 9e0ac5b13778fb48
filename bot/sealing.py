"""Seals files of any length: a key drawn from words, pieces of one size, and a last piece that says that it is."""

from __future__ import annotations

import hmac
import io
import os
from collections.abc import Sequence
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bot.secrets import WrongKey

MAGIC = b"khachquen sealed 1\n"
_PIECE = 1024 * 1024
_TAG = 16
_SALT = 16
_MARK = 16
_HEADER = len(MAGIC) + _SALT + _MARK


class Tampered(ValueError):
    """A sealed file was cut, changed or put together from others."""


class SealingWriter(io.RawIOBase):
    """Everything written goes sealed into `sink`; only `close` makes it whole. Leaves `sink` open."""

    def __init__(self, sink: BinaryIO, words: str) -> None:
        salt = os.urandom(_SALT)
        key, mark = _drawn(words, salt)
        self._sink, self._cipher, self._header = sink, AESGCM(key), MAGIC + salt + mark
        self._buffer, self._count = bytearray(), 0
        sink.write(self._header)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take these bytes."""
        self._buffer += data
        while len(self._buffer) > _PIECE:
            self._put(bytes(self._buffer[:_PIECE]), last=False)
            del self._buffer[:_PIECE]
        return len(data)

    def close(self) -> None:
        """Write the last piece."""
        if not self.closed:
            self._put(bytes(self._buffer), last=True)
        super().close()

    def _put(self, piece: bytes, *, last: bool) -> None:
        self._sink.write(self._cipher.encrypt(_nonce(self._count, last=last), piece, self._header))
        self._count += 1


class OpeningReader(io.RawIOBase):
    """What was sealed into `source`, opened with the first of these words that fit.

    Raises WrongKey where none does, Tampered where the file is not whole.
    """

    def __init__(self, source: BinaryIO, words: Sequence[str]) -> None:
        self._header = source.read(_HEADER)
        if len(self._header) < _HEADER or not self._header.startswith(MAGIC):
            raise Tampered("the head of the file is missing")
        salt, mark = self._header[len(MAGIC) : -_MARK], self._header[-_MARK:]
        drawn = (_drawn(each, salt) for each in words)
        key = next((key for key, its_mark in drawn if hmac.compare_digest(its_mark, mark)), None)
        if key is None:
            raise WrongKey("the file was sealed with another key")
        self._source, self._cipher = source, AESGCM(key)
        self._next, self._count, self._left = source.read(_PIECE + _TAG), 0, b""
        if not self._next:
            raise Tampered("all but the head of the file is missing")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer; 0 at the end, and only if the end is the one that was sealed."""
        if not self._left and self._next:
            self._left = self._opened()
        taken = self._left[: len(buffer)]
        self._left = self._left[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def _opened(self) -> bytes:
        piece, self._next = self._next, self._source.read(_PIECE + _TAG)
        try:
            opened = self._cipher.decrypt(_nonce(self._count, last=not self._next), piece, self._header)
        except InvalidTag:
            raise Tampered("a piece of the file is missing or was changed") from None
        self._count += 1
        return opened


def _nonce(count: int, *, last: bool) -> bytes:
    """Every file has a key of its own, so counting from 0 repeats nothing; the last piece can stand nowhere else."""
    return count.to_bytes(11, "big") + bytes([last])


def _drawn(words: str, salt: bytes) -> tuple[bytes, bytes]:
    """A key, and a mark that tells whether the words were right. Slow on purpose: words may be weak."""
    whole = Scrypt(salt=salt, length=32 + _MARK, n=2**15, r=8, p=1).derive(b"khachquen:backup:" + words.encode())
    return whole[:32], whole[32:]
