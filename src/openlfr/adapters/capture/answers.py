"""What an address answers with that is no video: said in a word, so that it can be mended.

The commonest wrong addresses of a camera are its own other ones: the page that a browser shows,
and the snapshot. The library says of them that their data is invalid, or shows one picture and
then nothing. So what could not be read as a video is asked for once more, and looked at.
"""

from __future__ import annotations

import re
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import (
    HTTPBasicAuthHandler,
    HTTPDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    build_opener,
)

if TYPE_CHECKING:
    from http.client import HTTPResponse

_ENOUGH = 256 * 1024  # bytes: one picture and the beginning of the next
_JPEG = b"\xff\xd8\xff"
_NEXT_JPEG = re.compile(rb"\xff\xd9[\r\n \0]{0,8}\xff\xd8\xff")
_PICTURES = ("image/jpeg", "image/jpg", "image/png", "image/gif", "image/bmp", "image/webp")
_PAGE = re.compile(rb"\s*(<!doctype html|<html|<head|<body)", re.IGNORECASE)
_SNAPSHOT = (
    "sends one picture and no video: it is the address of a snapshot; use that of the stream"
)


def what_it_sends(url: str, *, timeout_s: float) -> str | None:
    """What an http address sends, as the rest of a sentence; None where that may be a video.

    Args:
        url: With user and password, where it needs them.
        timeout_s: How long is waited for each answer.
    """
    if url.partition("://")[0].lower() not in ("http", "https"):
        return None
    try:
        with _asked(url, timeout_s) as answer:
            kind = answer.headers.get_content_type()
            boundary = answer.headers.get_param("boundary")
            return _said(kind, bool(boundary), _beginning(answer))
    except (HTTPError, HTTPException, OSError, ValueError):
        return None  # what the library said is all that is known


def _said(kind: str, boundary: bool, content: bytes) -> str | None:
    if _PAGE.match(content) or kind == "text/html":
        return (
            "sends a web page and no video: it is the address that a browser shows; use that of the"
            " stream"
        )
    if not content:
        return "sends nothing"
    if content.startswith(_JPEG) and _NEXT_JPEG.search(content):
        return (
            "sends one JPEG after another with no boundary between them, which cannot be read:"
            " let the camera send multipart/x-mixed-replace with a boundary, or use RTSP"
        )
    if kind.startswith("multipart/") and (b"--" not in content[:256] or not boundary):
        return (
            f"sends {kind} without the boundary that should stand between its pictures; use"
            " another of the camera's addresses, such as RTSP"
        )
    if content.startswith((_JPEG, b"\x89PNG")) or kind in _PICTURES:
        return _SNAPSHOT
    if kind in ("application/json", "text/xml", "application/xml") or (
        kind.startswith("text/") and not content.startswith(b"#EXTM3U")
    ):
        return f"sends a text ({kind}) and no video; use the address of the stream"
    return None


def _asked(url: str, timeout_s: float) -> HTTPResponse:
    parts = urlsplit(url)
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    known = HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        known.add_password(None, address, unquote(parts.username), unquote(parts.password or ""))
    opener = build_opener(HTTPBasicAuthHandler(known), HTTPDigestAuthHandler(known))
    answer: HTTPResponse = opener.open(address, timeout=timeout_s)
    return answer


def _beginning(answer: HTTPResponse) -> bytes:
    """The first bytes; a camera that sends and sends is left after some."""
    content = b""
    while len(content) < _ENOUGH and not _NEXT_JPEG.search(content):
        try:
            more = answer.read1(65536)
        except OSError:
            break
        if not more:
            break
        content += more
    return content
