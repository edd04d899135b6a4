"""One file per outside system; nothing here is imported by the core."""
