"""A Slurm of one node on this machine, for tests: own key, own ports on loopback, no accounting, two fake GPUs."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

CONFIG = Path("/etc/slurm/slurm.conf")
"""Where Slurm's commands look inside a job: the executor plugin strips SLURM_* from its environment."""

FILES = ("slurm.conf", "gres.conf", "cgroup.conf")

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "srun")

_CONF = """\
ClusterName=esl
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/{tracking}
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
GresTypes=gpu
MinJobAge=3600
KillWait=10
ReturnToService=2
SlurmdTimeout=10
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 Gres=gpu:2
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE DefMemPerCPU=1000
"""

_CGROUPS = "CgroupPlugin=cgroup/v1\nCgroupMountpoint=/sys/fs/cgroup\n"
_GRES = "Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n"


def obstacle() -> str | None:
    """Why no cluster can be started here, if so."""
    if missing := [name for name in PROGRAMS if not _program(name)]:
        return f"{', '.join(missing)} not installed (Debian: slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "slurmd needs root"
    if CONFIG.exists() or CONFIG.is_symlink():
        return f"{CONFIG} exists: this machine has a cluster of its own"
    return None


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def wait_for(what: str, ready: Callable[[], bool], seconds: float = 60.0) -> None:
    """Polls until ``ready()``; TimeoutError names ``what`` was waited for."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)


class Cluster:
    """A controller and a node that run until ``stop``; everything they write is in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = socket.gethostname().partition(".")[0]
        for name in ("munge", "state", "spool"):
            (folder / name).mkdir(mode=0o755, parents=True)
        (folder / "munge").chmod(0o711)
        key = folder / "munge/key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        (folder / "gres.conf").write_text(_GRES)
        (folder / "cgroup.conf").write_text(_CGROUPS)
        # as most sites do, where the kernel has what Slurm needs for it: jobs get their signals in another way
        tracking = "cgroup" if Path("/sys/fs/cgroup/freezer").is_mount() else "linuxproc"
        ports = dict(zip(("controller_port", "node_port"), _free_ports(2), strict=True))
        (folder / "slurm.conf").write_text(_CONF.format(folder=folder, host=self.host, tracking=tracking, **ports))

    @property
    def jobs(self) -> list[dict[str, str]]:
        """Every job that was submitted, as the scheduler knows it."""
        lines = [
            line for line in self.output("scontrol", "--oneliner", "show", "jobs").splitlines() if "JobId=" in line
        ]
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]

    def state_of(self, job: str) -> str:
        """The state of a job, by its number."""
        return next(known["JobState"] for known in self.jobs if known["JobId"] == job)

    def start(self) -> None:
        """Starts munged, the controller and the node, and waits until the node is idle."""
        CONFIG.parent.mkdir(exist_ok=True)
        for name in FILES:
            (CONFIG.parent / name).symlink_to(self.folder / name)
        munge = self.folder / "munge"
        files = ("key-file=key", "pid-file=pid", "socket=socket", "log-file=log", "seed-file=seed")
        self._run("munged", "--force", *(f"--{flag}={munge / file}" for flag, file in (f.split("=") for f in files)))
        self._run("slurmctld", "-c")
        self.start_node()

    def start_node(self) -> None:
        """Starts the node and waits until it takes jobs."""
        self._run("slurmd")
        wait_for(
            "the node to be idle", lambda: self.output("sinfo", "-h", "-o", "%T") in ("idle", "mixed", "allocated")
        )

    def lose_node(self) -> None:
        """What a power cut does to the node: its daemon and all processes of its jobs are killed."""
        daemon = int((self.folder / "slurmd.pid").read_text())
        for pid in [daemon, *(pid for step in _processes_named("slurmstepd") for pid in (step, *_below(step)))]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def tasks_of(self, module: str) -> list[int]:
        """The processes that steps of jobs have started with ``python -m module``, without those that these started."""
        steps = _processes_named("slurmstepd")
        tasks = [pid for pid, (parent, _) in _parents().items() if parent in steps]
        return [pid for pid in tasks if f"-m\0{module}\0" in Path(f"/proc/{pid}/cmdline").read_text()]

    def stop(self) -> None:
        """Ends all jobs and daemons of this cluster and removes what it left outside its folder."""
        self.output("scancel", "--user", "root", check=False)
        for pid in ("slurmd.pid", "slurmctld.pid", "munge/pid"):
            _end(self.folder / pid)
        for link in (CONFIG.parent / name for name in FILES):
            if link.is_symlink() and link.readlink().parent == self.folder:
                link.unlink()

    def output(self, *command: str, check: bool = True) -> str:
        """What a command of Slurm says."""
        run = subprocess.run(command, capture_output=True, text=True, env=self.environment)
        assert run.returncode == 0 or not check, f"{command}: {run.stderr}"
        return run.stdout.strip()

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of Slurm's commands."""
        return os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def _run(self, name: str, *arguments: str) -> None:
        program = _program(name)
        assert program is not None
        subprocess.run([program, *arguments], check=True, env=self.environment, capture_output=True, text=True)


def _parents() -> dict[int, tuple[int, str]]:
    """The parent and the name of every process."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            before, _, after = path.read_text().rpartition(")")
            found[int(path.parent.name)] = (int(after.split()[1]), before.partition("(")[2])
    return found


def _processes_named(name: str) -> list[int]:
    return [pid for pid, (_, its) in _parents().items() if its == name]


def _below(root: int) -> list[int]:
    """All processes that ``root`` has started, and theirs."""
    parents = _parents()
    children = [pid for pid, (parent, _) in parents.items() if parent == root]
    return children + [pid for child in children for pid in _below(child)]


def _free_ports(count: int) -> list[int]:
    """Ports of loopback that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _end(pid_file: Path) -> None:
    """Ends the process of a pid file and waits until it has gone."""
    if not pid_file.exists() or not (pid := int(pid_file.read_text() or 0)):
        return
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    try:
        wait_for(f"{pid_file.stem} to end", lambda: not Path(f"/proc/{pid}").exists(), 20)
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
