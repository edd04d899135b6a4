"""The analysis service: frames in, sightings out.

`service.py` wires it and holds the loop, `frame_batches.py` processes frames, `backlog.py` decides
which frames may be acknowledged.
"""
