"""Whole sites for tests: every process real, on loopback ports of their own, in a folder of their own.

`embedded` is `manage.py serve` as a newcomer gets it. `distributed` is PostgreSQL, Redis, Celery workers and two web
processes. Whoever starts one stops it; a parent that dies takes its processes along.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import requests

from scripts import services

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-password-for-tests-only"
PR_SET_PDEATHSIG = 1
Found = TypeVar("Found")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(look: Callable[[], Found | None], *, seconds: float, what: str) -> Found:
    """The first true answer of ``look``; raises TimeoutError naming ``what`` never came."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise TimeoutError(f"not within {seconds:.0f} s: {what}")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass
class Process:
    """A process with its log; killed hard or stopped kindly, and started again the same way."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, and wait when it is SIGKILL."""
        if self.running is None or self.running.poll() is not None:
            return
        os.killpg(self.running.pid, number)
        if number == signal.SIGKILL:
            self.running.wait()

    def kill(self) -> None:
        """As a power cut would."""
        self.signal(signal.SIGKILL)
        self.running = None

    def stop(self, *, grace: float = 15.0) -> None:
        if self.running is None:
            return
        self.signal(signal.SIGTERM)
        try:
            self.running.wait(grace)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
        self.running = None


@dataclass
class Stack:
    """A running site."""

    folder: Path
    environment: dict[str, str]
    processes: dict[str, Process] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.urls[0]

    def run(self, name: str, *command: object) -> Process:
        """Start and keep a process under a name."""
        words = [str(word) for word in command]
        process = Process(name, words, self.environment, self.folder / "logs" / f"{name}.log")
        self.processes[name] = process
        process.start()
        return process

    def manage(self, *arguments: object, check: bool = True) -> str:
        """Run a management command to its end; its standard output. Raises AssertionError with what it said."""
        command = [sys.executable, "manage.py", *map(str, arguments)]
        result = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=600)
        assert result.returncode == 0 or not check, f"{arguments[0]}: {result.stdout}\n{result.stderr}"
        return result.stdout

    def web(self, port: int) -> None:
        """One web process."""
        self.urls.append(f"http://127.0.0.1:{port}")
        command = ("-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", str(port))
        options = ("--http", "config.slow_clients:ImpatientProtocol", "--lifespan", "off", "--no-access-log")
        self.run(f"web-{len(self.urls)}", sys.executable, *command, *options)

    def wait_for_web(self, seconds: float = 60) -> None:
        for url in self.urls:
            wait_until(partial(healthy, url), seconds=seconds, what=f"{url} answers")

    def logs(self, lines: int = 30) -> str:
        """The end of every process's log, for a failure's message."""
        texts = {path.name: path.read_text(errors="replace") for path in sorted((self.folder / "logs").glob("*.log"))}
        return "\n".join(f"=== {name}\n" + "\n".join(text.splitlines()[-lines:]) for name, text in texts.items())

    def sign_in(self, username: str, *, url: str | None = None) -> Client:
        return Client(url or self.url, username)

    def token(self, username: str, *, url: str | None = None) -> requests.Session:
        """A session that carries an API token."""
        session = requests.Session()
        session.headers["Authorization"] = f"Token {self.manage('token', username).split()[-1]}"
        return session

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database answers, asked past the application."""
        if url := self.environment.get("DATABASE_URL"):
            with psycopg.connect(url) as connection:
                return connection.execute(query.encode()).fetchall()
        file = Path(self.environment["FONTANELLE_VAR"]) / "fontanelle.sqlite3"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(query).fetchall()

    def stop(self) -> None:
        for process in reversed(list(self.processes.values())):
            process.stop()


def healthy(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


class Client(requests.Session):
    """A person signed in through the sign-in page, with the CSRF header that the browser would send."""

    def __init__(self, base: str, username: str) -> None:
        super().__init__()
        self.base = base
        login = f"{base}/accounts/login/"
        self.get(login, timeout=20)
        form = {"username": username, "password": PASSWORD, "csrfmiddlewaretoken": self.cookies["csrftoken"]}
        answer = self.post(login, data=form, headers={"Referer": login}, timeout=20, allow_redirects=False)
        assert answer.status_code == 302, f"{username} could not sign in: {answer.status_code}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request to a path of the site."""
        headers = {"X-CSRFToken": self.cookies.get("csrftoken", ""), "Referer": self.base, **options.pop("headers", {})}
        return self.request(
            method, f"{self.base}{path}", headers=headers, timeout=options.pop("timeout", 60), **options
        )

    def json(self, path: str) -> Any:
        """GET a path that must answer 200."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()


def _environment(folder: Path, **more: str) -> dict[str, str]:
    theirs = ("FONTANELLE_", "PYTEST_", "DJANGO_", "DATABASE_", "CELERY_", "CHANNEL_", "STORAGE_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(theirs)},
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
        "FONTANELLE_VAR": str(folder / "var"),
        "FONTANELLE_QUIET_SECONDS": "1",
        "FONTANELLE_MIN_POSITIVES_PER_FOLD": "1",
        "FONTANELLE_DISK_RESERVE_BYTES": "0",
        "FONTANELLE_JOB_LEASE_SECONDS": "6",
        "DEMO_PASSWORD": PASSWORD,
        "OMP_NUM_THREADS": "1",  # two sites share two cores
        **more,
    }


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="fontanelle-stack-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user and must pass through
    (folder / "logs").mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def embedded(**settings: str) -> Iterator[Stack]:
    """One machine as a newcomer has it: SQLite, a folder, no broker."""
    with _folder() as folder:
        stack = Stack(folder, _environment(folder, **settings))
        prepare(stack)
        port = free_port()
        stack.urls.append(f"http://127.0.0.1:{port}")
        try:
            stack.run("serve", sys.executable, "manage.py", "serve", "--port", str(port))
            stack.wait_for_web()
            yield stack
        finally:
            stack.stop()


@contextmanager
def pieces(**settings: str) -> Iterator[Stack]:
    """One machine again, but web process and worker are started one by one, so that each can be killed alone."""
    with without_workers(**settings) as stack:
        stack.run("worker", sys.executable, "manage.py", "worker")
        yield stack


@contextmanager
def without_workers(**settings: str) -> Iterator[Stack]:
    """One web process alone."""
    with _folder() as folder:
        stack = Stack(folder, _environment(folder, **settings))
        prepare(stack)
        try:
            stack.web(free_port())
            stack.wait_for_web()
            yield stack
        finally:
            stack.stop()


@contextmanager
def distributed(**settings: str) -> Iterator[Stack]:
    """Many machines on one: PostgreSQL, Redis, a triage and a training worker of Celery, two web processes."""
    programs = services.ensure()
    with _folder() as folder:
        database, broker = free_port(), free_port()
        urls = {
            "DATABASE_URL": f"postgres://fontanelle@127.0.0.1:{database}/fontanelle",
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{broker}/0",
            "CHANNEL_LAYER_URL": f"redis://127.0.0.1:{broker}/1",
        }
        stack = Stack(folder, _environment(folder, **urls, **settings))
        try:
            start_postgres(stack, programs.postgres, database)
            start_redis(stack, programs.redis, broker)
            prepare(stack)
            celery = (sys.executable, "-m", "celery", "-A", "config", "worker", "--pool", "solo", "-l", "info")
            stack.run("celery-triage", *celery, "-Q", "stat,routine", "-n", "triage@%h")
            stack.run("celery-train", *celery, "-Q", "train", "-n", "train@%h")
            stack.web(free_port())
            stack.web(free_port())
            stack.wait_for_web()
            yield stack
        finally:
            stack.stop()


def prepare(stack: Stack) -> None:
    """Tables, the demo's people and its model."""
    if "DATABASE_URL" in stack.environment:
        stack.manage("demo", "--prepare")
    else:
        shutil.copytree(_prepared(), stack.environment["FONTANELLE_VAR"])


@cache
def _prepared() -> Path:
    """A prepared folder to copy: making one takes seconds, and the sites of one process begin alike."""
    folder = Path(tempfile.mkdtemp(prefix="fontanelle-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    stack = Stack(folder, _environment(folder))
    stack.manage("demo", "--prepare")
    return Path(stack.environment["FONTANELLE_VAR"])


def as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as Debian's user of that name."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=KILL", "--"]


def start_postgres(stack: Stack, binaries: Path, port: int) -> None:
    """A cluster of its own in the stack's folder, trusted on loopback only."""
    data = stack.folder / "postgres"
    data.mkdir()
    if os.geteuid() == 0:
        shutil.chown(data, "postgres", "postgres")
    options = ("-U", "fontanelle", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D", str(data))
    subprocess.run([*as_postgres(), str(binaries / "initdb"), *options], check=True, capture_output=True, cwd="/")
    server = (binaries / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "")
    stack.run("postgres", *as_postgres(), *server, "-c", "max_connections=60")
    create = [str(binaries / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "fontanelle", "fontanelle"]

    def created() -> bool:
        return subprocess.run(create, capture_output=True).returncode == 0

    wait_until(created, seconds=30, what="PostgreSQL takes a database")


def start_redis(stack: Stack, binary: Path, port: int) -> None:
    command = (binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    stack.run("redis", *command, "--dir", stack.folder, "--maxmemory-policy", "noeviction")

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(answers, seconds=20, what="Redis answers")
