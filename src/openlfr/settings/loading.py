"""Reads and validates CONFIG.yaml and the environment variables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import ValidationError

from openlfr.domain.errors import Misconfigured
from openlfr.domain.text import escape_line
from openlfr.settings.problems import describe_errors
from openlfr.settings.schema import Settings
from openlfr.settings.variables import apply_variables
from openlfr.settings.yaml_lines import DuplicateKeys, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def load(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read and validate a configuration file.

    Paths in the file are relative to the file's folder. A time without an offset is UTC. An absent
    or incomplete authorisation is no error here, but an error in `require_authorisation()`.

    Args:
        path: The file.
        environment: Variables that may replace keys (see `variables`); `os.environ` by default.

    Raises:
        Misconfigured: The file or a variable is not valid. The message has one line per problem,
            with the line of the file and the key, or with the environment variable.
    """
    if "\n" in str(path):
        raise Misconfigured(f"{escape_line(str(path))}: its name has a line break; rename the file")
    try:
        values, lines = read_yaml(path)
    except DuplicateKeys as error:
        raise _misconfigured(path, error.problems) from None
    if not isinstance(values, dict):
        raise Misconfigured(f"{path} line 1: the file must consist of `key: value` lines")
    values, variables = apply_variables(values, os.environ if environment is None else environment)
    context = {"folder": path.absolute().parent}
    try:
        settings = Settings.model_validate(values, context=context)
    except ValidationError as error:
        raise _misconfigured(path, describe_errors(error, Settings, lines, variables)) from None
    settings._path = path  # noqa: SLF001 - a private attribute of the class itself
    return settings


def _misconfigured(path: Path, problems: list[tuple[int, str]]) -> Misconfigured:
    return Misconfigured(
        "\n".join(f"{path} line {line}: {text}" if line else text for line, text in problems)
    )
