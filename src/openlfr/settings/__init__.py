"""CONFIG.yaml: read once, validated as a whole, then frozen.

`load()` reads the file. `require_authorisation()` must be called before a camera is opened.

`schema` defines the whole file. Each block has a module: `cameras`, `deployment`, `decisions`
(matching, alerting, enrolment), `machinery` (models, services), `servers` and `kafka` (addresses,
TLS, secrets), `topics`. `values` parses durations, times, sizes and paths. `variables` lists the
environment variables that replace keys. `yaml_lines` records the line of each key, and `problems`
turns validation errors into sentences. `process` reads the environment of one service process.
"""

from openlfr.settings.authorisation import require_authorisation
from openlfr.settings.cameras import Camera, Ingest
from openlfr.settings.decisions import Alerting, Enrolment, Matching
from openlfr.settings.deployment import DeploymentEntry
from openlfr.settings.loading import load
from openlfr.settings.machinery import Models, Services
from openlfr.settings.schema import Settings
from openlfr.settings.topics import Topics

__all__ = [
    "Alerting",
    "Camera",
    "DeploymentEntry",
    "Enrolment",
    "Ingest",
    "Matching",
    "Models",
    "Services",
    "Settings",
    "Topics",
    "load",
    "require_authorisation",
]
