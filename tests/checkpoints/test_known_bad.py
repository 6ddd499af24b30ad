"""Public reports of bad revisions."""

from rare_neurons.checkpoints.known_bad import reports, reports_on


def test_the_list_of_known_bad_revisions_names_its_sources():
    assert all(report.source.startswith("https://") and report.revisions for report in reports())
    assert len({rev for r in reports() if r.repository == "EleutherAI/pythia-2.8b" for rev in r.revisions}) == 85
    (one,) = reports_on("allenai/OLMo-2-1124-7B", "stage1-step175000-tokens735B")
    assert one.source == "https://github.com/allenai/OLMo/issues/915"
    assert reports_on("EleutherAI/pythia-160m-weight-seed2", "step0")
    assert not reports_on("EleutherAI/pythia-160m-weight-seed2", "step1")
    assert not reports_on("EleutherAI/pythia-2.8b", "step143000")
    assert not reports_on("runs/x", None)
