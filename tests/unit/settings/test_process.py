"""The variables that a process of a service reads."""

from __future__ import annotations

import pytest

from openlfr.domain.errors import Misconfigured
from openlfr.settings.process import Process


def test_a_process_without_variables_has_no_page_and_joins_as_a_new_member():
    process = Process.read("analysis", {})
    assert (process.group, process.instance, process.http) == ("openlfr-analysis", "", None)


@pytest.mark.parametrize(("setting", "seconds"), [("", 10), ("6", 6), ("45", 45), ("90", 90)])
def test_the_session_timeout_comes_from_the_variable(setting, seconds):
    assert Process.read("analysis", {"OPENLFR_SESSION_SECONDS": setting}).session_s == seconds


@pytest.mark.parametrize("setting", ["5", "91", "-6", "10.5", "10s", "99999", "ten"])
def test_a_session_that_no_broker_takes_is_refused(setting):
    with pytest.raises(Misconfigured, match="OPENLFR_SESSION_SECONDS must be 6 to 90"):
        Process.read("analysis", {"OPENLFR_SESSION_SECONDS": setting})


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("127.0.0.1:6066", ("127.0.0.1", 6066)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("[::1]:65535", ("::1", 65535)),
    ],
)
def test_the_address_of_the_pages_comes_from_the_variable(setting, address):
    assert Process.read("ingest", {"OPENLFR_HTTP": setting}).http == address


@pytest.mark.parametrize(
    "setting",
    ["6066", ":6066", "host:", "host:http", "host:-1", "host:99999", "host:0", "::1:6066"],
)
def test_an_invalid_address_is_refused_with_an_example(setting):
    with pytest.raises(Misconfigured, match=r"OPENLFR_HTTP must look like 127\.0\.0\.1:6066"):
        Process.read("ingest", {"OPENLFR_HTTP": setting})
