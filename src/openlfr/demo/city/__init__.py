"""Demonstration of the city-wide mode on one machine: `scripts/demo --city`.

    street.py           makes four films with known truth, and writes the configuration
    processes.py        starts the processes, restarts dead processes, ends each by its pid
    process_metrics.py  reads the processes' metrics
    totals.py           reads the counts in Redis and in the records
    alerts.py           reads alerts.v1
    monitor.py          takes snapshots of all metrics and counts, and kills a worker
    view.py             shows snapshots on a terminal
    recording.py        writes snapshots as an animated SVG
    truth.py            compares alerts with the films
    reconciliation.py   compares published sightings with recorded events, sent with analysed frames
    outcome.py          describes the figures in sentences and a report
    run.py              runs all steps in order

The servers and their packages must be there already; `scripts/demo-city` provides them.
"""
