"""The rows that are printed: what was seen, how long it took, and whether it is as it should be."""

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
    """One thing that was looked at; `good` is None where it could not be."""

    what: str
    good: bool | None
    seconds: float
    seen: str


class Table:
    """Does one thing after the other; what fails is a row, and the rest goes on."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def row(self, what: str, look: Callable[[], object]) -> bool:
        """Look at something; what it gives is what was seen, and `Failed` what is wrong."""
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
        """The whole table again as Markdown; the number of rows that are wrong."""
        print("\n| | | s | seen |\n|---|---|---|---|")
        for row in self.rows:
            seen = " ".join(row.seen.split()).replace("|", "\\|")
            print(f"| {STATES[row.good]} | {row.what} | {row.seconds:.0f} | {seen} |")
        wrong = sum(row.good is False for row in self.rows)
        right = sum(row.good is True for row in self.rows)
        print(f"\n{right} of {len(self.rows)} as they should be, {wrong} wrong")
        sys.stdout.flush()
        return wrong
