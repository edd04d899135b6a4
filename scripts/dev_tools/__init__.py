"""Programs that tests need and no package of the project brings."""
