"""The first page of Snakemake's report, as docutils reads it."""

import re

from docutils.core import publish_parts
from rich.table import Table
from rich.text import Text

from rare_neurons.stages.introduction import write_introduction


def page(folder, *parts: object) -> str:
    write_introduction(folder / "it.rst", parts)
    strict = {"halt_level": 2, "report_level": 2, "file_insertion_enabled": True}
    source = f"Title\n=====\n\n.. include:: {folder}/it.rst\n"
    return publish_parts(source, writer="html", settings_overrides=strict)["html_body"]


def test_headings_sentences_and_tables_are_what_they_were(tmp_path):
    sentences = Table.grid()
    sentences.add_row("•", Text("The loss\nfalls by 3 * 10_ |x| nats `here`."))
    table = Table(title="By tier")
    for column in ("question", "p"):
        table.add_column(Text(column))
    table.add_row("loss", "< 0.001", end_section=True)
    table.add_row("", "0.49")
    html = page(tmp_path, Text("small (one run)", style="bold"), sentences, table)
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "The loss falls by 3 * 10_ |x| nats `here`." in text
    assert re.search(r"By tier question p loss &lt; 0\.001 &nbsp; 0\.49", text)
    assert html.count("<tr") == 3
    assert re.search(r"<h\d[^>]*>small \(one run\)</h\d>", html)


def test_a_summary_without_sentences_is_a_page_too(tmp_path):
    table = Table(title="Checkpoints")
    table.add_column("model")
    assert "Checkpoints" in page(tmp_path, table)
