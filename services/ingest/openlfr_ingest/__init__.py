"""The ingest service: cameras in, frames out.

`service.py` wires it and waits, `filming.py` films one camera and sends its frames, `leases.py`
holds the right to film them.
"""
