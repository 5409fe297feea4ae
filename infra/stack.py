"""Commands behind `make stack`, `make stack-down` and the part of `make test` that needs AWS.

`up` builds the functions, starts an emulator of AWS and deploys the template to it; `down` ends the emulator.
`journeys` deploys, and runs the journeys and the browser tests of `tests/` against that. `run` runs a command whose
environment names AWS. Each of the two has an emulator of its own, which ends with it, whatever happens. `other-emulators`
runs a test command of Cargo on the first group of other emulators, with LOANHOOK_EVERY_EMULATOR=1 on each.

Where AWS_ENDPOINT_URL is set, that endpoint is used instead of an emulator, and is neither started nor stopped here.
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

import emulator_workarounds
import other_emulators
from emulator import Emulator, free_port

ROOT = Path(__file__).resolve().parent.parent
STATE_FOLDER = ROOT / "target" / "local-stack"
FUNCTION_ENVIRONMENT_FILE = STATE_FOLDER / "functions.env"
SAM_ENVIRONMENT = "local"
# Its hash is what samconfig.toml deploys; the events in `events/` have it too. It is no secret.
LOCAL_KEY = "lh_local_stack_admin_key"
FUNCTIONS = ["intake", "delivery", "history", "resend", "subscriptions", "sweep", "reports"]
EXTERNAL_ENDPOINT = os.environ.get("AWS_ENDPOINT_URL")
LOCAL_EMULATOR = Emulator(STATE_FOLDER, int(os.environ.get("LOANHOOK_STACK_PORT", "4566")))

# Variables that name AWS to a program.
AWS_VARIABLES = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]

JOURNEYS = ["cargo", "test", "--locked", "--workspace", "--test", "journeys", "--"]
# This one kills the function that all others wait for, so it runs alone.
KILLED_FUNCTION_JOURNEY = [*JOURNEYS, "--ignored", "aws::killed_function::"]
# A rotation has the table for itself.
DATA_KEY_JOURNEY = [*JOURNEYS, "--ignored", "aws::data_key_rotation::"]
# People sign in at a provider only in this one: other journeys look at pages that offer none.
PROVIDER_JOURNEY = [*JOURNEYS, "--ignored", "aws::provider_sign_in::"]
# The functions of an emulator share this machine with the tests.
ALL_JOURNEYS = [*JOURNEYS, "--test-threads", "8"]
BROWSER_TESTS = ["cargo", "test", "--locked", "--workspace", "--test", "browser", "--", "--test-threads", "2"]


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
        case ["other-emulators", *command] if command:
            run_on_other_emulators(command)
        case _:
            sys.exit(f"usage: {sys.argv[0]} up|down|journeys|run COMMAND…|other-emulators COMMAND…")


def up():
    build()
    if not EXTERNAL_ENDPOINT:
        LOCAL_EMULATOR.start()
    use(EXTERNAL_ENDPOINT or LOCAL_EMULATOR.endpoint)
    outputs = deploy()
    write_function_environment()
    report(outputs)


def down():
    if EXTERNAL_ENDPOINT:
        use(EXTERNAL_ENDPOINT)
        settings = deployment()
        run(["sam", "delete", "--config-env", SAM_ENVIRONMENT, "--stack-name", settings["stack_name"], "--no-prompts"]
            + ["--region", settings["region"]])
    elif not LOCAL_EMULATOR.stop():
        print("No emulator of this folder runs")


def journeys():
    build()
    with aws("journeys") as emulated:
        outputs = deploy()
        os.environ["LOANHOOK_TEST_URL"] = outputs["ApiUrl"].rstrip("/")
        os.environ["LOANHOOK_TEST_KEY"] = LOCAL_KEY
        os.environ["LOANHOOK_TEST_FUNCTIONS"] = ",".join(f"{name}={of}" for name, of in deployed_functions().items())
        os.environ["LOANHOOK_TEST_STACK"] = deployment()["stack_name"]
        if emulated:
            os.environ["LOANHOOK_TEST_EMULATOR"] = "ministack"
        # Its first run says since when is counted.
        begun = boto3.client("lambda").invoke(FunctionName=deployed_functions()["reports"])
        if "FunctionError" in begun:
            sys.exit(f"the function of reports failed: {begun['Payload'].read().decode()}")
        # First, as it reads the whole table several times.
        if emulated:
            set_variables("resend", {"LOANHOOK_FORMER_KEY_SECONDS": "5"})
        run(DATA_KEY_JOURNEY)
        run(ALL_JOURNEYS)
        run(BROWSER_TESTS)
        if emulated:
            os.environ["LOANHOOK_TEST_PROVIDER_PORT"] = str(port := free_port())
            for function in ["history", "subscriptions"]:
                set_variables(function, provider_variables(port))
            run(PROVIDER_JOURNEY)
            # The messages that the killed function had received come back soon, not after 6 minutes.
            set_visibility_timeout(outputs["QueueUrl"], "5")
            set_visibility_timeout(outputs["SlowQueueUrl"], "5")
            run(KILLED_FUNCTION_JOURNEY)


def run_on_other_emulators(command):
    """Runs a test command of Cargo on other emulators, without the tests that are skipped there."""
    if EXTERNAL_ENDPOINT:
        print("Other emulators are SKIPPED: AWS_ENDPOINT_URL names what is tested on")
        return
    groups = other_emulators.GROUPS if os.environ.get("LOANHOOK_EVERY_EMULATOR") else other_emulators.GROUPS[:1]
    for number, group in enumerate(groups):
        print(f"\n{group.name}", flush=True)
        if missing := group.dynamodb.missing():
            print(f"SKIPPED: {missing}", file=sys.stderr)
            if os.environ.get("CI"):
                sys.exit(1)
            continue
        arguments = group.skip_arguments(command)
        with group.running(STATE_FOLDER / f"other-emulators-{number}") as (dynamodb, s3_and_sqs):
            use(s3_and_sqs)
            os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = dynamodb
            run([*command, *arguments])


@contextlib.contextmanager
def aws(purpose):
    """Makes the environment name AWS: the external endpoint, or an emulator that runs meanwhile (then yields True)."""
    if EXTERNAL_ENDPOINT:
        use(EXTERNAL_ENDPOINT)
        yield False
        return
    emulator = Emulator(STATE_FOLDER / purpose, free_port())
    emulator.stop()
    try:
        emulator.start()
        use(emulator.endpoint)
        yield True
    finally:
        emulator.stop()


def use(endpoint):
    """Makes boto3, and all that is started from here on, use this endpoint."""
    region = deployment()["region"]
    os.environ.update(AWS_ENDPOINT_URL=endpoint, AWS_DEFAULT_REGION=region, AWS_REGION=region)
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")


def build():
    """Builds the functions for the emulator, each as `target/lambda/NAME/bootstrap`."""
    # A test is named, so that all is built with the features that `cargo test` builds it with, and so once. Cargo itself is
    # the compiler: the functions run on this machine, so there is no older libc to link for.
    run(["cargo", "build", "--locked", "--workspace", "--bins", "--test", "journeys"])
    built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
    for function in FUNCTIONS:
        bootstrap = ROOT / "target" / "lambda" / function / "bootstrap"
        bootstrap.parent.mkdir(parents=True, exist_ok=True)
        # Small enough to upload.
        run(["strip", "--strip-all", "-o", str(bootstrap), str(built / function)])


def deploy():
    """Deploys the template, and returns its outputs."""
    run(["sam", "deploy", "--config-env", SAM_ENVIRONMENT, "--no-progressbar"])
    stacks = boto3.client("cloudformation").describe_stacks(StackName=deployment()["stack_name"])["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    if not EXTERNAL_ENDPOINT:
        emulator_workarounds.apply()
    return outputs


def set_visibility_timeout(queue, seconds):
    boto3.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": seconds})


def provider_variables(port):
    """The variables of functions whose people sign in at an OpenID provider on this machine, where loanhook is a public client."""
    scopes = "history:read,webhooks:resend,subscriptions:write"
    return {
        "LOANHOOK_OIDC_ISSUER": f"http://localhost:{port}",
        "LOANHOOK_OIDC_CLIENT_ID": "loanhook",
        "LOANHOOK_OIDC_GRANTS": f"groups=servicing acme {scopes}\ngroups=readers acme history:read",
    }


def set_variables(function, values):
    """Sets variables in the environment of a deployed function, whose invocations are short here."""
    functions, of = boto3.client("lambda"), deployed_functions()[function]
    variables = functions.get_function_configuration(FunctionName=of)["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName=of, Environment={"Variables": {**variables, **values}})
    functions.get_waiter("function_updated_v2").wait(FunctionName=of)


def deployed_functions():
    """The physical names of the deployed functions, by the names they have here."""
    resources = boto3.client("cloudformation").describe_stack_resources(StackName=deployment()["stack_name"])
    called = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources["StackResources"]}
    return {name: called[f"{name.capitalize()}Function"] for name in FUNCTIONS}


def write_function_environment():
    """Writes the environment of the functions to a file, for a function that is run by hand beside the stack."""
    client = boto3.client("lambda")
    variables = {}
    for name in deployed_functions().values():
        variables.update(client.get_function_configuration(FunctionName=name)["Environment"]["Variables"])
    variables.update((name, os.environ[name]) for name in AWS_VARIABLES if name in os.environ)
    FUNCTION_ENVIRONMENT_FILE.parent.mkdir(parents=True, exist_ok=True)
    lines = (f"{name}={value}\n" for name, value in sorted(variables.items()) if value)
    FUNCTION_ENVIRONMENT_FILE.write_text("".join(lines))


def report(outputs):
    url, key = outputs["ApiUrl"].rstrip("/"), LOCAL_KEY
    host, port = re.match(r"https?://([^:/]+):?(\d*)", url).groups()
    # Not every resolver knows that *.localhost is this machine, so curl gets the address.
    resolve = f" --resolve {host}:{port or 80}:127.0.0.1" if host.endswith(".localhost") else ""
    for name, value in sorted(outputs.items()):
        print(f"{name}: {value}")
    print(f"\nLOANHOOK_URL={url}")
    print(f"LOANHOOK_KEY={key}\n")
    print(f"curl{resolve} -H 'Authorization: Bearer {key}' {url}/v1/event-types")


def deployment():
    """The settings of the local deployment in samconfig.toml."""
    with (ROOT / "samconfig.toml").open("rb") as file:
        return tomllib.load(file)[SAM_ENVIRONMENT]["deploy"]["parameters"]


def run(command):
    """Runs a tool, and ends it and all that it started if this is interrupted."""
    tools = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"}
    process = subprocess.Popen(command, env={**os.environ, **tools}, cwd=ROOT, process_group=0)
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
