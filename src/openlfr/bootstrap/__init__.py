"""Chooses the adapter of each port from the settings; no other package chooses adapters.

`models` opens detectors and embedders; `stores` opens records, pictures and vectors; `servers`
opens Kafka, leases and elections. Heavy imports are inside the functions, so that a command loads
only the libraries that it uses.
"""

from __future__ import annotations

from openlfr.bootstrap.conditions import make_calibration_conditions, make_conditions
from openlfr.bootstrap.default_thresholds import SFACE_DEFAULTS
from openlfr.bootstrap.models import (
    find_model_folder,
    list_models_used,
    list_providers,
    load_detector,
    load_embedder,
    make_analyser,
    open_models,
)
from openlfr.bootstrap.rights import list_sql_roles, list_sql_statements
from openlfr.bootstrap.servers import (
    open_leader_election,
    open_leases,
    require_kafka,
    require_milvus,
    require_redis,
    require_topics,
)
from openlfr.bootstrap.stores import (
    create_data_folder,
    derive_control_key,
    derive_ingest_tally_key,
    derive_tally_keys,
    erase_calibration_films,
    find_records_file,
    make_ids,
    open_alert_book,
    open_control_key,
    open_records,
    open_searched_templates,
    open_templates,
    open_vault,
    require_records_of_vault,
    upgrade_records,
)
from openlfr.bootstrap.thresholds import choose_threshold, require_no_target

__all__ = [
    "SFACE_DEFAULTS",
    "choose_threshold",
    "create_data_folder",
    "derive_control_key",
    "derive_ingest_tally_key",
    "derive_tally_keys",
    "erase_calibration_films",
    "find_model_folder",
    "find_records_file",
    "list_models_used",
    "list_providers",
    "list_sql_roles",
    "list_sql_statements",
    "load_detector",
    "load_embedder",
    "make_analyser",
    "make_calibration_conditions",
    "make_conditions",
    "make_ids",
    "open_alert_book",
    "open_control_key",
    "open_leader_election",
    "open_leases",
    "open_models",
    "open_records",
    "open_searched_templates",
    "open_templates",
    "open_vault",
    "require_kafka",
    "require_milvus",
    "require_no_target",
    "require_records_of_vault",
    "require_redis",
    "require_topics",
    "upgrade_records",
]
