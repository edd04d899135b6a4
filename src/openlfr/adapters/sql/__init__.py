"""The records in SQLite or PostgreSQL: `records.py` opens them; each part has its own file."""
