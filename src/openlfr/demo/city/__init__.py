"""Demonstration of the city-wide mode on one machine: `scripts/demo --city`.

    street.py           makes four films with known truth, and writes the configuration
    processes.py        starts the processes, restarts those that die, ends them by their pid
    process_metrics.py  reads the processes' metrics
    totals.py           reads the counts in Redis and in the records
    alerts.py           reads alerts.v1
    monitor.py          takes snapshots of all of these, and kills a worker
    view.py             shows snapshots on a terminal
    recording.py        writes snapshots as an animated SVG
    truth.py            compares alerts with the films
    reconciliation.py   compares sightings published with events recorded, frames sent with analysed
    outcome.py          turns the figures into sentences and a report
    run.py              calls them in order

It starts no server and needs no further package; `scripts/demo-city` provides both.
"""
