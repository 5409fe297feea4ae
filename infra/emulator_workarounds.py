"""Workarounds for differences of the emulator from AWS, applied to what has just been deployed to it."""

import json

import boto3


def apply():
    set_concurrency_as_number()
    allow_message_batches()
    allow_reading_of_streams()


def set_concurrency_as_number():
    """The emulator keeps a number that came from a parameter as text, and then cannot compare it."""
    functions = boto3.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        limit = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": limit})


def allow_message_batches():
    """The emulator wants permissions for message batches; AWS has none, `sqs:SendMessage` is for both there."""
    for statement in changed_statements():
        if statement["Action"] == "sqs:SendMessage":
            statement["Action"] = ["sqs:SendMessage", "sqs:SendMessageBatch"]
        if "sqs:ChangeMessageVisibility" in statement["Action"]:
            statement["Action"] += ["sqs:ChangeMessageVisibilityBatch"]


def allow_reading_of_streams():
    """The emulator finds no stream in a call of DynamoDB Streams, and asks for the permission on everything."""
    for statement in changed_statements():
        if "dynamodb:GetRecords" in statement["Action"]:
            statement["Resource"] = "*"


def changed_statements():
    """Each statement of the policies of all roles. What the caller makes of it is stored."""
    iam = boto3.client("iam")
    for role in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            yield from policy["Statement"]
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
