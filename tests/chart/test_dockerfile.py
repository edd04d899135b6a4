"""What can be said about the images without building them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "deploy/docker/Dockerfile").read_text()
IGNORE = (ROOT / "deploy/docker/Dockerfile.dockerignore").read_text().split()
TARGETS = ["ingest", "analysis-cpu", "analysis-gpu", "alerting"]


def instructions() -> list[tuple[str, str]]:
    """Instruction and its words, continued lines joined, comments gone."""
    lines = "\n".join(x for x in TEXT.splitlines() if not x.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines)
    return [(x.split()[0], x.split(maxsplit=1)[1]) for x in joined.splitlines() if x.strip()]


def stages() -> dict[str, list[tuple[str, str]]]:
    """Stage -> its instructions, FROM first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for word, rest in instructions():
        if word == "FROM":
            found[rest.split(" AS ")[1]] = []
        if found:
            found[list(found)[-1]].append((word, rest))
    return found


def lineage(stage: str) -> list[tuple[str, str]]:
    """All instructions that make a stage, its bases' first."""
    known = stages()
    base = known[stage][0][1].split(" AS ")[0]
    return (lineage(base) if base in known else []) + known[stage]


def test_every_target_is_there():
    assert list(stages())[-len(TARGETS) :] == TARGETS


def test_bases_from_outside_are_pinned_by_version():
    outside = {x[0][1].split(" AS ")[0] for x in stages().values()} - set(stages())
    assert outside
    for image in outside:
        assert re.search(r":[a-z]*\d+\.\d+\.\d+", image), image
        assert "latest" not in image


@pytest.mark.parametrize("target", TARGETS)
def test_it_runs_as_nobody_in_particular(target: str):
    users = [rest for word, rest in lineage(target) if word == "USER"]
    assert users
    assert re.fullmatch(r"[1-9]\d{4,}:[1-9]\d{4,}", users[-1])


@pytest.mark.parametrize("target", TARGETS)
def test_the_chart_runs_the_user_of_the_image(target: str):
    pod = (ROOT / "deploy/helm/openlfr/templates/_pod.tpl").read_text()
    user = [rest for word, rest in lineage(target) if word == "USER"][-1].split(":")[0]
    assert set(re.findall(r"runAsUser: (\d+)", pod)) == {user}


@pytest.mark.parametrize("target", TARGETS)
def test_no_tool_that_builds_or_fetches_is_in_what_runs(target: str):
    run = " ; ".join(rest for word, rest in lineage(target) if word == "RUN")
    assert not re.search(r"\b(gcc|g\+\+|make|build-essential|git|curl|wget|python3-pip)\b", run)
    assert "pip install" not in run
    assert "pip uninstall" in run or target == "analysis-gpu"  # which never had one


@pytest.mark.parametrize("target", TARGETS)
def test_it_starts_its_service(target: str):
    made = lineage(target)
    assert ("ENTRYPOINT", '["openlfr"]') in made
    service = target.split("-")[0]
    assert made[-1] == ("CMD", f'["service", "{service}", "--config", "/etc/openlfr/CONFIG.yaml"]')


def test_packages_come_hashed_and_as_wheels():
    installs = [
        part
        for word, rest in instructions()
        if word == "RUN"
        for part in rest.split("&&")
        if re.search(r"pip\b.* install", part)
    ]
    assert len(installs) == 5
    for install in installs:
        assert "--no-deps" in install
        local = "--no-index" in install and "/wheels/" in install
        locked = "--require-hashes" in install and "--only-binary :all:" in install
        assert local or locked, install


def test_the_gpu_image_takes_the_locks_of_the_gpu():
    copies = [rest for word, rest in lineage("packages-gpu") if word == "COPY"]
    assert any("city-gpu.txt" in each for each in copies)


def test_nothing_is_added_from_an_address():
    words = instructions()
    assert "ADD" not in {word for word, _ in words}
    assert [rest for word, rest in words if word in {"RUN", "COPY"} and "://" in rest] == []


def test_what_is_copied_is_in_the_repository_and_let_through():
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source.split('/')[0]}" in IGNORE


def test_everything_else_stays_out_of_the_build():
    assert "*" in IGNORE
    assert "!.git" not in IGNORE


def test_models_are_left_out_by_default():
    assert ("ARG", "MODELS=none") in stages()["models"]
    assert any("models install" in rest for _, rest in stages()["models"])


def test_a_builder_of_debian_12_can_build_it():
    """buildah 1.28 follows no stage named by an ARG, makes no WORKDIR without a RUN after it."""
    for stage, made in stages().items():
        assert "$" not in made[0][1], stage
        before = lineage(stage)[: -len(made)]
        for number, (word, folder) in enumerate(made):
            if word != "WORKDIR":
                continue
            earlier = " ".join(rest for _, rest in [*before, *made[:number]])
            later = {word for word, _ in made[number + 1 :]}
            assert "RUN" in later or folder in earlier, f"{stage}: {folder} is never made"
