"""Models on ONNX Runtime: sources, checks before loading, and the detectors and embedders.

- `catalogue.py`: the known models and an operator's own. `sources.py` fetches model files,
  `store.py` installs, verifies and prepares them, `gate.py` refuses graphs that may not be loaded
  (`attribute_words.py` has the words).
- `yunet.py`, `sface.py`: the shipped detector and embedder. `insightface.py`: an operator's own
  ArcFace or SCRFD (`scrfd.py`).
- `onnx.py` chooses providers and opens sessions, `onnx_graph.py` prepares shipped graphs,
  `onnx_batches.py` frees the batch of an operator's own, `parallel_calls.py` calls in threads.
"""
