"""The records, alert book, template store and vault in memory, for tests and measurements."""
