"""How the rounds are told: tables of medians of per-round ratios, and the goals beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.figures import Figures, median, ratios, spread, table

STORELESS, DURABLE, PRODUCT = "bare storeless", "bare durable", "product"
BUSY_GENERATOR = 0.9

Rounds = dict[str, list[Figures]]
Quantity = Callable[[Figures], float]


def replies(figures: Figures) -> float:
    """Replies a second."""
    return figures.replies_per_second


def p50(figures: Figures) -> float:
    """The webhook's answer, median, ms."""
    return figures.ack.p50


def p99(figures: Figures) -> float:
    """The webhook's answer, 99th percentile, ms."""
    return figures.ack.p99


def against(rounds: Rounds, base: str, quantity: Quantity, name: str = PRODUCT) -> list[float]:
    """Round by round, one system over another; empty when either did not run."""
    if name not in rounds or base not in rounds:
        return []
    return ratios([quantity(one) for one in rounds[name]], [quantity(one) for one in rounds[base]])


def saturation(rounds: Rounds) -> Iterator[str]:
    """How many replies a second, against whom, and at what cost."""
    bases = [base for base in (STORELESS, DURABLE) if base in rounds]
    header = ["system", "replies/s", *(f"× {base}" for base in bases), "CPU µs/msg", "RSS MB", "faults", "generator"]
    rows = [
        [
            name,
            spread([replies(one) for one in runs], 0),
            *(spread(against(rounds, base, replies, name)) for base in bases),
            f"{median([one.system_us_per_message for one in runs]):.0f}",
            f"{max(one.resident_mb for one in runs):.0f}",
            str(faults(runs)),
            f"{median([one.generator_share for one in runs]):.0%}",
        ]
        for name, runs in rounds.items()
    ]
    yield table(header, rows)
    if any(one.generator_share > BUSY_GENERATOR for runs in rounds.values() for one in runs):
        yield "The generator was busy nearly all the time: it was the limit, not the system."


def answers(rounds: Rounds) -> Iterator[str]:
    """How long a webhook waits for its answer in open loop."""
    base = STORELESS if STORELESS in rounds else ""
    header = ["system", "p50 ms", "p99 ms", "max ms", *([f"p50 × {base}", f"p99 × {base}"] if base else []), "faults"]
    rows = [
        [
            name,
            spread([p50(one) for one in runs]),
            spread([p99(one) for one in runs]),
            f"{worst(runs):.1f}",
            *([spread(against(rounds, base, quantity, name)) for quantity in (p50, p99)] if base else []),
            str(faults(runs)),
        ]
        for name, runs in rounds.items()
    ]
    yield table(header, rows)
    late = max(one.late.p99 for runs in rounds.values() for one in runs)
    yield f"The generator's own lateness, which is part of every figure: p99 at most {late:.2f} ms."


def overtaken(rounds: Rounds) -> Iterator[str]:
    """How long replies took while a broadcast went out beside them: who asks does not wait for those who did not."""
    for name, runs in rounds.items():
        sent, slow = spread([one.others_per_second for one in runs], 0), [one.reply.p99 for one in runs]
        yield f"{name}: {sent} of the broadcast a second; replies p50 {spread([one.reply.p50 for one in runs])} ms"
        is_met = max(slow) <= 1000 and min(one.others_per_second for one in runs) > 0
        yield goal(rounds, "a reply's p99 ≤ 1,000 ms while the broadcast goes out", max(slow), is_met)


def faults(runs: list[Figures]) -> int:
    """Bad answers, lost replies and extra replies: a figure with faults is no result."""
    return sum(one.bad_acks + one.lost + one.extra_replies for one in runs)


def worst(runs: list[Figures]) -> float:
    """The slowest answer of all rounds, ms."""
    return max(one.ack.max for one in runs)


def goal(rounds: Rounds, words: str, value: float, met: bool) -> str:
    """A figure beside its goal; no goal is met by rounds with faults, nor by a figure that is not a number."""
    faulty = any(faults(runs) for runs in rounds.values())
    verdict = "no result, there were faults" if faulty else "met" if met else "MISSED"
    return f"goal: {words}; measured {value:.2f}: {verdict}"


def at_least(words: str, bound: float, rounds: Rounds, base: str) -> Iterator[str]:
    """The product's replies against a bare bot, held to a lower bound; silent without the product."""
    if PRODUCT in rounds:
        value = median(against(rounds, base, replies))
        yield goal(rounds, f"{words} ≥ {bound:.2f} of {base}", value, value >= bound)
