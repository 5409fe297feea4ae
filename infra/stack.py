"""What `make stack`, `make stack-down` and `make test-aws` do.

`up` builds the functions, starts an emulator of AWS and deploys the template to it; `down` ends the emulator. `run`
runs a command that finds the emulator in its environment, and starts one for just as long where none runs.

Where AWS_ENDPOINT_URL is set, that endpoint serves in the emulator's place and is neither started nor stopped here.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import boto3

HERE = Path(__file__).resolve().parent.parent
STATE = HERE / "target" / "stack"
PID = STATE / "emulator.pid"
LOG = STATE / "emulator.log"
SCRATCH = STATE / "tmp"
ENVIRONMENT = "local"
FUNCTIONS = ["intake", "delivery", "history", "resend", "subscriptions"]
PORT = int(os.environ.get("LOANHOOK_STACK_PORT", "4566"))
READY_WITHIN = 60  # seconds

TOOLS = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"}


def main():
    match sys.argv[1:]:
        case ["up"]:
            up()
        case ["down"]:
            down()
        case ["run", *command] if command:
            run_beside(command)
        case _:
            sys.exit(f"usage: {sys.argv[0]} up|down|run COMMAND…")


def up():
    build()
    theirs = os.environ.get("AWS_ENDPOINT_URL")
    endpoint = theirs or start_emulator()
    settings = deployment()
    access = access_to(endpoint, settings)
    os.environ.update(access)
    run(["sam", "deploy", "--config-env", ENVIRONMENT], {**TOOLS, **access})
    if not theirs:
        mend_concurrency()
    report(settings)


def access_to(endpoint, settings):
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        "AWS_DEFAULT_REGION": settings["region"],
        "AWS_REGION": settings["region"],
    }


def run_beside(command):
    theirs = os.environ.get("AWS_ENDPOINT_URL")
    stays = theirs or running()
    try:
        run(command, {**os.environ, **access_to(theirs or start_emulator(), deployment())})
    finally:
        if not stays:
            stop_emulator()


def build():
    packages = [argument for function in FUNCTIONS for argument in ("--package", function)]
    # Cargo itself is the compiler: the functions run on this machine, so there is no older libc to link for.
    run(
        ["cargo", "lambda", "build", "--profile", "stack", "--compiler", "cargo", "--locked"]
        + ["--lambda-dir", str(HERE / "target" / "lambda")]
        + packages,
        TOOLS,
    )


def start_emulator():
    endpoint = f"http://127.0.0.1:{PORT}"
    if running():
        print(f"The emulator runs already; its log is {LOG}")
        return endpoint
    if answers(endpoint):
        sys.exit(f"Something else listens on port {PORT}: set LOANHOOK_STACK_PORT to a free one")
    SCRATCH.mkdir(parents=True, exist_ok=True)
    # The emulator hands its environment on to the functions, so it gets no more than they may see.
    environment = {
        "PATH": TOOLS["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "TMPDIR": str(SCRATCH),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(PORT),
        "AWS_ENDPOINT_URL": endpoint,
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "INFO",
    }
    with LOG.open("wb") as log:
        emulator = subprocess.Popen(
            ["ministack"], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    PID.write_text(str(emulator.pid))
    deadline = time.monotonic() + READY_WITHIN
    while not answers(endpoint):
        if emulator.poll() is not None or time.monotonic() > deadline:
            stop_emulator()
            sys.exit(f"The emulator did not start:\n{LOG.read_text()}")
        time.sleep(0.1)
    return endpoint


def answers(endpoint):
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/ready", timeout=5) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as error:
        # Starting, or something else.
        return error.code != 503
    except OSError:
        return False


def mend_concurrency():
    """The emulator keeps a number that came from a parameter as text, and then cannot compare it."""
    functions = boto3.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        limit = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": limit})


def report(settings):
    stacks = boto3.client("cloudformation").describe_stacks(StackName=settings["stack_name"])["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    url, key = outputs["ApiUrl"].rstrip("/"), settings["parameters"]["AdminKey"]
    host, port = re.match(r"https?://([^:/]+):?(\d*)", url).groups()
    # Not every resolver knows that *.localhost is this machine; curl is told.
    resolve = f" --resolve {host}:{port or 80}:127.0.0.1" if host.endswith(".localhost") else ""
    for name, value in sorted(outputs.items()):
        print(f"{name}: {value}")
    print(f"\nLOANHOOK_URL={url}")
    print(f"LOANHOOK_KEY={key}\n")
    print(f"curl{resolve} -H 'Authorization: Bearer {key}' {url}/v1/event-types")


def deployment():
    """What samconfig.toml says of the local deployment, its parameters by name."""
    with (HERE / "samconfig.toml").open("rb") as file:
        settings = tomllib.load(file)[ENVIRONMENT]["deploy"]["parameters"]
    pairs = (override.split("=", 1) for override in settings["parameter_overrides"])
    return {**settings, "parameters": dict(pairs)}


def down():
    if os.environ.get("AWS_ENDPOINT_URL"):
        settings = deployment()
        run(["sam", "delete", "--config-env", ENVIRONMENT, "--stack-name", settings["stack_name"], "--no-prompts"]
            + ["--region", settings["region"]], TOOLS)
    elif not stop_emulator():
        print("No emulator of this folder runs")


def running():
    """The process that was started here, if it is still that one."""
    try:
        pid = int(PID.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"ministack" in command else None


def stop_emulator():
    pid = running()
    if pid:
        # Its group is its own and that of the functions' processes.
        os.killpg(pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while running() and time.monotonic() < deadline:
            time.sleep(0.1)
        if running():
            os.killpg(pid, signal.SIGKILL)
    PID.unlink(missing_ok=True)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    return pid


def run(command, environment):
    status = subprocess.run(command, env=environment, cwd=HERE, check=False).returncode
    if status:
        sys.exit(f"`{' '.join(command[:3])}` failed with status {status}")


if __name__ == "__main__":
    main()
