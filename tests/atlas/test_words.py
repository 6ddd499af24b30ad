"""Words of token ids: by the tokenizer whose tokens the panel was cut from, and no other."""

import pyarrow as pa
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from rare_neurons.atlas.words import tokenizer_of, words_of
from rare_neurons.errors import DamagedFile
from rare_neurons.sums import write_sum
from rare_neurons.tables import file_sha256, write_table


@pytest.fixture
def results(tmp_path):
    for place, name in enumerate(("other", "own")):
        vocabulary = {"a" if place else "b": 0, " rare": 1}
        tokenizer = Tokenizer(models.WordLevel(vocabulary))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        path = tmp_path / f"tokenizer/{name}/tokenizer.json"
        path.parent.mkdir(parents=True)
        tokenizer.save(str(path))
        write_sum(path)
        write_table(pa.table({"index": [place]}), tmp_path / f"corpus/texts/{name}/tokens.parquet", {})
    digest = file_sha256(tmp_path / "corpus/texts/own/tokens.parquet")
    write_table(pa.table({"context": [0]}), tmp_path / "panel/heldout/contexts.parquet", {"inputs": {"tokens": digest}})
    return tmp_path


def test_the_panels_own_tokenizer_is_found_by_its_tokens(results):
    assert tokenizer_of(results, "heldout") == results / "tokenizer/own/tokenizer.json"
    assert words_of(results, "heldout")([0]) == "a"


@pytest.mark.parametrize("panel", ["another", None])
def test_without_it_the_ids_stand_for_themselves(results, panel):
    assert words_of(results, panel)([7, 12]) == "#7 #12"


def test_a_tokenizer_that_has_changed_is_refused(results):
    (results / "tokenizer/own/tokenizer.json").write_text("{}")
    with pytest.raises(DamagedFile, match="tokenizer"):
        words_of(results, "heldout")
