"""The keys of CONFIG.yaml, and the messages about errors in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from openlfr import settings
from openlfr.domain.errors import Misconfigured

COMPLETE = """\
deployment:
  name: night market
  purpose: find a missing person
  place: Harbour Street
  legal_basis: Order 7/2026
  authorised_by: Inspector A. Example
  starts: 2026-11-23T09:00+01:00
  ends: 2026-11-23 16:00
"""


@pytest.fixture
def load(tmp_path):
    def load_text(text, *, complete_data_dir=True):
        path = tmp_path / "CONFIG.yaml"
        path.write_text(("data_dir: data\n" if complete_data_dir else "") + text)
        return settings.load(path)

    return load_text


def complaint(load, text, **how):
    with pytest.raises(Misconfigured) as caught:
        load(text, **how)
    return [line.split("CONFIG.yaml ", 1)[1] for line in str(caught.value).splitlines()]


def test_a_missing_key_has_a_default(load, tmp_path):
    found = load("")
    assert found.path == tmp_path / "CONFIG.yaml"
    assert found.data_dir == tmp_path / "data"
    assert found.deployment is None
    assert found.cameras == {}
    assert found.watchlists == ("default",)
    assert (found.matching.threshold, found.matching.target_fpir) == (None, None)
    assert found.alerting.window == timedelta(minutes=3)
    assert found.max_age == timedelta(seconds=2)
    assert (found.models.detector, found.models.embedder) == ("yunet", "sface")
    assert (found.models.folder, found.models.threads, found.models.providers) == (None, 1, "auto")
    services = found.services
    assert {services.kafka, services.redis, services.milvus, services.sql} == {None}
    assert "missing" in found.enrolment.categories
    assert found.enrolment.limits["missing"] == timedelta(days=1096)


def test_every_key_of_a_camera_is_read(load, tmp_path):
    camera = load("""\
cameras:
  gate 1:
    url: videos/gate.mp4
    fps: 5
    start: 2026-11-23T09:00:00.5+02:00
    input_size: 1280x700
    loop: true
    position: [52.5, 13.4]
""").cameras["gate 1"]
    assert camera.url == str(tmp_path / "videos" / "gate.mp4")
    assert camera.fps == 5
    assert camera.start == datetime(2026, 11, 23, 7, 0, 0, 500_000, tzinfo=UTC)
    assert camera.input_size == (1280, 704)
    assert camera.loop is True
    assert camera.position == (52.5, 13.4)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("rtsp://u:secret@10.0.0.7/main", "rtsp://u:secret@10.0.0.7/main"),
        ("file:///videos/a.mp4", "file:///videos/a.mp4"),
        ("/videos/a.mp4", "/videos/a.mp4"),
        ("0", "0"),
        ("/dev/video0", "/dev/video0"),
    ],
)
def test_an_address_is_unchanged(load, written, url):
    camera = load(f"cameras: {{gate: {{url: {written!r}}}}}").cameras["gate"]
    assert camera.url == url
    assert "secret" not in repr(camera)
    assert "secret" not in camera.redacted_url


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("1280", (1280, 1280)),
        ("[1280, 736]", (1280, 736)),
        ("1270x700", (1280, 704)),
        ("33", (64, 64)),
    ],
)
def test_input_sizes_are_multiples_of_32(load, written, size):
    assert (
        load(f"cameras: {{a: {{url: a, input_size: {written}}}}}").cameras["a"].input_size == size
    )


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("30", 30), ("1.5", 1.5), ("30s", 30), ("500ms", 0.5), ("2m", 120), ("2 min", 120),
     ("1h", 3600), ("7d", 604800)],
)  # fmt: skip
def test_durations(load, written, seconds):
    assert load(f"alerting: {{window: {written}}}").alerting.window == timedelta(seconds=seconds)


def test_max_age_off(load):
    assert load("max_age: off").max_age is None
    assert load("max_age: 500ms").max_age == timedelta(milliseconds=500)


def test_an_empty_value_is_no_value(load):
    found = load("cameras:\nmax_age:\nmatching:\n  threshold:\n")
    assert (found.cameras, found.max_age, found.matching.threshold) == (
        {},
        timedelta(seconds=2),
        None,
    )


def test_one_watchlist_can_be_written_without_a_list(load):
    assert load("watchlists: lost children").watchlists == ("lost children",)


def test_milvus_credentials_are_separated_from_its_address(load):
    services = load('services: {milvus: "https://me:s%40cret@db:19530"}').services
    assert services.milvus.address == ("https://db:19530", "me:s@cret")
    assert "cret" not in repr(services)
    assert load("").services.milvus is None


def test_a_complete_authorisation(load):
    deployment = settings.require_authorisation(load(COMPLETE))
    assert deployment.name == "night market"
    hours = deployment.authorisation
    assert hours.starts == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert hours.ends == datetime(2026, 11, 23, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "field", ["name", "purpose", "place", "legal_basis", "authorised_by", "ends"]
)
@pytest.mark.parametrize("value", ["", "''", "'  '", "left out"])
def test_an_incomplete_authorisation_is_reported_when_it_is_required(load, field, value):
    kept = [x for x in COMPLETE.splitlines() if not x.strip().startswith(f"{field}:")]
    found = load("\n".join(kept + ([] if value == "left out" else [f"  {field}: {value}"])))
    assert found.deployment is None
    with pytest.raises(Misconfigured, match=rf"not authorised: deployment\.{field} is missing in"):
        settings.require_authorisation(found)


def test_an_absent_authorisation_names_every_field(load):
    with pytest.raises(Misconfigured, match=r"deployment.name, .*starts and deployment.ends are"):
        settings.require_authorisation(load(""))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cameras:\n  gate: {url: a, fsp: 3}",
         "line 3: unknown key 'fsp' in cameras.gate; did you mean 'fps'?"),
        ("cameras:\n  gate:\n    url: a\n    fps: -3",
         "line 5: cameras.gate.fps must be greater than 0, not -3"),
        ("cameras:\n  gate:\n    fps: 3", "line 3: cameras.gate.url is missing"),
        ("cameras:\n  gate:", "line 3: cameras.gate must be a block of keys, not empty"),
        ("cameras:\n  a:b: {url: c}",
         "line 3: cameras.a:b: 'a:b' must be a name of letters, digits, spaces, '.', '_' and '-'"),
        ("cameras: {a: {url: a, fps: fast}}",
         "line 2: cameras.a.fps must be a number, not 'fast'"),
        ("cameras: {a: {url: a, loop: 1}}", "line 2: cameras.a.loop must be true or false, not 1"),
        ("cameras: {a: {url: a, start: 2026-11-23}}",
         ("line 2: cameras.a.start must be a date with a time like 2026-12-31T18:00+01:00"
         " (without an offset it is UTC), not '2026-11-23'")),
        ("cameras: {a: {url: a, input_size: 1280x}}",
         ("line 2: cameras.a.input_size must look like 1280, [1280, 736] or '1280x736',"
         " not '1280x'")),
        ("cameras: {a: {url: a, input_size: 9000}}",
         "line 2: cameras.a.input_size must be between 32 and 8192 pixels a side, not 9000"),
        ("cameras: {a: {url: a, position: [13.4, 192.5]}}",
         ("line 2: cameras.a.position must be [latitude, longitude] in degrees, -90 to 90 and"
         " -180 to 180, not [13.4, 192.5]")),
        ("alerting:\n  window: soon",
         "line 3: alerting.window must be a duration such as 30, '30s' or '2m', not 'soon'"),
        ("max_age: 0", "line 2: max_age must be longer than 0 and shorter than 100 years, not 0"),
        ("deployment:\n  name: 7",
         "line 3: deployment.name must be text (put it in quotes), not 7"),
        ('deployment:\n  name: "a\\0b"', "line 3: deployment.name contains U+0000 NUL"),
        ("deployment:\n  starts: 2026-11-23T09:00\n  ends: 2026-11-23T08:00",
         ("line 2: deployment must end after it starts: 2026-11-23T08:00:00+00:00 is not after"
         " 2026-11-23T09:00:00+00:00")),
        ("matching: {threshold: 0.4, target_fpir: 0.1}",
         "line 2: matching may have threshold or target_fpir, not both"),
        ("matching:\n  target_fpir: 0.02",
         ("line 2: matching has target_fpir 0.02, above max_fpir 0.01; set a lower target, or have"
          " a higher max_fpir approved")),
        ("matching: {target_fpir: 0.002, max_fpir: 0.001}",
         ("line 2: matching has target_fpir 0.002, above max_fpir 0.001; set a lower target, or"
          " have a higher max_fpir approved")),
        ("matching: {threshold: 1.2}", "line 2: matching.threshold must be less than 1, not 1.2"),
        ("watchlists: []", "line 2: watchlists must have at least 1 item, not 0"),
        ("services:\n  redis: localhost",
         ("line 3: services.redis must be an address that begins with redis:// or rediss:// or"
         " unix://")),
        ("services: {kafka: 'k:9092'}",
         "line 2: services.kafka must look like kafka://broker-1:9092,broker-2:9092"),
        ("services: {kafka: 'kafka://a:1,b'}",
         "line 2: services.kafka must look like kafka://broker-1:9092,broker-2:9092"),
        ("topics: {replication: 0}", "line 2: topics.replication must be at least 1, not 0"),
        ("topics:\n  partitions: {frames.v1: '4'}",
         "line 3: topics.partitions has '4' for frames.v1, which is no whole number"),
        ("topics:\n  partitions: {control.v1: 2}",
         ("line 3: topics.partitions has 2 for control.v1, but it must be 1, since the order"
         " counts")),
        ("models: {threads: 1.5}", "line 2: models.threads must be a whole number, not 1.5"),
        ("deploymnet: {}", "line 2: unknown key 'deploymnet'; did you mean 'deployment'?"),
        ("max_age: 1\nmax_age: 2", "line 3: max_age is repeated here, first on line 2"),
        ("cameras: {a: {url: x}, a: {url: y}}",
         "line 2: cameras.a is repeated here, first on line 2"),
        ("cameras: [a]", "line 2: cameras must be a block of keys, not ['a']"),
        ("cameras:\n  a: &me\n    url: *me", "line 3: the block contains itself"),
        ("max_age: !secret x",
         ("line 2: the tag '!secret' is not supported;"
         " write the value without a tag")),
    ],
)  # fmt: skip
def test_an_error_is_reported_with_its_line(load, text, sentence):
    assert complaint(load, text) == [sentence]


def test_every_problem_is_reported_in_the_order_of_the_file(load):
    text = "max_age: -1\ncameras:\n  gate: {url: a, fps: 0}\nzz: 1\nmatching: {threshold: 2}"
    lines = [sentence.split(":")[0] for sentence in complaint(load, text)]
    assert lines == ["line 2", "line 4", "line 5", "line 6"]


def test_a_line_break_in_a_name_is_escaped(load):
    text = 'cameras:\n  "gate\\nerror: all is lost": {url: a.mp4, fps: 0}\n'
    assert all(line.startswith("line 3: ") for line in complaint(load, text))


@pytest.mark.parametrize("url", ["foo://10.0.0.7/x", "ftp://u:secret@10.0.0.7/x", "rtps://h/x"])
def test_a_camera_has_an_address_that_can_be_opened(load, url):
    (sentence,) = complaint(load, f"cameras: {{gate: {{url: '{url}'}}}}\n")
    assert sentence == (
        "line 2: cameras.gate.url is an address of an unsupported kind; supported are files,"
        " folders, rtsp://, rtsps://, http://, https:// and device numbers"
    )


def test_no_password_is_printed(load):
    text = "cameras: {a: {url: [rtsp://u:secret@h/x]}}\nservices: {sql: 'mysql://u:secret@h/x'}"
    found = complaint(load, text)
    assert len(found) == 2
    assert "secret" not in "".join(found)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "CONFIG.yaml is empty"),
        (b"# only a comment\n", "CONFIG.yaml is empty"),
        (b"data_dir: [a\n", r"CONFIG.yaml line \d is not valid YAML"),
        (b"data_dir: a\n\tcameras: {}\n", r"CONFIG.yaml line 2 is not valid YAML"),
        (b"just words\n", "CONFIG.yaml line 1: the file must consist of"),
        (b"data_dir: \xff\xfe\n", "CONFIG.yaml is not UTF-8 text"),
        (b"max_age: 2\n", "CONFIG.yaml line 1: data_dir is missing"),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path, content, sentence):
    path = tmp_path / "CONFIG.yaml"
    path.write_bytes(content)
    with pytest.raises(Misconfigured, match=sentence):
        settings.load(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(Misconfigured, match="does not exist; `openlfr init` writes"):
        settings.load(tmp_path / "CONFIG.yaml")
    with pytest.raises(Misconfigured, match="is a folder, not a file"):
        settings.load(tmp_path)


def test_settings_cannot_be_changed(load):
    with pytest.raises(ValueError, match="frozen"):
        load("").max_age = None
