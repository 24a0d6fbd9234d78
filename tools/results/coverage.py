"""Simulates how often 95% intervals of a paired difference contain the true one, and their width: the
table of docs/statistics.md. It is not a test: build/results-venv/bin/python tools/results/coverage.py
"""

import numpy as np
from scipy import stats

Z = stats.norm.ppf(0.975)
RUNS = 20000
# Images, and the shares on which only the first or only the second classifier is right.
SETTINGS = [(1000, 0.085, 0.112), (1000, 0.1, 0.1), (1000, 0.02, 0.12), (1000, 0, 0.1),
            (1000, 0.04, 0.54), (10000, 0.1, 0.1), (100, 0.1, 0.1), (100, 0.02, 0.12),
            (100, 0, 0.1), (20, 0.1, 0.1), (20, 0.04, 0.54)]


def clopper_pearson(first, second, n):
    """Interval of the second's share of the images on which only one is right, times their share."""
    low = np.where(second > 0, stats.beta.ppf(0.025, second, first + 1), 0)
    high = np.where(first > 0, stats.beta.ppf(0.975, second + 1, first), 1)
    return (2 * low - 1) * (first + second) / n, (2 * high - 1) * (first + second) / n


def bootstrap(first, second, n):
    random = np.random.default_rng(0)
    shares = np.stack([first, second, n - first - second], axis=1) / n
    ends = [np.percentile(np.diff(random.multinomial(n, each, 1000)[:, :2])[:, 0] / n, (2.5, 97.5))
            for each in shares]
    return np.array(ends).T


def wilson(successes, n):
    share, scale = successes / n, 1 + Z**2 / n
    half = Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return (share + Z**2 / (2 * n) - half) / scale, (share + Z**2 / (2 * n) + half) / scale


def newcombe(first, second, n):
    """Newcombe 1998, method 10, with equal numbers of images that both have right and wrong."""
    both = (n - first - second) / 2
    a, b = (both + second) / n, (both + first) / n
    spread = np.sqrt(a * (1 - a) * b * (1 - b))
    cross = both * both - first * second
    cross = np.where(cross > 0, np.maximum(cross - n / 2, 0), cross)
    phi = np.where(spread > 0, cross / n**2 / np.where(spread > 0, spread, 1), 0)
    (a_low, a_high), (b_low, b_high) = wilson(a * n, n), wilson(b * n, n)
    below = (a - a_low)**2 - 2 * phi * (a - a_low) * (b_high - b) + (b_high - b)**2
    above = (a_high - a)**2 - 2 * phi * (a_high - a) * (b - b_low) + (b - b_low)**2
    return a - b - np.sqrt(np.maximum(below, 0)), a - b + np.sqrt(np.maximum(above, 0))


def tango(first, second, n):
    def accepts(difference):
        b = (2 * n + first - second) * difference - first - second
        root = np.sqrt(np.maximum(b**2 + 8 * n * first * difference * (1 - difference), 0))
        variance = (root - b) / (2 * n) + difference * (1 - difference)
        return (second - first - n * difference)**2 <= Z**2 * n * variance

    def edge(outer):
        inner, outer = (second - first) / n, np.full(len(first), float(outer))
        inner = np.where(accepts(outer), outer, inner)
        for _ in range(50):
            middle = (inner + outer) / 2
            accepted = accepts(middle)
            inner, outer = np.where(accepted, middle, inner), np.where(accepted, outer, middle)
        return inner

    return edge(-1), edge(1)


def rejected(first, second):
    """Rejections by McNemar's exact test, its mid-p form, and the score test, at 5%."""
    fewer, changed = np.minimum(first, second), first + second
    exact = 2 * stats.binom.cdf(fewer, changed, 0.5)
    middle = exact - stats.binom.pmf(fewer, changed, 0.5)
    score = (second - first)**2 > Z**2 * changed
    return exact < 0.05, middle < 0.05, score


def sluice(first, second, n):
    (low, high), kept = tango(first, second, n), ~rejected(first, second)[0]
    return np.where(kept, np.minimum(low, 0), low), np.where(kept, np.maximum(high, 0), high)


def main() -> None:
    intervals = [clopper_pearson, bootstrap, newcombe, tango, sluice]
    print("| images | alone right | " + " | ".join(each.__name__ for each in intervals)
          + " | exact, mid-p, score reject |")
    for n, first, second in SETTINGS:
        drawn = np.random.default_rng(1).multinomial(n, [first, second, 1 - first - second], RUNS)
        counts, times = np.unique(drawn[:, :2], axis=0, return_counts=True)
        mean = lambda values: 100 * np.average(values, weights=times)
        cells = []
        for interval in intervals:
            low, high = interval(*counts.T, n)
            has = (low <= second - first + 1e-12) & (high >= second - first - 1e-12)
            cells.append(f"{mean(has):.1f}% ({mean(high - low):.1f})")
        cells.append(", ".join(f"{mean(each):.1f}%" for each in rejected(*counts.T)))
        print(f"| {n:,} | {100 * first:g}%, {100 * second:g}% | " + " | ".join(cells) + " |",
              flush=True)


if __name__ == "__main__":
    main()
