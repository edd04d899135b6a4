"""The records in SQLite or PostgreSQL; `records.py` opens them, a file for each part of them."""
