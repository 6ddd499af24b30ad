import subprocess

import pytest

from rare_neurons.errors import DamagedFile
from rare_neurons.sums import check_sum, write_sum


def test_a_changed_file_or_checksum_is_named_and_coreutils_agree(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text('{"a": 1}')
    assert not check_sum(path)
    write_sum(path)
    assert check_sum(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tokenizer.json", "tokenizer.json.sha256"]
    subprocess.run(["sha256sum", "--check", "tokenizer.json.sha256"], cwd=tmp_path, check=True, capture_output=True)
    stated = (tmp_path / "tokenizer.json.sha256").read_text()
    path.write_text('{"a": 3}')
    with pytest.raises(DamagedFile, match=r"tokenizer\.json is damaged: it does not have the sha256 in"):
        check_sum(path)
    path.write_text('{"a": 1}')
    (tmp_path / "tokenizer.json.sha256").write_text(stated[1:])
    with pytest.raises(DamagedFile):
        check_sum(path)
