import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rare_neurons.check import main, read_configuration
from rare_neurons.errors import RequestError
from tests.workflow.project import CONFIG, ROOT

pytestmark = pytest.mark.pipeline
SHARD = "spectra/tiny-seed0/step2.parquet"


@pytest.fixture
def results(finished, tmp_path):
    skip = shutil.ignore_patterns("figures", "logs", ".known.json")
    return Path(shutil.copytree(finished.folder / "results", tmp_path / "results", ignore=skip))


@pytest.fixture
def other(tmp_path):
    """A configuration that asks for another number of bins."""
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump({**CONFIG, "regimes": {**CONFIG["regimes"], "n_bins": 9}}))
    return str(path)


def flip(path):
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)


def test_a_whole_tree_ends_with_0(results, capsys):
    assert main([str(results)]) == 0
    assert "all as asked" in capsys.readouterr().out


def test_a_damaged_and_a_stale_file_are_listed_and_end_with_1(results, capsys, other):
    flip(results / SHARD)
    assert main([str(results)]) == 1
    out = capsys.readouterr().out
    assert SHARD in out
    assert "its pages do not have their digest" in out
    assert "1 damaged" in out
    assert main([str(results), "--config", other]) == 1
    assert "n_bins: 12 in the file, 9 asked" in capsys.readouterr().out


def test_as_a_command(results):
    command = [sys.executable, "-m", "rare_neurons.check", str(results), "--skip-weights"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (results / SHARD).unlink()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "no such file" in done.stdout


def test_what_is_set_aside_is_renamed_after_its_state(results, other):
    flip(results / SHARD)
    main([str(results), "--config", other, "--set-aside"])
    assert not (results / SHARD).exists()
    assert (results / f"{SHARD}.damaged").exists()
    assert (results / "curves/heldout/tiny-seed0/step0.parquet.stale").exists()
    assert (results / "influence/heldout/tiny-seed0/step0.parquet").exists()


def test_what_is_adopted_says_how_many(results, other, capsys):
    assert main([str(results), "--config", other, "--adopt"]) == 1
    assert "files are taken as they are" in capsys.readouterr().out


def test_without_a_configuration_it_says_what_to_name(results, tmp_path, capsys):
    (results / "config.yaml").unlink()
    assert main([str(results)]) == 1
    assert "name the configuration with --config" in capsys.readouterr().err
    with pytest.raises(RequestError, match=r"no .*nothing\.yaml"):
        read_configuration(tmp_path, [str(tmp_path / "nothing.yaml")])


def test_files_are_laid_on_how_things_are_measured():
    config = read_configuration(Path("results"), [str(ROOT / "config/config.yaml")])
    assert config["probe"]["engine"] == "certified"
    assert "embedded-seed0" in config["models"]
