"""Recompute the figures of `openlfr report` from its files, without OpenLFR.

    python recompute_report.py report.json [table.csv]

Only the standard library is used. An interval's end is the share at which the probability of so
few, or so many, alerts is 2.5%: Clopper and Pearson's with the binomial distribution, Garwood's for
hours with the Poisson distribution. Both are found by bisection. Every difference is printed, and
the exit code is then 1.
"""

import csv
import json
import math
import sys
from collections import Counter
from pathlib import Path

HOUR_US = 3_600_000_000
CLOSE = 2e-5  # the report states six significant digits


def few(k, n, p):
    """The probability of at most k events: in n tracks of share p, or at a mean of p (n None)."""
    if n is None:
        logs = [j * math.log(p) - p - math.lgamma(j + 1) for j in range(k + 1)]
    else:
        choose = [
            math.lgamma(n + 1) - math.lgamma(j + 1) - math.lgamma(n - j + 1) for j in range(k + 1)
        ]
        logs = [c + j * math.log(p) + (n - j) * math.log1p(-p) for j, c in enumerate(choose)]
    return math.fsum(map(math.exp, logs))


def solve(probability, target, top):
    """Where a falling probability reaches the target."""
    low, high = 0.0, top
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if probability(middle) > target else (low, middle)
    return low


def interval(low_count, high_count, n):
    """The lower end for the lowest count and the upper end for the highest, of n tracks."""
    top = 1.0 if n is not None else high_count + 20 * math.sqrt(high_count + 1) + 20
    low = solve(lambda p: few(low_count - 1, n, p), 0.975, top) if low_count else 0.0
    high = 1.0 if high_count == n else solve(lambda p: few(high_count, n, p), 0.025, top)
    return low, high


def total_of(parts):
    """Add up counts: numbers, numbers by reason, and histograms."""
    total = {}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, int) and not isinstance(value, bool):
                total[key] = total.get(key, 0) + value
            elif isinstance(value, dict) and all(isinstance(v, int) for v in value.values()):
                total[key] = dict(Counter(total.get(key, {})) + Counter(value))
    return total


def check(problems, what, stated, computed):
    """Add a sentence to the problems if the stated figure is not the recomputed one."""
    same = stated == computed
    if isinstance(computed, float):
        same = stated not in (None, "") and math.isclose(float(stated), computed, rel_tol=CLOSE)
    if not same:
        problems.append(f"{what}: the report states {stated}, recomputed {computed}")


def check_false_alerts(problems, group, counts):
    """Recompute rates, intervals and the bound of silence from the counts."""
    name, results, rates = f"baselines {group['numbers']}", group["results"], group["rates"]
    refuted = results["refuted"]
    most = refuted + results["alerts"] - results["confirmed"] - refuted
    check(problems, f"{name} unverified", results["unverified"], most - refuted)
    totals = {
        "searched_track": counts["tracks_searched"],
        "face_seen": counts["tracks_closed"],
        "alert": results["alerts"],
        "watched_hour": counts["watched_us"] / HOUR_US,
    }
    for per, total in totals.items():
        if not total or (per != "watched_hour" and most > total):
            continue
        rate = rates[per]
        stated_total = rate["total_us"] / HOUR_US if per == "watched_hour" else rate["total"]
        check(problems, f"{name} {per} total", stated_total, total)
        low, high = interval(refuted, most, None if per == "watched_hour" else total)
        unit = total if per == "watched_hour" else 1
        for key, value in (
            ("lowest", refuted / total),
            ("highest", most / total),
            ("interval_low", low / unit),
            ("interval_high", high / unit),
        ):
            check(problems, f"{name} {per} {key}", rate[key], float(value))
    tracks, silence = counts["tracks_searched"] - counts["tracks_matched"], group["silence"]
    check(problems, f"{name} silence", silence is not None, most == 0 and tracks > 0)
    if silence and tracks:
        check(problems, f"{name} silent tracks", silence["tracks"], tracks)
        searches = tracks / float(silence["tracks_per_walker"])
        for key, chance in (("one_sided", 0.05), ("two_sided", 0.025)):
            check(problems, f"{name} {key}", silence[key], 1 - chance ** (1 / searches))


def check_report(report):
    """Recompute sums of cameras, baselines, pools and alerts."""
    problems = []
    by_number = {each["number"]: each for each in report["baselines"]}
    pools = {tuple(each["numbers"]): each for each in report["pools"]}
    total = total_of(report["cameras"])
    groups = [("total", report["total"], total)]
    groups += [
        (f"pool {numbers}", pool, total_of(by_number[n] for n in numbers))
        for numbers, pool in pools.items()
    ]
    if by_number:
        groups.append(("all baselines", report["total"], total_of(by_number.values())))
    for name, stated, computed in groups:
        for key, value in computed.items():
            if key in stated and key in total and (name != "all baselines" or "frames" not in key):
                check(problems, f"{name} {key}", stated[key], value)
    for kind in ("opened", "joined"):
        events = Counter(
            each["sighting"]["camera"] for each in report["alerts"] if each["event"] == kind
        )
        for camera in report["cameras"] if "" not in events else ():
            check(
                problems,
                f"{camera['camera']} {kind}",
                camera[f"alerts_{kind}"],
                events[camera["camera"]],
            )
    alone = [each["results"] for each in report["false_alerts"] if len(each["numbers"]) == 1]
    for key, value in total_of(alone).items():
        check(problems, f"results {key}", report["results"][key], value)
    for group in report["false_alerts"]:
        numbers = tuple(group["numbers"])
        if numbers != (0,):
            counts = pools[numbers] if len(numbers) > 1 else by_number[numbers[0]]
            check_false_alerts(problems, group, counts)
    for each in (report["tpir"] or {"rates": []})["rates"]:  # its interval needs every passage
        passages = each["found"] + each["missed"] + each["unknown"]
        if each["lowest"] is not None:
            most = each["found"] + each["unknown"]
            check(problems, "tpir lowest", each["lowest"], each["found"] / passages)
            check(problems, "tpir highest", each["highest"], most / passages)
    return problems


def check_table(report, row):
    """Recompute the table's row from the report."""
    problems, results, total = [], report["results"], report["total"]
    counts = {
        "cameras": len(report["cameras"]), "total_alerts": results["alerts"],
        "positive_alerts": results["confirmed"], "incorrect_alerts": results["refuted"],
        "interventions_after_positive": results["engaged_confirmed"],
        "interventions_after_incorrect": results["engaged_refuted"],
        "faces_seen": total["tracks_closed"], "searched_tracks": total["tracks_searched"],
        "unverified_alerts": results["unverified"], "control_alerts": results["control_alerts"],
        "minutes_stopped": results["minutes_stopped"],
        "date": (total["first_captured_at"] or "")[:10],
    }  # fmt: skip
    for name, value in counts.items():
        check(problems, name, row[name], "" if value is None else str(value))
    check(problems, "threshold", row["threshold"], float(report["threshold"]))
    if total["tracks_closed"]:
        rate = float(results["refuted"] / total["tracks_closed"])
        check(problems, "incorrect_alert_rate", row["incorrect_alert_rate"], rate)
    if row["watched_hours"]:
        check(problems, "watched_hours", row["watched_hours"], total["watched_us"] / HOUR_US)
    for reason, time_us in total["unwatched_us"].items():
        name = f"unwatched_hours_{reason}"
        check(problems, name, row[name], time_us / HOUR_US)
    shown = {
        each["number"]
        for each in report["baselines"]
        if each.get("baseline_id") or each["frames_analysed"] or each["tracks_closed"]
    }
    for group in report["false_alerts"]:
        for per, rate in group["rates"].items() if set(group["numbers"]) == shown else ():
            for key in ("lowest", "highest", "interval_low", "interval_high"):
                check(problems, f"{per} {key}", row[f"false_per_{per}_{key}"], rate[key])
    return problems


def main(report_path, table_path=None):
    """Print each difference; return the exit code."""
    report = json.loads(Path(report_path).read_text(encoding="utf-8"))
    problems = check_report(report)
    if table_path:
        with Path(table_path).open(encoding="utf-8", newline="") as file:
            [row] = csv.DictReader(file)
        problems += check_table(report, row)
    print("\n".join(problems) or "Every recomputed figure agrees.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
