"""The analysis service: it reads frames and publishes sightings.

`service.py` builds its parts, `worker.py` is its loop, `frame_batches.py` processes frames, and
`acknowledgement_queue.py` decides which frames are acknowledged.
"""
