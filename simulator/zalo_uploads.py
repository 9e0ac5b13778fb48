"""Zalo's uploads: pictures and files that can be sent for seven days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiohttp import web

from simulator.media import image_type
from simulator.people import ZALO
from simulator.platform import Platform
from simulator.zalo_api import ZaloHandler, openapi
from simulator.zalo_messages import invalid, too_long

JSON = dict[str, Any]
ASSET_LIFE = timedelta(days=7)
IMAGE_BYTES = 1024 * 1024
FILE_BYTES = 5 * 1024 * 1024
FILE_TYPES = ("pdf", "doc", "docx", "csv")


async def _uploaded(request: web.Request) -> tuple[bytes, str, str]:
    if not request.content_type.startswith("multipart/"):
        raise invalid("file")
    file = (await request.post()).get("file")
    if not isinstance(file, web.FileField):
        raise invalid("file")
    return file.file.read(), file.filename, file.content_type


def upload(kind: str) -> ZaloHandler:
    """`POST v2.0/oa/upload/{image,gif,file}`: multipart field `file`, kept for 7 days."""

    async def keep(platform: Platform, request: web.Request) -> JSON:
        content, name, content_type = await _uploaded(request)
        if kind == "file":
            if name.rpartition(".")[2].lower() not in FILE_TYPES:
                raise invalid("file type")
        else:
            content_type = image_type(content)
            if content_type not in (("image/gif",) if kind == "gif" else ("image/jpeg", "image/png")):
                raise invalid("file type")
        limit = IMAGE_BYTES if kind == "image" else FILE_BYTES
        if len(content) > limit:
            raise too_long("file size", limit)
        media = platform.media.keep(content, content_type, name, platform.now() + ASSET_LIFE)
        data = {"token" if kind == "file" else "attachment_id": media.id}
        told = {"file": name, "bytes": len(content)}
        platform.accept(ZALO, f"upload_{kind}", request.path, None, told, data)
        return data

    return keep


def routes(prefix: str) -> list[web.RouteDef]:
    """The upload routes under `prefix`."""
    return [web.post(f"{prefix}/v2.0/oa/upload/{kind}", openapi(upload(kind))) for kind in ("image", "gif", "file")]
