"""Put what `make demo` has found into README.md: its sentences, from its tables, and its figures.

python docs/make_demo.py [RESULTS]    from a results folder, results/ by default; keeps the numbers in docs/demo.json
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import pandas as pd

import rare_neurons
from rare_neurons.figures.findings import load_findings, unit_of
from rare_neurons.numerics.evidence.rows import EvidenceRow, OnsetRow, TurnRow
from rare_neurons.numerics.wording.phrases import enumerated, several
from rare_neurons.numerics.wording.standing import standings
from rare_neurons.numerics.wording.words import describe

ROOT = Path(__file__).parents[1]
PAGE, FACTS, FIGURES = ROOT / "README.md", ROOT / "docs/demo.json", ROOT / "docs/figures"
BLOCK = re.compile(
    r"(<!-- what the embedded model shows, made by docs/make_demo.py -->\n).*?(<!-- end -->\n)", re.DOTALL
)
SUBJECT, CONTROLS, PEAK = "embedded", "shuffled", 16
LEVEL = 0.05
HOW_FAR = {
    None: "",
    "run": "Known of these runs alone.",
    "seeds": "At the last step the change holds for other seeds.",
    "beyond_control": "At the last step the change holds for other seeds and goes beyond that of the controls.",
    "specific": "At the last step it holds for other seeds, beyond the controls, and for rare tokens in particular.",
}
"""What reaching a tier means."""
SHOWN = ("emergence", "rank_curves")


def read_facts(results: Path) -> dict[str, object]:
    """Rows and numbers that the sentences are made of."""
    (found,) = load_findings(results, SUBJECT)
    kept = [row for one in found.questions for row in (*one.runs, *one.controls, *one.beyond.values())]
    rows = {"evidence": kept, "onsets": found.onsets, "turns": found.turns}
    facts = {name: [asdict(row) for row in some] for name, some in rows.items()}
    runs = sorted({row.run for row in kept if row.role == "run"})
    controls = sorted({row.run for row in kept if row.role == "control"})
    return facts | {
        "moments": _moments(results, runs),
        "effective": _effective(results, runs),
        "regimes": _regimes(results, [*runs, *controls]),
        "alpha": {model: _alpha(results, model) for model in (*runs, *controls)},
        "controls": controls,
    }


def _moments(results: Path, runs: list[str]) -> list[dict[str, float]]:
    columns = ["model", "rms_influence", "rms_influence_within"]
    table = rare_neurons.load_timeline(results, "moments", models=runs, steps=PEAK, stratum="rare", columns=columns)
    return table.to_dict("records")


def _effective(results: Path, runs: list[str]) -> list[float | None]:
    name = "effective_number_within"
    table = rare_neurons.load_timeline(results, "inequality", models=runs, steps=PEAK, stratum="rare", columns=name)
    return [None if value != value else value for value in table[name]]


def _regimes(results: Path, models: list[str]) -> dict[str, float]:
    table: pd.DataFrame = rare_neurons.load_timeline(results, "regimes", models=models)
    tests = table[table.convention == "log_spacing"]
    p = tests.null_p.dropna()
    straight = table[table.convention == "three_segment"].r_squared.dropna()
    asked = {"tested": len(p), "below_noise": len(tests) - len(p), "rejected": int((p <= LEVEL / len(p)).sum())}
    return asked | {"smallest_p": float(p.min()), "smallest_r_squared": float(straight.min())}


def _alpha(results: Path, model: str) -> dict[str, object]:
    table = rare_neurons.load_timeline(results, "alpha_events", models=model)
    mine = table[table.quantity == "alpha"]
    left = mine[mine.status == "left"].by_step
    return {"matrices": len(mine), "left": len(left), "first": int(left.min()), "last": int(left.max())}


def sentences(facts: Mapping[str, object]) -> Iterator[str]:
    """Yield one Markdown item per question, then those on totals, regimes and exponents."""
    kinds = {"evidence": EvidenceRow, "onsets": OnsetRow, "turns": TurnRow}
    evidence, onsets, turns = ([kind(**row) for row in facts[name]] for name, kind in kinds.items())
    for standing in standings(evidence):
        unit = unit_of(standing.about.table, standing.about.column)
        first, *_ = describe(standing, onsets, turns, unit=unit)
        yield f"* {first} {HOW_FAR[standing.reached]}".rstrip()
    total, within = ([row[name] for row in facts["moments"]] for name in ("rms_influence", "rms_influence_within"))
    yield (
        f"* At step {PEAK} most influence on rare tokens is a shift between strata: of a root mean square over neurons "
        f"of {_thousandths(total)} thousandths of a nat in the runs, {_thousandths(within)} act within the stratum."
    )
    known = [f"{number:.0f}" for number in facts["effective"] if number is not None]
    if known:
        yield f"* What acts within is spread over as much as {enumerated(known)} equally strong neurons at that step."
    yield _of_regimes(facts["regimes"])
    yield _of_alpha(facts["alpha"], facts["controls"])


def _thousandths(values: list[float]) -> str:
    return enumerated([f"{1000 * value:.2f}" for value in values])


def _of_regimes(found: Mapping[str, float]) -> str:
    n = int(found["tested"])
    verdict = (
        f"none rejects that smooth noise drew the curve (smallest p = {found['smallest_p']:.2g})"
        if found["rejected"] == 0
        else f"{several(int(found['rejected']), 'test')} reject that smooth noise drew the curve, paid for over all"
    )
    return (
        f"* Three regimes in ranked influence: of {n} tests (model, step, stratum, sign) {verdict}; in "
        f"{int(found['below_noise'])} more too few neurons stand out of the noise to ask. Three straight lines fit "
        f"every curve with R² of {found['smallest_r_squared']:.2f} or more."
    )


def _of_alpha(found: Mapping[str, Mapping[str, int]], controls: list[str]) -> str:
    def of(models: list[str]) -> str:
        mine = [found[model] for model in models]
        n, left = (sum(one[name] for one in mine) for name in ("matrices", "left"))
        return f"{left} of {n} ({min(one['first'] for one in mine)} to {max(one['last'] for one in mine)})"

    runs = [model for model in found if model not in controls]
    return (
        "* Exponents of the weight matrices' spectra leave the range of Gaussian matrices of their shape: "
        f"{of(runs)} in the runs, by the step in brackets, {of(controls)} in the controls: training, not language."
    )


def filled(page: str, facts: Mapping[str, object]) -> str:
    """Text of the page with its generated part replaced."""
    text = "\n".join(sentences(facts))
    return BLOCK.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)


def main(results: Path) -> None:
    """Fill the page from the results of a finished demo."""
    facts = read_facts(results)
    FACTS.write_text(json.dumps(facts, indent=1, sort_keys=True, default=float) + "\n", encoding="utf-8")
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), facts), encoding="utf-8")
    for name in SHOWN:
        shutil.copyfile(results / f"figures/{SUBJECT}/{name}.png", FIGURES / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "results")
