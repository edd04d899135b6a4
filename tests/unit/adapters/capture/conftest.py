"""Small films as cameras and recorders leave them."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest


def grey(number, size=(64, 48)):
    """Frame `number` of a film: a flat grey that says it, as `make_video` has."""
    return np.full((size[1], size[0], 3), (10 + 8 * number) % 256, np.uint8)


@pytest.fixture
def make_film(tmp_path):
    """Write a film whose frames have given display times in milliseconds."""

    def make(
        name="film.mkv",
        *,
        at_ms=range(0, 3000, 100),
        pictures=None,
        codec="libx264",
        options=None,
        metadata=None,
        stream_metadata=None,
        aspect=None,
        turned=None,
        sound_s=0,
        cover=False,
    ):
        path = tmp_path / name
        with av.open(str(path), "w", metadata_errors="surrogateescape") as output:
            output.metadata.update(metadata or {})
            at_ms = list(at_ms)
            pictures = pictures or [grey(n) for n in range(len(at_ms))]
            stream = output.add_stream(
                codec, rate=10, options={"qp": "0", "g": "5"} | (options or {})
            )
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
            stream.metadata.update(stream_metadata or {})
            if aspect:
                stream.codec_context.sample_aspect_ratio = aspect
            if turned:
                stream.set_display_rotation(*turned)
            others = []
            if sound_s:
                sound = output.add_stream("aac", rate=16000, layout="mono")
                for start in range(0, sound_s * 16000, 1024):
                    frame = av.AudioFrame.from_ndarray(
                        np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
                    )
                    frame.sample_rate, frame.pts = 16000, start
                    frame.time_base = Fraction(1, 16000)
                    others += sound.encode(frame)
                others += sound.encode()
            if cover:
                still = output.add_stream("mjpeg")
                still.height, still.width, still.pix_fmt = 48, 64, "yuvj420p"
                still.codec_context.time_base = Fraction(1, 1000)
                still.disposition = av.stream.Disposition.attached_pic
                frame = av.VideoFrame.from_ndarray(grey(5), format="bgr24")
                frame.pts = 0
                others += [*still.encode(frame.reformat(format="yuvj420p")), *still.encode()]
            for at, picture in zip(at_ms, pictures, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
                frame.pts, frame.time_base = at, Fraction(1, 1000)
                for packet in stream.encode(frame):
                    output.mux(packet)
            for packet in [*stream.encode(), *others]:
                output.mux(packet)
        return path

    return make
