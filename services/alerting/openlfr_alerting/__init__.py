"""The alerting service: sightings in, alerts out, both recorded.

`service.py` wires it and holds its loops, `folding.py` makes alerts of sightings and `recording.py`
writes alerts and tallies into the records. One replica, the leader, also publishes the watchlist to
all workers: `relaying.py` decides what goes to the control topic, `leader_jobs.py` has the
threads.
"""
