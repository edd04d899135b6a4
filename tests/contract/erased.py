"""Search of a folder's files for a vector in any encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_RUN = 3  # fewer equal neighbouring numbers may be chance
_OTHERS = {".json", ".prev", ".idx", ".lock", ".txt", ""}  # uncompressed, so read raw


def holders(folder: Path, vector: NDArray[np.float32]) -> list[str]:
    """Return the sorted files that contain the vector, or three neighbouring numbers of it.

    Each file is read raw, for the numbers as float32, float64 and float16 in either byte order;
    Parquet pages and Arrow streams, which may be compressed or encoded, are decoded as well. A file
    of an unknown kind fails the test, since its content cannot be searched.
    """
    patterns = set()
    for kind in ("<f4", ">f4", "<f8", ">f8", "<f2"):
        numbers = vector.astype(kind)
        patterns |= {
            numbers[start : start + _RUN].tobytes() for start in range(len(numbers) - _RUN + 1)
        }
    found = set()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        if any(pattern in content for pattern in patterns):
            found.add(str(path.relative_to(folder)))
        for numbers in _decoded(path):
            if len(numbers) == len(vector) and np.allclose(numbers, vector, atol=1e-6):
                found.add(str(path.relative_to(folder)))
    return sorted(found)


def _decoded(path: Path) -> Iterator[NDArray[np.float64]]:
    if path.suffix == ".parquet":
        batches = pq.read_table(path).to_batches()
    elif path.suffix == ".arrow":
        batches = _stream(path)
    else:
        assert path.suffix in _OTHERS, f"{path} is of a kind that this test cannot read"
        return
    for batch in batches:
        for column in batch.columns:
            for value in column.to_pylist():
                if isinstance(value, list | tuple):
                    yield np.asarray(value, np.float64)
                elif isinstance(value, bytes) and len(value) % 4 == 0 and value:
                    yield np.frombuffer(value, "<f4").astype(np.float64)


def _stream(path: Path) -> list[pa.RecordBatch]:
    found = []
    try:
        with pa.ipc.open_stream(path.read_bytes()) as reader:
            found.extend(iter(reader))
    except pa.ArrowInvalid:  # truncated; the batches before were read
        pass
    return found
