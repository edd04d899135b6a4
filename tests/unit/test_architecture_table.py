"""The architecture page's table: each file that answers a question is there, and has the name."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
TABLE = PAGE.split("## Which file answers which question")[1].split("\n## ")[0]
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split(" | "))
    for line in TABLE.splitlines()
    if line.startswith("| ") and "`" in line
]
ANSWERS = [
    (question, *answer)
    for question, answers in ROWS
    for answer in re.findall(r"`([\w./]+\.py)`: `(\w+)`", answers)
]


def test_the_table_is_read() -> None:
    assert len(ROWS) >= 40
    assert len(ANSWERS) >= len(ROWS)


@pytest.mark.parametrize(("question", "file", "name"), ANSWERS)
def test_the_file_that_answers_a_question_has_the_name(question: str, file: str, name: str) -> None:
    base = ROOT if file.startswith("services/") else ROOT / "src" / "openlfr"
    text = (base / file).read_text()
    assert re.search(rf"^\s*(async )?(def|class) {name}\b|^{name}\b", text, re.MULTILINE), question
