"""The analysis service: it reads frames and publishes sightings.

`service.py` builds the service's parts, `worker.py` is the loop, `frame_batches.py` processes
frames, and `acknowledgement_queue.py` decides which frames are acknowledged.
"""
