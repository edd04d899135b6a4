"""What docs/operations.md says of models of one's own makes a folder that can be used."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import own_graphs

from openlfr.adapters.models.insightface import ArcFace, Scrfd
from openlfr.adapters.models.store import ModelStore

ROOT = Path(__file__).resolve().parents[4]


def test_the_documented_commands_state_two_valid_models(tmp_path):
    page = (ROOT / "docs/operations.md").read_text()
    part = page.split("### Models of your own")[1]
    (shell,) = re.findall(r"```sh\n(.*?)```", part, re.S)[:1]
    commands = shell.replace("openlfr models verify\n", "")
    assert commands != shell  # it would ask for the catalogue's models, too
    (tmp_path / "det_10g.onnx").write_bytes(own_graphs.scrfd("interleaved"))
    (tmp_path / "w600k_r50.onnx").write_bytes(own_graphs.arcface(width=512))
    folder = tmp_path / ".cache/openlfr/models"
    folder.mkdir(parents=True)
    subprocess.run(
        ["bash", "-euc", commands], cwd=tmp_path, check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    store, on = ModelStore(folder), ["CPUExecutionProvider"]
    detector = Scrfd(store.load("det10g"), providers=on)
    embedder = ArcFace(store.load("w600k"), providers=on)
    picture = np.full((96, 96, 3), 90, np.uint8)
    assert len(detector.detect([picture, picture], (96, 96))) == 2
    assert embedder.facts.dimension == 512
    assert "`models: {detector: det10g, embedder: w600k}`" in part
