"""The alerting service: it reads sightings, publishes alerts and records them.

`service.py` builds the parts and runs the loops, `folding.py` turns sightings into alerts, and
`recording.py` writes alerts and tallies into the records. One replica, the leader, also publishes
the watchlist to all workers: `relaying.py` chooses the messages of the control topic, and
`leader_jobs.py` runs the leader's threads.
"""
