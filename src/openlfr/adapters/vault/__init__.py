"""The vault as a folder of encrypted files, and the key files."""
