#!/usr/bin/env python3
"""Takes the credentials out of deliveries that an earlier version of loanhook stored in a table on AWS.

Such a delivery loses them when an attempt of it is made, or a resend; this is for the rest. It reads the keys of the table
(a scan: half a read unit for each 4 KiB of it) with the caller's own permissions, and invokes the function for resends,
which decides what a credential is and writes. It can be stopped and begun again: what is done is not done twice.

    take_out_credentials.py STACK     # the stack's name in CloudFormation; region and credentials as for the AWS CLI
"""

import json
import sys

import boto3

# As many as one invocation takes.
DELIVERIES_PER_INVOCATION = 100
DELIVERY_PREFIX = "T#"


def main(stack):
    outputs = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    functions = boto3.client("lambda")
    checked = taken_out = 0
    for batch in batches(deliveries(outputs["TableName"])):
        taken_out += take_out(functions, outputs["ResendFunctionName"], batch)
        checked += len(batch)
        print(f"{checked} deliveries checked, credentials taken out of {taken_out}", flush=True)


def deliveries(table):
    """The deliveries of a table, each by tenant and trace ID."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(
        TableName=table,
        ProjectionExpression="pk",
        FilterExpression="begins_with(pk, :prefix) AND sk = :delivery",
        ExpressionAttributeValues={":prefix": {"S": DELIVERY_PREFIX}, ":delivery": {"S": "-"}},
    )
    for page in pages:
        for item in page["Items"]:
            _, tenant, trace = item["pk"]["S"].split("#")
            yield {"tenant": tenant, "traceId": trace}


def batches(entries):
    """The entries in lists of as many as one invocation takes."""
    batch = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == DELIVERIES_PER_INVOCATION:
            yield batch
            batch = []
    if batch:
        yield batch


def take_out(functions, function, batch):
    """Of how many deliveries of a batch credentials were taken out."""
    payload = json.dumps({"takeOutCredentials": batch})
    answer = functions.invoke(FunctionName=function, Payload=payload)
    result = json.load(answer["Payload"])
    if "FunctionError" in answer:
        sys.exit(f"the function failed; begin again: {result.get('errorMessage', result)}")
    return result["takenOut"]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
