"""Environment variables that replace keys of CONFIG.yaml.

    OPENLFR_KAFKA_URL, _TLS, _AUTH, _USERNAME(_FILE), _PASSWORD(_FILE), _CERT_FILE, _KEY_FILE, _CA_FILE
    OPENLFR_REDIS_URL, OPENLFR_MILVUS_URL, OPENLFR_SQL_URL; each with _PASSWORD(_FILE), _CA_FILE
    OPENLFR_TOPICS      the whole block `topics`, as JSON
    OPENLFR_PROVIDERS   models.providers: auto, gpu, or names with commas between
    OPENLFR_MAX_CAMERAS ingest.max_cameras

A server's variable replaces one key of `services.NAME`; the variable of a secret replaces both keys
of the secret (`password`, `password_file`). So CONFIG.yaml can be the same on every machine, and
addresses and secrets come from the environment. An empty variable counts as unset. Paths in
variables are relative to the working directory.
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

_COMMON_KEYS = ("url", "password", "password_file", "ca_file")
_KEYS = {
    "kafka": (*_COMMON_KEYS, "tls", "auth", "username", "username_file", "cert_file", "key_file"),
    "redis": _COMMON_KEYS,
    "milvus": _COMMON_KEYS,
    "sql": _COMMON_KEYS,
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
"""Every variable, and the key that it replaces."""
_OTHER_FORM = {
    "password": "password_file", "password_file": "password",
    "username": "username_file", "username_file": "username",
}  # fmt: skip
_MISSPELT = ("OPENLFR_TOPIC", "OPENLFR_MAX_CAMERA", "OPENLFR_MAX_CAMERAS_")
_BOOLEANS = {"true": True, "false": False}


def apply_variables(
    values: dict[str, Any], environment: Mapping[str, str]
) -> tuple[dict[str, Any], dict[Place, str]]:
    """Replace values of the file by those of the environment.

    Returns:
        The values, and the name of the variable for each replaced key.

    Raises:
        Misconfigured: A variable is misspelt, or its text is no value of its key's type.
    """
    _refuse_misspelt(environment)
    given = {name: place for name, place in PLACES.items() if environment.get(name)}
    values = dict(values)
    for name, place in given.items():
        text = environment[name]
        if place == ("topics",):
            values["topics"] = _parse_json(name, text)
            continue
        if place == ("models", "providers"):
            providers = [each.strip() for each in text.split(",")]
            values["models"] = {**_block(values.get("models")), "providers": providers}
            continue
        if place == ("ingest", "max_cameras"):
            number: Any = int(text) if text.isdecimal() else text
            values["ingest"] = {**_block(values.get("ingest")), "max_cameras": number}
            continue
        _, server, key = place
        services = dict(_block(values.get("services")))
        entry = services.get(str(server))
        block = {"url": entry} if isinstance(entry, str) else dict(_block(entry))
        other = _OTHER_FORM.get(str(key), "")
        if other and (*place[:2], other) not in given.values():
            block.pop(other, None)
        block[str(key)] = _parse_value(name, str(key), text)
        values["services"] = {**services, str(server): block}
    return values, {place: name for name, place in given.items()}


def _block(value: Any) -> dict[str, Any]:
    """A block of the file; empty for any other value, which validation reports later."""
    return value if isinstance(value, dict) else {}


def _parse_value(name: str, key: str, text: str) -> Any:
    if key == "tls":
        if text.lower() not in _BOOLEANS:
            raise Misconfigured(f"{name} must be true or false, not {text!r}.")
        return _BOOLEANS[text.lower()]
    if key.endswith("_file"):
        return str(Path(text).expanduser().absolute())
    return text


def _parse_json(name: str, text: str) -> Any:
    try:
        block = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Misconfigured(f"{name} must be the block topics as JSON: {error}.") from None
    if not isinstance(block, dict):
        raise Misconfigured(
            f'{name} must be the block topics as JSON, such as {{"replication": 3}}.'
        )
    return block


def _refuse_misspelt(environment: Mapping[str, str]) -> None:
    """Refuse names close to ours; other names may begin alike, since Kubernetes sets such."""
    prefixes = tuple(f"OPENLFR_{server}_".upper() for server in _KEYS)
    for name in environment:
        if name in PLACES or not (name.startswith(prefixes) or name in _MISSPELT):
            continue
        if close := difflib.get_close_matches(name, PLACES, n=1, cutoff=0.9):
            raise Misconfigured(f"{name} is not known: did you mean {close[0]}?")
