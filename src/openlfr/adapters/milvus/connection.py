"""How Milvus is reached, and for how long an answer is awaited.

pymilvus 3.0 (read and measured): `MilvusClient(timeout=)` bounds the connecting alone. A call
without `timeout=` waits for ever where nothing answers (keepalive cuts nothing off), and where the
connection is refused it is tried 75 times, up to 3 s apart. With `timeout=` each request has that
deadline, what missed it is not tried again, and other trials end with it; before such a trial it
connects anew, which may take `CONNECT_S` more. Some requests that it makes by itself can be given
none (a `query_iterator`'s first, a timestamp's before an index is awaited): the channel's service
config gives every request one.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from openlfr.domain.addresses import hide_addresses, shown_address
from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONNECT_S = 10
SEARCH_S = 2.0
"""Of a search and of what it needs, while frames wait; `search_s` adds for large answers."""
READ_S = 10
"""Of a page of templates, or of a question about the collection."""
WRITE_S = 20
"""Of a page that is written, and of its way to the disk."""
LOAD_S = 60
"""Until a collection is made, indexed and loaded. Whole: pymilvus ignores others there."""
LONGEST_S = 30
"""Of any single request."""
_ROWS_A_SECOND = 20_000


def search_s(rows: int) -> float:
    """The deadline of a search that asks for so many rows, in seconds."""
    return SEARCH_S + rows / _ROWS_A_SECOND


def connect(uri: str, token: str, ca_file: Path | None) -> Any:
    """A client of the Milvus at this address, connected.

    Raises:
        Unavailable: Nothing answers there.
    """
    trust = {"server_pem_path": str(ca_file)} if ca_file else {}
    every = {"methodConfig": [{"name": [{}], "timeout": f"{LONGEST_S}s"}]}
    options = {"grpc.service_config": json.dumps(every)}
    with milvus_errors(shown_address(uri) if "://" in uri else uri):
        return MilvusClient(
            uri=uri, token=token, timeout=CONNECT_S, grpc_options=options, **trust
        )  # fmt: skip


@contextmanager
def milvus_errors(where: str) -> Iterator[None]:
    """Milvus's errors as ours.

    Raises:
        Unavailable: For each of them.
    """
    try:
        yield
    except MilvusException as error:
        said = hide_addresses(error.message or str(error))
        raise Unavailable(f"Milvus at {where} does not answer: {said}") from error
    except grpc.RpcError as error:
        said = hide_addresses(str(error.details() if isinstance(error, grpc.Call) else error))
        raise Unavailable(f"Milvus at {where} does not answer: {said}") from error
