"""Which pictures and files Zalo holds for an OA, and for how long."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePath

from bot.channels.base import Attachment, SendError, SendErrorKind, Words

LIFE = timedelta(days=6)
HOSTS = ("zdn.vn", "zadn.vn", "dlfl.vn")
"""Where Zalo keeps what people sent; how long is not documented."""
IMAGE_BYTES = 1024 * 1024
FILE_BYTES = 5 * 1024 * 1024

_IMAGES = frozenset({"image/jpeg", "image/png"})
_FILES = frozenset({".pdf", ".doc", ".docx", ".csv"})
_NOT_TAKEN = Words(
    "Zalo takes JPEG and PNG pictures up to 1 MB, and PDF, DOC, DOCX and CSV files up to 5 MB: choose another file.",
    "Zalo chỉ nhận ảnh JPEG, PNG đến 1 MB và tệp PDF, DOC, DOCX, CSV đến 5 MB: hãy chọn tệp khác.",
)


def kind_of(attachment: Attachment) -> str:
    """How Zalo is given it: as `image` or as `file`; SendError where it would refuse it."""
    size = len(attachment.content)
    if attachment.content_type in _IMAGES and size <= IMAGE_BYTES:
        return "image"
    if PurePath(attachment.name.lower()).suffix in _FILES and size <= FILE_BYTES:
        return "file"
    raise SendError(SendErrorKind.PERMANENT, "file", _NOT_TAKEN, detail=f"{attachment.content_type}, {size} bytes")
