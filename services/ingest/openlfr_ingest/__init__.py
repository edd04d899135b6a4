"""The ingest service: it films cameras and publishes their frames.

`service.py` builds its parts and runs its loop, `camera_share.py` decides which cameras this
process films, `supervision.py` supervises one camera, `filming.py` sends the camera's frames, and
`leases.py` renews its lease.
"""
