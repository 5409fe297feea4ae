"""The emulator (ministack) with three condition keys of policies as AWS has them, and with a call and alarms that it does not know.
`emulator.py` starts it.

`dynamodb:LeadingKeys`, which ministack leaves out: the partition keys that a call names. So a role that is limited to
some partitions of the table is refused all others, as on AWS.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html

`kms:EncryptionContext:NAME`, which ministack leaves out: what a call of KMS has in its encryption context.
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context

`aws:SecureTransport`: every call counts as made over TLS, of which there is none on this machine.

`ReEncrypt` of KMS: it decrypts under one key and encrypts under another one, each as ministack does.
https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html

Alarms on an expression over several metrics, which ministack refuses: it keeps an alarm on the first of these metrics. No test
asks for the state of an alarm; cfn-lint and the tests of the template hold what AWS gets.

uvicorn serves it, with a parser of HTTP in C. hypercorn, which ministack comes with, does it in Python: a third of the time of a call.
"""

import asyncio
import json
import re

import hypercorn.asyncio
import uvicorn
import uvloop
from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import kms
from ministack.services.cloudformation import provisioners

# Of both tables, and of no index: what an index is queried by is found in its expression.
PARTITION_KEY = "pk"
FIRST_EQUALITY = re.compile(r"\W*#?\w+\s*=\s*(:\w+)")

without_leading_keys = iam_actions.dynamodb_service_context
without_encryption_context = iam_actions.request_tag_context
without_tls = iam_evaluator._resolve_condition_key
of_one_metric = provisioners._cw_metric_alarm_record
without_reencryption = kms.handle_request


def main():
    iam_actions.dynamodb_service_context = service_context
    iam_actions.request_tag_context = request_context
    iam_evaluator._resolve_condition_key = condition_key
    provisioners._cw_metric_alarm_record = alarm
    kms.handle_request = kms_request
    hypercorn.asyncio.serve = serve
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    app.main()


async def serve(application, config):
    """Serves the emulator with the settings that hypercorn gets."""
    [(host, port)] = [place.rsplit(":", 1) for place in config.bind]
    settings = uvicorn.Config(
        application,
        host=host,
        port=int(port),
        http="httptools",
        timeout_keep_alive=config.keep_alive_timeout,
        timeout_graceful_shutdown=int(config.graceful_timeout),
        access_log=False,
        log_config=None,
        date_header=False,
        server_header=False,
    )
    await uvicorn.Server(settings).serve()


def service_context(body):
    """The condition keys of a call of DynamoDB with this body."""
    keys = sorted(leading_keys(json.loads(body or b"{}")))
    return {**without_leading_keys(body), **({"dynamodb:LeadingKeys": keys} if keys else {})}


def request_context(service, action, body, parameters):
    """The condition keys that a call of any service has by what stands in it."""
    encryption_context = json.loads(body or b"{}").get("EncryptionContext", {}) if service == "kms" else {}
    keys = {f"kms:EncryptionContext:{name}": value for name, value in encryption_context.items()}
    return {**without_encryption_context(service, action, body, parameters), **keys}


async def kms_request(method, path, headers, body, parameters):
    """What KMS answers."""
    if headers.get("x-amz-target", "").endswith(".ReEncrypt"):
        return reencrypt(json.loads(body))
    return await without_reencryption(method, path, headers, body, parameters)


def reencrypt(call):
    """What KMS answers to a call of ReEncrypt."""
    source = {"CiphertextBlob": call["CiphertextBlob"], "EncryptionContext": call.get("SourceEncryptionContext", {})}
    decrypted = kms._decrypt(source)
    if decrypted[0] != 200:
        return decrypted
    decrypted = json.loads(decrypted[2])
    context = call.get("DestinationEncryptionContext", {})
    plain = {"Plaintext": decrypted["Plaintext"], "EncryptionContext": context}
    status, headers, body = kms._encrypt({"KeyId": call["DestinationKeyId"], **plain})
    if status == 200:
        body = json.dumps({**json.loads(body), "SourceKeyId": decrypted["KeyId"]}).encode()
    return status, headers, body


def leading_keys(call):
    """The partition keys that a call names. Those of a transaction or batch are taken together."""
    for item in [call.get("Key"), call.get("Item")]:
        if item:
            yield item[PARTITION_KEY]["S"]
    for batch in (call.get("RequestItems") or {}).values():
        # A batch of reads has a list of keys, one of writes a list of requests.
        requests = batch if isinstance(batch, list) else [{"Get": {"Key": key}} for key in batch["Keys"]]
        yield from leading_keys_of(requests)
    yield from leading_keys_of(call.get("TransactItems") or [])
    queried = FIRST_EQUALITY.match(call.get("KeyConditionExpression") or "")
    if queried:
        yield call["ExpressionAttributeValues"][queried[1]]["S"]


def leading_keys_of(requests):
    for request in requests:
        for part in request.values():
            yield from leading_keys(part)


def condition_key(key, context):
    return "true" if key.lower() == "aws:securetransport" else without_tls(key, context)


def alarm(name, properties):
    """What is kept of an alarm with these properties."""
    for metric in properties.get("Metrics") or []:
        if "MetricStat" in metric:
            statistic = metric["MetricStat"]
            rest = {key: value for key, value in properties.items() if key != "Metrics"}
            first = {**statistic["Metric"], "Statistic": statistic["Stat"], "Period": statistic["Period"]}
            return of_one_metric(name, {**rest, **first})
    return of_one_metric(name, properties)


if __name__ == "__main__":
    main()
