#!/usr/bin/env python3
"""Takes the credentials out of deliveries that an earlier version of loanhook stored in a table on AWS.

Such a delivery loses them when an attempt of it is made, or a resend; this is for the rest. Run it when the stack is updated
and no function of the earlier version runs any more. It reads the keys of the table (a scan: half a read unit for each 4 KiB of
it) with the caller's own permissions, and invokes the function for resends, which decides what a credential is and writes. It
can be stopped and begun again, from the start or after the key that it printed last: what is done is not done twice. Deliveries
that cannot be read or written are listed, and the exit code is 1 then.

    take_out_credentials.py STACK [KEY]    # the stack's name in CloudFormation; region and credentials as for the AWS CLI
"""

import sys

import boto3

from resend_function import batches, invoke, outputs_of

DELIVERY_PREFIX = "T#"
DELIVERY_SORT_KEY = "-"
# How the stored form begins of a delivery that this version wrote, where it is not compressed.
WITHOUT_CREDENTIALS = '{"v":2,'


def main(stack, after=None):
    outputs = outputs_of(stack)
    checked, taken_out, failed = 0, 0, 0
    for batch in batches(deliveries(outputs["TableName"], after)):
        result = invoke(outputs, {"takeOutCredentials": [entry_of(key) for key in batch]})
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


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
