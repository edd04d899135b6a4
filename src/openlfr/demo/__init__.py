"""The demonstration: photos that installed packages carry, a street, a run, and the truth."""
