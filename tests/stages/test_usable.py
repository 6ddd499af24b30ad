"""A run ends well only if every model has a checkpoint that can be used."""

import pytest

from rare_neurons.errors import RequestError
from rare_neurons.stages.usable import write_usable
from tests.stages.tables import put

GOOD = {"status": "ok", "quarantined": False}
BAD = {"status": "corrupt", "reason": "a file is cut off", "quarantined": True}


@pytest.fixture
def usable(tmp_path):
    """Judge models whose checkpoints have these verdicts, and return what is written."""

    def judged(**verdicts):
        for model, rows in verdicts.items():
            put(tmp_path, "integrity", {"model": model}, [{"step": i, **row} for i, row in enumerate(rows)])
        write_usable(str(tmp_path / "usable.txt"), results=str(tmp_path), models=list(verdicts))
        return (tmp_path / "usable.txt").read_text()

    return judged


def test_one_good_checkpoint_is_enough(usable):
    assert usable(a=[BAD, GOOD, BAD], b=[GOOD]) == (
        "a: 1 of 3 checkpoints can be used\nb: 1 of 1 checkpoints can be used\n"
    )


def test_a_model_without_any_is_named_with_the_first_reasons(usable, tmp_path):
    with pytest.raises(
        RequestError,
        match=r"^model b: none of its 2 checkpoints can be used: step 0 corrupt \(a file is cut off\), step 1 corrupt "
        r"\(a file is cut off\)\. What was computed stays in ",
    ):
        usable(a=[GOOD], b=[BAD, BAD])
    assert not (tmp_path / "usable.txt").exists()
    with pytest.raises(RequestError, match=r"step 2 corrupt \(a file is cut off\), …; model b: none of its 1"):
        usable(a=[BAD] * 4, b=[BAD])
