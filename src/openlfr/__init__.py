"""OpenLFR: live facial recognition that answers for itself.

Where to read first:

- `openlfr.domain`: the words (frame, detection, track, probe, sighting, alert) as frozen values,
  and the rules that need nothing but numpy.
- `openlfr.ports`: what the core asks of the world.
- `openlfr.pipeline`: the one place that orders the stages in `openlfr.stages`.
- `openlfr.operations`: what people do (enrol, decide, evaluate, purge).
- `openlfr.adapters`: one file per outside system; `openlfr.bootstrap` chooses among them.
- `openlfr.embedded`: the whole pipeline in one process, as `openlfr run` starts it.
"""

__version__ = "0.1.0"
