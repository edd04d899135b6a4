"""The operations of people: enrol, decide, evaluate, report, purge. Console and CLI call them."""
