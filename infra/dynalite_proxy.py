"""A proxy before dynalite that adds what it lacks of DynamoDB: transactions, and the item for which a condition is false.

usage: dynalite_proxy.py PORT DYNALITE_PORT DYNALITE_CLI

Starts dynalite and passes calls on to it, one at a time. All that is read, checked or written, dynalite reads, checks and
writes: a transaction is done as single writes, which are undone where one of them is refused, and no other call passes
meanwhile. The rules of transactions are those of
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

import http.client
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_TRANSACTION_WRITES = 100
# Of a transaction's writes; ConditionCheck is not emulated, as the engine does not use it.
SINGLE_WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
ERROR_NAMESPACE = "com.amazonaws.dynamodb.v20120810#"


class Dynalite:
    """dynalite on a port of this machine, and what is known of its tables and transactions."""

    def __init__(self, port):
        self.port = port
        self.one_at_a_time = threading.Lock()
        # Key attributes by table.
        self.key_names = {}
        # Transactions that were done, by their token.
        self.done = {}

    def answer(self, headers, operation, body):
        """Status and body of the response to a call; `headers` sign it."""
        with self.one_at_a_time:
            call = Call(self, headers)
            if operation == "TransactWriteItems":
                return call.transact(body)
            if operation in SINGLE_WRITES.values():
                return call.write(operation, body)
            return call.pass_on(operation, body)


class Call:
    """One call and those that it is made of, all with the same headers: dynalite wants a signature and does not check it."""

    def __init__(self, dynalite, headers):
        self.dynalite = dynalite
        self.headers = headers

    def pass_on(self, operation, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.dynalite.port)
        headers = {**self.headers, "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        connection.request("POST", "/", json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read() or "{}")
        connection.close()
        return response.status, answer

    def write(self, operation, body):
        """A single write. Where its condition is false, the error has the item, if the write asks for that."""
        status, answer = self.pass_on(operation, body)
        if refused(answer) and body.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
            item = self.stored(body["TableName"], self.key(body))
            if item:
                answer["Item"] = item
        return status, answer

    def transact(self, body):
        writes = [only_member(item) for item in body["TransactItems"]]
        token = body.get("ClientRequestToken")
        if token in self.dynalite.done:
            if self.dynalite.done[token] == writes:
                return 200, {}
            return error("IdempotentParameterMismatchException", "The token is that of another transaction")
        if len(writes) > MAX_TRANSACTION_WRITES:
            return error("ValidationException", f"Member must have length less than or equal to {MAX_TRANSACTION_WRITES}")
        if any(kind not in SINGLE_WRITES for kind, _ in writes):
            return error("ValidationException", f"{__file__} knows only {', '.join(SINGLE_WRITES)}")
        keys = [(write["TableName"], self.key(write)) for _, write in writes]
        if any(key in keys[:i] for i, key in enumerate(keys)):
            return error("ValidationException", "Transaction request cannot include multiple operations on one item")
        undo, reasons = [], []
        for (kind, write), (table, key) in zip(writes, keys):
            before = self.stored(table, key)
            status, answer = self.write(SINGLE_WRITES[kind], write)
            if status == 200:
                reasons.append({"Code": "None"})
                undo.append((table, key, before))
            elif refused(answer):
                item = {"Item": answer["Item"]} if "Item" in answer else {}
                reasons.append({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", **item})
            elif INCORRECT_TYPE in answer.get("message", ""):
                reasons.append({"Code": "ValidationError", "Message": answer["message"]})
            else:
                self.undo(undo)
                return status, answer
        if any(reason["Code"] != "None" for reason in reasons):
            self.undo(undo)
            codes = ", ".join(reason["Code"] for reason in reasons)
            message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
            return error("TransactionCanceledException", message, CancellationReasons=reasons)
        if token:
            self.dynalite.done[token] = writes
        return 200, {}

    def undo(self, writes):
        for table, key, before in reversed(writes):
            if before:
                status, answer = self.pass_on("PutItem", {"TableName": table, "Item": before})
            else:
                status, answer = self.pass_on("DeleteItem", {"TableName": table, "Key": key})
            assert status == 200, answer

    def stored(self, table, key):
        """The item of a key, or none."""
        _, answer = self.pass_on("GetItem", {"TableName": table, "Key": key, "ConsistentRead": True})
        return answer.get("Item")

    def key(self, write):
        """The key of the item that a write names."""
        if "Key" in write:
            return write["Key"]
        table = write["TableName"]
        if table not in self.dynalite.key_names:
            _, described = self.pass_on("DescribeTable", {"TableName": table})
            parts = described["Table"]["KeySchema"]
            self.dynalite.key_names[table] = [part["AttributeName"] for part in parts]
        return {name: write["Item"][name] for name in self.dynalite.key_names[table]}


# What DynamoDB finds only when it does the write, and so gives as the reason of a canceled transaction:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
INCORRECT_TYPE = "An operand in the update expression has an incorrect data type"


def only_member(item):
    [(kind, write)] = item.items()
    return kind, write


def refused(answer):
    return answer.get("__type", "").endswith("#ConditionalCheckFailedException")


def error(name, message, **more):
    return 400, {"__type": ERROR_NAMESPACE + name, "message": message, **more}


def handler(dynalite):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are written apart, and the body would wait for the other side to acknowledge the head.
        disable_nagle_algorithm = True

        def do_GET(self):
            """Whether dynalite answers."""
            try:
                http.client.HTTPConnection("127.0.0.1", dynalite.port).request("GET", "/")
            except OSError:
                return self.respond(503, b"")
            return self.respond(200, b"")

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            operation = self.headers["X-Amz-Target"].split(".")[1]
            names = ["Authorization", "Content-Type", "X-Amz-Date"]
            status, answer = dynalite.answer({name: self.headers[name] for name in names}, operation, body)
            self.respond(status, json.dumps(answer).encode())

        def respond(self, status, body):
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, *_):
            """Nothing is logged of a call."""

    return Handler


def main():
    port, dynalite_port, cli = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    # It ends with this process's group.
    subprocess.Popen(["node", cli, "--host", "127.0.0.1", "--port", str(dynalite_port), "--createTableMs", "50"])
    ThreadingHTTPServer(("127.0.0.1", port), handler(Dynalite(dynalite_port))).serve_forever()


if __name__ == "__main__":
    main()
