"""Numbers of draws against the levels they serve: one less than needed is refused, what is needed is not."""

import copy

import pytest

from rare_neurons.configuration.resolution import BAND, PRIMARY_SHARE, unreachable
from rare_neurons.numerics.evidence import multiplicity
from rare_neurons.numerics.spectra import bootstrap
from tools.configuration import read_config

DEFAULT = read_config("config/config.yaml")


def problems(**changes):
    """Problems of the default with some leaves changed, by their dotted places with _ for the dots of sections."""
    config = copy.deepcopy(DEFAULT)
    for place, value in changes.items():
        *sections, leaf = place.split("__")
        part = config
        for name in sections:
            part = part[name]
        part[leaf] = value
    return list(unreachable(config))


def test_the_default_reaches_its_levels():
    assert problems() == []


@pytest.mark.parametrize(
    ("place", "least", "others"),
    [
        ("regimes__n_resamples", 199, {"regimes__confidence": 0.99}),
        ("regimes__n_resamples", 39, {"regimes__confidence": 0.95}),
        (
            "set_spectra__n_permutations",
            3999,
            {"evidence__rule__level": 0.001, "evidence__n_draws": 99999, "activity__steps": "none"},
        ),
        # Five secondary questions: Holm's factor 5 on a fifth of the level.
        ("evidence__n_draws", 2499, {"evidence__rule__level": 0.01, "activity__steps": "none"}),
        ("spectra__refits", 19, {}),
        ("spectra__gof_refits", 9, {}),
    ],
)
def test_the_least_number_is_allowed_and_one_less_is_not(place, least, others):
    assert problems(**{place: least}, **others) == []
    (text,) = problems(**{place: least - 1}, **others)
    assert text.startswith(f"{place.replace('__', '.')}: {least - 1} is not allowed; ")
    assert f"{least}" in text.split(";")[1]


def test_the_least_number_of_draws_makes_every_question_reachable():
    """Against the adjustment itself, at the smallest p-values that so many draws can give."""
    questions = DEFAULT["evidence"]["questions"].values()
    n_primary = sum(q["primary"] for q in questions)
    for n, holds in ((2499, True), (2498, False)):
        p = [1 / (n + 1)] * (len(questions) - 1)
        # The last primary fails: the secondary ones have their own fifth of the level alone.
        first = [*p[: n_primary - 1], 1.0]
        found = multiplicity.adjust_questions(primary=first, secondary=p[n_primary - 1 :], in_order=False)
        assert (max(found.secondary) <= 0.01 + 1e-12) == holds


def test_no_refits_are_allowed():
    assert problems(spectra__refits=0, spectra__gof_refits=0) == []


def test_constants_are_those_of_the_numerics():
    assert PRIMARY_SHARE == multiplicity.PRIMARY_SHARE
    assert BAND == bootstrap.CONFIDENCE


def test_a_declared_step_and_a_held_change_need_checkpoints():
    (text,) = problems(evidence__step=300, activity__steps="none")
    assert text == (
        "evidence.step: 300 is not allowed; no model has that checkpoint, they begin with "
        "0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000"
    )
    assert problems(evidence__step=256, activity__steps=[0, 128, 256, "last"]) == []
    assert problems(evidence__rule__persistence=13) == [
        "evidence.rule.persistence: 13 is not allowed; the longest model has 12 checkpoints"
    ]


def test_steps_that_are_found_later_are_not_judged():
    found = {**DEFAULT["models"]["embedded-seed0"], "source": "folder", "steps": "found"}
    assert problems(models={"m": found}, evidence__step=300) == []
