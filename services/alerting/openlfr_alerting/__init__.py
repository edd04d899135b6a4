"""The alerting service: sightings in, alerts out, and both kept.

`service.py` wires it and holds its two loops, `folding.py` makes alerts of sightings and
`recording.py` writes alerts into the records.
"""
