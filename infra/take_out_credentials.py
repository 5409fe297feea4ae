#!/usr/bin/env python3
"""Takes the credentials out of deliveries that an earlier version of loanhook stored in a table on AWS.

Such a delivery loses them when an attempt of it is made, or a resend; this is for the rest. Run it when the stack is updated
and no function of the earlier version runs any more. It reads the keys of the table (a scan: half a read unit for each 4 KiB of
it) with the caller's own permissions, and invokes the function for resends, which decides what a credential is and writes. It
can be stopped and begun again, from the start or after the key that it printed last: what is done is not done twice. Deliveries
that cannot be read or written are listed, and the exit code is 1 then.

    take_out_credentials.py STACK [KEY]    # the stack's name in CloudFormation; region and credentials as for the AWS CLI
"""

import json
import sys
import time

import boto3

# As many as one invocation takes.
DELIVERIES_PER_INVOCATION = 100
DELIVERY_PREFIX = "T#"
DELIVERY_SORT_KEY = "-"
# How the stored form begins of a delivery that this version wrote, where it is not compressed.
WITHOUT_CREDENTIALS = '{"v":2,'
# The seconds between the tries of an invocation.
PAUSES = [1, 5, 20, 60]


def main(stack, after=None):
    outputs = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    functions = boto3.client("lambda")
    checked, taken_out, failed = 0, 0, 0
    for batch in batches(deliveries(outputs["TableName"], after)):
        entries = [entry_of(key) for key in batch]
        result = take_out(functions, outputs["ResendFunctionName"], entries)
        checked += len(batch)
        taken_out += result["takenOut"]
        failed += len(result["failed"])
        for one in result["failed"]:
            print(f"failed: {one['tenant']} {one['traceId']}: {one['error']}", flush=True)
        print(f"{checked} checked, credentials taken out of {taken_out}, {failed} failed, up to {batch[-1]}", flush=True)
    sys.exit(1 if failed else 0)


def deliveries(table, after):
    """The keys of deliveries that may hold credentials, from after this one on."""
    start = {"ExclusiveStartKey": {"pk": {"S": after}, "sk": {"S": DELIVERY_SORT_KEY}}} if after else {}
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(
        TableName=table,
        ProjectionExpression="pk",
        FilterExpression="begins_with(pk, :prefix) AND sk = :delivery AND NOT begins_with(#doc, :without)",
        ExpressionAttributeNames={"#doc": "doc"},
        ExpressionAttributeValues={
            ":prefix": {"S": DELIVERY_PREFIX},
            ":delivery": {"S": DELIVERY_SORT_KEY},
            ":without": {"S": WITHOUT_CREDENTIALS},
        },
        **start,
    )
    for page in pages:
        for item in page["Items"]:
            yield item["pk"]["S"]


def entry_of(key):
    """A delivery by tenant and trace ID, as the function takes it."""
    _, tenant, trace = key.split("#")
    return {"tenant": tenant, "traceId": trace}


def batches(keys):
    """The keys in lists of as many as one invocation takes."""
    batch = []
    for key in keys:
        batch.append(key)
        if len(batch) == DELIVERIES_PER_INVOCATION:
            yield batch
            batch = []
    if batch:
        yield batch


def take_out(functions, function, entries):
    """What the function did with some deliveries. A failed invocation is made again."""
    payload = json.dumps({"takeOutCredentials": entries})
    for pause in [*PAUSES, None]:
        answer = functions.invoke(FunctionName=function, Payload=payload)
        result = json.load(answer["Payload"])
        if "FunctionError" not in answer:
            return result
        if pause is None:
            sys.exit(f"the function failed: {result.get('errorMessage', result)}")
        time.sleep(pause)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
