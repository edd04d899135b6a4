"""The `openlfr` command: a lazy group, so that help answers at once."""
