"""A throw-away SLURM cluster of virtual nodes on this machine, for tests.

Needs root and Debian's slurmctld, slurmd, slurm-client and munge. The nodes are daemons of
one host that pretend to have CPUs, memory and GPUs of their own; there are no cgroups, and
memory is watched by accounting. Everything lies in one folder, but for links in /etc/slurm,
since Snakemake's job steps lose the variable that names the configuration.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

N_CPUS = 4
MEMORY_MB = 4000
NODES = ("n1", "n2")
LINKS = Path("/etc/slurm")

_CONFIG = """\
ClusterName=merectest
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
MpiDefault=pmi2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=256
ReturnToService=2
EnforcePartLimits=ALL
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=3,batch_sched_delay=0,sched_min_interval=0
# Finished jobs must stay known for as long as Snakemake may ask.
MinJobAge=600
KillWait=5
SlurmctldTimeout=30
SlurmdTimeout=15
JobRequeue=1
GresTypes=gpu
# Without cgroups: a job over its memory is killed when its usage is sampled.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
OverTimeLimit=0
MaxArraySize=1001
FirstJobId={first_job}
AccountingStorageType=accounting_storage/none
"""


class SlurmCluster:
    """The daemons of a cluster, and what tests ask of it and do to it."""

    def __init__(self) -> None:
        # Short: sockets' paths may have 108 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="slurm"))
        self._links: list[Path] = []
        self._ports = free_ports(1 + len(NODES))

    def start(self) -> None:
        """Start all daemons, and return when all nodes are idle."""
        self.folder.chmod(0o755)
        for name in ("munge", "state", *(f"spool.{node}" for node in NODES)):
            (self.folder / name).mkdir()
        self._write_config()
        self._link()
        self._start_munge()
        self._run("slurmctld", "-i")
        for node in NODES:
            self.start_node(node)
        wait_until(lambda: self.node_states() == ["idle"] * len(NODES), 60, "idle nodes")

    def stop(self) -> None:
        """End exactly what was started, and remove what was written outside the folder."""
        subprocess.run(["scancel", "--user", "root"], env=self.environment, check=False)
        try:
            for name in (*NODES, "slurmctld", "munged"):
                self.kill(name, signal.SIGTERM)
        finally:
            for link in self._links:
                link.unlink()
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of a login node."""
        known = {key: value for key, value in os.environ.items() if not key.startswith("SLURM_")}
        return {**known, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def start_node(self, node: str) -> None:
        """Start the daemon of a node."""
        self._run("slurmd", "-N", node)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a daemon a signal, and wait until it is gone."""
        file = self.folder / f"{name}.pid"
        if not file.exists():
            return
        pid = int(file.read_text())
        try:
            os.kill(pid, number)
            wait_until(lambda: not Path(f"/proc/{pid}").exists(), 30, f"end of {name}")
        except ProcessLookupError:
            pass
        file.unlink(missing_ok=True)

    def node_states(self) -> list[str]:
        """Return the state of each node."""
        return self.output("sinfo", "--noheader", "--Node", "--format=%T").split()

    def jobs(self) -> dict[str, str]:
        """Return the state of each job that is known, by its number."""
        listed = self.output("squeue", "--noheader", "--states=all", "--format=%i %T")
        return dict(line.split() for line in listed.splitlines())  # type: ignore[misc]

    def comments(self) -> dict[str, str]:
        """Return Snakemake's remark on each job: rule and wildcards, by its number."""
        listed = self.output("squeue", "--noheader", "--states=all", "--format=%i %k")
        return dict(line.split(maxsplit=1) for line in listed.splitlines())  # type: ignore[misc]

    def output(self, *command: str) -> str:
        """Return what a command of SLURM writes."""
        return self._run(*command).stdout

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def _write_config(self) -> None:
        host = socket.gethostname().split(".")[0]
        controller, *ports = self._ports
        # MPICH names a world's shared memory after the job and the step. A killed rank leaves it
        # there, and a later cluster's job of the same number would fail on it, "Out of memory".
        first_job = 1 + int(time.time()) % 10**6 * 60
        known = {"host": host, "folder": self.folder, "port": controller, "first_job": first_job}
        lines = [_CONFIG.format(**known)]
        gpus = []
        for node, port in zip(NODES, ports, strict=True):
            lines.append(
                f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} "
                f"CPUs={N_CPUS} RealMemory={MEMORY_MB} Gres=gpu:1 State=UNKNOWN\n"
            )
            gpu = self.folder / f"gpu.{node}"
            os.mknod(gpu, 0o666 | 0o020000, os.makedev(1, 3))  # a copy of /dev/null
            gpus.append(f"NodeName={node} Name=gpu File={gpu}\n")
        lines.append(
            "PartitionName=main Nodes=ALL Default=YES DefaultTime=10 MaxTime=1440 State=UP\n"
        )
        (self.folder / "slurm.conf").write_text("".join(lines))
        (self.folder / "gres.conf").write_text("".join(gpus))
        (self.folder / "cgroup.conf").write_text(
            "CgroupPlugin=cgroup/v1\nConstrainCores=no\nConstrainRAMSpace=no\n"
            "ConstrainDevices=no\nIgnoreSystemd=yes\n"
        )

    def _link(self) -> None:
        LINKS.mkdir(exist_ok=True)
        for file in self.folder.glob("*.conf"):
            link = LINKS / file.name
            if link.is_symlink() and not _controller_runs(link.resolve().parent):
                link.unlink()  # left by a run that was killed
            assert not link.exists(), f"{link}: this machine has a SLURM of its own"
            link.symlink_to(file)
            self._links.append(link)

    def _start_munge(self) -> None:
        folder = self.folder / "munge"
        folder.chmod(0o711)
        key = folder / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self._run(
            "munged",
            "--force",
            f"--socket={folder / 'socket'}",
            f"--key-file={key}",
            f"--pid-file={self.folder / 'munged.pid'}",
            f"--log-file={folder / 'log'}",
            f"--seed-file={folder / 'seed'}",
        )


def _controller_runs(folder: Path) -> bool:
    """Return whether the cluster of a folder is there."""
    try:
        return Path(f"/proc/{int((folder / 'slurmctld.pid').read_text())}").exists()
    except (OSError, ValueError):
        return False


def free_ports(count: int) -> Sequence[int]:
    """Return ports of this machine that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a condition, or fail and say what was waited for."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"no {what} in {seconds:.0f} s"
        time.sleep(0.2)
