"""Models on ONNX Runtime: installation, checks before loading, detectors and embedders.

- `catalogue.py`: the shipped models, and an operator's own. `sources.py` fetches model files,
  `store.py` installs, verifies and prepares them. `gate.py` rejects graphs that may not be loaded
  (`attribute_words.py` lists the words).
- `yunet.py`, `sface.py`: the shipped detector and embedder. `insightface.py`: an operator's own
  ArcFace or SCRFD (`scrfd.py`).
- `onnx.py` chooses providers and opens sessions, `onnx_graph.py` prepares shipped graphs,
  `onnx_batches.py` makes an operator's own graph accept batches, `parallel_calls.py` calls a model
  in threads.
"""
