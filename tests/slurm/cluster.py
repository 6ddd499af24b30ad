"""A real SLURM on the loopback interface: munged, slurmctld and a few slurmd, started and stopped by the tests.

Needs root and Debian's packages slurmctld, slurmd, slurm-client, munge and slurm-wlm-basic-plugins. The one thing
outside its own folder is the link /etc/slurm/slurm.conf: the executor's job step drops SLURM_CONF before it calls srun.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.slurm.processes import job_processes, kill_all, stop, wait_for

PROGRAMS = ("munged", "slurmctld", "slurmd", "sinfo", "srun")
CONF = Path("/etc/slurm/slurm.conf")

# Timeouts are short where a site's are minutes: a dead node is noticed in seconds (SlurmdTimeout; 300 s by default), a
# requeued job waits ten (cred_expire; 120 s), memory is looked at every second (JobAcctGatherFrequency; 30 s).
SETTINGS = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
AuthType=auth/munge
AuthInfo=socket={root}/munge/socket,cred_expire=10
CredType=cred/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.%n.log
SlurmdTimeout=6
KillWait=2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
SwitchType=switch/none
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
PropagateResourceLimits=NONE
ReturnToService=2
MinJobAge=300
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
{nodes}
PartitionName=main Nodes=n[1-{n}] Default=YES MaxTime=INFINITE State=UP
"""
NODE = (
    "NodeName=n{i} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory={memory} Gres=gpu:1 "
    "State=UNKNOWN"
)
# An empty file stands for a GPU: it can be asked for and given, which is all that scheduling needs.
GPUS = "NodeName=n[1-{n}] Name=gpu File={root}/gpu0\n"


def missing() -> list[str]:
    """What this computer lacks for a SLURM of its own."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if os.geteuid() != 0:
        lacking.append("root")
    if CONF.exists() and not CONF.is_symlink():
        lacking.append(f"a free {CONF}")
    return lacking


@dataclass
class Cluster:
    """A running cluster; `environment` holds the variables of its users."""

    root: Path
    n_nodes: int
    environment: dict[str, str]
    daemons: dict[str, subprocess.Popen] = field(default_factory=dict)

    def ask(self, *command: str) -> str:
        """Output of one of SLURM's commands."""
        done = subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True, check=False)
        return done.stdout

    def queue(self, state: str = "all_active") -> dict[str, str]:
        """Node of each job that is pending or running (or in one given state)."""
        states = [] if state == "all_active" else ["-t", state]
        return dict(line.split("|") for line in self.ask("squeue", "-h", *states, "-o", "%i|%N").splitlines())

    def jobs(self) -> list[dict[str, str]]:
        """What slurmctld says about every job of the last minutes."""
        lines = self.ask("scontrol", "show", "jobs", "-o").splitlines()
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]

    def start(self, name: str, *command: str) -> None:
        """Start a daemon in the foreground, and in a process group of its own."""
        with (self.root / f"{name}.out").open("ab") as log:
            self.daemons[name] = subprocess.Popen(
                command, env=os.environ | self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def start_node(self, node: str) -> None:
        self.start(node, "slurmd", "-D", "-N", node, "-f", str(self.root / "slurm.conf"))

    def kill_node(self, node: str) -> None:
        """Kill a node as a power cut would: its slurmd, and its jobs with all their processes."""
        jobs = [job for job, where in self.queue("running").items() if where == node]
        assert jobs, f"no job runs on {node}"
        self.daemons[node].kill()
        self.daemons[node].wait()
        killed = kill_all(lambda: job_processes(jobs))
        assert killed >= 2 * len(jobs), "a job has at least a step daemon and a process"

    def wait_until_idle(self) -> None:
        """Wait until no job is left and every node takes jobs."""
        wait_for(lambda: not self.queue(), "empty queue", 60)
        idle = ("sinfo", "-h", "-N", "-p", "main", "-t", "idle", "-o", "%N")
        wait_for(lambda: len(self.ask(*idle).split()) == self.n_nodes, "idle nodes", 60)

    def stop(self) -> None:
        """Cancel what is left and stop the daemons, the one that the others need last."""
        self.ask("scancel", "--user=root")
        jobs = list(self.queue())
        try:
            wait_for(lambda: not self.queue(), "empty queue", 30)
        finally:
            kill_all(lambda: job_processes(jobs))
            for name in reversed(self.daemons):
                stop(self.daemons[name])


@contextmanager
def running_cluster(root: Path, n_nodes: int = 3) -> Iterator[Cluster]:
    """Start a cluster, and stop it whatever happens."""
    environment = {"SLURM_CONF": str(root / "slurm.conf"), "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    cluster = Cluster(root, n_nodes, environment)
    _write_settings(root, n_nodes)
    with ExitStack() as stack:
        stack.enter_context(_linked(root / "slurm.conf"))
        stack.callback(cluster.stop)
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "seed-file": "seed", "log-file": "log"}
        options = [f"--{option}={root}/munge/{name}" for option, name in files.items()]
        cluster.start("munged", "munged", "-F", "--force", *options)
        wait_for((root / "munge/socket").exists, "munge")
        (root / "munge").chmod(0o755)
        cluster.start("slurmctld", "slurmctld", "-D", "-f", str(root / "slurm.conf"))
        wait_for(lambda: "UP" in cluster.ask("scontrol", "ping"), "slurmctld")
        for i in range(n_nodes):
            cluster.start_node(f"n{i + 1}")
        cluster.wait_until_idle()
        yield cluster


def _write_settings(root: Path, n_nodes: int) -> None:
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
    (root / "gres.conf").write_text(GPUS.format(root=root, n=n_nodes))
    (root / "gpu0").touch()
    key = root / "munge/key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)


@contextmanager
def _linked(conf: Path) -> Iterator[None]:
    CONF.parent.mkdir(parents=True, exist_ok=True)
    CONF.unlink(missing_ok=True)
    CONF.symlink_to(conf)
    try:
        yield
    finally:
        CONF.unlink()
