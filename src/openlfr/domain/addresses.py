"""Addresses of cameras and services, as they may be shown."""

from __future__ import annotations

import re

_PASSWORD = re.compile(r"(://[^/@\s]*?:)[^/\s]*@")


def mask_password(text: str) -> str:
    """The text with the password of every address in it replaced: fit for a screen or a log.

    >>> mask_password("rtsp://operator:secret@10.0.0.7/main")
    'rtsp://operator:***@10.0.0.7/main'
    """
    return _PASSWORD.sub(r"\1***@", text)
