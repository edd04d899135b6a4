"""Reduces addresses of cameras and services to their scheme and host, which are safe to display.

Depending on the vendor, the password is before the host, in the path (`/user=a&password=b`), in the
query, or a bare token. So none of these parts is ever displayed, nor the user's name. Where the
host cannot be distinguished from a password (`user:pa/ss@host`), the host is hidden too.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

CAMERA_SCHEMES = ("rtsp", "rtsps", "http", "https")
_KNOWN_SCHEMES = (
    *CAMERA_SCHEMES,
    *("rtmp", "rtmps", "rtp", "udp", "tcp", "srt", "onvif", "mms", "ftp", "ftps", "sftp", "smb"),
    *("redis", "rediss", "kafka", "postgresql", "postgresql+psycopg", "postgres", "mysql", "grpc"),
)
"""Any other text before :// may be a piece of a password that contains ://."""

_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"([\w.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9]{1,15})?\])(?::\d*)?")
_REMOTE = "|".join(map(re.escape, _KNOWN_SCHEMES))
_IN_TEXT = re.compile(
    rf"(?:[A-Za-z][A-Za-z0-9+.-]*://|\b(?:{_REMOTE}):/(?!/))(?:[^\n]*@)?[^\s,;:.!'\")]\S*",
    re.IGNORECASE,
)
"""An address in a sentence, or an address that was shortened to a path (`rtsp:/`).

It extends to the last @ of its line, since a password may contain spaces."""
_LOOKS_REMOTE = re.compile(
    rf"[@?&=;]|(?:^|/)(?:{_REMOTE})(?:[:;]|\.?/)"
    r"|(?:^|/)(?:\d{1,3}(?:\.\d{1,3}){3}(?::\d*)?|[\w.-]+:\d{3,5}|\[[0-9A-F:.]{2,45}\](?::\d*)?)/",
    re.IGNORECASE,
)
"""Signs of an address whose scheme is missing or misspelt.

Such an address begins with an IP address or contains a port (`10.0.0.7/live/token`,
`camera:554/token`)."""
_BROKERS = re.compile(r"kafka://[\w.-]+:\d+(,[\w.-]+:\d+)*", re.ASCII)
_PIECES = re.compile(r"(?:^|[/?#&;,\s])[\w.-]*=|[/?#&=:;,@\s]+")  # the key before = is not secret
_MIN_PIECE = 3  # a shorter piece is not secret, and many words contain it

HINT = (
    "In a user or password, write / ? # @ % and a space percent-encoded: %2F %3F %23 %40 %25 %20."
)


def redact_address(address: str) -> str:
    """Return the scheme and host of an address; return the path of a file or device unchanged.

    Any of these that may contain a secret is replaced by `...` or `(not shown)`.

    >>> redact_address("rtsp://operator:secret@10.0.0.7:554/main?token=abc")
    'rtsp://10.0.0.7'
    >>> redact_address("rtsp://operator:sec/ret@10.0.0.7/main")
    'rtsp://...'
    >>> redact_address("10.0.0.7/live/abc")
    '(not shown)'
    >>> redact_address("videos/market.mp4")
    'videos/market.mp4'
    """
    scheme = _SCHEME.match(address)
    if scheme is None:
        # An address without a scheme, or with a misspelt one, looks like a path.
        return "(not shown)" if _LOOKS_REMOTE.search(address) else address
    name = scheme[1].lower()
    if name in ("file", "sqlite"):
        rest = address[scheme.end() :]
        return "(not shown)" if re.search("[@?&=]", rest) else f"{name}://{rest}"
    if name not in _KNOWN_SCHEMES:
        return "...://..."
    return f"{name}://{host_of(address) or '...'}"


def looks_like_address(text: str) -> bool:
    """Return whether a value may contain an address, even a malformed one."""
    return "://" in text or bool(_LOOKS_REMOTE.search(text))


def host_of(address: str) -> str:
    """Return the host of an address; empty without a host, or if it may be part of a password."""
    authority, rest = _split(address)
    if "@" in rest:
        return ""  # `user:pa/ss@host` or an @ in the path: ambiguous
    host = _HOST.fullmatch(authority.rpartition("@")[2])
    return host[1] if host else ""


def is_readable(address: str) -> bool:
    """Return whether an address with a scheme has a host, and a valid port or no port."""
    behind = authority_of(address).rpartition("@")[2]
    host = _HOST.fullmatch(behind)
    if host is None:
        return False
    port = behind[len(host[1]) :].removeprefix(":")
    return not port or int(port) <= 65535


def spelling_hint(address: str) -> str:
    """Return advice if an address may have failed because of its spelling; else empty."""
    authority, rest = _split(address)
    before, found, _ = authority.rpartition("@")
    odd = re.search(r"[@\s#?]|%(?![0-9A-Fa-f]{2})", before)
    return f" {HINT}" if "@" in rest or not is_readable(address) or (found and odd) else ""


def redact_address_in(text: str, address: str) -> str:
    """Remove all pieces of an address, except its host, from a library's message.

    Libraries repeat an address whole, in pieces or decoded. Only the address itself reveals which
    words of the message are its pieces.

    >>> redact_address_in("no user ann, nor /live; 10.0.0.7 is away", "rtsp://ann:secret@10.0.0.7/live")
    'no user ***, nor /***; 10.0.0.7 is away'
    """
    text = text.replace(address, redact_address(address))
    authority, rest = _split(address)
    before, _, behind = authority.rpartition("@")
    shows_host = host_of(address) and is_readable(address)
    pieces = {before, *_PIECES.split(before), *_PIECES.split(rest)}
    pieces |= set() if shows_host else {behind, *_PIECES.split(behind)}
    pieces |= {unquote(piece) for piece in pieces}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= _MIN_PIECE and not (shows_host and piece in behind):
            text = re.sub(rf"(?<![^\W_]){re.escape(piece)}(?![^\W_])", "***", text)
    return redact_addresses(text)


def redact_addresses(text: str) -> str:
    """Reduce each address in a text to its scheme and host; the last step before output.

    >>> redact_addresses("'rtsp://a:b c@10.0.0.7/x?y=z' is away")
    "'rtsp://10.0.0.7' is away"
    """
    return _IN_TEXT.sub(_redact_match, text) if ":/" in text else text


def _redact_match(found: re.Match[str]) -> str:
    address = found.group()
    bare = address.rstrip("'\"`,;:!)}>" if "[" in address else "'\"`,;:!)]}>")
    bare = bare if bare.endswith("...") else bare.rstrip(".")
    if bare.lower().startswith(("file://", "sqlite://")) and "@" not in bare:
        return address
    if _BROKERS.fullmatch(bare):
        return address  # Kafka's brokers; the login is a separate setting
    return redact_address(bare) + address[len(bare) :]


def authority_of(address: str) -> str:
    """Return the part between the scheme and the first / ? or #: `user:password@host:port`."""
    return _split(address)[0]


def remove_login(address: str) -> str:
    """Return an address without the user and password before its host.

    Other parts may contain a secret, so the result must not be displayed.

    >>> remove_login("rtsp://ann:secret@10.0.0.7/live")
    'rtsp://10.0.0.7/live'
    """
    scheme = _SCHEME.match(address)
    if scheme is None:
        return address
    authority, rest = _split(address)
    return f"{scheme[0].strip()}{authority.rpartition('@')[2]}{rest}"


def _split(address: str) -> tuple[str, str]:
    """Return the part between the scheme and the first / ? or #, and the rest."""
    scheme = _SCHEME.match(address)
    rest = address[scheme.end() if scheme else 0 :]
    end = re.search(r"[/?#\\]", rest)
    return (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
