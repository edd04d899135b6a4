"""Redis: the alert book, camera leases, leader election, and the embedded server."""
