"""`openlfr doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from openlfr.cli import SOMETHING_FAILED, config_option
from openlfr.domain.addresses import hide_addresses
from openlfr.domain.text import shown
from openlfr.terminal import say, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from openlfr.cli.doctor_checks import Finding
    from openlfr.settings import Settings

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command(name="doctor")
@config_option
@click.option("--json", "as_json", is_flag=True, help="As a JSON list.")
@click.pass_context
def command(ctx: click.Context, config: Path, as_json: bool) -> int:
    """Look at Python, packages, models, the data, the configuration, servers and the clock.

    Each line is ok, warn or fail, with what to do. Exit code 1 if something failed. Nothing is
    changed and no camera is opened.
    """
    asked = ctx.get_parameter_source("config") is not click.core.ParameterSource.DEFAULT
    findings = [
        replace(one, found=hide_addresses(one.found), advice=hide_addresses(one.advice))
        for one in _examine(config, asked=asked)
    ]
    if as_json:
        say(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            state = click.style(f"{finding.state:<5}", fg=_COLOURS[finding.state])
            write(f"{state} {shown(f'{finding.name}: {finding.found}')}")
            if finding.advice:
                say(f"      -> {finding.advice}")
    return SOMETHING_FAILED if any(f.state == "fail" for f in findings) else 0


def _examine(config: Path, *, asked: bool) -> Iterable[Finding]:
    from openlfr import settings
    from openlfr.cli import doctor_checks as checks
    from openlfr.cli.doctor_servers import servers
    from openlfr.domain.errors import Misconfigured

    loaded: Settings | None = None
    data_dir = config.absolute().parent / "data"
    if config.exists() or asked:
        try:
            loaded = settings.load(config)
            data_dir = loaded.data_dir
        except Misconfigured as error:
            yield checks.Finding("configuration", checks.State.FAIL, str(error))
    else:
        yield checks.Finding(
            "configuration", checks.State.WARN, f"there is no {config} here", "openlfr init"
        )
    yield from _safely("machine", lambda: checks.machine(data_dir))
    yield from _safely("clock", checks.clock)
    yield from _safely("packages", checks.packages)
    yield from _safely("models", lambda: checks.models(loaded))
    yield from _safely("embedded servers", checks.embedded_servers)
    if loaded is not None:
        known = loaded
        yield from _safely("data folder", lambda: checks.data_folder(data_dir))
        yield from _safely("configuration", lambda: checks.configured(known))
        yield from _safely("watchlist", lambda: checks.watchlist(known))
        yield from _safely("threshold", lambda: checks.threshold(known))
        yield from _safely("servers", lambda: servers(known))


def _safely(name: str, check: Callable[[], Iterable[Finding]]) -> Iterable[Finding]:
    """A check that breaks is a finding, and the others go on."""
    from openlfr.cli.doctor_checks import Finding, State

    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - whatever is broken here is what doctor is for
        yield Finding(name, State.FAIL, f"could not be checked: {type(error).__name__}: {error}")
