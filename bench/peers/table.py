"""Converts records of rounds to Markdown. A record has round, work, batch, peer, setting and either
the figures that its program printed or "error"."""

import statistics

from works import WORKS, Metric, Work

Series = dict[int, float]  # by round


def series(records: list[dict], work: Work, metric: Metric) -> dict[tuple[str, str], Series]:
    """Returns the figures by peer and setting, in the order of the records."""
    result: dict[tuple[str, str], Series] = {}
    for record in records:
        if (record["work"], record["batch"]) == (work.name, work.batch) and metric.field in record:
            key = record["peer"], record["setting"]
            result.setdefault(key, {})[record["round"]] = record[metric.field]
    return result


def ratios(sluice: Series, other: Series, metric: Metric) -> list[float]:
    """Returns Sluice's ratio for each round that has both; above 1 Sluice is better."""
    both = sorted(sluice.keys() & other.keys())
    return [sluice[r] / other[r] if metric.more_is_better else other[r] / sluice[r] for r in both]


def best_of_each_peer(values: dict[tuple[str, str], Series], metric: Metric) -> dict[str, str]:
    """Returns the setting with the best median of each peer."""
    best: dict[str, str] = {}
    for peer, setting in values:
        others = [key for key in values if key[0] == peer]
        pick = max if metric.more_is_better else min
        best[peer] = pick(others, key=lambda key: statistics.median(values[key].values()))[1]
    return best


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio_text(values: list[float]) -> str:
    if not values:
        return ""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def row(cells) -> str:
    return "| " + " | ".join(cells) + " |"


def head(cells: list[str]) -> list[str]:
    return [row(cells), "|" + "---|" * len(cells)]


def work_table(records: list[dict], work: Work, metric: Metric) -> list[str]:
    values = series(records, work, metric)
    if not values:
        return []
    modes = [key for key in values if key[0] == "sluice"]
    lines = [f"### {work.title}: {metric.unit}", "",
             *head(["", "least", "median", "most", *(f"Sluice {m[1]} to it" for m in modes)])]
    for (peer, setting), rounds in values.items():
        figures = list(rounds.values())
        lines.append(row([f"{peer} {setting}", *map(number, (
            min(figures), statistics.median(figures), max(figures))), *(
                "" if peer == "sluice" else ratio_text(ratios(values[mode], rounds, metric))
                for mode in modes)]))
    return [*lines, ""]


def summary(records: list[dict]) -> list[str]:
    lines = []
    for work in WORKS:
        for metric in work.metrics:
            values = series(records, work, metric)
            best = best_of_each_peer(values, metric)
            if "sluice" not in best:
                continue
            ours = values["sluice", best["sluice"]]
            lines += [row([f"{work.title}: {metric.unit}", f"{peer} {setting}", best["sluice"],
                           ratio_text(ratios(ours, values[peer, setting], metric))])
                      for peer, setting in best.items() if peer != "sluice"]
    if not lines:
        return []
    return ["### Sluice against the best of each peer", "",
            *head(["", "peer", "Sluice", "times as good"]), *lines, ""]


def errors(records: list[dict]) -> list[str]:
    """Lists each error once, with the works that it stopped."""
    titles = {(work.name, work.batch): work.short() for work in WORKS}
    works: dict[tuple[str, str, str], dict[str, None]] = {}
    for record in records:
        if "error" in record:
            key = record["peer"], record["setting"], record["error"]
            works.setdefault(key, {})[titles[record["work"], record["batch"]]] = None
    if not works:
        return []
    return ["### Not measured", "", *(f"- {peer} {setting} ({', '.join(befell)}): {error}"
                                      for (peer, setting, error), befell in works.items()), ""]


def versions(records: list[dict]) -> str:
    return ", ".join(dict.fromkeys(r["version"] for r in records if "version" in r))


def markdown(records: list[dict], headline: str) -> str:
    lines = [headline, versions(records), "",
             "A ratio is above 1 where Sluice is better: the median of the ratios round by round, "
             "and in brackets the least and the most.", ""]
    for work in WORKS:
        for metric in work.metrics:
            lines += work_table(records, work, metric)
    return "\n".join([*lines, *summary(records), *errors(records)])
