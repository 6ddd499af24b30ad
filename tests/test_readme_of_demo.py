"""The README's sentences on the demo follow from the numbers kept beside it."""

import json
import re

from docs import make_demo


def test_what_the_readme_says_of_the_demo_follows_from_its_tables():
    page = make_demo.PAGE.read_text()
    assert page == make_demo.filled(page, json.loads(make_demo.FACTS.read_text()))


def test_another_result_makes_another_readme():
    facts = json.loads(make_demo.FACTS.read_text())
    for row in facts["evidence"]:
        row["holds"], row["reached"] = False, None
    text = "\n".join(make_demo.sentences(facts))
    assert not re.search("other seeds|beyond", text)
    assert "no change is found" in text
