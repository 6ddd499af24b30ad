from tools.audit import report


def test_what_the_database_does_not_have_is_no_clean_package():
    found = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]},
            {"name": "b", "version": "2", "vulns": []},
            {"name": "c", "skip_reason": "not found"},
        ]
    }
    assert report(found) == (["a 1: PYSEC-1, fixed in 1.1"], ["c"], 2)


def test_all_skipped_is_nothing_looked_up():
    assert report({"dependencies": [{"name": "c", "skip_reason": "not found"}]}) == ([], ["c"], 0)
