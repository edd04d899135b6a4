"""Results of alerts: decisions, outcomes, and the range of false alerts that follows from them.

A refuted alert was about another person. A confirmed alert was about the listed person. All other
alerts are unverified, also after the decision *do not engage*, which is no proof. So the number of
false alerts is a range, from the refuted alerts to the refuted and unverified alerts.
"""

from __future__ import annotations

from dataclasses import dataclass

US_PER_HOUR = 3_600_000_000
WATCHED_HOUR = "watched_hour"


@dataclass(frozen=True, slots=True)
class AlertResults:
    """Numbers of alerts by decision and outcome.

    Alerts about control subjects count only in `control_alerts`.

    Attributes:
        alerts: Number of alerts about other listed people.
        control_alerts: Number of alerts about control subjects.
        confirmed, refuted, not_located, not_attended: Number of alerts by latest outcome.
        engaged, not_engaged, cannot_tell, undecided: Number of alerts by decision in force.
        engaged_confirmed: Number of engaged alerts with the latest outcome *confirmed*.
        engaged_refuted: Number of engaged alerts with the latest outcome *refuted*.
        minutes_stopped: Sum of the minutes for which people were stopped, from the latest outcome
            of each alert; None if no minutes are recorded.
        stops_without_minutes: Number of engaged alerts with the latest outcome *confirmed* or
            *refuted*, but without recorded minutes.
    """

    alerts: int = 0
    control_alerts: int = 0
    confirmed: int = 0
    refuted: int = 0
    not_located: int = 0
    not_attended: int = 0
    engaged: int = 0
    not_engaged: int = 0
    cannot_tell: int = 0
    undecided: int = 0
    engaged_confirmed: int = 0
    engaged_refuted: int = 0
    minutes_stopped: int | None = None
    stops_without_minutes: int = 0

    @property
    def unverified(self) -> int:
        """Number of alerts that are neither confirmed nor refuted."""
        return self.alerts - self.confirmed - self.refuted

    @property
    def max_false(self) -> int:
        """Highest possible number of false alerts: all refuted and unverified alerts."""
        return self.refuted + self.unverified


@dataclass(frozen=True, slots=True)
class FalseAlertRate:
    """A range of false alerts over one denominator, with exact 95% intervals.

    Attributes:
        per: The unit of the denominator: `searched_track`, `face_seen`, `alert` or `watched_hour`.
        total: The denominator, in units.
        lowest: Rate if each unverified alert was right.
        highest: Rate if each unverified alert was false.
        interval_low: Lower end of the interval of `lowest`.
        interval_high: Upper end of the interval of `highest`.
    """

    per: str
    total: float
    lowest: float
    highest: float
    interval_low: float
    interval_high: float


@dataclass(frozen=True, slots=True)
class FalseAlertBound:
    """Bounds of the share of false alerts after tracks without an alert.

    Attributes:
        tracks: Number of searched tracks without an alert.
        tracks_per_walker: Tracks per person; `tracks` is divided by this number. 1 assumes that
            each track is another person.
        searches: Number of searches that count as independent: `tracks` / `tracks_per_walker`.
        one_sided: Highest share of false alerts that is not excluded at 95%, one-sided.
        two_sided: The upper end of the two-sided 95% interval of this share.
        is_measured: Whether passages of control subjects measured `tracks_per_walker`.
    """

    tracks: int
    tracks_per_walker: float
    searches: float
    one_sided: float
    two_sided: float
    is_measured: bool = False


@dataclass(frozen=True, slots=True)
class FalseAlerts:
    """The false alerts of one baseline, or of comparable baselines together.

    Attributes:
        numbers: Numbers of the baselines; (0,) for alerts without a recorded baseline, for which
            no rate is stated.
        rates: The rates, one for each denominator that is not 0; without shares that could
            exceed 1.
        silence: The bound that follows from no false alert; None if an alert is refuted or
            unverified, or if no track without an alert was searched.
    """

    numbers: tuple[int, ...]
    results: AlertResults
    rates: tuple[FalseAlertRate, ...] = ()
    silence: FalseAlertBound | None = None
