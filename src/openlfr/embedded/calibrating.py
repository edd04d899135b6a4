"""Calibrates the threshold for a target FPIR against the present list, in one process.

Photos make no tracks. So the people of the cohort walk through simulated streets, and the pipeline
analyses the films of these walks like frames of a camera. The films are erased at the end of the
calibration, and the scores are never written to disk.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from openlfr import bootstrap
from openlfr.adapters.run_lock import lock_for_run
from openlfr.domain.calibrations import PURPOSE, Calibration, Cohort, describe_list
from openlfr.domain.errors import BadInput, Misconfigured
from openlfr.domain.faces import CONTROL
from openlfr.domain.listing import ListState
from openlfr.domain.permissions import Action, require
from openlfr.embedded.cohort_passes import CohortFilming, make_street_options
from openlfr.operations.calibration import calibrate
from openlfr.operations.calibrations import record_calibration
from openlfr.operations.cohort import select_people
from openlfr.operations.gallery import build_index
from openlfr.operations.intervals import compute_min_trials
from openlfr.operations.watchlist_sync import WatchlistSync
from openlfr.simulate import Person, read_people

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from openlfr.domain.principals import Principal
    from openlfr.domain.templates import GalleryFacts
    from openlfr.embedded.cohort_passes import CohortScores
    from openlfr.operations.calibration import CalibratedThreshold
    from openlfr.ports import Records, TemplateStore, Vault
    from openlfr.settings import Settings
    from openlfr.stages.search import ExactIndex

_SIMULATED_FIELDS = ("fps", "width", "height", "min_px", "max_px", "crf", "shutter", "noise")


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """The arguments of a calibration.

    Attributes:
        cohort: Folder of photos of unlisted people: NAME/*.jpg or images/NAME/*.jpg.
        target_fpir: Requested FPIR.
        by: The person who calibrates.
        walks_per_person: Number of walks of each person.
        seed: Seed of all random choices.
    """

    cohort: Path
    target_fpir: float
    by: Principal
    walks_per_person: int = 2
    seed: int = 1


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """A recorded calibration, and the people who were left out; their names are not recorded.

    Attributes:
        calibration: The record.
        left_out: The reason for leaving a person out, by the person's name.
    """

    calibration: Calibration
    left_out: Mapping[str, str]


def run_calibration(
    settings: Settings,
    request: CalibrationRequest,
    records: Records,
    *,
    progress: Callable[[str, int, int], None] = lambda _step, _done, _total: None,
) -> CalibrationReport:
    """Calibrate, and record the result.

    Args:
        settings: The configuration.
        request: The arguments.
        records: The database of the list and the calibrations; its due data are erased already.
        progress: Called with the step (`comparing` or `filming`), the number of finished people and
            the total number of people in this step.

    Raises:
        BadInput: The folder has too few people for the target, or nobody is listed.
        Misconfigured: The target is above matching.max_fpir, a run is active, or a model is wrong.
        NotAllowed: The person may not calibrate.
        Unavailable: The disk is full, or a service does not answer.
    """
    require(request.by, Action.CALIBRATE)
    require_target(settings, request.target_fpir)
    people = read_people(request.cohort.absolute())
    _require_people(len(people), request.target_fpir, f"{request.cohort} has")
    with ExitStack() as closing:
        closing.enter_context(lock_for_run(bootstrap.create_data_folder(settings)))
        films = bootstrap.erase_calibration_films(settings)
        closing.callback(bootstrap.erase_calibration_films, settings)
        detector = bootstrap.load_detector(settings)
        embedder = bootstrap.load_embedder(settings)
        vault = bootstrap.open_vault(settings)
        templates = bootstrap.open_templates(settings, embedder.facts)
        closing.callback(templates.close)
        made_at = datetime.now(UTC)
        index = _read_list(settings, records, templates, vault, embedder.facts)
        selected = select_people(
            {each.name: each.photos[: request.walks_per_person] for each in people},
            records=records,
            templates=templates,
            detector=detector,
            embedder=embedder,
            progress=lambda done: progress("comparing", done, len(people)),
        )
        left_out = dict(selected.left_out)
        remaining = f"{_describe(left_out)} left out, so {request.cohort} has"
        _require_people(len(selected.photos), request.target_fpir, remaining)
        filming = CohortFilming(
            films,
            detector=detector,
            embedder=embedder,
            index=index,
            at=made_at,
            walks_per_person=request.walks_per_person,
            seed=request.seed,
        )
        walking = [Person(name, photos) for name, photos in selected.photos.items()]
        scores = filming.score(
            walking, progress=lambda done: progress("filming", done, len(walking))
        )
    left_out |= {
        each.name: "the simulation could not draw the face"
        for each in walking
        if each.name not in scores.walked
    }
    result, cohort = _conclude(scores, request, len(left_out), selected.photos_sha256)
    calibration = Calibration(
        made_at=made_at,
        target_fpir=request.target_fpir,
        threshold=result.value,
        above=result.above,
        low=result.fpir.low,
        high=result.fpir.high,
        cohort=cohort,
        conditions=bootstrap.make_calibration_conditions(settings, embedder.facts),
        **describe_list(ListState.from_index(index), vault.derive(PURPOSE)),
        simulation=_describe_simulation(request),
    )
    record_calibration(calibration, records=records, by=request.by)
    return CalibrationReport(calibration, left_out)


def _conclude(
    scores: CohortScores, request: CalibrationRequest, left_out: int, photos_sha256: str
) -> tuple[CalibratedThreshold, Cohort]:
    """Return the threshold for everybody who walked, and the numbers of the cohort.

    Raises:
        BadInput: Too few people walked, or were searched for.
    """
    values = [scores.best.get(name, -1.0) for name in sorted(scores.walked)]
    result = calibrate(np.array(values, np.float32), request.target_fpir)
    searched = len(scores.best)
    if searched <= result.above:  # the deciding score is -1, of a person without a search
        raise BadInput(
            f"Only {searched} of {len(values)} people were searched for, so no threshold follows: "
            "use clearer photos, or more walks per person (--walks)."
        )
    return result, Cohort(result.people, searched, left_out, scores.tracks_of_nobody, photos_sha256)


def _describe_simulation(request: CalibrationRequest) -> dict[str, Any]:
    street = asdict(make_street_options(1, request.walks_per_person, request.seed))
    return {
        "passes": "simulated",
        "seed": request.seed,
        "walks_per_person": request.walks_per_person,
        **{name: street[name] for name in _SIMULATED_FIELDS},
    }


def _read_list(
    settings: Settings,
    records: Records,
    templates: TemplateStore,
    vault: Vault,
    facts: GalleryFacts,
) -> ExactIndex:
    """Return the searchable list; without a Milvus server, include the pending entries.

    Raises:
        BadInput: Nobody but control subjects is searchable.
    """
    sync = WatchlistSync(records, vault)
    while settings.services.milvus is None and records.watchlist.outbox():
        sync.apply_changes(templates, facts)
    index = build_index(records.watchlist, templates, settings.watchlists)
    if all(each.category == CONTROL for each in index.searched()):
        raise BadInput(
            f"Nobody is listed in {', '.join(settings.watchlists)} except control subjects, so "
            "nobody can be mistaken for a listed person: import the watchlist first."
        )
    return index


def require_target(settings: Settings, target_fpir: float) -> None:
    """Check that a target is a share, and at most matching.max_fpir.

    Raises:
        BadInput: The target is not between 0 and 1.
        Misconfigured: The target is above matching.max_fpir.
    """
    ceiling = settings.matching.max_fpir
    if not 0 < target_fpir < 1:
        raise BadInput(f"{target_fpir:g} is no target FPIR: use a share above 0 and below 1.")
    if target_fpir > ceiling:
        raise Misconfigured(
            f"The target FPIR {target_fpir:g} is above matching.max_fpir {ceiling:g} in "
            f"{settings.path}: choose a lower target, or have a higher max_fpir approved."
        )


def _require_people(people: int, target_fpir: float, has: str) -> None:
    """Raise an error if this number of people cannot support the target, before work starts."""
    needed = compute_min_trials(target_fpir)
    if people < needed:
        raise BadInput(
            f"{has} {people} unlisted people, who do not support a target FPIR of "
            f"{target_fpir:g}: at least {needed} are needed, even if none of them reaches the "
            "threshold."
        )


def _describe(left_out: Mapping[str, str]) -> str:
    """Return the start of a sentence: the people who were left out, with reasons, and the verb."""
    names: Sequence[str] = [f"{name} ({why})" for name, why in left_out.items()]
    return f"{'; '.join(names) or 'Nobody'} {'was' if len(names) < 2 else 'were'}"
