"""The city-wide mode seen at work on one machine: `scripts/demo --city`.

    street.py      four films with known truth, and the configuration over real servers
    processes.py   the processes: started, watched, started again when they die, ended by their pid
    measures.py    what they say about themselves, and what Redis and the records have counted
    view.py        that on a terminal, while it lasts
    truth.py       alerts against the films: which frame was sent when
    accounts.py    sightings published against events recorded, frames filmed against looked at
    outcome.py     all of it as figures, sentences and a report
    run.py         puts them in order, and kills a worker in the middle

It starts no server and asks for no package: `scripts/demo-city` does.
"""
