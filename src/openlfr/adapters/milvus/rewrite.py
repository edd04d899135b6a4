"""Rewriting a collection of Milvus Lite, so that deleted rows leave its files.

Milvus Lite (3.2.2, read and measured) only records a deletion: the vector stays in its Parquet
file, and in that file's index, until enough small files make Milvus Lite merge some. It has no call
to force that, so this module uses its internals: the live rows of a partition are written to new
files, the manifest is replaced atomically, then the old files are deleted. A process killed before
the manifest leaves new files, one killed after it leaves old files, that no manifest names. The
next opening removes both kinds, and `rewrite` is called at each opening, since the process may have
been killed before its call.

New files are synced before the manifest names them: Milvus Lite does not sync, and a power cut
might lose the whole list.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def rewrite(collection: Any) -> bool:
    """Remove deleted rows from the collection's files; whether there were any.

    Args:
        collection: A collection of Milvus Lite's engine; its other work waits meanwhile.
    """
    collection.flush()
    # In the thread that merges files and builds indexes, which would otherwise use old files.
    done: bool = collection._bg_executor.submit(_rewrite, collection).result()  # noqa: SLF001
    return done


def _rewrite(collection: Any) -> bool:
    with collection._maintenance_lock:  # noqa: SLF001
        _remove_old_logs(collection)
        manifest = collection._manifest  # noqa: SLF001
        partitions = [name for name in manifest.list_partitions() if _has_dead(collection, name)]
        for name in partitions:
            _rewrite_partition(collection, name)
        if partitions:
            collection._compaction_mgr._gc_tombstones(manifest, collection._delta_index)  # noqa: SLF001
        collection._refresh_segment_cache()  # noqa: SLF001
        collection._cleanup_orphan_index_files()  # noqa: SLF001
    collection._ensure_loaded_segments_indexed()  # noqa: SLF001
    return bool(partitions)


def _remove_old_logs(collection: Any) -> None:
    """Remove write-ahead logs that were read at the opening, also half-written ones."""
    from milvus_lite.storage.wal import _cleanup_old_wals

    if collection._memtable.size() == 0:  # noqa: SLF001
        wal = collection._wal  # noqa: SLF001
        _cleanup_old_wals(wal.wal_dir, wal.number - 1)


def _has_dead(collection: Any, partition: str) -> bool:
    """Whether a file of the partition contains a row that was deleted or replaced."""
    manager = collection._compaction_mgr  # noqa: SLF001
    keys = _read(collection, partition, columns=[collection.pk_field, "_seq"])
    return keys is not None and keys.num_rows > _live(manager, keys, collection).num_rows


def _live(manager: Any, table: pa.Table, collection: Any) -> pa.Table:
    found: pa.Table = manager._filter_deleted(  # noqa: SLF001
        manager._dedup_max_seq(table),  # noqa: SLF001
        collection._delta_index,  # noqa: SLF001
    )
    return found


def _read(collection: Any, partition: str, *, columns: list[str] | None = None) -> pa.Table | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = Path(collection.data_dir, "partitions", partition)
    files = collection._manifest.get_data_files(partition)  # noqa: SLF001
    tables = [pq.read_table(folder / name, columns=columns) for name in files]
    return pa.concat_tables(tables) if tables else None


def _rewrite_partition(collection: Any, partition: str) -> None:
    from milvus_lite.constants import MAX_SEGMENT_ROWS
    from milvus_lite.storage.data_file import write_data_file

    manager, manifest = collection._compaction_mgr, collection._manifest  # noqa: SLF001
    folder = Path(collection.data_dir, "partitions", partition)
    old = list(manifest.get_data_files(partition))
    table = _read(collection, partition)
    assert table is not None  # noqa: S101 - it has dead rows
    live = _live(manager, table, collection).sort_by("_seq")
    new = []
    for begin in range(0, live.num_rows, MAX_SEGMENT_ROWS):
        part = live.slice(begin, MAX_SEGMENT_ROWS)
        seqs = part.column("_seq")
        named = manager._pick_unique_seq_range(  # noqa: SLF001
            str(folder), seqs[0].as_py(), seqs[-1].as_py()
        )
        name = write_data_file(part, str(folder), *named)
        _sync(folder / name)
        _sync((folder / name).parent)
        new.append(name)
    manifest.remove_data_files(partition, old)
    for name in new:
        manifest.add_data_file(partition, name)
    manifest.save()
    for name in old:
        (folder / name).unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
