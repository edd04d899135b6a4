"""The rewrite of a collection of Milvus Lite, which removes deleted rows from its files.

Milvus Lite (3.2.2, read and measured) only records a deletion. The vector remains in its Parquet
file and in that file's index until Milvus Lite merges files. No public call starts a merge, so this
module uses internals. It writes the live rows of a partition to new files, replaces the manifest
atomically, and then deletes the old files.

A process that is killed before or after the new manifest leaves new or old files that no manifest
lists. The next opening removes such files. It also calls `rewrite`, since a process may be killed
between a deletion and its rewrite.

New files are synced before the manifest lists them. Milvus Lite itself does not sync, so a power
failure might lose the complete list.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def rewrite(collection: Any) -> bool:
    """Remove deleted rows from the collection's files; return whether there were any.

    Args:
        collection: A collection of Milvus Lite's engine. Other calls on the collection wait for the
            rewrite.
    """
    collection.flush()
    # Run in the thread that merges files and builds indexes, which must not use the old files.
    had_deleted_rows: bool = collection._bg_executor.submit(_rewrite, collection).result()  # noqa: SLF001
    return had_deleted_rows


def _rewrite(collection: Any) -> bool:
    with collection._maintenance_lock:  # noqa: SLF001
        _remove_old_logs(collection)
        manifest = collection._manifest  # noqa: SLF001
        partitions = [
            name for name in manifest.list_partitions() if _has_deleted_rows(collection, name)
        ]
        for name in partitions:
            _rewrite_partition(collection, name)
        if partitions:
            collection._compaction_mgr._gc_tombstones(manifest, collection._delta_index)  # noqa: SLF001
        collection._refresh_segment_cache()  # noqa: SLF001
        collection._cleanup_orphan_index_files()  # noqa: SLF001
    collection._ensure_loaded_segments_indexed()  # noqa: SLF001
    return bool(partitions)


def _remove_old_logs(collection: Any) -> None:
    """Remove write-ahead logs that were read at the opening, incomplete logs included."""
    from milvus_lite.storage.wal import _cleanup_old_wals

    if collection._memtable.size() == 0:  # noqa: SLF001
        wal = collection._wal  # noqa: SLF001
        _cleanup_old_wals(wal.wal_dir, wal.number - 1)


def _has_deleted_rows(collection: Any, partition: str) -> bool:
    """Return whether the partition's files contain a row that was deleted or replaced."""
    manager = collection._compaction_mgr  # noqa: SLF001
    keys = _read_rows(collection, partition, columns=[collection.pk_field, "_seq"])
    return keys is not None and keys.num_rows > _live_rows(manager, keys, collection).num_rows


def _live_rows(manager: Any, table: pa.Table, collection: Any) -> pa.Table:
    live: pa.Table = manager._filter_deleted(  # noqa: SLF001
        manager._dedup_max_seq(table),  # noqa: SLF001
        collection._delta_index,  # noqa: SLF001
    )
    return live


def _read_rows(
    collection: Any, partition: str, *, columns: list[str] | None = None
) -> pa.Table | None:
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
    table = _read_rows(collection, partition)
    assert table is not None  # noqa: S101 - the partition has deleted rows
    live = _live_rows(manager, table, collection).sort_by("_seq")
    new = []
    for begin in range(0, live.num_rows, MAX_SEGMENT_ROWS):
        part = live.slice(begin, MAX_SEGMENT_ROWS)
        seqs = part.column("_seq")
        seq_range = manager._pick_unique_seq_range(  # noqa: SLF001
            str(folder), seqs[0].as_py(), seqs[-1].as_py()
        )
        name = write_data_file(part, str(folder), *seq_range)
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
