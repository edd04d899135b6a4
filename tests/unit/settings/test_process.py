"""What a process of a service takes from its environment."""

from __future__ import annotations

import pytest

from openlfr.domain.errors import Misconfigured
from openlfr.settings.process import Process


def test_a_process_without_variables_has_no_page_and_joins_anew():
    process = Process.read("analysis", {})
    assert (process.group, process.instance, process.http) == ("openlfr-analysis", "", None)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("127.0.0.1:6066", ("127.0.0.1", 6066)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("[::1]:65535", ("::1", 65535)),
    ],
)
def test_the_address_of_its_pages(said, address):
    assert Process.read("ingest", {"OPENLFR_HTTP": said}).http == address


@pytest.mark.parametrize(
    "said", ["6066", ":6066", "host:", "host:http", "host:-1", "host:99999", "host:0", "::1:6066"]
)
def test_what_is_no_address_is_refused_with_an_example(said):
    with pytest.raises(Misconfigured, match=r"OPENLFR_HTTP must be such as 127\.0\.0\.1:6066"):
        Process.read("ingest", {"OPENLFR_HTTP": said})
