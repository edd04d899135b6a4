"""The vault: encrypted files."""
