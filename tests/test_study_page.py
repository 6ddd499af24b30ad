"""The page of the study holds what its summary says of it, and shows its figures."""

from docs import make_study

SUMMARY = """.. list-table:: Checkpoints

   * - study
     - 13

study (three runs, two controls)
--------------------------------

* Loss falls \\*a lot\\* (p < 0.001).

.. list-table:: study, by tier

   * - x

study, all layers
-----------------

* Layers say nothing.

study-shuffled (two runs, no controls)
--------------------------------------

* Of another subject.
"""


def test_sentences_of_the_subject_alone_are_taken_and_nothing_of_its_tables():
    assert [line for line in make_study.sentences(SUMMARY) if line] == [
        "**study (three runs, two controls)**\n",
        "* Loss falls *a lot* (p < 0.001).",
        "**study, all layers**\n",
        "* Layers say nothing.",
    ]


def test_the_page_is_filled_between_its_marks_and_twice_alike():
    page = make_study.PAGE.read_text()
    found = make_study.filled(page, SUMMARY)
    assert "* Layers say nothing." in found
    assert found.split("<!-- end -->")[1] == page.split("<!-- end -->")[1]
    assert make_study.filled(found, SUMMARY) == found


def test_every_figure_is_there_and_on_the_page():
    page = make_study.PAGE.read_text()
    for name in make_study.SHOWN:
        assert (make_study.FIGURES / f"study_{name}.png").is_file()
        assert f"(figures/study_{name}.png)" in page
