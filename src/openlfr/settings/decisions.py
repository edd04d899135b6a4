"""The blocks `matching`, `alerting` and `enrolment` of the configuration."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from openlfr.domain.adjudication import DecisionTimes
from openlfr.domain.alerts import LIFE
from openlfr.domain.watchlist import DEFAULT_CATEGORIES, MAX_TIME_LISTED
from openlfr.settings.values import Duration, Number, Section, Words, listed


class Matching(Section):
    """The score that makes a track a sighting, and the index that is searched."""

    threshold: Number | None = Field(
        default=None, gt=0, lt=1, title="Threshold",
        description="Lowest cosine similarity of a sighting. Left out: the model's default for a"
        " list of this length, chosen at the start and uncalibrated; `openlfr doctor` prints it."
        " A lower threshold finds more people and stops more strangers.",
    )  # fmt: skip
    target_fpir: Number | None = Field(
        default=None, gt=0, lt=1, title="Target FPIR",
        description="Share of passers-by who may be stopped wrongly; calibration then sets the"
        " threshold. Not together with threshold. This version has no calibration yet.",
    )  # fmt: skip
    index: Literal["snapshot", "milvus"] = Field(
        default="snapshot", title="Index",
        description="Where the services search: in a snapshot of the list in each worker's memory,"
        " or on the Milvus server, for lists too large for that. Both give the same scores;"
        " `openlfr run` always searches a snapshot.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.threshold is not None and self.target_fpir is not None:
            raise ValueError("may have threshold or target_fpir, not both")
        if self.target_fpir is not None:
            raise ValueError(
                "has target_fpir, which needs a calibration that this version does not have yet;"
                " set matching.threshold or leave both out"
            )
        return self


class Alerting(Section):
    """How sightings become alerts, and how long alerts are kept."""

    window: Duration = Field(
        default=LIFE, title="Window",
        description="Sightings of a subject within this time of each other, at any camera, are"
        " one alert, decided or not. A verdict given later than this after the alert's last"
        " sighting is late.",
    )  # fmt: skip
    undo: Duration = Field(
        default=DecisionTimes().undo, le=timedelta(minutes=14), title="Undo",
        description="How long the person who gave a verdict can withdraw it.",
    )  # fmt: skip
    settle: Duration = Field(
        default=DecisionTimes().settle, le=timedelta(minutes=14), title="Settling",
        description="Time after which a verdict without a second look is settled. If the person"
        " was not engaged, the pictures are erased then, at most a minute later.",
    )  # fmt: skip
    second_look: Number = Field(
        default=0.2, ge=0, le=1, title="Second look",
        description="Share of decided alerts that another person must review, drawn at random by"
        " id so that nobody chooses them; inconclusive verdicts are always reviewed.",
    )  # fmt: skip
    sealed: Duration = Field(
        default=DecisionTimes().sealed, le=timedelta(days=31), title="Sealed",
        description="How long the pictures of a person who was stopped by mistake are kept, in"
        " case of a complaint. They are sealed: only a supervisor opens them, with a reason.",
    )  # fmt: skip
    fastest_km_h: Number = Field(
        default=130.0, gt=0, le=2000, title="Fastest, km/h",
        description="Highest plausible speed between two cameras that have a position. A faster"
        " sighting is flagged as impossible, and alerts all the same. The default is a car's speed"
        " on a motorway: set less where everybody walks.",
    )  # fmt: skip
    retention: Duration = Field(
        default=timedelta(days=31), title="Retention",
        description="How long alerts and their evidence are kept; older ones are erased by a"
        " running `openlfr run` or alerting service, else by the next command.",
    )  # fmt: skip

    @property
    def times(self) -> DecisionTimes:
        """The times within which a verdict is withdrawn, settled, and its pictures kept."""
        return DecisionTimes(self.undo, self.settle, self.sealed)


class Enrolment(Section):
    """Which photos may be enrolled, for which reason and how long."""

    min_eye_distance: Number = Field(
        default=24.0, gt=0, le=1000, title="Smallest eye distance",
        description="Pixels between the eyes of a reference photo; a smaller face is rejected.",
    )  # fmt: skip
    min_quality: Number = Field(
        default=20.0, ge=0, le=100, title="Lowest quality",
        description="Quality, 0 to 100, of a reference photo; a poorer one is rejected.",
    )  # fmt: skip
    min_sharpness: Number = Field(
        default=0.25,
        ge=0,
        le=1,
        title="Lowest sharpness",
        description="Sharpness, 0 to 1, of a reference photo; a more blurred one is rejected.",
    )
    min_exposure: Number = Field(
        default=0.5,
        ge=0,
        le=1,
        title="Lowest exposure",
        description="Share of useful brightness, 0 to 1; a photo too dark or bright is rejected.",
    )
    categories: Annotated[tuple[Words, ...], BeforeValidator(listed)] = Field(
        default=DEFAULT_CATEGORIES, min_length=1, title="Categories",
        description="Reasons for listing a person; a row of another category is rejected.",
    )  # fmt: skip
    longest: dict[Words, Duration] = Field(
        default_factory=dict, title="Longest listing",
        description="Longest listing by category, counted from the import; a row that expires"
        " later is rejected. Other categories: 1096d, three years.",
    )  # fmt: skip

    @property
    def limits(self) -> dict[str, timedelta]:
        """Longest listing of each allowed category."""
        return {name: self.longest.get(name, MAX_TIME_LISTED) for name in self.categories}

    @model_validator(mode="after")
    def _limits_are_of_categories(self) -> Self:
        unknown = sorted(self.longest.keys() - set(self.categories))
        if unknown:
            raise ValueError(
                f"has {unknown[0]!r} in longest, which is not one of the categories "
                f"{', '.join(self.categories)}"
            )
        return self
