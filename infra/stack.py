"""What `make stack`, `make stack-down` and the part of `make test` that needs AWS do.

`up` builds the functions, starts an emulator of AWS and deploys the template to it; `down` ends the emulator.
`journeys` runs the journeys and the browser tests of `tests/` against what it deploys, and `run` a command that finds
AWS in its environment, each on an emulator of its own that ends with it, whatever happens.

Where AWS_ENDPOINT_URL is set, that endpoint serves in the emulator's place and is neither started nor stopped here.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import boto3

from emulator import Emulator, free_port
from emulator_workarounds import mend

HERE = Path(__file__).resolve().parent.parent
STATE = HERE / "target" / "local-stack"
SETTINGS = STATE / "functions.env"
ENVIRONMENT = "local"
FUNCTIONS = ["intake", "delivery", "history", "resend", "subscriptions"]
THEIRS = os.environ.get("AWS_ENDPOINT_URL")
STAYING = Emulator(STATE, int(os.environ.get("LOANHOOK_STACK_PORT", "4566")))

# What names AWS to a program.
AWS = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]

JOURNEYS = ["cargo", "test", "--locked", "--workspace", "--test", "journeys", "--"]
# One of the journeys kills the function that all others wait for.
ALONE = [*JOURNEYS, "--ignored", "aws::killed_function::"]
# An emulator's functions share this machine with the test.
TOGETHER = [*JOURNEYS, "--test-threads", "8"]
BROWSER = ["cargo", "test", "--locked", "--workspace", "--test", "browser", "--", "--test-threads", "2"]


def main():
    for ending in [signal.SIGINT, signal.SIGTERM]:
        signal.signal(ending, lambda number, _: sys.exit(f"Ended by {signal.Signals(number).name}"))
    match sys.argv[1:]:
        case ["up"]:
            up()
        case ["down"]:
            down()
        case ["journeys"]:
            journeys()
        case ["run", *command] if command:
            with aws("run"):
                run(command)
        case _:
            sys.exit(f"usage: {sys.argv[0]} up|down|journeys|run COMMAND…")


def up():
    build()
    if not THEIRS:
        STAYING.start()
    use(THEIRS or STAYING.endpoint)
    outputs = deploy()
    write_settings()
    report(outputs)


def down():
    if THEIRS:
        use(THEIRS)
        settings = deployment()
        run(["sam", "delete", "--config-env", ENVIRONMENT, "--stack-name", settings["stack_name"], "--no-prompts"]
            + ["--region", settings["region"]])
    elif not STAYING.stop():
        print("No emulator of this folder runs")


def journeys():
    build()
    with aws("journeys") as emulated:
        outputs = deploy()
        os.environ["LOANHOOK_TEST_URL"] = outputs["ApiUrl"].rstrip("/")
        os.environ["LOANHOOK_TEST_KEY"] = deployment()["parameters"]["AdminKey"]
        os.environ["LOANHOOK_TEST_FUNCTIONS"] = ",".join(f"{name}={of}" for name, of in deployed_functions().items())
        if emulated:
            os.environ["LOANHOOK_TEST_EMULATOR"] = "ministack"
        run(TOGETHER)
        run(BROWSER)
        if emulated:
            # A function is killed: what it had taken comes back soon, not after its 6 minutes.
            hide_messages_for(outputs["QueueUrl"], "5")
            run(ALONE)


@contextlib.contextmanager
def aws(purpose):
    """The environment names AWS: theirs, or an emulator for as long as this takes, of which it then tells."""
    if THEIRS:
        use(THEIRS)
        yield False
        return
    emulator = Emulator(STATE / purpose, free_port())
    emulator.stop()
    try:
        emulator.start()
        use(emulator.endpoint)
        yield True
    finally:
        emulator.stop()


def use(endpoint):
    """Whatever is started from here on, and boto3, speaks to this endpoint."""
    region = deployment()["region"]
    os.environ.update(AWS_ENDPOINT_URL=endpoint, AWS_DEFAULT_REGION=region, AWS_REGION=region)
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")


def build():
    packages = [argument for function in FUNCTIONS for argument in ("--package", f"loanhook-{function}-function")]
    # Cargo itself is the compiler: the functions run on this machine, so there is no older libc to link for.
    run(
        ["cargo", "lambda", "build", "--profile", "stack", "--compiler", "cargo", "--locked"]
        + ["--lambda-dir", str(HERE / "target" / "lambda")]
        + packages
    )


def deploy():
    """Deploys the template, and gives what it puts out."""
    run(["sam", "deploy", "--config-env", ENVIRONMENT, "--no-progressbar"])
    stacks = boto3.client("cloudformation").describe_stacks(StackName=deployment()["stack_name"])["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    if not THEIRS:
        mend(outputs["BucketName"])
    return outputs


def hide_messages_for(queue, seconds):
    boto3.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": seconds})


def deployed_functions():
    """What the functions are called where they are deployed, by the names they have here."""
    resources = boto3.client("cloudformation").describe_stack_resources(StackName=deployment()["stack_name"])
    called = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources["StackResources"]}
    return {name: called[f"{name.capitalize()}Function"] for name in FUNCTIONS}


def write_settings():
    """What the functions are told, for one that is run by hand beside what is deployed."""
    client = boto3.client("lambda")
    told = {}
    for name in deployed_functions().values():
        told.update(client.get_function_configuration(FunctionName=name)["Environment"]["Variables"])
    told.update((name, os.environ[name]) for name in AWS if name in os.environ)
    SETTINGS.parent.mkdir(parents=True, exist_ok=True)
    SETTINGS.write_text("".join(f"{name}={value}\n" for name, value in sorted(told.items()) if value))


def report(outputs):
    url, key = outputs["ApiUrl"].rstrip("/"), deployment()["parameters"]["AdminKey"]
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


def run(command):
    """Runs a tool, and ends all that it started where this is ended."""
    tools = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"}
    process = subprocess.Popen(command, env={**os.environ, **tools}, cwd=HERE, process_group=0)
    try:
        status = process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise
    if status:
        sys.exit(f"`{' '.join(command[:3])}` failed with status {status}")


if __name__ == "__main__":
    main()
