"""The analysis service: frames in, sightings out.

`service.py` wires it and holds the loop, `processor.py` looks at frames, `backlog.py` says which of
them may be acknowledged.
"""
