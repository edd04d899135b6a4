"""Untrusted pictures: valid files, refusals by the header, silent libraries."""

import io
import struct
import subprocess
import sys
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from openlfr.domain.errors import BadInput
from openlfr.stages.decode import decode

EDGES = np.zeros((48, 64, 3), np.uint8)  # BGR: a dark picture whose upper left is red
EDGES[:12, :16] = (0, 0, 255)
RGB = Image.fromarray(EDGES[..., ::-1].copy())


def saved(image, form, **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image if image.ndim == 2 else image[..., ::-1].copy())
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def by_opencv(form, image):
    return cv2.imencode(form, image)[1].tobytes()


def png_header(width, height, body=b""):
    """A PNG that says so of itself and holds nothing of it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", body or zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def resized(content, at, form, *values):
    """The same file with other sides in its header."""
    changed = bytearray(content)
    struct.pack_into(form, changed, at, *values)
    return bytes(changed)


def jpeg_of(width, height):
    plain = saved(EDGES, "JPEG")
    return resized(plain, plain.index(b"\xff\xc0") + 5, ">HH", height, width)


def webp_of(width, height, kind):
    still = saved(EDGES, "WEBP", lossless=kind == "VP8L")
    if kind == "VP8 ":
        return resized(still, 26, "<HH", width, height)
    if kind == "VP8L":
        return resized(still, 21, "<I", (width - 1) | (height - 1) << 14)
    chunk = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + chunk + still[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff_of(width, height):
    plain = saved(EDGES, "TIFF")
    for tag, value in ((256, width), (257, height)):
        kind = next(k for k in (3, 4) if struct.pack("<HHI", tag, k, 1) in plain)  # short or long
        place = plain.index(struct.pack("<HHI", tag, kind, 1))
        plain = resized(plain, place, "<HHII", tag, 4, 1, value)
    return plain


def scans(count):
    """A progressive JPEG with many scans: small, and slow to read."""
    plain = saved(EDGES, "JPEG", progressive=True)
    last = plain.rindex(b"\xff\xda")
    return plain[:-2] + plain[last:-2] * count + plain[-2:]


BOMBS = {
    "png": lambda: png_header(20_000, 20_000),
    "png, long and thin": lambda: png_header(2_000_000_000, 1),
    "png, longer than a warp takes": lambda: png_header(40_000, 10),
    "jpeg": lambda: jpeg_of(60_000, 60_000),
    "webp": lambda: webp_of(16_383, 16_383, "VP8 "),
    "webp, lossless": lambda: webp_of(16_384, 16_384, "VP8L"),
    "webp, extended": lambda: webp_of(16_777_216, 16_777_215, "VP8X"),
    "tiff": lambda: tiff_of(100_000, 100_000),
    "gif": lambda: resized(saved(EDGES, "GIF"), 6, "<HH", 65_535, 65_535),
    "bmp": lambda: resized(saved(EDGES, "BMP"), 18, "<ii", 30_000, 30_000),
    "bmp, upside down": lambda: resized(saved(EDGES, "BMP"), 18, "<ii", 30_000, -30_000),
    "ppm": lambda: b"P6 90000 90000 255\n" + b"\0" * 100,
    "jpeg 2000": lambda: resized(
        (j := saved(EDGES, "JPEG2000", no_jp2=True)),
        j.index(b"\xff\x51") + 6,
        ">II",
        90_000,
        90_000,
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_decompression_bomb_is_refused_by_its_header(name):
    content = BOMBS[name]()
    tracemalloc.start()
    try:
        with pytest.raises(BadInput, match=r"has .*pixels.* Save it smaller") as found:
            decode(content, "bomb")
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    assert str(found.value).startswith("bomb has ")


def test_a_jpeg_of_very_many_scans_is_refused_before_they_are_read():
    with pytest.raises(BadInput, match="many has 1010 scans"):
        decode(scans(1000), "many")


GREY = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 20
KINDS = {
    "jpeg": (lambda: saved(EDGES, "JPEG", quality=98, subsampling=0), True),
    "progressive": (
        lambda: saved(EDGES, "JPEG", quality=98, subsampling=0, progressive=True), True),
    "cmyk": (lambda: saved(RGB.convert("CMYK"), "JPEG", quality=98), True),
    "png": (lambda: saved(EDGES, "PNG"), True),
    "palette": (lambda: saved(RGB.quantize(4), "PNG"), True),
    "palette, see-through": (
        lambda: saved(RGB.quantize(4), "PNG", transparency=b"\xff\x00"), True),
    "alpha": (lambda: saved(RGB.convert("RGBA"), "PNG"), True),
    "16 bits a colour": (lambda: by_opencv(".png", EDGES.astype(np.uint16) * 257), True),
    "16 bits tiff": (lambda: by_opencv(".tiff", EDGES.astype(np.uint16) * 257), True),
    "tiff": (lambda: saved(EDGES, "TIFF"), True),
    "webp": (lambda: saved(EDGES, "WEBP", lossless=True), True),
    "gif": (lambda: saved(EDGES, "GIF"), True),
    "bmp": (lambda: saved(EDGES, "BMP"), True),
    "ppm": (lambda: saved(EDGES, "PPM"), True),
    "jpeg 2000": (lambda: saved(EDGES, "JPEG2000"), True),
    "avif": (lambda: saved(EDGES, "AVIF", quality=100, subsampling="4:4:4"), True),
    "grey": (lambda: saved(EDGES[..., 2], "PNG"), False),
    "one bit": (lambda: saved(Image.fromarray(EDGES[..., 2]).convert("1"), "PNG"), False),
    "grey and alpha": (lambda: saved(Image.fromarray(EDGES[..., 2]).convert("LA"), "PNG"), False),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_every_format_is_read_as_bgr(name):
    make, coloured = KINDS[name]
    image = decode(make(), name)
    assert (image.shape, image.dtype, image.flags.c_contiguous) == ((48, 64, 3), np.uint8, True)
    assert image.flags.writeable
    corner, ground = image[4, 4].astype(int), image[40, 40].astype(int)
    assert corner[2] > 200
    assert (corner[0] < 60) == coloured
    assert ground.max() < 30


@pytest.mark.parametrize("form", [".png", ".tiff"])
def test_the_upper_eight_of_sixteen_grey_bits_are_used(form):
    image = decode(by_opencv(form, GREY), "x")
    assert np.array_equal(image[..., 0], GREY >> 8)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_rotated_by_its_exif_orientation(form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    more = {"lossless": True} if form == "WEBP" else {"quality": 98} if form == "JPEG" else {}
    image = decode(saved(EDGES, form, exif=exif, **more), "x")
    assert image.shape[:2] == ((48, 64) if orientation < 5 else (64, 48))
    places = {
        1: (0, 0),
        2: (0, 1),
        3: (1, 1),
        4: (1, 0),
        5: (0, 0),
        6: (0, 1),
        7: (1, 1),
        8: (1, 0),
    }
    bottom, right = places[orientation]
    assert image[-4 if bottom else 4, -4 if right else 4, 2] > 200


def test_jpegs_decode_to_the_same_pixels_as_with_opencv():
    soft = cv2.GaussianBlur(cv2.resize(NOISE, (131, 97)), (0, 0), 2)
    content = saved(soft, "JPEG", quality=90)
    assert np.array_equal(decode(content, "x"), cv2.imdecode(np.frombuffer(content, np.uint8), 1))


def film(form, **options):
    frames = [Image.fromarray(np.full((8, 8, 3), v, np.uint8)) for v in (0, 90, 200)]
    return saved(frames[0], form, save_all=True, append_images=frames[1:], **options)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_refuses_a_file_of_several_pictures(form):
    with pytest.raises(BadInput, match="x contains several pictures; save one of them"):
        decode(film(form), "x")


def test_takes_a_phone_s_first_picture():
    """Phones append a depth map or a small view to the photo (MPO)."""
    assert decode(film("MPO"), "x").max() < 10


def bad_exif():
    return saved(EDGES, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")


NOISE = np.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=np.uint8)
WHOLE = {form: saved(NOISE if form != "GIF" else NOISE[..., 0], form) for form in
         ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF")}  # fmt: skip


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.97])
@pytest.mark.parametrize("form", WHOLE)
def test_a_file_truncated_at_any_byte_is_refused(form, share):
    content = WHOLE[form]
    with pytest.raises(BadInput, match=r"^x (breaks off|is not a readable picture|is broken)"):
        decode(content[: int(len(content) * share)], "x")


@pytest.mark.parametrize(
    "content",
    [b"Dear diary", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4", b"%!PS-Adobe-3.0",
     b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0", b"RIFF\0\0\0\0WEBP", b"GIF89a",
     b"BM", b"P6", b"\0" * 4000, png_header(0, 0), png_header(64, 48, b"no zlib"),
     by_opencv(".tiff", EDGES.astype(np.float32))],
)  # fmt: skip
def test_bytes_that_are_no_picture_are_refused(content):
    with pytest.raises(BadInput, match=r"^x (breaks off|is not a readable picture|is broken)"):
        decode(content, "x")


def test_an_exif_block_that_cannot_be_read_does_not_cost_the_picture():
    assert decode(bad_exif(), "x").shape == (48, 64, 3)


def test_no_library_prints_about_a_broken_picture(tmp_path):
    """In a process of its own: they write to the descriptor, past sys.stderr."""
    broken = []
    for content in (*WHOLE.values(), saved(EDGES, "PNG", icc_profile=b"x" * 200), bad_exif()):
        half = len(content) // 2
        broken += [content, content[:half], content[:half] + b"\x55" * 30 + content[half + 30 :]]
        broken += [content[:-2] + b"\0" * 50 + content[-2:], content[:half] + content[half + 20 :]]
    for number, content in enumerate(broken):
        (tmp_path / f"{number:03}").write_bytes(content)
    program = (
        "import sys, pathlib\n"
        "from openlfr.cli import quiet_libraries\n"
        "from openlfr.domain.errors import BadInput\n"
        "from openlfr.stages.decode import decode\n"
        "quiet_libraries()\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
        "    try: decode(path.read_bytes(), path.name)\n"
        "    except BadInput: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
