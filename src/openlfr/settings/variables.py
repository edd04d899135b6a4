"""Environment variables that replace keys of CONFIG.yaml.

    OPENLFR_KAFKA_URL, _TLS, _AUTH, _USERNAME(_FILE), _PASSWORD(_FILE), _CERT_FILE, _KEY_FILE, _CA_FILE
    OPENLFR_REDIS_URL, OPENLFR_MILVUS_URL, OPENLFR_SQL_URL; each with _PASSWORD(_FILE), _CA_FILE
    OPENLFR_TOPICS      the whole block `topics`, as JSON
    OPENLFR_PROVIDERS   models.providers: auto, gpu, or names separated by commas
    OPENLFR_MAX_CAMERAS ingest.max_cameras

A server's variable replaces one key of `services.NAME`. The variable of a secret replaces both keys
of the secret (`password`, `password_file`). Thus all machines can share one CONFIG.yaml, and get
addresses and secrets from the environment. An empty variable counts as unset. Paths in variables
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

    KeyPath = tuple[str | int, ...]

_COMMON_KEYS = ("url", "password", "password_file", "ca_file")
_KEYS = {
    "kafka": (*_COMMON_KEYS, "tls", "auth", "username", "username_file", "cert_file", "key_file"),
    "redis": _COMMON_KEYS,
    "milvus": _COMMON_KEYS,
    "sql": _COMMON_KEYS,
}
KEYS_BY_VARIABLE: dict[str, KeyPath] = {
    **{
        f"OPENLFR_{server}_{key}".upper(): ("services", server, key)
        for server, keys in _KEYS.items()
        for key in keys
    },
    "OPENLFR_TOPICS": ("topics",),
    "OPENLFR_PROVIDERS": ("models", "providers"),
    "OPENLFR_MAX_CAMERAS": ("ingest", "max_cameras"),
}
"""The key that each variable replaces, as a path."""
_ALTERNATIVE_KEY = {
    "password": "password_file", "password_file": "password",
    "username": "username_file", "username_file": "username",
}  # fmt: skip
_MISSPELT = ("OPENLFR_TOPIC", "OPENLFR_MAX_CAMERA", "OPENLFR_MAX_CAMERAS_")
_BOOLEANS = {"true": True, "false": False}


def apply_variables(
    values: dict[str, Any], environment: Mapping[str, str]
) -> tuple[dict[str, Any], dict[KeyPath, str]]:
    """Replace values of the file by environment variables.

    Returns:
        A copy of the values with the replacements, and the variable's name for each replaced key.

    Raises:
        Misconfigured: A variable is misspelt, or its value has the wrong type.
    """
    _refuse_misspelt(environment)
    set_variables = {name: path for name, path in KEYS_BY_VARIABLE.items() if environment.get(name)}
    values = dict(values)
    for name, path in set_variables.items():
        text = environment[name]
        if path == ("topics",):
            values["topics"] = _parse_json(name, text)
            continue
        if path == ("models", "providers"):
            providers = [each.strip() for each in text.split(",")]
            values["models"] = {**_block(values.get("models")), "providers": providers}
            continue
        if path == ("ingest", "max_cameras"):
            number: Any = int(text) if text.isdecimal() else text
            values["ingest"] = {**_block(values.get("ingest")), "max_cameras": number}
            continue
        _, server, key = path
        services = dict(_block(values.get("services")))
        entry = services.get(str(server))
        block = {"url": entry} if isinstance(entry, str) else dict(_block(entry))
        alternative = _ALTERNATIVE_KEY.get(str(key), "")
        if alternative and (*path[:2], alternative) not in set_variables.values():
            block.pop(alternative, None)
        block[str(key)] = _parse_value(name, str(key), text)
        values["services"] = {**services, str(server): block}
    return values, {path: name for name, path in set_variables.items()}


def _block(value: Any) -> dict[str, Any]:
    """Return a block of the file; {} for any other value, which the validation reports later."""
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
    """Raise Misconfigured for a name that nearly matches a variable.

    Other names with the same prefix are permitted, because Kubernetes sets variables like
    OPENLFR_REDIS_PORT.
    """
    prefixes = tuple(f"OPENLFR_{server}_".upper() for server in _KEYS)
    for name in environment:
        if name in KEYS_BY_VARIABLE or not (name.startswith(prefixes) or name in _MISSPELT):
            continue
        if close := difflib.get_close_matches(name, KEYS_BY_VARIABLE, n=1, cutoff=0.9):
            raise Misconfigured(f"{name} is unknown; did you mean {close[0]}?")
