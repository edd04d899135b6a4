"""Redis: the alert book, leases and elections; and the embedded server."""
