"""Arguments and options of several `openlfr alerts` commands."""

from __future__ import annotations

import click

from openlfr.cli import arguments
from openlfr.domain.adjudication import REASONS, Reason
from openlfr.domain.alerts import Adjudication, Outcome

ALERT = click.argument("alert_id", metavar="ID", callback=arguments.parse_words)
FINDING = click.argument(
    "finding", metavar="|".join(Adjudication), type=click.Choice([str(a) for a in Adjudication])
)
RESULT = click.argument(
    "result", metavar="|".join(Outcome), type=click.Choice([str(o) for o in Outcome])
)
BY = click.option(
    "--by", required=True, metavar="NAME", callback=arguments.parse_person, help="Your name."
)
_CODES = "; ".join(f"{each}: {', '.join(REASONS[each])}" for each in Adjudication)
BECAUSE = click.option(
    "--because",
    type=click.Choice([str(r) for r in Reason]),
    metavar="CODE",
    default=None,
    help=f"Code of the reason, for statistics. {_CODES}.",
)
REASON = click.option(
    "--reason", default="", callback=arguments.parse_words, help="The reason in your own words."
)
VERSION = click.option(
    "--if-version",
    "version",
    type=click.IntRange(min=1),
    default=None,
    help="Expected version of the alert (alerts show --json prints it). With another version the"
    " command fails.",
)
