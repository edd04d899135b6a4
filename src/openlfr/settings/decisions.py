"""The blocks `matching`, `alerting` and `enrolment` of the configuration."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from openlfr.domain.adjudication import DecisionTimes
from openlfr.domain.alerts import LIFE
from openlfr.domain.watchlist import DEFAULT_CATEGORIES, MAX_TIME_LISTED
from openlfr.settings.values import Duration, Number, Section, Words, as_tuple


class Matching(Section):
    """The score that makes a track a sighting, and the index that is searched."""

    threshold: Number | None = Field(
        default=None, gt=0, lt=1, title="Threshold",
        description="Lowest cosine similarity of a sighting. Default: the model's uncalibrated"
        " default for a list of this length, chosen at the start; `openlfr doctor` prints it."
        " A lower threshold finds more listed people, and stops more strangers.",
    )  # fmt: skip
    target_fpir: Number | None = Field(
        default=None, gt=0, lt=1, title="Target FPIR",
        description="Share of passers-by who may be stopped by mistake. `openlfr run` then uses the"
        " threshold of the newest calibration (`openlfr calibrate`) for this target against the"
        " present list, and does not start without one. Cannot be combined with threshold.",
    )  # fmt: skip
    max_fpir: Number = Field(
        default=0.01, gt=0, lt=1, title="Highest target FPIR",
        description="Highest permitted target_fpir; nothing is calibrated or started with a higher"
        " target.",
    )  # fmt: skip
    index: Literal["snapshot", "milvus"] = Field(
        default="snapshot", title="Index",
        description="Index that the services search: a snapshot of the list in each worker's"
        " memory, or the Milvus server, for lists that are too large for a worker. The scores are"
        " equal. `openlfr run` always searches a snapshot.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _check_threshold(self) -> Self:
        if self.threshold is not None and self.target_fpir is not None:
            raise ValueError("may have threshold or target_fpir, not both")
        if self.target_fpir is not None and self.target_fpir > self.max_fpir:
            raise ValueError(
                f"has target_fpir {self.target_fpir:g}, above max_fpir {self.max_fpir:g}; set a"
                " lower target, or have a higher max_fpir approved"
            )
        return self


class Alerting(Section):
    """The times of alerts and verdicts, the second looks, and the retention."""

    window: Duration = Field(
        default=LIFE, title="Window",
        description="Sightings of a subject that follow each other within this time, at any camera,"
        " form one alert, whether the alert is decided or not. A verdict is late if it is given"
        " more than this time after the last sighting.",
    )  # fmt: skip
    undo: Duration = Field(
        default=DecisionTimes().undo, le=timedelta(minutes=14), title="Undo",
        description="Time within which a person can withdraw their own verdict.",
    )  # fmt: skip
    settle: Duration = Field(
        default=DecisionTimes().settle, le=timedelta(minutes=14), title="Settling",
        description="Time after which a verdict without a second look is final. If the person was"
        " not engaged, the pictures are then erased within a minute.",
    )  # fmt: skip
    second_look: Number = Field(
        default=0.2, ge=0, le=1, title="Second look",
        description="Share of decided alerts that need a second verdict by another person. They are"
        " drawn by a random function of the id, so that nobody can choose them. Inconclusive alerts"
        " always need a second verdict.",
    )  # fmt: skip
    sealed: Duration = Field(
        default=DecisionTimes().sealed, le=timedelta(days=31), title="Sealed",
        description="Time for which pictures of a person who was stopped by mistake are sealed, for"
        " a complaint. Only a supervisor can open sealed pictures, with a reason.",
    )  # fmt: skip
    fastest_km_h: Number = Field(
        default=130.0, gt=0, le=2000, title="Fastest, km/h",
        description="Highest plausible speed between two cameras with a position. A faster sighting"
        " is flagged as impossible, and still raises an alert. The default is a car's speed on a"
        " motorway; choose a lower speed where everybody walks.",
    )  # fmt: skip
    retention: Duration = Field(
        default=timedelta(days=31), title="Retention",
        description="Retention period of alerts and their evidence. An active `openlfr run` or the"
        " alerting service erases older alerts; if neither is active, the next command does.",
    )  # fmt: skip

    @property
    def times(self) -> DecisionTimes:
        """Times for withdrawing a verdict, until a verdict is final, and for sealed pictures."""
        return DecisionTimes(self.undo, self.settle, self.sealed)


class Enrolment(Section):
    """Requirements for reference photos, and for the reason and duration of a listing."""

    min_eye_distance: Number = Field(
        default=24.0, gt=0, le=1000, title="Smallest eye distance",
        description="Pixels between the eyes of a reference photo; a smaller face is refused.",
    )  # fmt: skip
    min_quality: Number = Field(
        default=20.0, ge=0, le=100, title="Lowest quality",
        description="Quality, 0 to 100, of a reference photo; a poorer photo is refused.",
    )  # fmt: skip
    min_sharpness: Number = Field(
        default=0.25,
        ge=0,
        le=1,
        title="Lowest sharpness",
        description="Sharpness, 0 to 1, of a reference photo; a more blurred photo is refused.",
    )
    min_exposure: Number = Field(
        default=0.5,
        ge=0,
        le=1,
        title="Lowest exposure",
        description="Share of useful brightness, 0 to 1; a darker or brighter photo is refused.",
    )
    categories: Annotated[tuple[Words, ...], BeforeValidator(as_tuple)] = Field(
        default=DEFAULT_CATEGORIES, min_length=1, title="Categories",
        description="Allowed reasons for a listing; a row of another category is refused.",
    )  # fmt: skip
    longest: dict[Words, Duration] = Field(
        default_factory=dict, title="Longest listing",
        description="Maximum duration of a listing by category, from the import; a row that expires"
        " later is refused. Other categories: 1096d, three years.",
    )  # fmt: skip

    @property
    def limits(self) -> dict[str, timedelta]:
        """Maximum duration of a listing, by allowed category."""
        return {name: self.longest.get(name, MAX_TIME_LISTED) for name in self.categories}

    @model_validator(mode="after")
    def _check_limits(self) -> Self:
        unknown = sorted(self.longest.keys() - set(self.categories))
        if unknown:
            raise ValueError(
                f"has {unknown[0]!r} in longest, which is not one of the categories "
                f"{', '.join(self.categories)}"
            )
        return self
