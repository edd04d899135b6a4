"""Environment variables that take the place of keys of CONFIG.yaml.

    OPENLFR_KAFKA_URL, _TLS, _AUTH, _USERNAME(_FILE), _PASSWORD(_FILE), _CERT_FILE, _KEY_FILE, _CA_FILE
    OPENLFR_REDIS_URL, OPENLFR_MILVUS_URL, OPENLFR_SQL_URL; each with _PASSWORD(_FILE), _CA_FILE
    OPENLFR_TOPICS      the whole block `topics`, as JSON
    OPENLFR_PROVIDERS   models.providers: auto, gpu, or names with commas between
    OPENLFR_MAX_CAMERAS ingest.max_cameras

Each takes the place of one key of `services.NAME`, a secret of the file's in either form, so that a
file can be the same on every machine while addresses and secrets come from where it runs. An empty variable is none. Paths in variables
are relative to the working directory.
"""  # noqa: E501 - a table

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    Place = tuple[str | int, ...]

_OF_ALL = ("url", "password", "password_file", "ca_file")
_KEYS = {
    "kafka": (*_OF_ALL, "tls", "auth", "username", "username_file", "cert_file", "key_file"),
    "redis": _OF_ALL,
    "milvus": _OF_ALL,
    "sql": _OF_ALL,
}
PLACES: dict[str, Place] = {
    **{
        f"OPENLFR_{server}_{key}".upper(): ("services", server, key)
        for server, keys in _KEYS.items()
        for key in keys
    },
    "OPENLFR_TOPICS": ("topics",),
    "OPENLFR_PROVIDERS": ("models", "providers"),
    "OPENLFR_MAX_CAMERAS": ("ingest", "max_cameras"),
}
"""Every variable, and the key whose place it takes."""
_OTHER_FORM = {
    "password": "password_file", "password_file": "password",
    "username": "username_file", "username_file": "username",
}  # fmt: skip
_NEARLY = ("OPENLFR_TOPIC", "OPENLFR_MAX_CAMERA", "OPENLFR_MAX_CAMERAS_")
_TRUTH = {"true": True, "false": False}


def take_variables(
    values: dict[str, Any], said: Mapping[str, str]
) -> tuple[dict[str, Any], dict[Place, str]]:
    """The values with the environment's in their place, and which variable stands where.

    Raises:
        Misconfigured: A variable is misspelt, or is not what its key can be.
    """
    _refuse_misspelt(said)
    given = {name: place for name, place in PLACES.items() if said.get(name)}
    values = dict(values)
    for name, place in given.items():
        if place == ("topics",):
            values["topics"] = _json(name, said[name])
            continue
        if place == ("models", "providers"):
            wanted = [each.strip() for each in said[name].split(",")]
            values["models"] = {**_block(values.get("models")), "providers": wanted}
            continue
        if place == ("ingest", "max_cameras"):
            number: Any = int(said[name]) if said[name].isdecimal() else said[name]
            values["ingest"] = {**_block(values.get("ingest")), "max_cameras": number}
            continue
        _, server, key = place
        services = dict(_block(values.get("services")))
        entry = services.get(str(server))
        block = {"url": entry} if isinstance(entry, str) else dict(_block(entry))
        other = _OTHER_FORM.get(str(key), "")
        if other and (*place[:2], other) not in given.values():
            block.pop(other, None)
        block[str(key)] = _value(name, str(key), said[name])
        values["services"] = {**services, str(server): block}
    return values, {place: name for name, place in given.items()}


def _block(value: Any) -> dict[str, Any]:
    """A block of the file; what is none is left for the check of the file itself."""
    return value if isinstance(value, dict) else {}


def _value(name: str, key: str, text: str) -> Any:
    if key == "tls":
        if text.lower() not in _TRUTH:
            raise Misconfigured(f"{name} must be true or false, not {text!r}.")
        return _TRUTH[text.lower()]
    if key.endswith("_file"):
        return str(Path(text).expanduser().absolute())
    return text


def _json(name: str, text: str) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Misconfigured(f"{name} must be the block topics as JSON: {error}.") from None
    if not isinstance(found, dict):
        raise Misconfigured(
            f'{name} must be the block topics as JSON, such as {{"replication": 3}}.'
        )
    return found


def _refuse_misspelt(said: Mapping[str, str]) -> None:
    """Names that are nearly ours; Kubernetes may set others that merely begin alike."""
    beginnings = tuple(f"OPENLFR_{server}_".upper() for server in _KEYS)
    for name in said:
        if name in PLACES or not (name.startswith(beginnings) or name in _NEARLY):
            continue
        if close := difflib.get_close_matches(name, PLACES, n=1, cutoff=0.9):
            raise Misconfigured(f"{name} is not known: did you mean {close[0]}?")
