"""The function for resends, as the operator's commands of this folder invoke it."""

import json
import time

import boto3

# As many as one invocation takes.
ITEMS_PER_INVOCATION = 100
# The seconds between the tries of an invocation.
PAUSES = [1, 5, 20, 60]


def outputs_of(stack):
    """The outputs of a stack, by their names."""
    outputs = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def batches(items):
    """The items in lists of as many as one invocation takes."""
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == ITEMS_PER_INVOCATION:
            yield batch
            batch = []
    if batch:
        yield batch


class FunctionFailed(SystemExit):
    """The function failed each time. It ends a command that does not expect it, with its sentence."""


def invoke(outputs, command, pauses=PAUSES):
    """What the function of a stack with these outputs answers to a command. A failed invocation is made again."""
    functions, payload = boto3.client("lambda"), json.dumps(command)
    for pause in [*pauses, None]:
        answer = functions.invoke(FunctionName=outputs["ResendFunctionName"], Payload=payload)
        result = json.load(answer["Payload"])
        if "FunctionError" not in answer:
            return result
        if pause is None:
            raise FunctionFailed(f"the function failed: {result.get('errorMessage', result)}")
        time.sleep(pause)
