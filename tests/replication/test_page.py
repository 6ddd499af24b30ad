import re

import numpy as np
import pytest

from docs.make_replication import BLOCK, FIGURES, PAGE, SHOWN, filled, main, read_parts
from rare_neurons.numerics.regimes.seed_conventions import DECAY_LOG_RANK, FIT_LOG_RANK, PLATEAU_LOG_RANK
from rare_neurons.replication.layout import read_rows
from rare_neurons.replication.regimes import PUBLISHED_N
from rare_neurons.replication.statistics import BAND, HALF_NORMAL_GINI
from rare_neurons.replication.words import WORDS
from rare_neurons.stages.replication import TABLES

PUBLISHED = {"1.7", "10", "87.4", "2505.12822", "2509.04479", "2509.21163"}
"""Of the studies."""
CONVENTIONS = {
    *map(str, (PLATEAU_LOG_RANK, DECAY_LOG_RANK, *FIT_LOG_RANK)),
    *(str(int(np.exp(edge))) for edge in (PLATEAU_LOG_RANK, FIT_LOG_RANK[1])),
    *(str(int(np.exp(edge)) + 1) for edge in (DECAY_LOG_RANK, FIT_LOG_RANK[0])),
    f"{PUBLISHED_N:,}",
    f"{HALF_NORMAL_GINI:.2f}",
    *(f"{100 * share:.0f}" for share in (BAND[0], BAND[-1])),
}
"""Of code, whatever the results are."""
ELSEWHERE = {"0", "6"}
"""Step 0, a kurtosis of 0, section 6."""
NUMBER = re.compile(r"(?<!\w)\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")


def blocks(page: str, kind: str) -> dict[str, str]:
    return {key: body.strip() for found, key, body in BLOCK.findall(page) if found == kind}


def by_hand(page: str) -> str:
    """Text that no marker says where it comes from, without headings, formulas and links' targets."""
    text = re.sub(r"^#.*$", "", BLOCK.sub("", page), flags=re.MULTILINE)
    return re.sub(r"\]\([^)]*\)|`[^`]*`", "", text)


def test_every_table_of_the_page_is_made_by_the_pipeline():
    page = PAGE.read_text()
    assert not [line for line in by_hand(page).splitlines() if line.startswith("|")]
    tables = blocks(page, "table")
    assert list(tables) == list(TABLES)
    for key, table in tables.items():
        assert len([line for line in table.splitlines() if line.startswith("|")]) > 2, f"run `make replication`: {key}"


def test_every_sentence_on_numbers_follows_from_the_table_above_it():
    page = PAGE.read_text()
    tables, said = blocks(page, "table"), blocks(page, "words")
    assert list(said) == list(WORDS)
    assert said == {key: sentences(read_rows(tables[key])) for key, sentences in WORDS.items()}


def test_text_written_by_hand_has_no_number_of_the_results():
    assert set(NUMBER.findall(by_hand(PAGE.read_text()))) == PUBLISHED | CONVENTIONS | ELSEWHERE


def test_numbers_tables_and_sentences_changed_by_hand_are_found():
    page = PAGE.read_text()
    assert "12.3" in NUMBER.findall(by_hand(page + "It falls by 12.3 %.\n"))
    assert "| by | hand |" in by_hand(page + "| by | hand |\n").splitlines()
    key = "huber"
    forged = page.replace(blocks(page, "words")[key], "R² is 0.5.")
    assert blocks(forged, "words")[key] != WORDS[key](read_rows(blocks(forged, "table")[key]))


def made(tables: dict[str, str], sentences: dict[str, str]) -> dict[str, str]:
    return tables | {f"{key}-words": text for key, text in sentences.items()}


def test_filling_the_page_changes_generated_parts_alone():
    page = PAGE.read_text()
    tables = {key: f"| {key} |\n| --- |\n| 1 |" for key in TABLES}
    sentences = {key: f"One is {key}." for key in WORDS}
    changed = filled(page, made(tables, sentences))
    assert BLOCK.sub("", changed) == BLOCK.sub("", page)
    assert (blocks(changed, "table"), blocks(changed, "words")) == (tables, sentences)
    assert filled(changed, made(blocks(page, "table"), blocks(page, "words"))) == page


def test_a_table_that_is_missing_is_named_and_one_without_rows_has_no_sentence():
    page = PAGE.read_text()
    with pytest.raises(KeyError, match="runs"):
        filled(page, read_parts("## fractions\n\n| a |\n"))
    changed = filled(page, dict.fromkeys(TABLES, "No panel."))
    assert set(blocks(changed, "words").values()) == {""}


def test_one_command_fills_the_page_from_a_results_folder(tmp_path, monkeypatch):
    page, figures, results = tmp_path / "page.md", tmp_path / "figures", tmp_path / "results/replication"
    page.write_text(PAGE.read_text())
    figures.mkdir()
    results.mkdir(parents=True)
    sections = made({key: f"| {key} |" for key in TABLES}, dict.fromkeys(WORDS, "Said."))
    (results / "tables.md").write_text("\n".join(f"## {key}\n\n{text}\n" for key, text in sections.items()))
    for name in SHOWN:
        (results / f"{name}.png").write_bytes(name.encode())
    monkeypatch.setattr("docs.make_replication.PAGE", page)
    monkeypatch.setattr("docs.make_replication.FIGURES", figures)
    main(results.parent)
    assert set(blocks(page.read_text(), "words").values()) == {"Said."}
    assert {path.name for path in figures.iterdir()} == set(SHOWN.values())


def test_figures_of_the_page_are_there():
    page = PAGE.read_text()
    assert all((FIGURES / name).stat().st_size > 1000 and f"figures/{name}" in page for name in SHOWN.values())
