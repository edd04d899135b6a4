"""The printed rows: observation, duration and result."""

from __future__ import annotations

import sys
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kube import Failed, NotSeen

if TYPE_CHECKING:
    from collections.abc import Callable

STATES = {True: "ok", False: "WRONG", None: "not seen"}


@dataclass(frozen=True)
class Row:
    """A checked item; `good` is None if the check was impossible."""

    what: str
    good: bool | None
    seconds: float
    seen: str


class Table:
    """Runs checks one after the other; a failed check is a row, and the rest continues."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def row(self, what: str, look: Callable[[], object]) -> bool:
        """Run a check: it returns the observation, or raises `Failed` with the problem."""
        begun = time.monotonic()
        good: bool | None
        try:
            seen, good = str(look() or ""), True
        except NotSeen as missing:
            seen, good = str(missing), None
        except Failed as failure:
            seen, good = str(failure), False
        except Exception as error:  # noqa: BLE001 - a fault of the test is a row too
            traceback.print_exc()
            seen, good = f"{type(error).__name__}: {error}", False
        self.rows.append(Row(what, good, time.monotonic() - begun, seen))
        print(self._line(self.rows[-1]), flush=True)
        return bool(good)

    @staticmethod
    def _line(row: Row) -> str:
        state = STATES[row.good].ljust(8)
        seen = " ".join(row.seen.split())
        return f"{state} {row.seconds:6.1f} s  {row.what}{': ' if seen else ''}{seen}"

    def print(self) -> int:
        """Print the whole table as Markdown, and return the number of failed rows."""
        print("\n| | | s | seen |\n|---|---|---|---|")
        for row in self.rows:
            seen = " ".join(row.seen.split()).replace("|", "\\|")
            print(f"| {STATES[row.good]} | {row.what} | {row.seconds:.0f} | {seen} |")
        wrong = sum(row.good is False for row in self.rows)
        right = sum(row.good is True for row in self.rows)
        print(f"\n{right} of {len(self.rows)} as they should be, {wrong} wrong")
        sys.stdout.flush()
        return wrong
