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
    """A test that is not run on an emulator."""

    test: str
    # What the emulator does.
    reason: str
    # Where AWS says otherwise; none where it is only too slow.
    link: str | None


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
        for skip in self.skips:
            if f"{skip.test}: test\n" not in listed.stdout:
                sys.exit(f"There is no test {skip.test} that could be skipped: see {__file__}")
            print(f"SKIPPED {skip.test}: {skip.reason}{f' ({skip.link})' if skip.link else ''}", flush=True)
        return ["--", "--exact", *(argument for skip in self.skips for argument in ("--skip", skip.test))]

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


COUNTING_TESTS = [
    "reports::each_end_of_a_delivery_is_counted",
    "reports::a_resend_counts_in_the_hour_when_it_is_sent",
    "reports::a_success_is_the_first_attempts_whatever_a_resend_did",
    "reports::a_claim_that_is_given_back_is_no_attempt",
    "reports::what_changes_nothing_is_not_counted",
    "reports::counts_of_another_tenant_are_not_read",
    "reports::deliveries_are_counted_by_their_subscription_and_event_name",
    "reports::mixed_steps_are_counted_as_the_history_says",
    "faults::reports::a_crash_between_any_two_calls_of_a_run_counts_each_change_once",
    "faults::reports::a_transaction_whose_response_was_lost_is_counted_once",
    "faults::reports::of_two_runs_that_read_the_same_one_counts",
    "faults::reports::a_run_that_dies_between_its_transactions_is_continued_where_it_came_to",
    "faults::reports::an_event_that_was_not_accepted_after_all_is_not_counted",
]


def without_streams(reason):
    """Skips of the tests that count what is in the stream of a table."""
    link = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html"
    return [Skip(test, reason, link) for test in COUNTING_TESTS]


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
