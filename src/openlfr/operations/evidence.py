"""Encodes evidence for the vault, and renders the pictures for an operator.

The face is stored without loss (PNG), since people, and perhaps a court, compare its details; 150 x
150 pixels need 40 kB. The format is a JSON header and two PNG files; nothing is pickled.
"""

from __future__ import annotations

import base64
import json
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.domain.evidence import Evidence, Scene
from openlfr.domain.faces import Box
from openlfr.stages.obscure import mosaic

if TYPE_CHECKING:
    from numpy.typing import NDArray

PREFIX = "evidence/"
"""Prefix of the names of evidence in the vault."""

NO_PICTURE = (
    "No picture of this sighting was stored. Either other faces cover the alerted face in every "
    "available frame, or the picture could not be sent or opened between services; then the logs "
    "of the services state the reason."
)
"""Text for a sighting without evidence."""

_MAGIC = b"OLFE1"  # then the header's length, the header, the face and the scene
_FRAME_BGR = (0, 200, 255)  # around the alerted face
_INK_BGR, _PAPER_BGR = (40, 40, 40), (245, 245, 245)
_TILE = 320  # pixels, height of each of two faces side by side
_MARGIN = 16  # pixels
_SCENE_WIDTH = 1280  # pixels, maximum width of a displayed scene


def evidence_name(sighting_id: str) -> str:
    """Return the vault's name of a sighting's evidence."""
    return PREFIX + sighting_id


def encode(evidence: Evidence, *, kept_at: datetime | None = None) -> bytes:
    """Encode evidence as bytes, which `decode` reads.

    Args:
        evidence: The evidence.
        kept_at: Time of storage, UTC; now if None. `read_storage_time` reads this time without
            decoding the pictures.
    """
    face, scene = _png(evidence.face), _png(evidence.scene.small)
    header = json.dumps(
        {
            "kept_at": (kept_at or datetime.now(UTC)).isoformat(),
            "box": list(evidence.box),
            "cell": evidence.scene.cell,
            "size": [evidence.scene.width, evidence.scene.height],
            "face_bytes": len(face),
        }
    ).encode()
    return b"".join((_MAGIC, struct.pack("<I", len(header)), header, face, scene))


def decode(content: bytes) -> Evidence:
    """Decode bytes from `encode`.

    Raises:
        BadInput: The bytes are no evidence, or incomplete.
    """
    header, rest = _header(content)
    try:
        end = int(header["face_bytes"])
        width, height = header["size"]
        box = Box(*header["box"])
        cell = int(header["cell"])
    except (KeyError, TypeError, ValueError):
        raise _no_evidence() from None
    face, small = _pixels(rest[:end]), _pixels(rest[end:])
    if face.shape[:2] != (int(box.h), int(box.w)) or small.shape[:2] != (
        -(-height // cell),
        -(-width // cell),
    ):
        raise _no_evidence()
    return Evidence(scene=Scene(small, cell, width, height), face=face, box=box)


def read_storage_time(content: bytes) -> datetime:
    """Return the time of storage of evidence, UTC.

    Raises:
        BadInput: The bytes are no evidence.
    """
    try:
        return datetime.fromisoformat(_header(content)[0]["kept_at"])
    except (KeyError, TypeError, ValueError):
        raise _no_evidence() from None


def render_scene(evidence: Evidence) -> NDArray[np.uint8]:
    """Draw the scene as flat squares, with a thin frame around the alerted face in clear.

    Returns:
        (height, width, 3) uint8 BGR at the source's size.
    """
    picture = np.ascontiguousarray(mosaic(evidence.scene))
    x, y, w, h = (int(value) for value in evidence.box)
    picture[y : y + h, x : x + w] = evidence.face
    corner, opposite = (x - 2, y - 2), (x + w + 1, y + h + 1)
    cv2.rectangle(picture, corner, opposite, _FRAME_BGR, 2)
    picture[y : y + h, x : x + w] = evidence.face  # again, so that the frame never covers the face
    return picture


def compose(
    evidence: Evidence, reference: NDArray[np.uint8] | None, *, captions: tuple[str, str]
) -> NDArray[np.uint8]:
    """Draw one picture for a decision: the probe beside the reference, and the scene below.

    Args:
        evidence: Evidence of the sighting.
        reference: (h, w, 3) uint8 BGR, the enrolled face; None if the picture was erased.
        captions: Texts below the probe and the reference. Only ASCII can be drawn; other letters
            become '?'.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    scene = render_scene(evidence)
    if scene.shape[1] > _SCENE_WIDTH:
        scale = _SCENE_WIDTH / scene.shape[1]
        scene = _fit(scene, round(scene.shape[0] * scale))
    tiles = [_fit(evidence.face, _TILE)]
    tiles.append(_blank() if reference is None else _fit(reference, _TILE))
    width = max(scene.shape[1], sum(tile.shape[1] for tile in tiles) + _MARGIN)
    height = _MARGIN * 4 + _TILE + 30 + scene.shape[0]
    page = np.full((height, width + 2 * _MARGIN, 3), _PAPER_BGR, np.uint8)
    x = _MARGIN
    for tile, title, caption in zip(tiles, ("PROBE", "REFERENCE"), captions, strict=True):
        page[_MARGIN : _MARGIN + _TILE, x : x + tile.shape[1]] = tile
        _write(page, f"{title}: {caption}", x, _MARGIN + _TILE + 20, room=tile.shape[1])
        x += tile.shape[1] + _MARGIN
    top = height - _MARGIN - scene.shape[0]
    page[top : top + scene.shape[0], _MARGIN : _MARGIN + scene.shape[1]] = scene
    return page


def to_jpeg(picture: NDArray[np.uint8], *, quality: int = 92) -> bytes:
    """Encode a picture as JPEG.

    Args:
        picture: (h, w, 3) uint8 BGR.
        quality: 1 to 100.
    """
    done, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise BadInput(f"A picture of shape {picture.shape} cannot be written as JPEG.")
    return content.tobytes()


def to_data_url(picture: NDArray[np.uint8]) -> str:
    """Encode a picture as a data URL for an HTML page."""
    return "data:image/jpeg;base64," + base64.b64encode(to_jpeg(picture)).decode("ascii")


def _header(content: bytes) -> tuple[dict[str, Any], bytes]:
    start = len(_MAGIC) + 4
    if not content.startswith(_MAGIC) or len(content) < start:
        raise _no_evidence()
    (length,) = struct.unpack("<I", content[len(_MAGIC) : start])
    try:
        header = json.loads(content[start : start + length])
    except ValueError:
        raise _no_evidence() from None
    if not isinstance(header, dict):
        raise _no_evidence()
    return header, content[start + length :]


def _no_evidence() -> BadInput:
    return BadInput("This is no evidence of OpenLFR, or the evidence is damaged.")


def _png(picture: NDArray[np.uint8]) -> bytes:
    done, content = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise BadInput(f"A picture of shape {picture.shape} cannot be stored as evidence.")
    return content.tobytes()


def _pixels(content: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if picture is None:
        raise BadInput("A stored picture cannot be read: the file is empty, damaged or no picture.")
    return np.asarray(picture, np.uint8)


def _fit(picture: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Scale to a height; enlarged pictures are smoothed, since visible pixels obscure a face."""
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    grows = height > picture.shape[0]
    how = cv2.INTER_CUBIC if grows else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def _blank() -> NDArray[np.uint8]:
    tile = np.full((_TILE, _TILE, 3), 225, np.uint8)
    _write(tile, "the picture was erased", 16, _TILE // 2, room=_TILE - 32)
    return tile


def _write(picture: NDArray[np.uint8], text: str, x: int, y: int, *, room: int) -> None:
    """Write one line of text, scaled down to fit into `room` pixels."""
    text = text.encode("ascii", "replace").decode("ascii")
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    scale = 0.5 * min(1.0, max(0.6, room / max(width, 1)))
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, _INK_BGR, 1, cv2.LINE_AA)
