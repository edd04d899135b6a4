"""Writes what the topics tell into the records: once each, however often it comes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.adapters.kafka.dead_letters import set_aside
from openlfr.domain.errors import BadInput
from openlfr.operations.baselines import open_baseline
from openlfr.operations.evidence import evidence_name
from openlfr.wire import codec, seal
from openlfr.wire.headers import read_headers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from openlfr.adapters.faust.agents import Message
    from openlfr.adapters.sql.records import Records
    from openlfr.domain.baseline_openings import BaselineAdoption
    from openlfr.domain.tallies import Reporter, Tally
    from openlfr.wire.codec import Record

_REMEMBERED = 1000  # baselines

_ALERT, _TALLY = "openlfr.wire.v1.Alert", "openlfr.wire.v1.Tally"


class DatabaseWriter:
    """Records the alerts and tallies of one worker; each kind is called by one thread."""

    def __init__(
        self,
        records: Records,
        keys: Mapping[Reporter, bytes],
        *,
        alert_key: bytes,
        window: timedelta,
    ) -> None:
        """Record into a database.

        Args:
            records: Of that database.
            keys: Under which each service's tallies have their authentication code.
            alert_key: Under which alerts have theirs.
            window: Which sightings of a subject make one alert.
        """
        self._records = records
        self._keys = keys
        self._alert_key = alert_key
        self._window = window
        self._opened: set[BaselineAdoption] = set()  # that are in the records
        self.counts: Counter[str] = Counter()

    def record_alerts(self, messages: Sequence[Message]) -> list[tuple[str, Record]]:
        """Record these alerts' events; dead letters of what cannot be read.

        So of what no folding wrote: an operator would be asked about somebody whom no camera saw.

        Raises:
            Unavailable: The database does not answer.
        """
        letters = []
        for message in messages:
            try:
                read_headers(message.headers, expect=_ALERT)
                event, emitted_at, pictured = codec.decode_alert(message.value)
            except BadInput as error:
                letters.append(self._set_aside(message, error))
                continue
            try:
                seal.verify(message.headers, message.key, message.value, self._alert_key)
            except BadInput as error:
                self.counts["alerts_forged"] += 1
                letters.append(self._set_aside(message, error))
                continue
            name = evidence_name(event.sighting.sighting_id) if pictured else None
            new = self._records.alerts.record(
                event, name, emitted_at=emitted_at, window=self._window
            )
            self.counts["recorded" if new else "known"] += 1
        return letters

    def record_tallies(self, messages: Sequence[Message]) -> list[tuple[str, Record]]:
        """Record these tallies in one transaction; dead letters of what cannot be read.

        So of what was not written by the service that is said to have counted: it would change
        what the records say of cameras and baselines.

        Raises:
            Unavailable: The database does not answer.
        """
        letters, tallies = [], []
        for message in messages:
            try:
                read_headers(message.headers, expect=_TALLY)
                tally = codec.decode_tally(message.value)
            except BadInput as error:
                letters.append(self._set_aside(message, error))
                continue
            try:
                key = self._keys[tally.reporter]
                seal.verify(message.headers, message.key, message.value, key)
            except BadInput as error:
                self.counts["tallies_forged"] += 1
                letters.append(self._set_aside(message, error))
                continue
            tallies.append(tally)
        if tallies:
            self._open_baselines(tallies)
            new = self._records.tallies.record(tallies, at=datetime.now(UTC))
            self.counts["tallies_recorded"] += new
            self.counts["tallies_known"] += len(tallies) - new
        return letters

    def _open_baselines(self, tallies: Sequence[Tally]) -> None:
        """Record what workers say that they have taken up, before what they counted under it."""
        for adoption in dict.fromkeys(each.adoption for each in tallies):
            if adoption is not None and adoption not in self._opened:
                open_baseline(adoption, records=self._records, at=datetime.now(UTC))
                if len(self._opened) >= _REMEMBERED:
                    self._opened.clear()
                self._opened.add(adoption)

    def _set_aside(self, message: Message, error: BadInput) -> tuple[str, Record]:
        self.counts["set_aside"] += 1
        return set_aside(message, str(error), service="alerting")
