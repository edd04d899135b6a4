"""Searches tracks when a search is due: embed -> fuse -> search -> decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openlfr.domain.analysis import SightingWithEvidence
from openlfr.domain.sightings import Sighting
from openlfr.stages.decide import decide
from openlfr.stages.mask import is_hidden, mask, overlap_share
from openlfr.stages.overlooked import find_overlooked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from openlfr.domain.evidence import Evidence
    from openlfr.domain.faces import Candidate
    from openlfr.domain.ids import Ids
    from openlfr.live_tracks import Query, TrackFace
    from openlfr.ports import FaceDetector, FaceEmbedder, WatchlistIndex
    from openlfr.stage_timer import StageTimer
    from openlfr.stages.probe import Probe, ProbeRules


class Searcher:
    """Searches the queries of one deployment. Not safe to share between threads."""

    def __init__(
        self,
        *,
        ids: Ids,
        detector: FaceDetector,
        embedder: FaceEmbedder,
        index: WatchlistIndex,
        threshold: float,
        rules: ProbeRules,
        timings: StageTimer,
        on_search: Callable[[Query], None] | None = None,
    ) -> None:
        """Create a searcher; the arguments are those of `Analyser`."""
        self._ids = ids
        self._detector = detector
        self._embedder = embedder
        self._index = index
        self.threshold = threshold
        self._rules = rules
        self._timings = timings
        self._on_search = on_search

    def use_index(self, index: WatchlistIndex) -> None:
        """Search in another index from the next search on; may be called from any thread."""
        self._index = index

    def search(self, queries: Sequence[Query]) -> list[SightingWithEvidence]:
        """Embed new faces, fuse them to probes, search all probes at once; return new sightings."""
        if not queries:
            return []
        self._embed(queries)
        with self._timings("search", len(queries)):
            searched = [(query, probe) for query in queries for probe in query.probes(self._rules)]
            if not searched:
                return []
            answers = self._index.search(
                np.stack([probe.template for _, probe in searched]),
                [query.faces[probe.rows[0]].captured_at for query, probe in searched],
            )
        sightings = []
        with self._timings("decide", len(searched)):
            for (query, probe), candidates in zip(searched, answers, strict=True):
                track = query.track
                penalty = query.score_penalty(probe, self._rules)
                lowered = [each._replace(score=each.score - penalty) for each in candidates]
                track.record_search(lowered, query.faces[probe.rows[0]].quality.score)
                chosen = decide(lowered, self.threshold)
                encounters, number = query.encounters, track.number
                if chosen is not None and not encounters.is_sighted(number, chosen.subject):
                    used_frames = encounters.frames_of_sightings(query.neighbours, chosen.subject)
                    ranked = _rank_faces(query, probe, used_frames)
                    if ranked[0].seq in used_frames and not query.is_final:
                        continue  # another track's sighting has the same id; wait for more faces
                    best, evidence = self._choose_picture(ranked)
                    encounters.record_sighting(number, chosen.subject, best.seq)
                    track.is_matched = True
                    track.is_control_matched = track.is_control_matched or chosen.is_control
                    sighting = self._make_sighting(
                        query, best, chosen, conflicts_in_frame=bool(used_frames)
                    )
                    sightings.append(SightingWithEvidence(sighting, evidence))
        if self._on_search is not None:
            for query in {id(query): query for query, _ in searched}.values():
                self._on_search(query)
        return sightings

    def _choose_picture(self, ranked: Sequence[TrackFace]) -> tuple[TrackFace, Evidence | None]:
        """Return the first face with an acceptable picture, and the masked picture.

        If no face has such a picture, return the first face with None. The alert is raised anyway.
        """
        for face in ranked:
            if is_hidden(face.picture):
                continue
            with self._timings("detect_again"):
                found = find_overlooked(face.picture, self._detector)
            with self._timings("mask"):
                evidence = mask(face.picture, found)
            if evidence is not None:
                return face, evidence
        return ranked[0], None

    def _embed(self, queries: Sequence[Query]) -> None:
        new = list({id(f): f for q in queries for f in q.faces if f.template is None}.values())
        if new:
            with self._timings("embed", len(new)):
                templates = self._embedder.embed(np.stack([face.aligned for face in new]))
            for face, template in zip(new, templates, strict=True):
                face.template = template

    def _make_sighting(
        self, query: Query, best: TrackFace, chosen: Candidate, *, conflicts_in_frame: bool
    ) -> Sighting:
        ids = self._ids
        return Sighting(
            sighting_id=ids.sighting_id(query.camera, query.epoch, best.seq, chosen.subject),
            deployment=ids.deployment_id,
            camera=query.camera,
            epoch=query.epoch,
            seq=best.seq,
            subject=chosen.subject,
            watchlist=chosen.watchlist,
            reference_id=chosen.reference_id,
            captured_at=best.captured_at,
            box=best.box,
            score=chosen.score,
            threshold=self.threshold,
            quality=best.quality.score,
            conflicts_in_frame=conflicts_in_frame,
        )


def _rank_faces(query: Query, probe: Probe, used_frames: Collection[int]) -> list[TrackFace]:
    """Return the faces for a sighting's picture: the least overlapped first, then the best.

    Faces of `used_frames`, where another track was sighted as the subject, are excluded. Two
    sightings of one subject in one frame have the same id, so the second sighting would count as a
    repetition. If no other face remains, the probe's best face is returned.
    """
    faces = [query.faces[row] for row in probe.rows]
    free = [face for face in faces if face.seq not in used_frames]
    return sorted(free, key=lambda face: overlap_share(face.picture)) or faces[:1]
