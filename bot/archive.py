"""The file of a backup: a manifest and the database in one compressed tar, which may be sealed."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, BinaryIO

from bot.alone import alone
from bot.commands.report import Refused
from bot.sealing import MAGIC, OpeningReader, SealingWriter, Tampered
from bot.secrets import WrongKey
from storage import backup
from storage.census import Census

FORMAT = 1
_MANIFEST = "manifest.json"
_DATABASE = "khachquen.db"
_BLOCK = 1024 * 1024
_SYNC_BYTES = 16 * _BLOCK
_LONGEST_MANIFEST = _BLOCK
_LEVEL = 4
_WORK = ".khachquen-backup-"
_BROKEN = (Tampered, tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, ValueError, KeyError, TypeError)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: `taken_at` in UTC, the figures of that moment, size and SHA-256 of the database."""

    format: int
    version: str
    taken_at: str
    census: Census
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A backup that was looked through; its database lies at `database` as long as the working folder does."""

    manifest: Manifest
    database: Path
    sealed: bool


@contextmanager
def working(folder: Path) -> Iterator[Path]:
    """A folder for unfinished work beside the file it is for, gone afterwards; what a killed one left goes first.

    Where the file system knows no locks, nothing that was left goes.
    """
    for left in folder.glob(f"{_WORK}*"):
        try:
            with alone(left / "lock", "in use"):
                shutil.rmtree(left, ignore_errors=True)
        except (Refused, OSError):
            continue
    with TemporaryDirectory(prefix=_WORK, dir=folder) as made, (Path(made) / "lock").open("w") as lock:
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield Path(made)


def manifest_of(database: Path, census: Census, taken_at: str) -> Manifest:
    """What is to be written of this copy."""
    with database.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Manifest(FORMAT, version("khachquen"), taken_at, census, database.stat().st_size, digest)


def pack(database: Path, target: Path, manifest: Manifest, words: str | None, progress: Progress) -> None:
    """Write the backup, sealed with `words` unless they are None, down to the disk; only its owner may read it."""
    with ExitStack() as stack:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        file: BinaryIO = stack.enter_context(os.fdopen(descriptor, "wb"))
        sink: Any = stack.enter_context(closing(SealingWriter(file, words))) if words is not None else file
        packed = stack.enter_context(gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=sink, mtime=0))
        tar = stack.enter_context(tarfile.open(fileobj=packed, mode="w|"))
        told = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
        tar.addfile(_entry(_MANIFEST, len(told)), io.BytesIO(told))
        source = stack.enter_context(database.open("rb"))
        tar.addfile(_entry(_DATABASE, manifest.bytes), _Watched(source, file, manifest.bytes, progress))
    with target.open("rb") as written:
        os.fsync(written.fileno())


class _Watched(io.RawIOBase):
    """Reads the database for the tar, tells how far it is, and brings what was written to the disk bit by bit."""

    def __init__(self, source: BinaryIO, target: BinaryIO, whole: int, progress: Progress) -> None:
        self._source, self._target, self._whole, self._progress = source, target, whole, progress
        self._done = self._synced = 0

    def read(self, size: int = -1) -> bytes:
        block = self._source.read(size)
        self._done += len(block)
        if self._done - self._synced >= _SYNC_BYTES:
            self._synced = self._done
            self._target.flush()
            os.fsync(self._target.fileno())
            self._progress(self._done, self._whole)
        return block


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def opened(archive: Path, folder: Path, words: Sequence[str], progress: Progress) -> Opened:
    """Unpack a backup into this folder and look through all of it.

    Raises Refused where it is no backup, only a part of one, changed since, sealed with other words than these, or
    where what it says of itself does not fit its database.
    """
    with archive.open("rb") as file:
        head = file.read(len(MAGIC))
        file.seek(0)
        sealed = head == MAGIC
        if not sealed and head[:2] != b"\x1f\x8b":
            raise Refused(f"{archive} is no backup of khachquen")
        try:
            source: Any = io.BufferedReader(OpeningReader(file, words), _BLOCK) if sealed else file
            manifest = _unpacked(source, folder / _DATABASE, progress)
        except WrongKey:
            raise Refused(_wrong_key(archive)) from None
        except _BROKEN as error:
            raise Refused(f"{archive} is damaged, or only a part of a backup: {_said(error)}") from error
    try:
        found = backup.checked(folder / _DATABASE)
    except backup.Damaged as error:
        raise Refused(f"{archive} cannot be used: {error}") from error
    if found != manifest.census:
        raise Refused(f"{archive} is damaged: its database does not hold what its manifest says")
    return Opened(manifest, folder / _DATABASE, sealed)


def _unpacked(source: IO[bytes], target: Path, progress: Progress) -> Manifest:
    """The manifest; the database goes to `target`. Reads to the very end: only there shows that the file is whole."""
    with gzip.GzipFile(fileobj=source, mode="rb") as plain:
        with tarfile.open(fileobj=plain, mode="r|") as tar:
            manifest = _manifest(_member(tar, _MANIFEST).read(_LONGEST_MANIFEST))
            free = shutil.disk_usage(target.parent).free
            if free < manifest.bytes:
                raise Refused(
                    f"the disk of {target.parent.parent} has {free >> 20} MB free; it takes {_needed(manifest)}"
                )
            digest = _written(_member(tar, _DATABASE), target, manifest.bytes, progress)
            if digest != manifest.sha256:
                raise Tampered("its database is not the one that was packed")
        while plain.read(_BLOCK):
            pass
    return manifest


def _needed(manifest: Manifest) -> str:
    return f"{(manifest.bytes >> 20) + 1} MB"


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    entry = tar.next()
    file = tar.extractfile(entry) if entry is not None and entry.name == name and entry.isfile() else None
    if file is None:
        raise Tampered(f"{name} is not in it")
    return file


def _manifest(raw: bytes) -> Manifest:
    told = json.loads(raw)
    if told["format"] != FORMAT:
        raise Refused(
            f"the backup has format {told['format']}, which this version does not know: install the newer one"
        )
    return Manifest(**{**told, "census": Census(**told["census"])})


def _written(source: IO[bytes], target: Path, whole: int, progress: Progress) -> str:
    digest, done = hashlib.sha256(), 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while block := source.read(_BLOCK):
            done += len(block)
            if done > whole:
                raise Tampered("its database is longer than it says")
            digest.update(block)
            file.write(block)
            progress(done, whole)
    return digest.hexdigest()


def _wrong_key(archive: Path) -> str:
    return (
        f"{archive} was sealed with another key: set the SECRET_KEY of that time (it may stand behind the new one, "
        "separated by a comma), or name its --passphrase-file"
    )


def _said(error: Exception) -> str:
    words = " ".join(str(error).split())
    return words or type(error).__name__
