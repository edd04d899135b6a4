"""Programs for tests that are in no package of the project."""
