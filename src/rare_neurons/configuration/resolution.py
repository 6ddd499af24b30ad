"""Numbers of draws from which no p-value or interval can be as small as what is asked of it."""

import math
from collections.abc import Iterable, Mapping

from rare_neurons.catalogue import AT_DECLARED_STEPS
from rare_neurons.checkpoints.schedules import steps_of_model
from rare_neurons.configuration.claims import PRIMARY_SHARE, SLACK, too_few_sets

BAND = 0.9
"""Coverage of the refits' band; `rare_neurons.numerics.spectra.bootstrap` has the same."""

GOF_LEVEL = 0.1
"""At or below which a power law is commonly given up (Clauset, Shalizi & Newman 2009, section 4.1)."""

_MATRICES = 2  # W_in and W_out of a set

Entries = Mapping[str, Mapping[str, object]]


def unreachable(config: Mapping[str, Entries]) -> Iterable[str]:
    """Sentences about settings whose resolution cannot reach their level.

    The smallest p-value of n draws is ``1/(n + 1)``; the ends of an interval of coverage c are quantiles of its draws
    only from ``n + 1 = 2/(1 − c)`` on.
    """
    evidence, regimes, spectra = config["evidence"], config["regimes"], config["spectra"]
    yield from _too_few("evidence.n_draws", evidence["n_draws"], _level_of_questions(evidence), "evidence.rule.level")
    coverage = (1 - regimes["confidence"]) / 2
    yield from _too_few("regimes.n_resamples", regimes["n_resamples"], coverage, "regimes.confidence")
    yield from _of_sets(config)
    if spectra["refits"]:
        yield from _too_few("spectra.refits", spectra["refits"], (1 - BAND) / 2, "the 90 % band", or_none=True)
    if spectra["gof_refits"]:
        yield from _too_few("spectra.gof_refits", spectra["gof_refits"], GOF_LEVEL, "the usual level", or_none=True)
    yield from _of_steps(config)


def _level_of_questions(evidence: Mapping[str, object]) -> float:
    """Smallest raw p-value that the questions together may need (`adjust_questions`)."""
    level, primary = evidence["rule"]["level"], [q["primary"] for q in evidence["questions"].values()]
    n_primary, n_secondary = sum(primary), len(primary) - sum(primary)
    share = 1 - PRIMARY_SHARE if n_primary else 1.0
    shares = ((PRIMARY_SHARE, n_primary), (share, n_secondary))
    return min(level * part / n for part, n in shares if n)


def _of_sets(config: Mapping[str, Entries]) -> Iterable[str]:
    sets, level = config["set_spectra"], config["evidence"]["rule"]["level"]
    claims = _MATRICES * len(sets["strata"])
    if claims:
        why = f"evidence.rule.level over {claims} claims"
        yield from _too_few("set_spectra.n_permutations", sets["n_permutations"], level / claims, why)


def _too_few(place: str, n: int, share: float, why: str, *, or_none: bool = False) -> Iterable[str]:
    least = math.ceil(1 / share - 1 - SLACK)
    if n < least:
        allowed = f"0 (not computed) or at least {least}" if or_none else f"{least} is the least"
        yield f"{place}: {n} is not allowed; {allowed}, or 1/({n} + 1) stays above the {share:.3g} that {why} needs"


def _of_steps(config: Mapping[str, Entries]) -> Iterable[str]:
    """Checkpoints that a declared step or a held change would need and that no model has."""
    of_models = {name: steps_of_model(model, config.get("recipes", {})) for name, model in config["models"].items()}
    yield from too_few_sets(config, {name: found for name, found in of_models.items() if found})
    steps = list(of_models.values())
    if not all(steps):  # found in folders
        return
    declared, persistence = config["evidence"]["step"], config["evidence"]["rule"]["persistence"]
    if declared != "last" and not any(declared in found for found in steps):
        known = ", ".join(map(str, sorted({s for found in steps for s in found})[:12]))
        yield f"evidence.step: {declared} is not allowed; no model has that checkpoint, they begin with {known}"
    yield from _of_declared_steps(config, {step for found in steps for step in found})
    longest = max(map(len, steps))
    if persistence > max(longest, 2):
        yield f"evidence.rule.persistence: {persistence} is not allowed; the longest model has {longest} checkpoints"


def _of_declared_steps(config: Mapping[str, Entries], known: set[int]) -> Iterable[str]:
    for section in AT_DECLARED_STEPS:
        asked = config[section]["steps"]
        for step in asked if isinstance(asked, list) else ():
            if step != "last" and step not in known:
                some = ", ".join(map(str, sorted(known)[:12]))
                yield f"{section}.steps: {step} is not allowed; no model has that checkpoint, they begin with {some}"
        if section == "allocation" and isinstance(asked, list) and len(asked) == 1:
            yield f"{section}.steps: {asked} is not allowed; a change needs two checkpoints, name another"
