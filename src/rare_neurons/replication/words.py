"""Sentences of the page: each follows from the rows of one table, as they are printed, and from nothing else."""

from collections.abc import Callable

from rare_neurons.replication.layout import CONTROL, NOISE, Rows, number, read_numbers
from rare_neurons.replication.phrases import first, kind_of, listed, ratio, span
from rare_neurons.replication.words_roles import of_answers, of_effects, of_published, of_roles

LEVEL = 0.05
"""Level at which tests of single checkpoints are counted."""
_WIDE = 0.5
"""Share of the steps of training beyond which a fresh draw hides them."""


def of_window(rows: Rows) -> str:
    """R² and exponent of the fixed window beside those of noise, on the first panel."""
    kinds = {"step 0": "runs at step 0", "last": "runs at their last step", "control": "controls"}
    noise = next(row for row in rows if row[0] == NOISE)
    _, low, high = read_numbers(noise[1])
    straight, beyond = [], []
    for kind, name in kinds.items():
        mine = [row for row in rows if kind_of(row[0]) == kind and read_numbers(row[1])]
        if mine:
            straight.append(f"{span([first(row[2]) for row in mine], 3)} in the {name}")
            count = sum(not low <= first(row[1]) <= high for row in mine)
            beyond.append(f"{count} of {len(mine)} {name}")
    p = [first(row[3]) for row in rows if read_numbers(row[3])]
    tested = f"The test rejects a smooth law in {sum(v <= LEVEL for v in p)} of the {len(p)} rows that it could test."
    return " ".join(
        [
            f"On our panel R² is {number(first(noise[2]), 3)} in noise (the median), {listed(straight)}.",
            f"The exponent lies outside the range of noise in {listed(beyond)}.",
            tested if p else "No row had enough neurons above their noise for the test.",
        ]
    )


def of_scatter(rows: Rows) -> str:
    """Say what a fresh draw of the panel does to the exponent, beside what training does."""
    sentences = []
    for panel, targets, error, draws, steps, _ in rows:
        share = ratio(error, steps)
        if share is not None:
            sentences.append(
                f"On {panel} with {targets} targets the standard error is {number(share)} times what neighbouring "
                "checkpoints differ by."
            )
        share = ratio(draws, steps)
        if share is not None:
            sentences.append(f"There, two draws at one checkpoint differ by {number(share)} times as much.")
            if share > _WIDE:
                sentences.append(
                    "A single curve over fresh draws cannot tell such a change of the exponent from a change of the "
                    "tokens."
                )
    return " ".join(sentences)


def of_huber(rows: Rows) -> str:
    """How well the form fits, and how far what it says is settled."""
    kept = [row for row in rows if read_numbers(row[1])]
    columns = {k: [first(row[k]) for row in kept] for k in range(1, 6)}
    return (
        f"R² is {number(min(columns[5]), 3)} or more in every row, noise included. The plateau takes "
        f"{span(columns[1], 1)} % of the neurons, the decay {span(columns[3], 1)} %, and the exponent is "
        f"{span(columns[4], 2)}."
    )


def of_segments(rows: Rows) -> str:
    """Say what BIC takes of noise and of models, and what the calibrated test says."""
    noise, models = rows[0], rows[1:]
    three, all_of = (sum(int(first(row[k])) for row in models) for k in (4, 1))
    tested, rejected = (sum(int(first(row[k])) for row in models if read_numbers(row[k])) for k in (6, 7))
    said = f"BIC takes three pieces for {noise[4]} of {noise[1]} samples of noise and for {three} of {all_of} curves."
    if not tested:
        return f"{said} None could be put to the calibrated test."
    chance = number(LEVEL * tested, 1)
    return f"{said} The calibrated test rejects a smooth law for {rejected} of {tested} (by chance about {chance})."


def of_hill(rows: Rows) -> str:
    """How the Hill index of structureless sets follows their size."""
    (small, low, middle, high), (large, low_large, middle_large, high_large) = (
        [first(cell) for cell in row] for row in (rows[0], rows[-1])
    )
    return (
        f"For {small:.0f} neurons the index scatters over a factor of {number(high / low, 1)}, for {large:.0f} over "
        f"{number(high_large / low_large, 1)}; the median goes from {number(middle)} to {number(middle_large)}. Sets "
        "of different sizes do not compare."
    )


def of_sets(rows: Rows) -> str:
    """By matrix: how far the index falls, in the set and in random sets, and what exceeds them."""
    return " ".join(_of_matrix(m, [row for row in rows if row[1] == m]) for m in dict.fromkeys(row[1] for row in rows))


def _of_matrix(matrix: str, rows: Rows) -> str:
    own = [row for row in rows if CONTROL not in row[0]]
    others = [row for row in rows if CONTROL in row[0]]
    columns = [[first(row[k]) for row in own if read_numbers(row[k])] for k in (2, 4, 3, 5)]
    falls = [span(values, 2, between=" – ") for values in columns]
    below = [
        f"{sum(int(read_numbers(row[6])[0]) for row in side)} of {sum(int(read_numbers(row[6])[1]) for row in side)} "
        f"checkpoints of the {name}"
        for name, side in (("runs", own), ("controls", others))
        if side
    ]
    asked = {
        name: [row for row in side if read_numbers(row[7]) and read_numbers(row[8])]
        for name, side in (("runs", own), ("controls", others))
    }
    beyond = [
        f"{sum(first(row[7]) <= LEVEL and first(row[8]) <= LEVEL for row in side)} of {len(side)} {name}"
        for name, side in asked.items()
        if side
    ]
    said = (
        f"`{matrix}`: from {falls[0]} at step 0 to {falls[1]} in the runs, and from {falls[2]} to {falls[3]} in their "
        f"random sets; below 95 % of these at {listed(below)}"
    )
    if not beyond:
        return f"{said}."
    return f"{said}; the largest eigenvalue exceeds random sets and the placebo (p ≤ {LEVEL} each) in {listed(beyond)}."


def of_inequality(rows: Rows) -> str:
    """In which runs and controls inequality grows, and how much of it is noise or a few neurons."""
    sentences = []
    for stratum in dict.fromkeys(row[1] for row in rows):
        mine = [row for row in rows if row[1] == stratum]
        grown = [_grown(mine, name, control) for name, control in (("runs", False), ("controls", True))]
        sentences.append(f"On {stratum} tokens the last Gini index is above that of step 0 in {listed(grown)}.")
        shares = [100 * share for row in mine if (share := ratio(row[5], row[4])) is not None]
        if shares:
            sentences.append(f"Noise with the same standard errors gives {span(shares, 0)} % of it.")
    kurtosis = [ratio(row[7], row[6]) for row in rows if read_numbers(row[6]) and first(row[6]) > 0]
    known = [100 * max(share, 0.0) for share in kurtosis if share is not None]
    if known:
        sentences.append(f"Without the three strongest neurons {span(known, 0)} % of the highest kurtosis is left.")
    return " ".join(sentences)


def _grown(rows: Rows, name: str, control: bool) -> str:
    side = [row for row in rows if (CONTROL in row[0]) == control]
    return f"{sum(first(row[4]) > first(row[2]) for row in side)} of {len(side)} {name}"


def of_noise_share(rows: Rows) -> str:
    """How far the order of neurons is that of their noise."""
    parts = []
    for name, control in (("runs", False), ("controls", True)):
        side = [row for row in rows if (CONTROL in row[0]) == control]
        follows = [first(row[1]) for row in side if read_numbers(row[1])]
        if follows:
            beyond = [100 * read_numbers(row[2])[0] / read_numbers(row[2])[1] for row in side]
            parts.append(
                f"{span(follows, 2)} in the {name}, where {span(beyond, 0)} % of the neurons are beyond 3 errors"
            )
    return f"The size of influence follows its own standard error with a rank correlation of {'; '.join(parts)}."


WORDS: dict[str, Callable[[Rows], str]] = {
    "window": of_window,
    "scatter": of_scatter,
    "huber": of_huber,
    "segments": of_segments,
    "hill-by-size": of_hill,
    "set-spectra": of_sets,
    "inequality": of_inequality,
    "noise-share": of_noise_share,
    "roles": of_roles,
    "role-effect": of_effects,
    "role-evidence": of_answers,
    "survives": of_published,
}
"""Sentences by the key of their table."""
