"""What people do: enrol, decide, evaluate, report, purge. Console and CLI call these."""
