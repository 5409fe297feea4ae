"""Other emulators of AWS, which nobody here wrote: dynalite and moto. What one emulator lets pass, another may refuse, so
the contract of the engine for AWS runs on each group of these (`stack.py other-emulators`).

A test that an emulator cannot pass is skipped there, with what it does and where AWS says that it should do otherwise.
"""

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from emulator import Emulator, free_port

HERE = Path(__file__).resolve().parent
DYNALITE = HERE.parent / "tests" / "node_modules" / "dynalite" / "cli.js"
DYNALITE_NODE_VERSION = 20


class Moto(Emulator):
    """moto: DynamoDB, S3, SQS and KMS in Python."""

    program = "moto_server.py"
    ready_path = "/moto-api/"

    def command(self):
        return [sys.executable, str(HERE / self.program), str(self.port)]

    def settings(self):
        return {}

    @staticmethod
    def missing():
        return None


class Dynalite(Emulator):
    """dynalite: DynamoDB in JavaScript, behind a proxy that adds transactions."""

    program = "dynalite_proxy.py"
    ready_path = "/"

    def command(self):
        return [sys.executable, str(HERE / self.program), str(self.port), str(free_port()), str(DYNALITE)]

    def settings(self):
        return {}

    @staticmethod
    def missing():
        """Why it cannot run here."""
        if not DYNALITE.exists():
            return "dynalite is not installed: run tests/npm.sh"
        if not shutil.which("node"):
            return "dynalite needs Node.js"
        version = subprocess.check_output(["node", "--version"], text=True).strip()
        if int(version.lstrip("v").split(".")[0]) < DYNALITE_NODE_VERSION:
            return f"dynalite needs Node.js {DYNALITE_NODE_VERSION}, here is {version}"
        return None


class Skip(NamedTuple):
    """A test that is not run on an emulator, or all tests of a module."""

    # The name of the test; of a module it ends with `::`.
    test: str
    # What the emulator does.
    reason: str
    # Where AWS says otherwise; none where it is only too slow.
    link: str | None

    def names(self, test):
        """Whether a test is among those that are not run."""
        return test.startswith(self.test) if self.test.endswith("::") else test == self.test


class Group(NamedTuple):
    """Emulators that together are the four services: one of DynamoDB, and moto for S3, SQS and KMS."""

    name: str
    dynamodb: type
    skips: list

    def skip_arguments(self, command):
        """The arguments that keep a test command of Cargo from the tests that are skipped; says which they are, and why."""
        if not self.skips:
            return []
        listed = subprocess.run([*command, "--", "--list"], cwd=HERE.parent, check=True, text=True, stdout=subprocess.PIPE)
        tests = [line.removesuffix(": test") for line in listed.stdout.splitlines() if line.endswith(": test")]
        arguments = ["--", "--exact"]
        for skip in self.skips:
            skipped = [test for test in tests if skip.names(test)]
            if not skipped:
                sys.exit(f"There is no test {skip.test} that could be skipped: see {__file__}")
            for test in skipped:
                print(f"SKIPPED {test}: {skip.reason}{f' ({skip.link})' if skip.link else ''}", flush=True)
                arguments += ["--skip", test]
        return arguments

    @contextlib.contextmanager
    def running(self, folder):
        """Runs the emulators; yields the endpoint of DynamoDB and that of the others."""
        # Each is a process of its own, also where both are moto: one would have to answer for two.
        emulators = [self.dynamodb(folder / "dynamodb", free_port()), Moto(folder / "s3-and-sqs", free_port())]
        with contextlib.ExitStack() as stack:
            for emulator in emulators:
                emulator.stop()
                stack.callback(emulator.stop)
                emulator.start()
            yield [emulator.endpoint for emulator in emulators]


# The tests that read the stream of a table: reports and operational events. Each other one fails where there is no stream.
STREAM_TESTS = [
    "reports::",
    "operational_events::",
    "operational_facts::",
    "operational_silence::",
    "operational_certificates::",
    "operational::",
    "faults::reports::",
    "faults::operational::",
    "faults::job_messages::the_sweep_and_the_counting_say_how_far_jobs_have_come",
]


def without_streams(reason):
    link = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html"
    return [Skip(test, reason, link) for test in STREAM_TESTS]


# The first runs in `make test-aws`. The others take too long for that: moto's DynamoDB copies a table for each transaction.
GROUPS = [
    Group("DynamoDB of dynalite, S3, SQS and KMS of moto", Dynalite, without_streams("dynalite has no streams")),
    Group(
        "DynamoDB, S3, SQS and KMS of moto",
        Moto,
        [
            *without_streams("tables of tests have no stream where DynamoDB is another emulator than S3, as dynalite has none"),
            Skip(
                "faults::lost_responses::a_resend_goes_on_after_a_lost_response_of_each_call",
                "moto does a transaction again that is sent again with its token",
                "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"
                "#DDB-TransactWriteItems-request-ClientRequestToken",
            ),
            Skip(
                "faults::setting_changes::a_change_whose_response_was_lost_is_made_once",
                "moto does a transaction again that is sent again with its token",
                "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"
                "#DDB-TransactWriteItems-request-ClientRequestToken",
            ),
            Skip(
                "rising_edges::all_triggers_that_a_tenant_may_have_can_fire_at_one_event",
                "moto copies the whole table at each transaction, and 200 subscriptions take it a minute",
                None,
            ),
        ],
    ),
]
