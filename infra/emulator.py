"""An emulator of AWS on this machine: it is started, asked whether it is there, and ended with all that it began."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

READY_WITHIN = 60  # seconds
ENDS_WITHIN = 10  # seconds


class Emulator:
    """The one that keeps its process ID, its log and its functions' code in `folder`."""

    def __init__(self, folder, port):
        self.folder = folder
        self.log = folder / "emulator.log"
        self.pid = folder / "emulator.pid"
        self.scratch = folder / "tmp"
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"

    def start(self):
        if self.running():
            print(f"The emulator runs already; its log is {self.log}")
            return
        if self.answers():
            sys.exit(f"Something else listens on port {self.port}: set LOANHOOK_STACK_PORT to a free one")
        self.scratch.mkdir(parents=True, exist_ok=True)
        # It hands its environment on to the functions, so it gets no more than they may see.
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": os.environ.get("HOME", "/"),
            "TMPDIR": str(self.scratch),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "AWS_ENDPOINT_URL": self.endpoint,
            # Each call of a function is held against what its role allows.
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "INFO",
        }
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                ["ministack"], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.pid.write_text(str(process.pid))
        deadline = time.monotonic() + READY_WITHIN
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                sys.exit(f"The emulator did not start:\n{self.log.read_text()}")
            time.sleep(0.1)

    def answers(self):
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/ready", timeout=5) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            # Starting, or something else.
            return error.code != 503
        except OSError:
            return False

    def running(self):
        """The process that was started here, if it is still that one."""
        try:
            pid = int(self.pid.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if b"ministack" in command else None

    def stop(self):
        pid = self.running()
        if pid:
            # Its group is its own and that of the functions' processes.
            os.killpg(pid, signal.SIGTERM)
            deadline = time.monotonic() + ENDS_WITHIN
            while self.running() and time.monotonic() < deadline:
                time.sleep(0.1)
            if self.running():
                os.killpg(pid, signal.SIGKILL)
        self.pid.unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
        return pid


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
