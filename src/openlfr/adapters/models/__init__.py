"""Models: where they come from, what may be loaded, and how they run on ONNX Runtime."""
