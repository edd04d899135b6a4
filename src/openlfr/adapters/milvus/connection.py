"""The connection to Milvus, and the deadlines of its calls.

pymilvus 3.0 (read and measured): `MilvusClient(timeout=)` only limits the time to connect. A call
without `timeout=` waits for ever for a server that does not answer (keepalive does not end it). If
the connection is refused, the call is repeated 75 times, up to 3 s apart.

With `timeout=` each request has that deadline. A request that missed its deadline is not repeated,
and repetitions of other requests end at the deadline. A repetition reconnects first, which may take
`CONNECT_S` more. Some internal requests of pymilvus accept no `timeout=` (the first of a
`query_iterator`, and the timestamp before waiting for an index). So the channel's service config
sets a deadline for every request.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from openlfr.domain.addresses import redact_address, redact_addresses
from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONNECT_S = 10
SEARCH_S = 2.0
"""Deadline of a search and its reads; `search_timeout_s` adds time for large results."""
READ_S = 10
"""Deadline of reading a page of templates or the collection's description."""
WRITE_S = 20
"""Deadline of writing a page of templates, and of a flush to the disk."""
LOAD_S = 60
"""Deadline of creating, indexing and loading a collection; pymilvus ignores fractions."""
MAX_REQUEST_S = 30
"""Deadline of any single request."""
_ROWS_PER_S = 20_000


def search_timeout_s(rows: int) -> float:
    """Return the deadline in seconds of a search for this number of rows."""
    return SEARCH_S + rows / _ROWS_PER_S


def connect(uri: str, token: str, ca_file: Path | None) -> Any:
    """Connect to the Milvus at this address.

    Raises:
        Unavailable: Milvus does not answer.
    """
    tls = {"server_pem_path": str(ca_file)} if ca_file else {}
    every_method = {"methodConfig": [{"name": [{}], "timeout": f"{MAX_REQUEST_S}s"}]}
    options = {"grpc.service_config": json.dumps(every_method)}
    with milvus_errors(redact_address(uri) if "://" in uri else uri):
        return MilvusClient(
            uri=uri, token=token, timeout=CONNECT_S, grpc_options=options, **tls
        )  # fmt: skip


@contextmanager
def milvus_errors(where: str) -> Iterator[None]:
    """Turn the exceptions of pymilvus and gRPC into `Unavailable`.

    Raises:
        Unavailable: Milvus does not answer, or refuses the request.
    """
    try:
        yield
    except MilvusException as error:
        why = redact_addresses(error.message or str(error))
        raise Unavailable(f"Milvus at {where} does not answer: {why}") from error
    except grpc.RpcError as error:
        why = redact_addresses(str(error.details() if isinstance(error, grpc.Call) else error))
        raise Unavailable(f"Milvus at {where} does not answer: {why}") from error
