#!/usr/bin/env python3
"""Seals the secrets in a table on AWS anew, and rotates the data key that seals them.

    seal_secrets.py STACK seal [POINT]        # what an earlier version of loanhook stored in clear
    seal_secrets.py STACK rotate [POINT]      # a new data key, everything sealed with it, the former key removed
    seal_secrets.py STACK restore-key ID      # a data key that was removed in the last 35 days opens again, see below
    seal_secrets.py STACK reencrypt [TABLE]   # the data keys encrypted anew by the stack's key of KMS, see below

The stack is named as in CloudFormation; region and credentials are as for the AWS CLI. What the caller must be allowed is in the
README. `seal` and `rotate` read the keys of the table (a consistent scan: a read unit for each 4 KiB of it), and invoke the function
for resends, which opens, seals and writes. Run `seal` when no function of the earlier version runs any more.

Both can be stopped and run again: what is done is not done twice, and `rotate` continues a rotation that has begun. They print the
point up to which they came; with it the scan goes on from there, as long as the same data key seals. Items that cannot be read or
written are listed, and the scan goes on; at its end the exit code is 1, and the former key stays. Repair or delete them, and run it again.

A rotation waits for two minutes after the new key was made, as invocations that began before may still seal with the former one.
The key that it removes is kept apart for 35 days, as long as the table can be restored to a point in time. Where items are put back
from before the rotation, `restore-key` lets their key open again; its ID is in the error. `rotate` then seals them anew.

`reencrypt` is for a stack whose key of KMS was changed (KmsKeyArn), and for a table that was restored under another name: then TABLE
is the name that it had. KMS decrypts the data keys and encrypts them, and they do not leave KMS. It can be run again. Until it is done,
the stack needs the parameter FormerKmsKeyArn, else no secret can be opened: intake answers 503, and deliveries wait.
"""

import base64
import functools
import json
import sys
import time

import boto3

from resend_function import FunctionFailed, batches, invoke, outputs_of

# The items with secrets: subscriptions as they are, their versions, and the first part of a stored list.
SETTINGS_PREFIX = "S#"
CURRENT_PREFIX = "C#"
VERSION_PREFIX = "V#"
LIST_SUFFIX = "#list"
FIRST_PART = "00"
# The partition of the data keys: those in use, and each that was removed.
DATA_KEYS = "Z#"
IN_USE = "-"
REMOVED_PREFIX = "removed#"
# So often a scan that finds nothing says how far it came.
SECONDS_BETWEEN_POINTS = 10


def main(stack, command, argument=None):
    outputs = outputs_of(stack)
    match command:
        case "seal":
            seal(outputs, argument)
        case "rotate":
            rotate(outputs, argument)
        case "restore-key" if argument:
            restore_key(outputs, argument)
        case "reencrypt":
            reencrypt(outputs["TableName"], argument or outputs["TableName"], outputs["SecretsKeyArn"])
        case _:
            sys.exit(__doc__)


def seal(outputs, point=None):
    current = invoke(outputs, {"sealSecrets": []})["current"]
    exit_if_failed(seal_table(outputs, current, point))


def rotate(outputs, point=None):
    if point:
        # A point that says nothing any more begins no rotation.
        position_of(point, invoke(outputs, {"sealSecrets": []})["current"])
    state = invoke(outputs, {"beginKeyRotation": {}})
    print(f"the data key {state['current']} seals; former: {', '.join(state['former']) or 'none'}", flush=True)
    if state["waitSeconds"]:
        print(f"the former one may still be in use: waiting for {state['waitSeconds']} seconds", flush=True)
        time.sleep(state["waitSeconds"])
    exit_if_failed(seal_table(outputs, state["current"], point), "The former data key stays.")
    seen = {name: state[name] for name in ["current", "former", "since"]}
    state = accepted(invoke(outputs, {"endKeyRotation": seen}))
    print(f"the data key {state['current']} is the only one", flush=True)


def restore_key(outputs, key):
    state = accepted(invoke(outputs, {"restoreDataKey": key}))
    print(f"the data key {state['current']} seals; these open, too: {', '.join(state['former'])}", flush=True)


def accepted(answer):
    if "refused" in answer:
        sys.exit(answer["refused"])
    return answer


def exit_if_failed(failed, what_stays=""):
    """Ends with what failed: the items, and how many failed before the point from which the scan went on."""
    items, before = failed
    if items or before:
        named = "".join(f"\n  {one['tenant']} {one['item']}: {one['error']}" for one in items)
        earlier = f"\n  and {before} before the point from which this scan went on" if before else ""
        sys.exit(f"Items that could not be sealed: {len(items) + before}. {what_stays}{named}{earlier}")


def seal_table(outputs, current, point=None):
    """Seals all items with the data key that seals, and returns those that failed, and how many failed in an earlier scan."""
    start, before = position_of(point, current) if point else (None, 0)
    checked, sealed, failed, said = 0, 0, [], time.monotonic()
    for batch, position in items_with_secrets(outputs["TableName"], start):
        if batch:
            result = seal_batch(outputs, batch)
            checked += len(batch)
            sealed += result["sealed"]
            failed += result["failed"]
        if position and (batch or time.monotonic() - said > SECONDS_BETWEEN_POINTS):
            said = time.monotonic()
            point = point_of(current, position, before + len(failed))
            print(f"{checked} checked, {sealed} sealed, {len(failed)} failed, up to the point {point}", flush=True)
    print(f"{checked} checked, {sealed} sealed, {len(failed)} failed", flush=True)
    return failed, before


def seal_batch(outputs, batch):
    """Seals items; one by one, where the function fails for all of them and not without them."""
    try:
        return invoke(outputs, {"sealSecrets": batch})
    except FunctionFailed as failure:
        invoke(outputs, {"sealSecrets": []})
        print(f"{failure}: its items are sealed one by one", flush=True)
    sealed, failures = 0, []
    for item in batch:
        try:
            result = invoke(outputs, {"sealSecrets": [item]}, pauses=[])
            sealed += result["sealed"]
            failures += result["failed"]
        except FunctionFailed as failure:
            failures.append({**item, "error": str(failure)})
    return {"sealed": sealed, "failed": failures}


def items_with_secrets(table, start):
    """The items with secrets behind this key, as the function takes them, in batches with the key up to which each scanned."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        ProjectionExpression="pk, sk",
        FilterExpression="begins_with(pk, :settings)",
        ExpressionAttributeValues={":settings": {"S": SETTINGS_PREFIX}},
        **({"ExclusiveStartKey": start} if start else {}),
    )
    for page in pages:
        named = ((named_item(key), key) for key in page["Items"])
        for batch in batches((item, key) for item, key in named if item):
            yield [item for item, _ in batch], batch[-1][1]
        yield [], page.get("LastEvaluatedKey")


def named_item(key):
    """The item of a key as the function takes it; none where it has no secrets."""
    partition, item = key["pk"]["S"].removeprefix(SETTINGS_PREFIX), key["sk"]["S"]
    if item.startswith((CURRENT_PREFIX, VERSION_PREFIX)):
        return {"tenant": partition, "item": item}
    if partition.endswith(LIST_SUFFIX) and item == FIRST_PART:
        return {"tenant": partition.removesuffix(LIST_SUFFIX), "item": "list"}
    return None


def point_of(current, position, failed):
    point = [current, position["pk"]["S"], position["sk"]["S"], failed]
    return base64.urlsafe_b64encode(json.dumps(point).encode()).decode()


def position_of(point, current):
    """The key of a point, and how many items had failed up to it."""
    try:
        sealed_with, partition, item, failed = json.loads(base64.urlsafe_b64decode(point))
    except (TypeError, ValueError):
        sys.exit("this is no point that the command has printed")
    if sealed_with != current:
        sys.exit(f"the point is of the data key {sealed_with}, and {current} seals by now: run the command without the point")
    return {"pk": {"S": partition}, "sk": {"S": item}}, failed


def reencrypt(table, former_table, kms_key):
    kms, dynamodb = boto3.client("kms"), boto3.client("dynamodb")
    items = dynamodb.query(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="pk = :keys",
        ExpressionAttributeValues={":keys": {"S": DATA_KEYS}},
    )["Items"]
    items = {item["sk"]["S"]: item for item in items}
    if IN_USE not in items:
        sys.exit("the table has no data key")
    anew = functools.partial(encrypted_anew, kms, [former_table, table], table, kms_key)
    # All at once, so that none is left behind where this ends in between.
    in_use = items[IN_USE]["keys"]["M"]
    names = {f"#key{number}": name for number, name in enumerate(in_use)}
    changes = {f"#keys.{short}": (in_use[name], anew(in_use[name])) for short, name in names.items()}
    count = {":count": {"N": str(len(in_use))}}
    replace(dynamodb, table, IN_USE, {"#keys": "keys", **names}, changes, ["size(#keys) = :count"], count)
    for name in in_use:
        print(f"the data key {name} is encrypted by {kms_key} for the table {table}", flush=True)
    for sort_key, item in items.items():
        if sort_key.startswith(REMOVED_PREFIX):
            replace(dynamodb, table, sort_key, {"#key": "key"}, {"#key": (item["key"], anew(item["key"]))})
            print(f"so is {sort_key.removeprefix(REMOVED_PREFIX)}, which was removed", flush=True)


def encrypted_anew(kms, from_tables, table, kms_key, encrypted):
    """A data key as KMS encrypts it for the table, which it encrypted for one of these tables before."""
    for former_table in dict.fromkeys(from_tables):
        try:
            anew = kms.re_encrypt(
                CiphertextBlob=encrypted["B"],
                SourceEncryptionContext=context_of(former_table),
                DestinationKeyId=kms_key,
                DestinationEncryptionContext=context_of(table),
            )
        except kms.exceptions.InvalidCiphertextException:
            continue
        return {"B": anew["CiphertextBlob"]}
    sys.exit(f"a data key was encrypted for none of the tables {', '.join(from_tables)}: name the table that it was encrypted for")


def replace(dynamodb, table, sort_key, names, changes, conditions=(), values=None):
    """Replaces values of an item by others, where all of them are as they were read."""
    values = dict(values or {})
    for number, (before, new) in enumerate(changes.values()):
        values |= {f":before{number}": before, f":new{number}": new}
    unchanged = [f"{path} = :before{number}" for number, path in enumerate(changes)]
    try:
        dynamodb.update_item(
            TableName=table,
            Key={"pk": {"S": DATA_KEYS}, "sk": {"S": sort_key}},
            UpdateExpression="SET " + ", ".join(f"{path} = :new{number}" for number, path in enumerate(changes)),
            ConditionExpression=" AND ".join([*conditions, *unchanged]),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        sys.exit("the data keys were changed meanwhile: run the command again")


def context_of(table):
    return {"loanhook-table": table}


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
