"""What the emulator does otherwise than AWS, mended in what has just been deployed to it."""

import json

import boto3


def mend(bucket):
    concurrency()
    permissions()
    transport(bucket)


def concurrency():
    """It keeps a number that came from a parameter as text, and then cannot compare it."""
    functions = boto3.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        limit = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": limit})


def permissions():
    """It wants a permission for a batch of messages that AWS does not know: there, `sqs:SendMessage` is for both."""
    iam = boto3.client("iam")
    for role in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for statement in policy["Statement"]:
                if statement["Action"] == "sqs:SendMessage":
                    statement["Action"] = ["sqs:SendMessage", "sqs:SendMessageBatch"]
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


def transport(bucket):
    """The bucket refuses what does not come by TLS, and nothing does on this machine."""
    boto3.client("s3").delete_bucket_policy(Bucket=bucket)
