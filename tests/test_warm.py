"""Scripts that start warm do what they do when an interpreter is started for them."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rare_neurons.warm import Warm, modules_of

TELL = """
import json, os, sys, signal, threading
names = [sys.argv, sys.path, __name__, __file__, os.getcwd(), dict(os.environ), sorted(os.listdir("/proc/self/fd"))]
process = [os.getpgrp(), str(signal.getsignal(signal.SIGINT)), threading.active_count()]
with open("told.json", "w") as file:
    json.dump([names, process], file)
"""


@pytest.fixture(autouse=True)
def interrupts():
    """What runs in the background of a shell, as a test may, ignores them, and so does all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def warm():
    one = Warm()
    yield one
    one.close()


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Writes a script into a folder of its own, from elsewhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scripts").mkdir()

    def write(text: str) -> Path:
        path = tmp_path / "scripts/it.py"
        path.write_text(text)
        return path

    return write


def variables(**more: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **more}


def cold(script: Path) -> int:
    return subprocess.run([sys.executable, script], env=variables(), check=False).returncode


def told() -> list:
    return json.loads(Path("told.json").read_text())


def test_a_script_sees_what_it_sees_when_started_cold(warm, script):
    path = script(TELL)
    assert cold(path) == 0
    expected = told()
    assert warm.run(path, variables()) == 0
    assert told() == expected


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("import sys\nsys.exit(3)", 3, ""),
        ("import sys\nsys.exit('no')", 1, "no\n"),
        ("import sys\nsys.exit(-2)", 254, ""),
        ("raise ValueError('no')", 1, "ValueError: no\n"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT, "KeyboardInterrupt\n"),
        ("import atexit\natexit.register(print, 'at the end', flush=True)", 0, "at the end\n"),
        ("import threading\nthreading.Timer(0.1, print, ['from a thread']).start()", 0, "from a thread\n"),
        ("import os\nos.system('echo from a shell')", 0, "from a shell\n"),
    ],
)
def test_it_ends_as_it_does_cold(warm, script, capfd, text, status, said):
    path = script(text)
    assert cold(path) == status
    assert (capfd.readouterr() != ("", "")) is bool(said)
    assert warm.run(path, variables()) == status
    found = capfd.readouterr()
    assert (found.out + found.err).endswith(said)
    assert bool(found.out + found.err) is bool(said)


def test_a_module_is_imported_once_and_by_no_script(warm, script, tmp_path):
    (tmp_path / "planted.py").write_text("import os\nprint(os.getpid(), file=open('imported.txt', 'a'))\n")
    path = script("import planted, os\nprint(os.getpid(), os.getppid(), file=open('ran.txt', 'a'))\n")
    for _ in range(2):
        assert warm.run(path, variables(PYTHONPATH=str(tmp_path))) == 0
    (imported,) = Path("imported.txt").read_text().split()
    (first, parent), (second, same) = (line.split() for line in Path("ran.txt").read_text().splitlines())
    assert parent == same == imported
    assert len({first, second, imported}) == 3


@pytest.mark.parametrize(
    "planted",
    [
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        "1 / 0",
        "import no",
        "raise SystemExit(0)",
    ],
)
def test_what_cannot_be_imported_before_a_fork_starts_cold(warm, script, tmp_path, planted):
    (tmp_path / "planted.py").write_text(planted)
    path = script("import planted\nopen('ran.txt', 'a')\n")
    assert warm.run(path, variables(PYTHONPATH=str(tmp_path))) is None
    assert not Path("ran.txt").exists()


def test_a_process_that_an_import_has_started_is_nobodys_script(warm, script, tmp_path):
    (tmp_path / "planted.py").write_text("import subprocess\nsubprocess.Popen(['sleep', '0.1'])\n")
    path = script("import planted, time\ntime.sleep(0.5)\n")
    assert warm.run(path, variables(PYTHONPATH=str(tmp_path))) == 0


def test_what_an_import_prints_is_shown_once(warm, script, tmp_path, capfd):
    (tmp_path / "planted.py").write_text("print('imported')\n")
    path = script("import planted\nprint('ran')\n")
    for _ in range(2):
        assert warm.run(path, variables(PYTHONPATH=str(tmp_path), PYTHONUNBUFFERED="")) == 0
    assert capfd.readouterr().out.split() == ["imported", "ran", "ran"]


def test_other_variables_start_cold(warm, script):
    path = script("open('ran.txt', 'a')")
    assert warm.run(path, variables()) == 0
    Path("ran.txt").unlink()
    assert warm.run(path, variables(OMP_NUM_THREADS="2")) is None
    assert not Path("ran.txt").exists()


def test_scripts_run_side_by_side_and_each_has_its_own_status(warm, script, tmp_path):
    waiting = "import os, sys, time\nopen(f'here{sys.argv[0][-4]}', 'w')\nend = time.monotonic() + 60\n"
    waiting += "while not all(map(os.path.exists, ('here1', 'here2'))) and time.monotonic() < end: time.sleep(.01)\n"
    paths = [tmp_path / f"scripts/it{number}.py" for number in (1, 2)]
    for number, path in enumerate(paths, 1):
        path.write_text(f"{waiting}sys.exit({number} if time.monotonic() < end else 9)")
    with ThreadPoolExecutor(2) as pool:
        assert [*pool.map(lambda path: warm.run(path, variables()), paths)] == [1, 2]


def test_a_signal_to_the_process_beside_the_run_is_one_to_the_script_and_later_ones_start_cold(warm, script):
    path = script("import os, signal, time\nos.kill(os.getppid(), signal.SIGTERM)\ntime.sleep(.1)\n")
    assert warm.run(path, variables()) == -signal.SIGTERM
    assert warm.run(path, variables()) is None


def test_what_is_interrupted_before_it_is_forked_is_not_forked(warm, script, tmp_path):
    (tmp_path / "planted.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    path = script("import planted\nopen('ran.txt', 'a')\n")
    assert warm.run(path, variables(PYTHONPATH=str(tmp_path))) == -signal.SIGINT
    assert not Path("ran.txt").exists()


RUN = """
import os
from rare_neurons.warm import Warm
Warm().run({!r}, os.environ)
"""


def test_it_goes_when_the_run_is_killed_and_scripts_run_on(script):
    held = "import os, time\nprint(os.getppid(), file=open('beside.part', 'w'), flush=True)\n"
    held += "os.rename('beside.part', 'beside.txt')\nend = time.monotonic() + 60\n"
    held += "while not os.path.exists('go') and time.monotonic() < end: time.sleep(.01)\nopen('ran.txt', 'a')\n"
    run = subprocess.Popen([sys.executable, "-c", RUN.format(str(script(held)))], env=variables())
    wait_for(Path("beside.txt").exists)
    beside = Path(f"/proc/{Path('beside.txt').read_text().strip()}/stat")
    run.kill()
    run.wait()
    wait_for(lambda: not beside.exists() or beside.read_text().split()[2] == "Z")
    Path("go").touch()
    wait_for(Path("ran.txt").exists)


def wait_for(happened, limit_s: float = 60) -> None:
    end = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


PRODUCTS = """
import hashlib, sys
import torch
for threads in (1, 2):
    torch.set_num_threads(threads)
    x = torch.randn(257, 300, generator=torch.Generator().manual_seed(0))
    with open("products.txt", "a") as file:
        print(threads, hashlib.sha256((x @ x.T).exp().sum(0).numpy().tobytes()).hexdigest(), file=file)
"""


def test_sums_of_one_and_of_two_threads_are_those_of_a_cold_start(warm, script):
    path = script(PRODUCTS)
    assert cold(path) == 0
    for _ in range(2):
        assert warm.run(path, variables()) == 0
    lines = Path("products.txt").read_text().splitlines()
    assert lines == 3 * lines[:2]


def test_modules_at_the_top_of_a_script_alone():
    text = "import a.b, c\nfrom d.e import f\nfrom . import g\ndef h():\n    import i\nif True:\n    import j\n"
    assert modules_of(text) == ["a.b", "c", "d.e"]
