"""`openlfr doctor`: find problems of this installation, and print advice."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from openlfr.cli import SOMETHING_FAILED, config_option
from openlfr.domain.addresses import redact_addresses
from openlfr.domain.text import escape_text
from openlfr.terminal import say, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from openlfr.cli.doctor_findings import Finding
    from openlfr.settings import Settings

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command(name="doctor")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_context
def command(ctx: click.Context, config: Path, as_json: bool) -> int:
    """Check Python, packages, models, data, configuration, servers and the clock.

    Each line is ok, warn or fail, with advice. Exit code 1 if a check failed. The command changes
    nothing and opens no camera.
    """
    is_config_named = ctx.get_parameter_source("config") is not click.core.ParameterSource.DEFAULT
    findings = [
        replace(one, found=redact_addresses(one.found), advice=redact_addresses(one.advice))
        for one in _run_checks(config, is_config_named=is_config_named)
    ]
    if as_json:
        say(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            state = click.style(f"{finding.state:<5}", fg=_COLOURS[finding.state])
            write(f"{state} {escape_text(f'{finding.name}: {finding.found}')}")
            if finding.advice:
                say(f"      -> {finding.advice}")
    return SOMETHING_FAILED if any(f.state == "fail" for f in findings) else 0


def _run_checks(config: Path, *, is_config_named: bool) -> Iterable[Finding]:
    from openlfr import settings
    from openlfr.cli import doctor_checks as checks
    from openlfr.cli import doctor_data as data_checks
    from openlfr.cli.doctor_findings import Finding, State
    from openlfr.cli.doctor_servers import check_servers
    from openlfr.domain.errors import Misconfigured

    loaded: Settings | None = None
    data_dir = config.absolute().parent / "data"
    if config.exists() or is_config_named:
        try:
            loaded = settings.load(config)
            data_dir = loaded.data_dir
        except Misconfigured as error:
            yield Finding("configuration", State.FAIL, str(error))
    else:
        yield Finding("configuration", State.WARN, f"{config} does not exist", "openlfr init")
    yield from _run_check("machine", lambda: checks.check_machine(data_dir))
    yield from _run_check("clock", checks.check_clock)
    yield from _run_check("packages", checks.check_packages)
    yield from _run_check("models", lambda: checks.check_models(loaded))
    yield from _run_check("embedded servers", checks.check_embedded_servers)
    if loaded is not None:
        valid = loaded
        yield from _run_check("data folder", lambda: data_checks.check_data_folder(data_dir))
        yield from _run_check("configuration", lambda: data_checks.check_configuration(valid))
        yield from _run_check("watchlist", lambda: data_checks.check_watchlist(valid))
        yield from _run_check("threshold", lambda: data_checks.check_threshold(valid))
        yield from _run_check("servers", lambda: check_servers(valid))


def _run_check(name: str, check: Callable[[], Iterable[Finding]]) -> Iterable[Finding]:
    """Run a check; an exception becomes a finding, so that the other checks still run."""
    from openlfr.cli.doctor_findings import Finding, State
    from openlfr.domain.errors import OpenLFRError

    try:
        yield from check()
    except OpenLFRError as error:
        yield Finding(name, State.FAIL, f"could not be checked: {error}")
    except Exception as error:  # noqa: BLE001 - every kind of fault is reported
        yield Finding(name, State.FAIL, f"could not be checked: {type(error).__name__}: {error}")
