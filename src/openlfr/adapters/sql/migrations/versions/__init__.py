"""One file per schema change, the oldest first."""
