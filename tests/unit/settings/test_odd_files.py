# ruff: noqa: E501 - tables are wide
"""Configurations that nobody should hand in: one sentence, soon, whatever is in them."""

import os
import socket
import time

import pytest

from openlfr.domain.errors import Misconfigured
from openlfr.settings import load

OK = "data_dir: data\n"


def bomb(levels, width=10):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(1, levels):
        lines.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]")
    return "\n".join(lines)


TEXTS = {
    "alias bomb": (bomb(7), "more than 50000 values (each use of an alias"),
    "alias bomb of blocks": (
        "a: &a {x: 1, y: 2}\n" + "\n".join(f"b{n}: &b{n} {{p: *{'a' if not n else f'b{n - 1}'}, q: *{'a' if not n else f'b{n - 1}'}}}" for n in range(40)),
        "more than 50000 values"),
    "alias of itself": ("a: &a [*a]", "line 2: the block contains itself"),
    "alias of nothing": ("a: *b", "line 2 is not valid YAML: found undefined alias"),
    "nested lists": ("a: " + "[" * 100_000, "nested too deeply"),
    "nested and closed": ("a: " + "[" * 5000 + "]" * 5000, "nested too deeply"),
    "nested blocks": ("\n".join(" " * n + "a:" for n in range(1200)), "nested too deeply"),
    "nested maps": ("a: " + "{a: " * 5000, "nested too deeply"),
    "long number": ("max_age: " + "9" * 6000, "line 2: a number of 6000 digits"),
    "long hexadecimal": ("max_age: 0x" + "f" * 6000, "line 2: a number of 6002 digits"),
    "long fraction": ("max_age: 1." + "3" * 6000, "line 2: a number of 6002 digits"),
    "not a number": ("max_age: .nan", "line 2: max_age must be longer than 0"),
    "infinite": ("max_age: .inf", "line 2: max_age must be longer than 0"),
    "infinite by exponent": ("max_age: 1e999999", "line 2: max_age must be longer than 0"),
    "threshold nan": ("matching: {threshold: .nan}", "line 2: matching.threshold must be a finite number"),
    "threshold inf": ("matching: {threshold: -.inf}", "line 2: matching.threshold must be"),
    "position nan": ("cameras: {a: {url: a, position: [.nan, 1]}}", "line 2: cameras.a.position"),
    "twice": ("data_dir: other", "line 2: data_dir is repeated here, first on line 1"),
    "twice inside": ("matching: {index: milvus, index: snapshot}", "matching.index is repeated here"),
    "two documents": ("---\na: 1\n---\nb: 2", "not valid YAML"),
    "tag": ("a: !!python/object/apply:os.system [ls]", "line 2: "),
    "own tag": ("a: !evil x", "line 2: the tag '!evil' is not supported"),
    "binary": ("a: !!binary aGk=", "line 2: the tag 'binary' is not supported"),
    "other version": ("%YAML 9.9\n---\na: 1", ""),
    "key of a list": ("? [a, b]\n: 1", "line 2: a key must be a plain word"),
    "tab": ("a:\n\t- b", "line 3 is not valid YAML"),
    "control": ("a: x\x1b[2J", "line 2: U+001B ESCAPE is not allowed in YAML"),
    "nul": ("a: x\0", "line 2: U+0000 NUL is not allowed"),
    "c1": ("a: x\x9b2J", "line 2: U+009B a control character is not allowed"),
    "escaped control": ('deployment:\n  name: "x\\e[2J"', "line 3: deployment.name contains U+001B ESCAPE"),
    "turned around": ("deployment:\n  place: a\u202eb", "line 3: deployment.place contains U+202E RIGHT-TO-LEFT OVERRIDE"),
    "half a character": ('deployment:\n  name: "\\ud800"', "line 3: deployment.name"),
    "nobody": ('deployment:\n  authorised_by: "?"', "line 3: deployment.authorised_by contains U+003F QUESTION MARK"),
    "initial": ("deployment:\n  authorised_by: E", "line 3: deployment.authorised_by is 'E', expected a person's name"),
    "last moment": ("cameras: {a: {url: a, start: 9999-12-31T23:59:59-10:00}}", "line 2: cameras.a.start must be a year from 1900 to 2999"),
    "first moment": ("cameras: {a: {url: a, start: 0001-01-01T00:00+14:00}}", "line 2: cameras.a.start must be a year from 1900"),
    "first end": ("deployment:\n  ends: 0001-01-01T00:00+14:00", "line 3: deployment.ends must be a year from"),
    "a day": ("deployment:\n  starts: 2026-11-23", "line 3: deployment.starts must be a date with a time like"),
    "a week": ("deployment:\n  starts: 2026-W48-1T09:00", "line 3: deployment.starts must be a date with a time"),
    "compact": ("cameras: {a: {url: a, start: 20261123T0900}}", "line 2: cameras.a.start must be a date with a time"),
    "day's end": ("cameras: {a: {url: a, start: 2026-11-23 24:00}}", "line 2: cameras.a.start must be a time from 00:00 to 23:59:59 and an offset below 24 hours, not"),
    "no day": ("deployment:\n  starts: 2026-02-30T00:00Z", "line 3: deployment.starts must be a day of the calendar, like 2026-12-31, not '2026-02-30T00:00Z'"),
    "long size": ("cameras: {a: {url: a, input_size: " + "9" * 6000 + "x9}}", "line 2: cameras.a.input_size must be between 32 and 8192 pixels a side, not '999"),
    "long word for a size": ("cameras: {a: {url: a, input_size: '" + "9x" * 6000 + "'}}", "line 2: cameras.a.input_size must look like"),
    "long duration": ("max_age: " + "9" * 6000 + "d", "line 2: max_age must be longer than 0 and shorter than 100 years, not '999"),
    "long word for a duration": ("max_age: " + "soon " * 6000, "line 2: max_age must be a duration such as"),
    "long path": ("data_dir: [" + "a, " * 6000 + "a]", ""),
    "number for a time": ("cameras: {a: {url: a, start: " + "9" * 6000 + "}}", "line 2: a number of 6000 digits"),
    "category": ('enrolment: {categories: ["a\\eb"]}', "line 2: enrolment.categories[0] contains U+001B ESCAPE"),
    "list": ("- a", "not valid YAML"),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.timeout(60)
def test_one_problem_one_sentence(tmp_path, name):
    text, says = TEXTS[name]
    path = tmp_path / "C.yaml"
    path.write_bytes((text if text.startswith("%") else OK + text).encode(errors="surrogatepass"))
    begun = time.process_time()
    with pytest.raises(Misconfigured) as found:
        load(path, environment={})
    assert says in str(found.value)
    assert str(found.value).startswith(f"{path}")
    assert all(len(line) < 400 for line in str(found.value).splitlines())
    assert time.process_time() - begun < 10


FILES = {
    "utf-16": (lambda p: p.write_bytes(OK.encode("utf-16")), "is not UTF-8 text (line 1, byte 0); save it as UTF-8"),
    "latin": (lambda p: p.write_bytes(b"a: 1\nb: Jos\xe9\n"), "is not UTF-8 text (line 2, byte 11)"),
    "fifo": (os.mkfifo, "is a pipe, not a file"),
    "device": (lambda p: p.symlink_to("/dev/zero"), "is a device, not a file"),
    "kernel": (lambda p: p.symlink_to("/proc/self/environ"), "is empty"),
    "folder": (lambda p: p.mkdir(), "is a folder, not a file"),
    "endless": (lambda p: os.truncate(p, 10**10) if p.write_bytes(b"a") else None, "has 10000000000 bytes"),
    "large": (lambda p: p.write_bytes(b"a: 1\n" * 300_000), "has 1500000 bytes, at most 1048576 are read"),
    "missing": (lambda p: None, "does not exist; `openlfr init`"),
    "link to nothing": (lambda p: p.symlink_to("/nowhere"), "does not exist"),
    "empty": (lambda p: p.touch(), "is empty; `openlfr init`"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.timeout(20)
def test_a_file_that_is_no_text_is_reported_in_one_sentence(tmp_path, name):
    make, says = FILES[name]
    path = tmp_path / "C.yaml"
    make(path)
    with pytest.raises(Misconfigured) as found:
        load(path, environment={})
    assert says in str(found.value)
    assert "\n" not in str(found.value)


def test_a_socket_is_no_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("C.yaml")
        with pytest.raises(Misconfigured, match=r"C.yaml is a socket, not a file"):
            load(tmp_path / "C.yaml", environment={})


def test_a_mark_of_byte_order_is_no_part_of_the_text(tmp_path):
    (tmp_path / "C.yaml").write_bytes(b"\xef\xbb\xbf" + OK.encode())
    assert load(tmp_path / "C.yaml", environment={}).data_dir == tmp_path / "data"


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "9" * 6000, '{"replication": NaN}', '{"a": 1e999}']
)
def test_a_variable_with_json_is_one_sentence(tmp_path, text):
    (tmp_path / "C.yaml").write_text(OK)
    with pytest.raises(Misconfigured, match="OPENLFR_TOPICS"):
        load(tmp_path / "C.yaml", environment={"OPENLFR_TOPICS": text})
