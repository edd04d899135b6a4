"""OpenLFR: live facial recognition that answers for itself.

Where to read first:

- `openlfr.domain`: the terms (frame, detection, track, probe, sighting, alert) as frozen values,
  and rules that import only numpy.
- `openlfr.ports`: the interfaces through which the core uses detectors, stores and servers.
- `openlfr.pipeline`: the only module that orders the stages in `openlfr.stages`.
- `openlfr.operations`: the actions of people (enrol, decide, evaluate, purge).
- `openlfr.adapters`: one package per outside system; `openlfr.bootstrap` chooses among them.
- `openlfr.embedded`: the whole pipeline in one process, as `openlfr run` starts it.
"""

__version__ = "0.1.0"
