"""Writes an animated SVG that shows some of the snapshots, one after the other.

Rich draws each snapshot as on a terminal, and a style sheet shows one at a time. The SVG loads no
script, no font and nothing else, and has no picture of anybody.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.text import Text

from openlfr.demo.city.outcome import sentences
from openlfr.demo.city.view import draw

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from openlfr.demo.city.outcome import Outcome
    from openlfr.demo.city.view import Snapshot

SNAPSHOTS, EACH_S, LAST_S = 9, 1.6, 9.0
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
    """Write the SVG: some snapshots, among them those around the kill, then the outcome."""
    frames: list[RenderableType] = [draw(each) for each in choose(snapshots)]
    frames.append(_last_frame(outcome))
    drawn = [_draw(frame, f"f{number}") for number, frame in enumerate(frames)]
    path.write_text(_one_after_the_other(drawn), encoding="utf-8")


def choose(snapshots: Sequence[Snapshot], most: int = SNAPSHOTS) -> list[Snapshot]:
    """Choose snapshots at even distances, and those after the last three state changes."""
    if not snapshots:
        return []
    changed = [
        number
        for number in range(1, len(snapshots))
        if [p.state for p in snapshots[number].processes]
        != [p.state for p in snapshots[number - 1].processes]
        and snapshots[number].elapsed > 0
    ]
    even = [round(i * (len(snapshots) - 1) / max(most - 1, 1)) for i in range(most)]
    return [snapshots[number] for number in sorted({*changed[-3:], *even})]


def _last_frame(outcome: Outcome) -> RenderableType:
    lines: list[RenderableType] = [Text(" OpenLFR: a city on this machine ", "bold reverse")]
    for number, sentence in enumerate(sentences(outcome)):
        lines += [Text(), Text(f" {sentence}", "bold" if number < 2 else "")]
    return Group(*lines)


def _draw(what: RenderableType, name: str) -> str:
    """Draw one frame as its own SVG."""
    console = Console(
        record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True,
        color_system="truecolor", legacy_windows=False,
    )  # fmt: skip
    console.print(what, height=HEIGHT)
    return console.export_svg(title="", code_format=_FORMAT, unique_id=name)


def _one_after_the_other(drawn: Sequence[str]) -> str:
    boxes = [re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', each)[0] for each in drawn]
    width, height = (max(float(box[side]) for box in boxes) for side in (0, 1))
    whole = EACH_S * (len(drawn) - 1) + LAST_S
    # Viewers without animation show only the last frame.
    style, at = [f"[id^=s]:not(#s{len(drawn) - 1}){{visibility:hidden}}"], 0.0
    for number in range(len(drawn)):
        duration_s = LAST_S if number == len(drawn) - 1 else EACH_S
        begin, end = 100 * at / whole, 100 * (at + duration_s) / whole
        hidden = [] if number == 0 else [f"0%,{begin - 0.01:.2f}%{{visibility:hidden}}"]
        hidden += [f"{begin:.2f}%,{end - 0.01:.2f}%{{visibility:visible}}"]
        hidden += [] if number == len(drawn) - 1 else [f"{end:.2f}%,100%{{visibility:hidden}}"]
        style.append(f"@keyframes k{number}{{{''.join(hidden)}}}")
        style.append(f"#s{number}{{animation:k{number} {whole:.1f}s step-end infinite}}")
        at += duration_s
    frames = "".join(f'<g id="s{n}">{_body(each)}</g>' for n, each in enumerate(drawn))
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" xmlns="http://www.w3.org/2000/svg">'
        f"<style>{''.join(style)}</style>"
        f'<rect fill="#292929" width="{width:.0f}" height="{height:.0f}" rx="8"/>{frames}</svg>\n'
    )


def _body(svg: str) -> str:
    """The content of an SVG's root element."""
    return re.sub(r"\n\s*", "\n", svg[svg.index(">") + 1 : svg.rindex("</svg>")].strip())
