"""Writes an animated SVG that shows a selection of the snapshots, one after another.

Rich draws each snapshot as on a terminal, and a style sheet shows one snapshot at a time. The SVG
loads no script, no font and no other file, and contains no picture of a person.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.text import Text

from openlfr.demo.city.outcome import describe
from openlfr.demo.city.view import draw

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from openlfr.demo.city.outcome import Outcome
    from openlfr.demo.city.view import Snapshot

MAX_SNAPSHOTS, EACH_S, LAST_S = 9, 1.6, 9.0
WIDTH, HEIGHT = 108, 30  # size of the terminal, cells
_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
}}
{styles}
</style>
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


def write_recording(snapshots: Sequence[Snapshot], outcome: Outcome, path: Path) -> None:
    """Write the SVG: selected snapshots, including those around the kill, then the outcome."""
    frames: list[RenderableType] = [draw(each) for each in choose_snapshots(snapshots)]
    frames.append(_last_frame(outcome))
    drawings = [_draw(frame, f"f{number}") for number, frame in enumerate(frames)]
    path.write_text(_animate(drawings), encoding="utf-8")


def choose_snapshots(
    snapshots: Sequence[Snapshot], max_evenly: int = MAX_SNAPSHOTS
) -> list[Snapshot]:
    """Choose `max_evenly` snapshots at even distances, and those at the last 3 state changes."""
    if not snapshots:
        return []
    changed = [
        number
        for number in range(1, len(snapshots))
        if [p.state for p in snapshots[number].processes]
        != [p.state for p in snapshots[number - 1].processes]
        and snapshots[number].elapsed > 0
    ]
    even = [round(i * (len(snapshots) - 1) / max(max_evenly - 1, 1)) for i in range(max_evenly)]
    return [snapshots[number] for number in sorted({*changed[-3:], *even})]


def _last_frame(outcome: Outcome) -> RenderableType:
    lines: list[RenderableType] = [Text(" OpenLFR: a city on this machine ", "bold reverse")]
    for number, sentence in enumerate(describe(outcome)):
        lines += [Text(), Text(f" {sentence}", "bold" if number < 2 else "")]
    return Group(*lines)


def _draw(what: RenderableType, name: str) -> str:
    """Draw one frame as a separate SVG."""
    console = Console(
        record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True,
        color_system="truecolor", legacy_windows=False,
    )  # fmt: skip
    console.print(what, height=HEIGHT)
    return console.export_svg(title="", code_format=_FORMAT, unique_id=name)


def _animate(drawings: Sequence[str]) -> str:
    """Combine SVGs to one SVG that shows the drawings one after another."""
    boxes = [re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', each)[0] for each in drawings]
    width, height = (max(float(box[side]) for box in boxes) for side in (0, 1))
    whole = EACH_S * (len(drawings) - 1) + LAST_S
    # Viewers without animation show only the last frame.
    style, at = [f"[id^=s]:not(#s{len(drawings) - 1}){{visibility:hidden}}"], 0.0
    for number in range(len(drawings)):
        duration_s = LAST_S if number == len(drawings) - 1 else EACH_S
        begin, end = 100 * at / whole, 100 * (at + duration_s) / whole
        hidden = [] if number == 0 else [f"0%,{begin - 0.01:.2f}%{{visibility:hidden}}"]
        hidden += [f"{begin:.2f}%,{end - 0.01:.2f}%{{visibility:visible}}"]
        hidden += [] if number == len(drawings) - 1 else [f"{end:.2f}%,100%{{visibility:hidden}}"]
        style.append(f"@keyframes k{number}{{{''.join(hidden)}}}")
        style.append(f"#s{number}{{animation:k{number} {whole:.1f}s step-end infinite}}")
        at += duration_s
    frames = "".join(f'<g id="s{n}">{_body(each)}</g>' for n, each in enumerate(drawings))
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" xmlns="http://www.w3.org/2000/svg">'
        f"<style>{''.join(style)}</style>"
        f'<rect fill="#292929" width="{width:.0f}" height="{height:.0f}" rx="8"/>{frames}</svg>\n'
    )


def _body(svg: str) -> str:
    """Return the content of an SVG's root element."""
    return re.sub(r"\n\s*", "\n", svg[svg.index(">") + 1 : svg.rindex("</svg>")].strip())
