"""Chooses the adapter of each port from the settings; no other module does.

`models` opens detectors and embedders, `stores` records, pictures and vectors, `servers` Kafka,
leases and elections. Heavy imports are inside the functions, so that a command loads only what it
uses.
"""

from __future__ import annotations

from openlfr.bootstrap.conditions import conditions_of
from openlfr.bootstrap.models import (
    load_detector,
    load_embedder,
    make_analyser,
    model_folder,
    models_used,
    open_models,
    providers,
)
from openlfr.bootstrap.rights import sql_roles, sql_statements
from openlfr.bootstrap.servers import (
    kafka_brokers,
    open_leader_election,
    open_leases,
    require_milvus,
    require_redis,
    require_topics,
)
from openlfr.bootstrap.stores import (
    control_key_of,
    data_folder,
    ids_of,
    ingest_tally_key,
    open_alert_book,
    open_control_key,
    open_records,
    open_searched_templates,
    open_templates,
    open_vault,
    records_file,
    require_records_of_vault,
    tally_keys,
    upgrade_records,
)
from openlfr.bootstrap.thresholds import SFACE_DEFAULTS, threshold_for

__all__ = [
    "SFACE_DEFAULTS",
    "conditions_of",
    "control_key_of",
    "data_folder",
    "ids_of",
    "ingest_tally_key",
    "kafka_brokers",
    "load_detector",
    "load_embedder",
    "make_analyser",
    "model_folder",
    "models_used",
    "open_alert_book",
    "open_control_key",
    "open_leader_election",
    "open_leases",
    "open_models",
    "open_records",
    "open_searched_templates",
    "open_templates",
    "open_vault",
    "providers",
    "records_file",
    "require_milvus",
    "require_records_of_vault",
    "require_redis",
    "require_topics",
    "sql_roles",
    "sql_statements",
    "tally_keys",
    "threshold_for",
    "upgrade_records",
]
