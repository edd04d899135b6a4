"""The chart, rendered by a real helm and read as Kubernetes would read it."""

from __future__ import annotations

import pytest

from rendered_chart import Chart, load_validator


@pytest.fixture(scope="session")
def chart() -> Chart:
    """Needs helm and the schemas, which are fetched once."""
    validate = load_validator()
    validate.fetch()
    return Chart(validate)
