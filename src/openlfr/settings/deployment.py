"""The deployment and its authorisation: without it no camera opens."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from openlfr.domain.errors import Misconfigured
from openlfr.domain.names import problem_of_person
from openlfr.settings.values import Moment, Section, Words

if TYPE_CHECKING:
    from openlfr.settings import Settings


def _person(text: str) -> str:
    if text and (problem := problem_of_person(text)):
        raise ValueError(problem)
    return text


_Person = Annotated[Words, AfterValidator(_person)]


class Deployment(Section):
    """An authorised operation: complete, with hours in which it may look."""

    name: str
    purpose: str
    place: str
    legal_basis: str
    authorised_by: str
    starts: datetime
    ends: datetime


class DeploymentEntry(Section):
    """The authorisation as far as the configuration gives it."""

    name: Words = Field(
        default="", title="Name", description="Short name of the operation; alerts carry it."
    )
    purpose: Words = Field(
        default="",
        title="Purpose",
        description="What it is for, in one sentence.",
    )
    place: Words = Field(default="", title="Place", description="Where people are filmed.")
    legal_basis: Words = Field(
        default="", title="Legal basis", description="The law or order that allows it."
    )
    authorised_by: _Person = Field(
        default="", title="Authorised by",
        description="Who answers for it: name and office of the authorising person.",
    )  # fmt: skip
    starts: Moment | None = Field(
        default=None, title="Starts", description="First moment at which faces may be searched."
    )
    ends: Moment | None = Field(
        default=None, title="Ends", description="Moment from which no face may be searched."
    )

    @model_validator(mode="before")
    @classmethod
    def _blank_is_absent(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        return {k: v for k, v in data.items() if not (isinstance(v, str) and not v.strip())}

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.starts and self.ends and self.ends <= self.starts:
            raise ValueError(
                f"must end after it starts: {self.ends.isoformat()}"
                f" is not after {self.starts.isoformat()}"
            )
        return self

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields without which nothing may run."""
        return tuple(name for name in type(self).model_fields if not getattr(self, name))

    def complete(self) -> Deployment | None:
        """The authorised deployment; None while something is missing."""
        return None if self.missing else Deployment(**self.model_dump())


def require_authorisation(settings: Settings) -> Deployment:
    """The deployment, if its authorisation is complete.

    Raises:
        Misconfigured: The authorisation is absent or incomplete; every missing field is named.
    """
    deployment = settings.deployment
    if deployment is not None:
        return deployment
    missing = settings.deployment_entry.missing
    names = [f"deployment.{name}" for name in missing]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    verb = "is" if len(names) == 1 else "are"
    raise Misconfigured(
        f"not authorised: {listed} {verb} missing in {settings.path};"
        " no camera is opened without a complete authorisation"
    )
