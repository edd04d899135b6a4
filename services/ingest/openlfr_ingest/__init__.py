"""The ingest service: it films cameras and publishes their frames.

`service.py` builds the service's parts and runs the loop, `camera_share.py` decides which cameras
this process films, `supervision.py` supervises one camera, `filming.py` sends the camera's frames,
and `leases.py` renews the camera's lease.
"""
