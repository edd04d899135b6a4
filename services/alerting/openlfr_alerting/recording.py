"""Writes each alert and each tally of the topics into the records once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.adapters.kafka.dead_letters import report_unusable
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

_MAX_REMEMBERED = 1000  # baselines

_ALERT, _TALLY = "openlfr.wire.v1.Alert", "openlfr.wire.v1.Tally"


class DatabaseWriter:
    """Writes the alerts and tallies that one worker reads; one thread calls each method."""

    def __init__(
        self,
        records: Records,
        keys: Mapping[Reporter, bytes],
        *,
        alert_key: bytes,
        window: timedelta,
    ) -> None:
        """Create a writer without counts.

        Args:
            records: The records in the database.
            keys: Key of the tallies' authentication code, by service.
            alert_key: Key of the alerts' authentication code.
            window: Longest time between two sightings of one alert.
        """
        self._records = records
        self._keys = keys
        self._alert_key = alert_key
        self._window = window
        self._recorded: set[BaselineAdoption] = set()
        self.counts: Counter[str] = Counter()

    def record_alerts(self, messages: Sequence[Message]) -> list[tuple[str, Record]]:
        """Record the events of alerts; return the dead letters of unusable messages.

        An alert without alerting's authentication code is a dead letter, too. Otherwise a forged
        alert could make an operator decide about a person whom no camera has filmed.

        Raises:
            Unavailable: The database does not answer.
        """
        letters = []
        for message in messages:
            try:
                read_headers(message.headers, expected_schema=_ALERT)
                event, emitted_at, pictured = codec.decode_alert(message.value)
            except BadInput as error:
                letters.append(self._to_dead_letter(message, error))
                continue
            try:
                seal.verify(message.headers, message.key, message.value, self._alert_key)
            except BadInput as error:
                self.counts["alerts_forged"] += 1
                letters.append(self._to_dead_letter(message, error))
                continue
            name = evidence_name(event.sighting.sighting_id) if pictured else None
            is_new = self._records.alerts.record(
                event, name, emitted_at=emitted_at, window=self._window
            )
            self.counts["recorded" if is_new else "known"] += 1
        return letters

    def record_tallies(self, messages: Sequence[Message]) -> list[tuple[str, Record]]:
        """Record tallies, after their baselines; return the dead letters of unusable messages.

        A tally without the authentication code of its service is a dead letter, too. A forged
        tally could falsify the figures of cameras and baselines.

        Raises:
            Unavailable: The database does not answer.
        """
        letters, tallies = [], []
        for message in messages:
            try:
                read_headers(message.headers, expected_schema=_TALLY)
                tally = codec.decode_tally(message.value)
            except BadInput as error:
                letters.append(self._to_dead_letter(message, error))
                continue
            try:
                key = self._keys[tally.reporter]
                seal.verify(message.headers, message.key, message.value, key)
            except BadInput as error:
                self.counts["tallies_forged"] += 1
                letters.append(self._to_dead_letter(message, error))
                continue
            tallies.append(tally)
        if tallies:
            self._open_baselines(tallies)
            number_new = self._records.tallies.record(tallies, at=datetime.now(UTC))
            self.counts["tallies_recorded"] += number_new
            self.counts["tallies_known"] += len(tallies) - number_new
        return letters

    def _open_baselines(self, tallies: Sequence[Tally]) -> None:
        """Record the baselines that the tallies describe, before the counts made under them."""
        for adoption in dict.fromkeys(each.adoption for each in tallies):
            if adoption is not None and adoption not in self._recorded:
                open_baseline(adoption, records=self._records, at=datetime.now(UTC))
                if len(self._recorded) >= _MAX_REMEMBERED:
                    self._recorded.clear()
                self._recorded.add(adoption)

    def _to_dead_letter(self, message: Message, error: BadInput) -> tuple[str, Record]:
        self.counts["set_aside"] += 1
        return report_unusable(message, str(error), service="alerting")
