"""Explains an http address that sends no video, so that an operator can correct the address.

The most common wrong addresses are other addresses of the same camera: its web page and its
snapshot. For these addresses the library reports invalid data, or reads one picture and then
nothing. So an address that cannot be read as a video is fetched again, to examine the answer.
"""

from __future__ import annotations

import re
import zlib
from http import HTTPStatus
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

_MAX_BYTES = 256 * 1024  # enough for one picture and the beginning of the next
_JPEG = b"\xff\xd8\xff"
_NEXT_JPEG = re.compile(rb"\xff\xd9[\r\n \0]{0,8}\xff\xd8\xff")
_PICTURES = ("image/jpeg", "image/jpg", "image/png", "image/gif", "image/bmp", "image/webp")
_PAGE = re.compile(
    rb"\s*(<\?xml[^>]*>\s*|<!--.*?-->\s*)*(<!doctype html|<html|<head|<body)",
    re.IGNORECASE | re.DOTALL,
)
_COMPRESSED = ("gzip", "x-gzip", "deflate")
_GZIP = b"\x1f\x8b"
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_SNAPSHOT = (
    "sends one picture and no video: it is the address of a snapshot; use the stream's address"
)


def explain_http_answer(url: str, *, timeout_s: float) -> str | None:
    """Explain the answer of an http address, as the rest of a sentence.

    Args:
        url: Address, with user and password if needed.
        timeout_s: Timeout for each answer.

    Returns:
        None if the answer may be a video, or the address cannot be fetched.
    """
    if url.partition("://")[0].lower() not in ("http", "https"):
        return None
    try:
        with _fetch(url, timeout_s) as answer:
            kind = answer.headers.get_content_type()
            boundary = answer.headers.get_param("boundary")
            encoding = str(answer.headers.get("Content-Encoding", "")).strip().lower()
            content = _decompress(_read_beginning(answer), encoding)
            return _explain_content(kind, content, has_boundary=bool(boundary))
    except HTTPError as error:
        return _explain_status(error.code, has_user=urlsplit(url).username is not None)
    except (HTTPException, OSError, ValueError):
        return None  # the caller then reports the library's own message


def _explain_status(status: int, *, has_user: bool) -> str:
    """Explain a status other than 200, without the address.

    The library's own message is not used, since it contains the whole address.
    """
    phrase = next((f"{s.value} {s.phrase}" for s in HTTPStatus if s.value == status), str(status))
    if status == HTTPStatus.FORBIDDEN:
        return f"refuses access to this address ({phrase})"
    if status == HTTPStatus.UNAUTHORIZED:
        why = "rejects this user and password" if has_user else "requires a user and a password"
        return f"{why} ({phrase})"
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return f"has nothing at this address ({phrase}); use the stream's address"
    if 300 <= status < 400:
        return f"redirects to an address that cannot be followed ({phrase}); use that address"
    return f"answers {phrase}"


def _decompress(content: bytes, encoding: str) -> bytes:
    """Decompress the beginning of an answer, and convert text with a byte order mark to UTF-8."""
    if encoding in _COMPRESSED or content.startswith(_GZIP):
        for bits in (47, zlib.MAX_WBITS, -zlib.MAX_WBITS):  # gzip or zlib headers, or none
            try:
                content = zlib.decompressobj(bits).decompress(content, _MAX_BYTES)
                break
            except zlib.error:
                continue
    for mark, name in _MARKS:
        if content.startswith(mark):
            text = content[len(mark) :].decode(name, "replace")
            return text.encode()
    return content


def _is_text(content: bytes) -> bool:
    """Return whether the content is printable text, which pictures and videos are not."""
    beginning = content[:1024]
    try:
        text = beginning.decode()
    except UnicodeDecodeError as error:
        if error.start < len(beginning) - 3:  # later, a character may only be cut off
            return False
        text = beginning[: error.start].decode()
    return all(letter.isprintable() or letter.isspace() for letter in text)


def _explain_content(kind: str, content: bytes, *, has_boundary: bool) -> str | None:
    """Explain content that is no video; None if it may be a video."""
    if _PAGE.match(content) or kind == "text/html":
        return (
            "sends a web page and no video: it is an address for browsers; use the stream's address"
        )
    if not content:
        return "sends nothing"
    if content.startswith(_JPEG) and _NEXT_JPEG.search(content):
        return (
            "sends JPEG pictures without a boundary between them, which cannot be read; configure"
            " the camera for multipart/x-mixed-replace with a boundary, or use RTSP"
        )
    if kind.startswith("multipart/") and (b"--" not in content[:256] or not has_boundary):
        return (
            f"sends {kind} without the boundary that separates pictures; use another address of"
            " the camera, such as RTSP"
        )
    if content.startswith((_JPEG, b"\x89PNG")) or kind in _PICTURES:
        return _SNAPSHOT
    if kind.startswith("multipart/") and content.count(_JPEG) == 1 and len(content) < _MAX_BYTES:
        return _SNAPSHOT
    if not content.startswith(b"#EXTM3U") and (
        kind in ("application/json", "text/xml", "application/xml", "image/svg+xml")
        or kind.startswith("text/")
        or (_is_text(content) and not kind.startswith("multipart/"))
    ):
        return f"sends text ({kind}) and no video; use the stream's address"
    return None


def _fetch(url: str, timeout_s: float) -> HTTPResponse:
    parts = urlsplit(url)
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    logins = HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        logins.add_password(None, address, unquote(parts.username), unquote(parts.password or ""))
    opener = build_opener(HTTPBasicAuthHandler(logins), HTTPDigestAuthHandler(logins))
    answer: HTTPResponse = opener.open(address, timeout=timeout_s)
    return answer


def _read_beginning(answer: HTTPResponse) -> bytes:
    """Read the first bytes of an answer, which may never end."""
    content = b""
    while len(content) < _MAX_BYTES and not _NEXT_JPEG.search(content):
        try:
            more = answer.read1(65536)
        except OSError:
            break
        if not more:
            break
        content += more
    return content
