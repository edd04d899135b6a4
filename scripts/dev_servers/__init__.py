"""Real servers for development and tests, one node each: a file per server, and `process`."""
