"""A real SLURM on the loopback interface: munged, slurmctld and a few slurmd, started and stopped by the tests.

Needs root and Debian's packages slurmctld, slurmd, slurm-client, munge and slurm-wlm-basic-plugins. The one thing
outside its own folder is the link /etc/slurm/slurm.conf: the executor's job step drops SLURM_CONF before it calls srun.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sinfo", "srun")
CONF = Path("/etc/slurm/slurm.conf")

SETTINGS = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
AuthType=auth/munge
AuthInfo=socket={root}/munge/socket
CredType=cred/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
SwitchType=switch/none
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PropagateResourceLimits=NONE
ReturnToService=2
MinJobAge=300
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
{nodes}
PartitionName=main Nodes=n[1-{n}] Default=YES MaxTime=INFINITE State=UP
"""
NODE = "NodeName=n{i} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory={memory} State=UNKNOWN"


def missing() -> list[str]:
    """What this computer lacks for a SLURM of its own."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if os.geteuid() != 0:
        lacking.append("root")
    if CONF.exists() and not CONF.is_symlink():
        lacking.append(f"a free {CONF}")
    return lacking


@contextmanager
def running_cluster(root: Path, n_nodes: int = 3) -> Iterator[dict[str, str]]:
    """Start a cluster and yield the environment variables of its users."""
    host = socket.gethostname().split(".")[0]
    for name in ("munge", "state", *(f"spool/n{i + 1}" for i in range(n_nodes))):
        (root / name).mkdir(parents=True)
    root.chmod(0o755)
    (root / "munge").chmod(0o700)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 * 8 // 10
    nodes = [
        NODE.format(i=i + 1, host=host, port=17001 + i, cpus=os.cpu_count(), memory=memory) for i in range(n_nodes)
    ]
    (root / "slurm.conf").write_text(SETTINGS.format(root=root, host=host, n=n_nodes, nodes="\n".join(nodes)))
    key = root / "munge/key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    environment = {"SLURM_CONF": str(root / "slurm.conf"), "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    with ExitStack() as stack:
        stack.enter_context(_linked(root / "slurm.conf"))
        start = _starter(stack, root, environment)
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "seed-file": "seed", "log-file": "log"}
        start("munged", "-F", "--force", *(f"--{option}={root}/munge/{name}" for option, name in files.items()))
        _wait_for(lambda: (root / "munge/socket").exists(), "munge")
        (root / "munge").chmod(0o755)
        start("slurmctld", "-D", "-f", str(root / "slurm.conf"))
        _wait_for(lambda: "UP" in _output(["scontrol", "ping"], environment), "slurmctld")
        for i in range(n_nodes):
            start("slurmd", "-D", "-N", f"n{i + 1}", "-f", str(root / "slurm.conf"))
        idle = ["sinfo", "-h", "-N", "-p", "main", "-t", "idle", "-o", "%N"]
        _wait_for(lambda: len(_output(idle, environment).split()) == n_nodes, "idle nodes")
        yield environment
        subprocess.run(["scancel", "--user=root"], env=os.environ | environment, check=False)


@contextmanager
def _linked(conf: Path) -> Iterator[None]:
    CONF.parent.mkdir(parents=True, exist_ok=True)
    CONF.unlink(missing_ok=True)
    CONF.symlink_to(conf)
    try:
        yield
    finally:
        CONF.unlink()


def _starter(stack: ExitStack, root: Path, environment: dict[str, str]) -> Callable[..., None]:
    def start(*command: str) -> None:
        log = stack.enter_context((root / f"{command[0]}.out").open("ab"))
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=log, stderr=log, start_new_session=True
        )
        stack.callback(_stop, process)

    return start


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _output(command: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False).stdout


def _wait_for(happened: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} after {seconds:g} s")
        time.sleep(0.1)
