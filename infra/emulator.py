"""An emulator of AWS on this machine: its start, its readiness, and its end with all its processes. It is ministack; what
other emulators do otherwise is in `other_emulators.py`."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 10
# Its command line names ministack.
PROGRAM = Path(__file__).resolve().parent / "ministack_conditions.py"


class Emulator:
    """The emulator whose process ID, log and function code are in `folder`."""

    # What its process's command line contains.
    program = "ministack"
    ready_path = "/_ministack/ready"

    def __init__(self, folder, port):
        self.folder = folder
        self.log_file = folder / "emulator.log"
        self.pid_file = folder / "emulator.pid"
        self.temporary = folder / "tmp"
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"

    def start(self):
        if self.running():
            print(f"The emulator runs already; its log is {self.log_file}")
            return
        if self.answers():
            sys.exit(f"Something else listens on port {self.port}: set LOANHOOK_STACK_PORT to a free one")
        self.temporary.mkdir(parents=True, exist_ok=True)
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": os.environ.get("HOME", "/"),
            "TMPDIR": str(self.temporary),
            **self.settings(),
        }
        with self.log_file.open("wb") as log:
            process = subprocess.Popen(
                self.command(),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid_file.write_text(str(process.pid))
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                sys.exit(f"The emulator did not start:\n{self.log_file.read_text()}")
            time.sleep(0.1)

    def command(self):
        return [sys.executable, PROGRAM]

    def settings(self):
        """Variables of its environment. It passes its environment on to the functions, so it gets only what they may see."""
        return {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "AWS_ENDPOINT_URL": self.endpoint,
            # Each call of a function is checked against its role.
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "INFO",
        }

    def answers(self):
        try:
            with urllib.request.urlopen(f"{self.endpoint}{self.ready_path}", timeout=5) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            # Starting, or something else.
            return error.code != 503
        except OSError:
            return False

    def running(self):
        """The ID of the process that was started here, if it still runs."""
        try:
            pid = int(self.pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if self.program.encode() in command else None

    def stop(self):
        pid = self.running()
        if pid:
            # The processes of the functions are in its process group.
            os.killpg(pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
            while self.running() and time.monotonic() < deadline:
                time.sleep(0.1)
            if self.running():
                os.killpg(pid, signal.SIGKILL)
        self.pid_file.unlink(missing_ok=True)
        shutil.rmtree(self.temporary, ignore_errors=True)
        return pid


def free_port():
    """A port that nobody listens on, and that the system gives to nobody who asks for any port."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    sys.exit("no port is free")
