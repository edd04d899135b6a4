"""One package for each outside system; the core imports nothing from here."""
