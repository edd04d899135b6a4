"""The block `deployment` of the configuration: the authorisation to open cameras."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from openlfr.domain.deployment import (
    Authorisation,
    Deployment,
    DeploymentStatus,
    deployment_id_of,
)
from openlfr.domain.names import find_person_problem
from openlfr.settings.values import Moment, Section, Words


def _check_person(text: str) -> str:
    if text and (problem := find_person_problem(text)):
        raise ValueError(problem)
    return text


_Person = Annotated[Words, AfterValidator(_check_person)]


class DeploymentEntry(Section):
    """The authorisation, complete or incomplete."""

    id: Words | None = Field(
        default=None, title="Id",
        description="Permanent id. Default: an id made from name and starts, so that the same name "
        "with another start is another deployment.",
    )  # fmt: skip
    name: Words = Field(default="", title="Name", description="Short name of the operation.")
    purpose: Words = Field(
        default="",
        title="Purpose",
        description="The purpose of the operation, in one sentence.",
    )
    place: Words = Field(default="", title="Place", description="Where people are filmed.")
    legal_basis: Words = Field(
        default="", title="Legal basis", description="The law or order that permits the operation."
    )
    authorised_by: _Person = Field(
        default="", title="Authorised by",
        description="Name and office of the person who authorises the operation.",
    )  # fmt: skip
    starts: Moment | None = Field(
        default=None, title="Starts", description="Time from which faces may be searched."
    )
    ends: Moment | None = Field(
        default=None, title="Ends", description="Time from which no face may be searched."
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_blank_values(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        return {k: v for k, v in data.items() if not (isinstance(v, str) and not v.strip())}

    @model_validator(mode="after")
    def _check_hours(self) -> Self:
        if self.starts and self.ends and self.ends <= self.starts:
            raise ValueError(
                f"must end after it starts: {self.ends.isoformat()}"
                f" is not after {self.starts.isoformat()}"
            )
        return self

    @property
    def identity(self) -> str | None:
        """The configured id, else an id made from name and start; None if one of these is empty."""
        if self.id:
            return self.id
        return deployment_id_of(self.name, self.starts) if self.name and self.starts else None

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of required fields that are empty."""
        return tuple(
            name for name in type(self).model_fields if name != "id" and not getattr(self, name)
        )

    def to_deployment(self) -> Deployment | None:
        """Return the configured deployment, with the status STARTED; None if a field is empty.

        The status of the recorded deployment may differ: paused, stopped or closed.
        """
        deployment_id = self.identity
        if self.starts is None or self.ends is None or self.missing or deployment_id is None:
            return None
        authorisation = Authorisation(
            self.name, self.purpose, self.place, self.legal_basis, self.authorised_by, self.starts,
            self.ends,
        )  # fmt: skip
        return Deployment(deployment_id, authorisation, DeploymentStatus.STARTED)
