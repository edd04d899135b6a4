"""The analysis service: frames in, sightings out.

`service.py` wires it and holds the loop, `station.py` looks at frames, `backlog.py` says which of
them may be acknowledged.
"""
