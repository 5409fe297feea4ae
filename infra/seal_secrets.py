#!/usr/bin/env python3
"""Seals the secrets in a table on AWS anew, and rotates the data key that seals them.

    seal_secrets.py STACK seal       # what an earlier version of loanhook stored in clear
    seal_secrets.py STACK rotate     # a new data key, everything sealed with it, the former key removed
    seal_secrets.py STACK reencrypt [TABLE]
                                     # the data key encrypted anew by the stack's key of KMS, see below

The stack is named as in CloudFormation; region and credentials are as for the AWS CLI. `seal` and `rotate` read the keys of the
table (a consistent scan: a read unit for each 4 KiB of it) with the caller's own permissions, and invoke the function for resends, which
opens, seals and writes. Run `seal` when the stack is updated and no function of the earlier version runs any more. Both can be
stopped and begun again: what is done is not done twice, and a rotation that was begun is gone on with. The scan is repeated until it
finds nothing to seal. Items that cannot be read or written are listed; the exit code is 1 then, and the former key stays.

A rotation waits for two minutes after the new key was made, as invocations that began before may still seal with the former one.
Backups of the table keep what was sealed with it, and the former key itself, as long as they are kept.

`reencrypt` is for a stack whose key of KMS was changed (KmsKeyArn), and for a table that was restored under another name: then TABLE
is the name that it had. KMS decrypts the data key and encrypts it, and it does not leave KMS; the caller needs kms:ReEncryptFrom of
the former key of KMS and kms:ReEncryptTo of the new one. Until it is done no secret can be opened: intake answers 503, and deliveries
wait.
"""

import sys
import time

import boto3

from resend_function import batches, invoke, outputs_of

# The items with secrets: subscriptions as they are, their versions, and the first part of a stored list.
SETTINGS_PREFIX = "S#"
CURRENT_PREFIX = "C#"
VERSION_PREFIX = "V#"
LIST_SUFFIX = "#list"
FIRST_PART = "00"
# The item with the data keys.
DATA_KEYS = {"pk": {"S": "Z#"}, "sk": {"S": "-"}}


def main(stack, command, table=None):
    outputs = outputs_of(stack)
    match command:
        case "seal":
            seal_all(outputs)
        case "rotate":
            rotate(outputs)
        case "reencrypt":
            reencrypt(outputs, table or outputs["TableName"])
        case _:
            sys.exit(__doc__)


def rotate(outputs):
    state = invoke(outputs, {"beginKeyRotation": {}})
    print(f"the data key {state['current']} seals; former: {', '.join(state['former']) or 'none'}", flush=True)
    if state["waitSeconds"]:
        print(f"the former one may still be in use: waiting for {state['waitSeconds']} seconds", flush=True)
        time.sleep(state["waitSeconds"])
    seal_all(outputs)
    state = invoke(outputs, {"endKeyRotation": {}})
    print(f"the data key {state['current']} is the only one", flush=True)


def seal_all(outputs):
    """Seals everything with the current data key, and looks again until nothing is left."""
    while True:
        sealed, failed = seal_once(outputs)
        if failed:
            sys.exit(1)
        if not sealed:
            return


def seal_once(outputs):
    checked, sealed, failed = 0, 0, 0
    for batch in batches(items_with_secrets(outputs["TableName"])):
        result = invoke(outputs, {"sealSecrets": batch})
        checked += len(batch)
        sealed += result["sealed"]
        failed += len(result["failed"])
        for one in result["failed"]:
            print(f"failed: {one['tenant']} {one['item']}: {one['error']}", flush=True)
    print(f"{checked} checked, {sealed} sealed, {failed} failed", flush=True)
    return sealed, failed


def items_with_secrets(table):
    """The items with secrets, as the function takes them: the stored lists last, as they are made of the others."""
    lists = []
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        ProjectionExpression="pk, sk",
        FilterExpression="begins_with(pk, :settings)",
        ExpressionAttributeValues={":settings": {"S": SETTINGS_PREFIX}},
    )
    for page in pages:
        for item in page["Items"]:
            partition, key = item["pk"]["S"].removeprefix(SETTINGS_PREFIX), item["sk"]["S"]
            if key.startswith((CURRENT_PREFIX, VERSION_PREFIX)):
                yield {"tenant": partition, "item": key}
            elif partition.endswith(LIST_SUFFIX) and key == FIRST_PART:
                lists.append({"tenant": partition.removesuffix(LIST_SUFFIX), "item": "list"})
    yield from lists


def reencrypt(outputs, former_table):
    table, kms, dynamodb = outputs["TableName"], boto3.client("kms"), boto3.client("dynamodb")
    item = dynamodb.get_item(TableName=table, Key=DATA_KEYS, ConsistentRead=True).get("Item")
    if not item:
        sys.exit("the table has no data key")
    for name, encrypted in item["keys"]["M"].items():
        anew = kms.re_encrypt(
            CiphertextBlob=encrypted["B"],
            SourceEncryptionContext=context_of(former_table),
            DestinationKeyId=outputs["SecretsKeyArn"],
            DestinationEncryptionContext=context_of(table),
        )
        dynamodb.update_item(
            TableName=table,
            Key=DATA_KEYS,
            UpdateExpression="SET #keys.#name = :anew",
            ConditionExpression="#keys.#name = :before",
            ExpressionAttributeNames={"#keys": "keys", "#name": name},
            ExpressionAttributeValues={":anew": {"B": anew["CiphertextBlob"]}, ":before": encrypted},
        )
        print(f"the data key {name} is encrypted by {anew['KeyId']} for the table {table}", flush=True)


def context_of(table):
    return {"loanhook-table": table}


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
