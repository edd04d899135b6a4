"""Arguments with names or free text: normalised, and rejected for unsafe characters."""

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


def _read(check: Callable[[str], str]) -> Callback:
    def callback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        if value is None:
            return None
        words = collapse_spaces(value)
        if problem := check(words):
            raise click.BadParameter(problem)
        return words

    return callback


person = _read(find_person_problem)
"""Callback of an option with the name of the acting person."""
subject = _read(find_subject_problem)
"""Callback of an argument with a subject's name, in any Unicode normal form."""
_words = _read(find_text_problem)


def words(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Callback of free words, such as a reason; what holds nothing but spaces is none."""
    if value and not collapse_spaces(value):
        raise click.BadParameter("it is blank: give it in words, or leave it out")
    return _words(ctx, parameter, value)


def who(name: str | None = None) -> Principal:
    """The person who runs a command: the operating system's account, named by `--by`."""
    return local_person(name or "")
