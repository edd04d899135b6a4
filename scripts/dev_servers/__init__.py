"""Real servers for development and tests, one node each: one file per server, and `process`."""
