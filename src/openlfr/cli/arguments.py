"""Callbacks for arguments with names or free text: collapse spaces, reject unsafe characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from openlfr.domain.names import find_person_problem, find_subject_problem
from openlfr.domain.text import collapse_spaces, find_text_problem
from openlfr.os_account import local_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.domain.principals import Principal

    Callback = Callable[[click.Context, click.Parameter, str | None], str | None]


def _make_callback(find_problem: Callable[[str], str]) -> Callback:
    def callback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        if value is None:
            return None
        text = collapse_spaces(value)
        if problem := find_problem(text):
            raise click.BadParameter(problem)
        return text

    return callback


parse_person = _make_callback(find_person_problem)
"""Callback of an option with the acting person's name."""
parse_subject = _make_callback(find_subject_problem)
"""Callback of an argument with a subject's name, in any Unicode normal form."""
_parse_text = _make_callback(find_text_problem)


def parse_words(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Collapse the spaces of free text, such as a reason; reject text of nothing but spaces."""
    if value and not collapse_spaces(value):
        raise click.BadParameter("the text is blank: write some words, or omit the option")
    return _parse_text(ctx, parameter, value)


def identify_person(name: str | None = None) -> Principal:
    """Return the person who runs the command: the OS account, with this name or the account's."""
    return local_person(name or "")
