"""What the installation asks of uv and pip; the environment that runs these tests was made by it."""

import pytest

from tools.install import ROOT, has_digest, sources_of, uv_sources, wanted_lines

LOCK = "# One tested set.\nnumpy==2.4.6\ntorch==2.13.0\ntorchmetrics==1.0\n"
LISTED = """\
:env:.find-links='/wheels'
global.cert='/etc/ca.crt'
global.extra-index-url='https://a/simple https://b/simple'
global.find-links='/elsewhere'
"""


def test_the_lock_is_taken_as_it_is():
    assert wanted_lines(LOCK, []) == LOCK.splitlines()


def test_a_requirement_and_its_digests_are_one_line():
    lock = "a==1 \\\n    --hash=sha256:12 \\\n    --hash=sha256:34\nb==2\n"
    assert wanted_lines(lock, []) == ["a==1 --hash=sha256:12 --hash=sha256:34", "b==2"]
    assert wanted_lines(lock, ["a==3"]) == ["b==2", "a==3"]


def test_all_that_is_locked_has_digests_but_torch():
    lines = [line for line in wanted_lines((ROOT / "requirements.lock").read_text(), []) if not line.startswith("#")]
    assert [line.split("==")[0] for line in lines if not has_digest(line)] == ["torch"]
    assert len(lines) > 100


def test_another_build_of_one_package_replaces_its_line_and_no_other():
    found = wanted_lines(LOCK, ["torch==2.13.0+cu130 --extra-index-url https://x/cu130"])
    assert found == [
        "--extra-index-url https://x/cu130",
        *("# One tested set.", "numpy==2.4.6", "torchmetrics==1.0"),
        "torch==2.13.0+cu130",
    ]


def test_sources_of_pip_are_passed_on_and_the_environment_counts_most():
    assert uv_sources(sources_of(LISTED)) == [
        *("--find-links", "/wheels"),
        *("--extra-index-url", "https://a/simple"),
        *("--extra-index-url", "https://b/simple"),
    ]


@pytest.mark.parametrize(("value", "options"), [("true", ["--no-index"]), ("false", [])])
def test_a_computer_without_an_index_says_so(value, options):
    assert uv_sources(sources_of(f"global.no-index='{value}'")) == options
