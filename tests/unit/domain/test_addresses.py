"""Only scheme and host of an address are printed, wherever its password is."""

from __future__ import annotations

import pytest

from openlfr.domain.addresses import (
    is_readable,
    redact_address,
    redact_address_in,
    redact_addresses,
    spelling_hint,
)

SHOWN = [
    ("rtsp://10.0.0.7/main", "rtsp://10.0.0.7"),
    ("rtsp://ann:hunter2@10.0.0.7:554/main", "rtsp://10.0.0.7"),
    ("RTSP://ann:hunter2@10.0.0.7/", "rtsp://10.0.0.7"),
    ("rtsp://:hunter2@host/1", "rtsp://host"),
    ("rtsp://hunter2@host/1", "rtsp://host"),
    ("rtsp://ann:hun@ter2@host/1", "rtsp://host"),
    ("rtsp://ann:hun ter2@host/1", "rtsp://host"),
    ("rtsp://ann:hun%ter2@host/1", "rtsp://host"),
    ("rtsp://ann:hun%2Fter2@host/1", "rtsp://host"),
    ("rtsp://ann:hun:ter2@host/1", "rtsp://host"),
    ("http://host/video?user=ann&password=hunter2", "http://host"),
    ("http://host/user=ann&password=hunter2", "http://host"),
    ("https://host:8443/hunter2/live.m3u8", "https://host"),
    ("http://host#hunter2", "http://host"),
    ("rtsp://[fe80::1%eth0]:554/1", "rtsp://[fe80::1%eth0]"),
    ("rtsp://kamera-straße.example/1", "rtsp://kamera-straße.example"),
    ("rtsp://ann:hun/ter2@host/1", "rtsp://..."),
    ("rtsp://ann:hun?ter2@host/1", "rtsp://..."),
    ("rtsp://ann:hun#ter2@host/1", "rtsp://..."),
    ("rtsp://ann:hun\\ter2@host/1", "rtsp://..."),
    ("rtsp://hun/ter2@host/1", "rtsp://..."),
    ("http://host/video?user=ann&password=hun@ter2", "http://..."),
    ("rtsp://ann:hun://ter2@host/1", "rtsp://..."),
    ("rtsp:// hunter2", "rtsp://..."),
    ("hunter2://host", "...://..."),
    ("rtsp:/ann:hunter2@host/1", "(not shown)"),
    ("rtsp:/host/hunter2", "(not shown)"),
    ("rtsp//host/hunter2", "(not shown)"),
    ("/folder/rtsp:/host/hunter2", "(not shown)"),
    ("ann:hunter2@host/1", "(not shown)"),
    ("host/user=ann&password=hunter2", "(not shown)"),
    ("10.0.0.7/ann/hunter2", "(not shown)"),
    ("/folder/10.0.0.7:554/ann/hunter2", "(not shown)"),
    ("camera-3:554/hunter2", "(not shown)"),
    ("[fe80::1]:554/hunter2", "(not shown)"),
    ("/folder/rtsp./host/hunter2", "(not shown)"),
    ("rtsp.//host/hunter2", "(not shown)"),
    ("/videos/10.0.0.7.mp4", "/videos/10.0.0.7.mp4"),
    ("/videos/2026-11-28T03:25/a.mp4", "/videos/2026-11-28T03:25/a.mp4"),
    ("C:/videos/a.mp4", "C:/videos/a.mp4"),
    (
        "postgresql+psycopg://me:hunter2@db:5432/records?sslpassword=hunter2",
        "postgresql+psycopg://db",
    ),
    ("rediss://:hunter2@cache:6380/0?password=hunter2", "rediss://cache"),
    ("/videos/market.mp4", "/videos/market.mp4"),
    ("file:///videos/a.mp4", "file:///videos/a.mp4"),
    ("0", "0"),
    ("/dev/video0", "/dev/video0"),
]
SECRET = [address for address, _ in SHOWN if "hun" in address]


@pytest.mark.parametrize(("address", "shown"), SHOWN)
def test_only_scheme_and_host_are_printed(address, shown):
    assert redact_address(address) == shown
    assert "ter2" not in redact_address(shown)


@pytest.mark.parametrize("address", SECRET)
@pytest.mark.parametrize(
    "sentence",
    [
        "cannot open {}",
        "[Errno 111] refused: '{}'",
        'at "{}", twice',
        "({}) is away.",
        "{}\nnext {}",
    ],
)
def test_only_the_words_of_a_sentence_about_an_address_remain(address, sentence):
    text = redact_address_in(sentence.format(address, address), address)
    assert "ter2" not in text
    assert "hun" not in text
    assert text.split()[0] == sentence.split()[0] or sentence.startswith(("(", "{"))


@pytest.mark.parametrize("address", [a for a in SECRET if ":/" in a and "// " not in a])
def test_an_address_is_hidden_even_in_an_unknown_format(address):
    for text in (f"cannot open {address}", f"no '{address}' here"):
        assert "ter2" not in redact_addresses(text)


@pytest.mark.parametrize(
    ("message", "address"),
    [
        ("Port could not be cast to integer value as 'hun'", "redis://ann:hun/ter2@host"),
        ("could not resolve 'hun%2Fter2@host'", "rtsp://ann:hun%2Fter2@host/1"),
        ("no user ann with hun/ter2", "rtsp://ann:hun%2Fter2@host/1"),
        ("GET /user=ann&password=hunter2", "http://host/user=ann&password=hunter2"),
    ],
)
def test_pieces_that_a_library_repeats_are_hidden(message, address):
    text = redact_address_in(message, address)
    assert "hun" not in text
    assert "ter2" not in text


def test_other_words_are_unchanged():
    text = "Connection refused; 3 of 4 faces at 10:30, see /videos/a@b.mp4"
    assert redact_addresses(text) == text
    assert redact_address_in("Connection refused", "rtsp://a:b@host:554/on") == "Connection refused"


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://ann:hun/ter2@host/1",
        "rtsp://ann:hunter2",
        "rtsp:///1",
        "http://host:port/",
        "rtsp://",
    ],
)
def test_an_invalid_address_is_detected(address):
    assert not is_readable(address)
    assert "%2F" in spelling_hint(address)


@pytest.mark.parametrize("address", ["rtsp://ann:hun%40ter2@host:554/1", "http://host/a?b=c"])
def test_a_valid_address_needs_no_hint(address):
    assert is_readable(address)
    assert spelling_hint(address) == ""


@pytest.mark.parametrize("password", ["a/b", "a@b", "a b", "a%b", "a#b", "a?b"])
def test_a_password_that_should_be_encoded_is_hinted_at(password):
    assert "percent-encoded" in spelling_hint(f"rtsp://ann:{password}@host/1")
