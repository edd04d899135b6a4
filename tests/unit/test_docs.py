"""The documents name existing files and figures."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
)
BASES = (ROOT, ROOT / "src" / "openlfr", ROOT / "docs", ROOT / "src" / "openlfr" / "adapters")
MADE_WHILE_RUNNING = re.compile(r"^(data|milvus|redis|vault|demo-output)/?$")


def mentioned(text: str) -> set[str]:
    """Paths in backticks: what ends in a known suffix or a slash, or lies below scripts/."""
    words = re.findall(r"`([\w./-]+)`", text)
    kinds = re.compile(r"(\.(py|lua|md|txt)|/)$|^(scripts|requirements)/\w")
    return {word for word in words if kinds.search(word) and not MADE_WHILE_RUNNING.match(word)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_path_that_a_document_names_exists(document: Path):
    text = (ROOT / document).read_text()
    lost = {
        word
        for word in mentioned(text)
        if "ROLE" not in word and not any((base / word).exists() for base in BASES)
    }
    links = re.findall(r"\]\((?!\w+:)([^)#]+)", text)
    lost |= {link for link in links if not (ROOT / document.parent / link).exists()}
    assert lost == set()


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text()
    pages = list(folder.glob("[0-9]*.md"))
    assert pages
    for page in pages:
        number = page.name[:4]
        title = re.sub(r"^# \d+ ", "", page.read_text().splitlines()[0])
        assert f"[{number}]({page.name}) | {title}" in index


def test_every_script_that_the_readme_names_exists():
    readme = (ROOT / "README.md").read_text()
    map_line = next(line for line in readme.splitlines() if line.startswith("scripts/  "))
    scripts = {path.name for path in (ROOT / "scripts").iterdir() if path.is_file()}
    assert set(map_line.split()[1:]) <= scripts


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_benchmark_that_a_document_names_exists(document: Path):
    named = set(re.findall(r"python -m (benchmarks\.\w+)", (ROOT / document).read_text()))
    parts = {name: ROOT / name.replace(".", "/") for name in named}
    assert [n for n, p in parts.items() if not (p.with_suffix(".py").exists() or p.is_dir())] == []


def test_every_figure_of_the_readme_is_in_the_documents_too():
    table = (ROOT / "README.md").read_text().split("## Measured")[1].split("\n## ")[0]
    figures = set(re.findall(r"\b\d[\d.]* (?:s\b|of \d[\d,]*)", table))
    documents = (ROOT / "docs" / "benchmarks.md").read_text()
    assert len(figures) >= 7
    assert {
        each for each in figures if each not in documents and f"{each} " not in documents
    } == set()
