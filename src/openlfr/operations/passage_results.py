"""Counts in how many planned passages the control subjects were recognised.

Passages are added up only where model, rules and threshold are the same, like all figures. A
passage whose result is unknown makes the rate a range. Plans without a logged walk are in no rate,
but their number is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from openlfr.domain.audit_passages import PassagePlanned
from openlfr.domain.baseline_openings import opening_at
from openlfr.domain.faces import CONTROL
from openlfr.domain.passages import find_alteration
from openlfr.domain.watchlist import EntryStatus
from openlfr.operations.intervals import Interval
from openlfr.operations.passage_findings import names_of_subjects, read_sightings
from openlfr.operations.recognition_rate import recognition_rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from openlfr.domain.baseline_openings import Opening
    from openlfr.domain.deployment import Deployment
    from openlfr.domain.passages import Passage
    from openlfr.domain.watchlist import Reference
    from openlfr.ports import Records

Score = tuple[str, bool | None]
"""Subject id, and whether the subject was recognised in a passage; None if this is unknown."""


@dataclass(frozen=True, slots=True)
class PassageRate:
    """The share of passages in which the subject was recognised.

    Attributes:
        found, missed, unknown: Numbers of passages with this result. A passage is unknown if the
            subject was not found, but a sighting at the time of the walk was erased before the walk
            was logged.
        subjects: Number of subjects.
        rate: Lowest and highest possible rate, which differ if a result is unknown; None with too
            few subjects.
        interval: 95% interval of the rate; None with too few subjects.
    """

    found: int
    missed: int
    unknown: int
    subjects: int
    rate: Interval | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class PassageGroup:
    """The passages under one model, set of rules and threshold.

    Attributes:
        baselines: Numbers of the baselines; 0 for passages without a recorded baseline.
        threshold: The threshold; None without a recorded baseline.
        whole: The rate of passages with a recognition at one of their cameras at least.
        by_camera: For each camera, the rate of its passages with a recognition at this camera.
    """

    baselines: tuple[int, ...]
    threshold: float | None
    whole: PassageRate
    by_camera: Mapping[str, PassageRate]


@dataclass(frozen=True, slots=True)
class PassageResult:
    """All planned passages of a deployment.

    Attributes:
        planned: Number of plans, including deleted plans.
        not_logged: Ids of the unaltered plans without a logged walk.
        altered: How the rows of a passage differ from its acts, by plan id. These passages are in
            no rate.
        groups: The logged passages.
        upper_bound: Why the rate is an upper bound for listed people, as the end of a sentence;
            empty if photos and quality do not favour the control subjects.
    """

    deployment: Deployment
    planned: int
    not_logged: tuple[str, ...]
    altered: Mapping[str, str]
    groups: tuple[PassageGroup, ...]
    upper_bound: str


def passage_result(named: str, *, records: Records) -> PassageResult:
    """Score the logged passages of a deployment by its recorded sightings.

    A passage counts for the baseline at the end of its walk, or for none if that one was altered.

    Args:
        named: Id or name of the deployment.
        records: Records of passages, alerts, entries, baselines and acts.

    Raises:
        BadInput: There is no such deployment.
    """
    deployment = records.deployments.find(named)
    passages = records.passages.of_deployment(deployment.deployment_id)
    altered = _find_alterations(deployment.deployment_id, passages, records)
    walks = [each for each in passages if each.log and each.plan.plan_id not in altered]
    openings = records.baselines.openings_of(deployment.deployment_id)
    sightings = read_sightings(deployment.deployment_id, records.alerts)
    names = names_of_subjects(passages, records.watchlist)
    groups: dict[object, list[tuple[Passage, Opening | None, Mapping[str, bool | None]]]] = {}
    for each in walks:
        log = each.log
        if log is None:
            continue
        opening = opening_at(openings, log.ends)
        opening = None if opening is not None and opening.alteration else opening
        found = sightings.cameras_with(names[each.plan.subject_id], log) | each.findings
        erased = sightings.cameras_erased_before(log)
        by_camera = {
            camera: True if camera in found else None if camera in erased else False
            for camera in log.cameras
        }
        pool = opening.baseline.pool if opening is not None else None
        groups.setdefault(pool, []).append((each, opening, by_camera))
    return PassageResult(
        deployment,
        len(passages) + sum(why == _DELETED for why in altered.values()),
        tuple(
            each.plan.plan_id
            for each in passages
            if each.log is None and each.plan.plan_id not in altered
        ),
        altered,
        tuple(_group_of(members) for members in groups.values()),
        _describe_upper_bound(walks, names, deployment, records) if walks else "",
    )


_DELETED = "its plan was deleted"


def _find_alterations(
    deployment_id: str, passages: Sequence[Passage], records: Records
) -> dict[str, str]:
    acts = records.audit.all(object_kind=PassagePlanned.object_kind)
    altered = {
        each.plan.plan_id: find_alteration(
            each, [act for act in acts if act.object_id == each.plan.plan_id]
        )
        for each in passages
    }
    for act in acts:
        if act.detail.get("deployment_id") == deployment_id and act.object_id not in altered:
            altered[act.object_id] = _DELETED
    return {plan_id: why for plan_id, why in altered.items() if why}


def _group_of(
    members: Sequence[tuple[Passage, Opening | None, Mapping[str, bool | None]]],
) -> PassageGroup:
    openings = {each.number: each for _, each, _ in members if each is not None}
    whole: list[Score] = []
    by_camera: dict[str, list[Score]] = {}
    for passage, _, found_at in members:
        results = found_at.values()
        found = True if True in results else None if None in results else False
        whole.append((passage.plan.subject_id, found))
        for camera, is_found in found_at.items():
            by_camera.setdefault(camera, []).append((passage.plan.subject_id, is_found))
    return PassageGroup(
        tuple(sorted(openings)) or (0,),
        next(iter(openings.values())).baseline.threshold.value if openings else None,
        _rate_of(whole),
        {camera: _rate_of(by_camera[camera]) for camera in sorted(by_camera)},
    )


def _rate_of(scores: Sequence[Score]) -> PassageRate:
    low = recognition_rate(_by_subject(scores, (True,)))
    high = recognition_rate(_by_subject(scores, (True, None)))
    results = [found for _, found in scores]
    rate = interval = None
    if low.interval and high.interval and low.rate is not None and high.rate is not None:
        rate = Interval(low.rate, high.rate)
        interval = Interval(low.interval.low, high.interval.high)
    return PassageRate(
        results.count(True), results.count(False), results.count(None), low.subjects, rate, interval
    )


def _by_subject(scores: Iterable[Score], counted: tuple[bool | None, ...]) -> list[tuple[int, int]]:
    numbers: dict[str, tuple[int, int]] = {}
    for subject, found in scores:
        hits, passages = numbers.get(subject, (0, 0))
        numbers[subject] = hits + (found in counted), passages + 1
    return list(numbers.values())


def _describe_upper_bound(
    walks: Sequence[Passage],
    names: Mapping[str, str],
    deployment: Deployment,
    records: Records,
) -> str:
    """Describe the advantage of the subjects' photos over photos of other listed people.

    Returns:
        That one of the two groups has no photos, or that the subjects' median quality is higher, or
        that their median date is later; empty without any of these.
    """
    subjects = {names[each.plan.subject_id] for each in walks}
    entries = records.watchlist.references(
        watchlists=deployment.watchlists, statuses=(EntryStatus.ACTIVE,)
    )
    own = [each for each in entries if each.category == CONTROL and each.subject in subjects]
    listed = [each for each in entries if each.category != CONTROL]
    if not own or not listed:
        who = "the control subjects" if not own else "people who are not control subjects"
        return f"no photos of {who} are listed for a comparison"
    quality, other_quality = _median_quality(own), _median_quality(listed)
    if quality > other_quality:
        return f"their photos have a quality of {quality:.0f}, the list's {other_quality:.0f}"
    taken, other_taken = (
        sorted(each.captured_on for each in some)[len(some) // 2] for some in (own, listed)
    )
    if taken > other_taken:
        return f"their photos are of {taken}, the list's of {other_taken}"
    return ""


def _median_quality(entries: Sequence[Reference]) -> float:
    return float(median(each.quality for each in entries))
