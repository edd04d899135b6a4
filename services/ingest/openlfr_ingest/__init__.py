"""The ingest service: cameras in, frames out.

`service.py` wires it and waits, `sharing.py` decides which cameras this process films,
`supervision.py` supervises one camera, `filming.py` sends its frames, `leases.py` keeps its lease.
"""
