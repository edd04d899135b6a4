"""What is decided by rule: who matches, how sightings fold, which photos may be enrolled."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from openlfr.domain.adjudication import Times
from openlfr.domain.alerts import LIFE
from openlfr.domain.watchlist import DEFAULT_CATEGORIES, LONGEST
from openlfr.settings.values import Duration, Number, Section, Words, listed


class Matching(Section):
    """From which score a track is a sighting."""

    threshold: Number | None = Field(
        default=None, gt=0, lt=1, title="Threshold",
        description="Cosine similarity from which a track is a sighting. Left out: the model's"
        " default for a list of this length, chosen at a start and uncalibrated; `openlfr doctor`"
        " says which. A lower one finds more people and stops more strangers.",
    )  # fmt: skip
    target_fpir: Number | None = Field(
        default=None, gt=0, lt=1, title="Target FPIR",
        description="Share of passers-by who may be stopped wrongly; sets the threshold by"
        " calibration. Not together with threshold; needs a calibration, which this version"
        " does not have yet.",
    )  # fmt: skip

    index: Literal["snapshot", "milvus"] = Field(
        default="snapshot", title="Index",
        description="Where the services search: in a snapshot of the list that each worker holds,"
        " or on the Milvus server, for lists too large for that. Both give the same scores;"
        " `openlfr run` always takes a snapshot.",
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
    """How sightings become alerts and how long these are kept."""

    window: Duration = Field(
        default=LIFE, title="Window",
        description="Sightings of a subject within this time of each other, at any camera, are"
        " one alert, decided or not. Nobody who decides later than this after the last one decides"
        " in time.",
    )  # fmt: skip
    undo: Duration = Field(
        default=Times().undo, le=timedelta(minutes=14), title="Undo",
        description="For how long the person who gave a verdict can take it back.",
    )  # fmt: skip
    settle: Duration = Field(
        default=Times().settle, le=timedelta(minutes=14), title="Settling",
        description="After which a verdict is settled that nobody looked at a second time. The"
        " pictures of a person who was not engaged are erased then, and a minute later at most.",
    )  # fmt: skip
    second_look: Number = Field(
        default=0.2, ge=0, le=1, title="Second look",
        description="The share of decided alerts that another person is to look at, drawn so that"
        " nobody chooses them; what nobody could tell is always looked at again.",
    )  # fmt: skip
    sealed: Duration = Field(
        default=Times().sealed, le=timedelta(days=31), title="Sealed",
        description="How long the pictures of a person who was stopped by mistake are kept for a"
        " complaint, sealed: a supervisor opens them with a reason.",
    )  # fmt: skip
    fastest_km_h: Number = Field(
        default=130.0, gt=0, le=2000, title="Fastest, km/h",
        description="How fast people may be between two cameras that have a position; a subject"
        " who would have been faster is flagged as impossible, and alerted on all the same. The"
        " default is a car's speed on a motorway: set less where everybody walks.",
    )  # fmt: skip
    retention: Duration = Field(
        default=timedelta(days=31), title="Retention",
        description="How long alerts and their evidence are kept; older ones are erased by a run"
        " or by alerting while it works, else by the next command.",
    )  # fmt: skip

    @property
    def times(self) -> Times:
        """How long people have to undo, to look again and to complain."""
        return Times(self.undo, self.settle, self.sealed)


class Enrolment(Section):
    """Which photos may enter the watchlist."""

    min_eye_distance: Number = Field(
        default=24.0, gt=0, le=1000, title="Smallest eye distance",
        description="Pixels between the eyes of a reference photo; a smaller face is refused.",
    )  # fmt: skip
    min_quality: Number = Field(
        default=20.0, ge=0, le=100, title="Lowest quality",
        description="Quality, 0 to 100, of a reference photo; a poorer one is refused.",
    )  # fmt: skip
    min_sharpness: Number = Field(
        default=0.25,
        ge=0,
        le=1,
        title="Lowest sharpness",
        description="Sharpness, 0 to 1, of a reference photo; a more blurred one is refused.",
    )
    min_exposure: Number = Field(
        default=0.5,
        ge=0,
        le=1,
        title="Lowest exposure",
        description="Share of useful brightness, 0 to 1; a photo too dark or bright is refused.",
    )
    categories: Annotated[tuple[Words, ...], BeforeValidator(listed)] = Field(
        default=DEFAULT_CATEGORIES, min_length=1, title="Categories",
        description="Why somebody may be listed; a row of another category is refused.",
    )  # fmt: skip
    longest: dict[Words, Duration] = Field(
        default_factory=dict, title="Longest listing",
        description="For how long somebody of a category may be listed at most, from the import"
        " on; a row that expires later is refused. A category that is not named: 1096d, three"
        " years.",
    )  # fmt: skip

    @property
    def limits(self) -> dict[str, timedelta]:
        """For how long somebody may be listed at most, by allowed category."""
        return {name: self.longest.get(name, LONGEST) for name in self.categories}

    @model_validator(mode="after")
    def _limits_are_of_categories(self) -> Self:
        unknown = sorted(self.longest.keys() - set(self.categories))
        if unknown:
            raise ValueError(
                f"limits {unknown[0]!r} in longest, which is none of the categories "
                f"{', '.join(self.categories)}"
            )
        return self
