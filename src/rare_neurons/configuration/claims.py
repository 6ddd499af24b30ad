"""Claims about organisation that section ``activity`` can never make: too few sets, or runs compared elsewhere."""

import math
from collections.abc import Iterable, Mapping, Sequence

from rare_neurons.checkpoints.schedules import declared_among

Entries = Mapping[str, Mapping[str, object]]

N_FAMILIES = 2
"""Organisation and kinds, half of the level each; `rare_neurons.numerics.claims.questions` has the same."""

PRIMARY_SHARE = 0.8
"""Of the level, or a family's, for primary questions; `rare_neurons.numerics.evidence.multiplicity` has the same."""

LABEL_DRAWS = 999
"""Permuted labels of communities; `rare_neurons.numerics.organisation.study` has the same."""

SLACK = 1e-9  # rounding of 0.05 · 0.8 / 2, 1/(1 − 0.9) and the like


def too_few_sets(config: Mapping[str, Entries], steps: Mapping[str, Sequence[int]]) -> Iterable[str]:
    """Sentences about settings with which a primary question of organisation cannot be answered, whatever is there.

    The smallest p of n matched sets is ``1/(n + 1)``; a run's is as many times that as there are windows of
    `persistence` trained declared checkpoints, twice as many for joint ablation, which goes either way.

    Parameters
    ----------
    config : mapping
        Complete.
    steps : mapping
        Steps of each model; models that are not in it are not judged.
    """
    activity, evidence = config["activity"], config["evidence"]
    declared = _declared_of_runs(config, steps)
    if not declared:
        return
    yield from _elsewhere(evidence["step"], declared, steps)
    name, n_windows = _most_windows(declared, evidence)
    if "all" not in activity["signs"] or not n_windows:
        return
    share = evidence["rule"]["level"] * PRIMARY_SHARE / N_FAMILIES
    for key, sides in (("n_permutations", 1), ("joint_draws", 2)):
        given, least = _sets(activity, key), math.ceil(sides * n_windows / share - 1 - SLACK)
        if (key == "joint_draws" and not given) or given >= least:
            continue
        none = "0 (not computed) or " if key == "joint_draws" else ""
        of = f" ({given} of them by activity.n_permutations)" if given < activity[key] else ""
        yield (
            f"activity.{key}: {activity[key]} is not allowed{of}; {none}at least {least}, or fewer activity.steps: "
            f"with {_windows(n_windows, name)} no p is below {sides * n_windows}/({given} + 1), above the "
            f"{share:.3g} that evidence.rule.level over two families needs"
        )


def out_of_reach(config: Mapping[str, Entries], steps: Mapping[str, Sequence[int]]) -> list[str]:
    """Sentences about what section ``activity`` measures and cannot make a claim of, even if all else is found.

    Parameters
    ----------
    config, steps
        As for `too_few_sets`.
    """
    activity, evidence = config["activity"], config["evidence"]
    declared = _declared_of_runs(config, steps)
    if not declared:
        return []
    name, n_windows = _most_windows(declared, evidence)
    if not n_windows:
        needed = int(evidence["rule"]["persistence"])
        return [
            f"activity.steps: {len(_trained(declared[name]))} trained checkpoints of {name} make no claim; "
            f"evidence.rule.persistence asks for {needed} in a row, declare more of them"
        ]
    least = {q: n_windows * p for q, p in _smallest(activity).items()}
    share = evidence["rule"]["level"] / N_FAMILIES
    lost = [question for question, holds in _holm(least, _counts(activity), share).items() if not holds]
    if not lost:
        return []
    return [
        f"activity: no claim can be made of {', '.join(lost)} beyond primary questions, whatever is there: with "
        f"{_windows(n_windows, name)} {' and '.join(_keys(lost))} leave p above what all these questions together "
        "need; raise them, or ask fewer strata, signs or steps"
    ]


def _declared_of_runs(config: Mapping[str, Entries], steps: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Checkpoints of every run, controls left out, at which section ``activity`` looks; of runs that have any."""
    runs = [name for name in steps if "control_of" not in config["models"][name]]
    declared = {name: declared_among(config["activity"]["steps"], steps[name]) for name in runs}
    return {name: found for name, found in declared.items() if found}


def _trained(steps: Sequence[int]) -> list[int]:
    return [step for step in steps if step > 0]


def _most_windows(declared: Mapping[str, Sequence[int]], evidence: Mapping[str, object]) -> tuple[str, int]:
    """Return the run with the most checkpoints and how many windows it has: the one that has to pay for most."""
    name = max(declared, key=lambda model: len(_trained(declared[model])))
    return name, max(0, len(_trained(declared[name])) - int(evidence["rule"]["persistence"]) + 1)


def _windows(n_windows: int, model: str) -> str:
    return f"{n_windows} {'window' if n_windows == 1 else 'windows'} of checkpoints of {model}"


def _elsewhere(
    step: int | str, declared: Mapping[str, Sequence[int]], steps: Mapping[str, Sequence[int]]
) -> Iterable[str]:
    """Refuse a declared step that a model has and at which nothing of this section is measured."""
    lacking = [name for name, found in declared.items() if step in steps[name] and step not in found]
    if lacking:
        known = ", ".join(map(str, declared[lacking[0]][:12]))
        yield (
            f"evidence.step: {step} is not allowed; {lacking[0]} has no such step among its activity.steps ({known}), "
            "and runs are compared there: name it in both"
        )


def _counts(activity: Mapping[str, object]) -> dict[str, int]:
    """Secondary questions, as many as `rare_neurons.numerics.claims.asked` makes of full tables."""
    strata, signs = len(activity["strata"]), activity["signs"]
    primary, whole = int("all" in signs), strata * ("all" in signs)
    counts = {
        "co-activation": strata * len(signs) - primary,
        "joint ablation": (strata * len(signs) - primary) if activity["joint_draws"] else 0,
        "common output directions": whole,
        "communities": whole if activity["community_draws"] else 0,
        "routing": whole if activity["heads"] != "none" and strata > 1 else 0,
    }
    return {question: n for question, n in counts.items() if n}


def _sets(activity: Mapping[str, object], key: str) -> int:
    """Count the matched sets that are used: those of joint ablation and communities are the first of all."""
    return min(activity[key], activity["n_permutations"])


def _smallest(activity: Mapping[str, object]) -> dict[str, float]:
    """Smallest p of one checkpoint, twice that where either side counts."""
    matched = 1 / (activity["n_permutations"] + 1)
    return {
        "co-activation": matched,
        "joint ablation": 2 / (_sets(activity, "joint_draws") + 1),
        "common output directions": matched,
        "communities": 1 / (min(_sets(activity, "community_draws"), LABEL_DRAWS) + 1),
        "routing": matched,
    }


def _holm(least: Mapping[str, float], counts: Mapping[str, int], share: float) -> dict[str, bool]:
    """Whether each kind of question passes Holm's steps where all have their smallest p and all primaries passed."""
    holds, rest, worst = {}, sum(counts.values()), 0.0
    for question in sorted(counts, key=lambda one: least[one]):
        worst = max(worst, least[question] * rest)
        holds[question] = worst <= share + SLACK
        rest -= counts[question]
    return holds


def _keys(questions: Sequence[str]) -> list[str]:
    keys = {"joint ablation": "activity.joint_draws", "communities": "activity.community_draws"}
    return list(dict.fromkeys(keys.get(question, "activity.n_permutations") for question in questions))
