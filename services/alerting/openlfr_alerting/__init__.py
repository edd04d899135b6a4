"""The alerting service: sightings in, alerts out, and both kept.

`service.py` wires it and holds its loops, `folding.py` makes alerts of sightings and `recording.py`
writes alerts and tallies into the records. Beside the loops one replica tells every worker who is
searchable: `relaying.py` says what goes to the control topic, `leader_jobs.py` holds the threads.
"""
