"""Programs that start warm are programs of their own: folder, variables, package, output and status."""

import json

import pytest

from tests.workflow.warm import warm

pytestmark = pytest.mark.pipeline

TELL = """
import json, os, sys
import huggingface_hub.constants
ours = [name for name in sys.modules if name.startswith("rare_neurons")]
print(json.dumps([os.getcwd(), dict(os.environ), sys.argv[1:], ours, huggingface_hub.constants.ENDPOINT]))
sys.exit(3)
"""


def test_a_program_sees_its_own_world_and_nothing_of_the_package(tmp_path):
    (tmp_path / "it.py").write_text(TELL)
    for endpoint in ("http://127.0.0.1:9", "http://127.0.0.1:10"):
        variables = {"HF_ENDPOINT": endpoint, "PYTHONPATH": str(tmp_path)}
        done = warm().run(["it", "-a", "b"], tmp_path, variables)
        assert done.returncode == 3
        assert json.loads(done.stdout) == [str(tmp_path), variables, ["-a", "b"], [], endpoint]


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("raise ValueError('no')", 1, "ValueError: no"),
        ("import sys\nsys.exit('no')", 1, ""),
        ("import os\nos.system('echo from a shell')", 0, "from a shell"),
    ],
)
def test_its_end_is_its_status(tmp_path, text, status, said):
    (tmp_path / "it.py").write_text(text)
    done = warm().run(["it"], tmp_path, {"PATH": "/usr/bin:/bin"})
    assert (done.returncode, said in done.stdout) == (status, True)
