#!/usr/bin/env python3
"""Makes fixtures of everything that one version of loanhook stores, so that a later one can show that it still reads it.

    make.py sqlite --binary target/release/loanhook --out tests/fixtures
    make.py aws --repository . --out tests/fixtures
    make.py check-sqlite --binary target/release/loanhook --out tests/fixtures
    make.py check-aws --repository . --out tests/fixtures

The first two drive the same scenario over the HTTP API, with a receiver of their own on 127.0.0.1 (--port). `sqlite` needs
nothing but Python and the program; `aws` needs Linux, boto3 and what `infra/stack.py` needs, and functions that are built
(`target/lambda`). README.md beside this says what comes out.
"""

import argparse
import base64
import contextlib
import hashlib
import html
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from datetime import datetime, timedelta, timezone
from pathlib import Path

# Moments that were still to come when the store was captured are moved by so much, so that they stay to come.
MOVED_DAYS = 26_663  # 73 years
MOVED = timedelta(days=MOVED_DAYS)
MOVED_MS = MOVED_DAYS * 24 * 3600 * 1000
# Nothing that loanhook schedules by itself is further away than this: keys that end in 2099 are left as they are.
HORIZON = timedelta(days=3 * 366)

ADMIN_KEYS = ["lh_fixtures_first_Zq7wPx3mT9rK", "lh_fixtures_second_Hv4nYb8sJ2dL"]
FAR_END = "2099-12-31T23:59:59Z"
PATIENCE = 30  # seconds


def now():
    return datetime.now(timezone.utc)


def rfc3339(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def until(what, check, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            sys.exit(f"not within {seconds} s: {what}")
        time.sleep(0.05)


# ------------------------------------------------------------------------------------------------ the receiver


class Receiver:
    """Answers as the path says."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.seen = []
        self.lock = threading.Lock()
        self.hanging = []
        threading.Thread(target=self._accept, daemon=True).start()

    def of(self, trace, attempt=None):
        with self.lock:
            return [
                one
                for one in self.seen
                if one["headers"].get("webhook-id") == trace
                and (attempt is None or one["headers"]["loanhook-attempt"] == attempt)
            ]

    def awaits(self, trace, attempt, seconds=PATIENCE):
        return until(f"attempt {attempt} of {trace} arrives", lambda: self.of(trace, attempt), seconds)

    def let_go(self):
        """Ends whatever hangs, as a receiver that is gone."""
        for connection in self.hanging:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.hanging.clear()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            count = 0
            while request := self._read(connection):
                count += 1
                with self.lock:
                    self.seen.append(request)
                if not self._answer(connection, request, count):
                    return

    def _read(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return None
            data += more
            if data[:1] == b"\x16":  # TLS
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
                return None
        head, _, body = data.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        return {"method": method, "target": target, "headers": headers, "body": body}

    def _answer(self, connection, request, count):
        """True if the connection goes on."""
        path = request["target"].partition("?")[0]
        attempt = request["headers"].get("loanhook-attempt", "")
        trace = request["headers"].get("webhook-id", "")
        earlier = len(self.of(trace)) - 1
        kind, _, rest = path.lstrip("/").partition("/")

        def reply(status, body=b"", *lines, keep=False):
            lines = [*lines, f"content-length: {len(body)}"] + ([] if keep else ["connection: close"])
            head = "".join(f"{line}\r\n" for line in [f"HTTP/1.1 {status}", *lines])
            connection.sendall(head.encode("latin-1") + b"\r\n" + body)
            return keep

        json_type = "content-type: application/json"
        good = lambda: reply("200 OK", b'{"received":true}', json_type)
        bad = lambda: reply("500 Internal Server Error", b"something broke\n", "content-type: text/plain; charset=utf-8")

        def hang():
            self.hanging.append(connection)
            connection.recv(1)
            return False

        match kind:
            case "ok":
                return good()
            case "empty":
                return reply("204 No Content")
            case "fail":
                return bad()
            case "hang":
                return hang()
            case "after":  # so many failures, then success
                return good() if earlier >= int(rest) else bad()
            case "hang-first":
                return hang() if earlier == 0 else good()
            case "ok-then-hang":
                return good() if earlier == 0 else hang()
            case "manual-ok":
                return good() if attempt == "manual" else bad()
            case "retry-after":
                return reply("503 Service Unavailable", b"come back later", "retry-after: 7200", "content-type: text/plain")
            case "redirect":
                return reply("302 Found", b"", "location: https://elsewhere.example.com/?token=a-secret")
            case "text":
                body = "Grüße aus Köln ✓ <b>& mehr</b>\n".encode()
                return reply("200 OK", body, "content-type: text/html; charset=utf-8", "x-latin: caf\xe9")
            case "binary":
                return reply("200 OK", bytes(range(256)), "content-type: application/octet-stream")
            case "untyped":
                return reply("202 Accepted", b"no content type")
            case "large":
                # Beyond what a small payload may be on AWS; the headers beyond what is kept.
                lines = [f"x-large-{number}: {str(number) * 6000}" for number in range(1, 4)]
                return reply("200 OK", b"0123456789abcde\n" * 188, "content-type: text/plain", *lines)
            case "sloppy":
                return reply("200 OK", b"ok", "Warning Undefined variable", "set-cookie: a=1", "set-cookie: b=2")
            case "broken":
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\nonly this")
                return False
            case "garbage":
                connection.sendall(b"this is not HTTP at all\r\n\r\n")
                return False
            case "reset":
                return False
            case "keep":  # kept once, then closed before a byte of the next answer
                return reply("200 OK", b"kept", keep=True) if count == 1 else False
        return reply("404 Not Found")


# ------------------------------------------------------------------------------------------------ the API


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name]

    def header(self, name):
        return next(iter(self.all(name)), None)

    def expect(self, status):
        if self.status != status:
            sys.exit(f"expected {status}, got {self.status}: {self.body[:500]!r}")
        return self


class Api:
    def __init__(self, base, key=None):
        self.base, self.key = base, key

    def with_key(self, key):
        return Api(self.base, key)

    def call(self, method, path, body=None, headers=None):
        address = urllib.parse.urlsplit(self.base)
        # Names below .localhost are this machine, whatever the resolver says.
        connection = http.client.HTTPConnection("127.0.0.1", address.port or 80, timeout=60)
        headers = {"Host": address.netloc, "Accept": "application/json", **(headers or {})}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body, ensure_ascii=False)
        if isinstance(body, str):
            body = body.encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None, key=None, status=None):
        headers = {"Idempotency-Key": key} if key else None
        answer = self.call("POST", path, body, headers)
        return answer.expect(status) if status else answer


def segment(text):
    return urllib.parse.quote(text, safe="")


# ------------------------------------------------------------------------------------------------ the scenario


def sign_in(base, key, loan):
    """Signs in at this address, as the page's form does, and gives the cookie of the session."""
    form = urllib.parse.urlencode({"key": key, "loan": loan})
    headers = {"Origin": base, "Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    return cookie_of(Api(base).call("POST", "/sign-in", form, headers).expect(303))


class Scenario:
    """What is asked of a loanhook; what was answered is kept for answers.json."""

    UNICODE_LOAN = "Börse & Co ✓ 7"

    def __init__(self, target, receiver):
        self.target, self.receiver = target, receiver
        self.keys = {}
        self.subscriptions = {}  # by a name of ours
        self.credentials = {}  # by ID: what was set and is never shown
        self.traces = {}  # by a name of ours
        self.idempotency = []
        self.portal = {}
        self.marks = {}

    def api(self, key="lms"):
        return Api(self.target.base, self.keys[key])

    # -------------------------------------------------------------------------------------------- pieces

    def key(self, name, scopes, tenant="acme", title=None, by="operator", **more):
        body = {"name": title or name, "scopes": scopes, "tenant": tenant, **more}
        made = self.api(by).post("/v1/keys", body, status=201).json()
        self.keys[name] = made["key"]
        return made["id"]

    def subscribe(self, name, criteria, path, key="lms", request=None, **more):
        url = path if "://" in path else f"{self.receiver.base}{path}"
        request = {"url": url, **(request or {})}
        body = {"title": more.pop("title", name), "criteria": criteria, "request": request, **more}
        made = self.api(key).post("/v1/subscriptions", body, status=201).json()
        self.subscriptions[name] = made["id"]
        self.credentials[made["id"]] = {
            "url": url,
            "headers": request.get("headers", {}),
            "signingSecrets": [made["signingSecret"]],
        }
        return made["id"]

    def replace(self, name, body, key="lms"):
        identity = self.subscriptions[name]
        self.api(key).call("PUT", f"/v1/subscriptions/{identity}", body).expect(200)
        kept = self.credentials[identity]
        told = body["request"].get("headers", {})
        kept["headers"] = {
            header: kept["headers"][header] if value == "***" else value for header, value in told.items()
        }
        kept["url"] = body["request"]["url"]

    def rotate(self, name, key="lms"):
        identity = self.subscriptions[name]
        made = self.api(key).post(f"/v1/subscriptions/{identity}/rotate-secret", status=200).json()
        self.credentials[identity]["signingSecrets"].insert(0, made["signingSecret"])

    def event(self, name, loan, context=None, occurred_at=None, idempotency=None, key="lms"):
        """Sends an event; gives its deliveries by the title of their subscription."""
        return {one["eventTitle"]: one["traceId"] for one in self.events(name, loan, context, occurred_at, idempotency, key)}

    def events(self, name, loan, context, occurred_at, idempotency, key):
        if context is None:
            # As text: the order of names and the spelling of numbers are kept.
            display = json.dumps(loan, ensure_ascii=False)
            context = (
                f'{{"loan-display-id": {display}, "status-days-past-due": 13, "last-payment-amount": 250.00,'
                ' "credit-score": 590, "loan-status": "Open", "payments": [{"amount": 1e2, "type": "ach"}],'
                ' "borrower-name": "Zoë Müller-Lüdenscheidt \\u2713", "nothing": null}'
            )
        elif not isinstance(context, str):
            context = json.dumps(context, ensure_ascii=False)
        body = f'{{"eventName": {json.dumps(name, ensure_ascii=False)}, "loanId": {json.dumps(loan, ensure_ascii=False)}, "context": {context}'
        body += f', "occurredAt": "{occurred_at}"}}' if occurred_at else "}"
        answer = self.api(key).post("/v1/events", body, idempotency, 202)
        if idempotency:
            self.repeatable("/v1/events", key, idempotency, body, answer)
        return answer.json()["deliveries"]

    def one(self, name, loan, *more, **others):
        """The trace ID of an event's only delivery."""
        made = self.event(name, loan, *more, **others)
        if len(made) != 1:
            sys.exit(f"{name} has {len(made)} deliveries")
        return next(iter(made.values()))

    def repeatable(self, endpoint, key, idempotency, body, answer):
        self.idempotency.append(
            {"endpoint": endpoint, "key": key, "idempotencyKey": idempotency, "body": body, "status": answer.status, "answer": answer.json()}
        )

    def delivery(self, trace, key="lms"):
        return self.api(key).get(f"/v1/webhooks/{trace}").expect(200).json()

    def attempts(self, trace, count, key="lms", seconds=PATIENCE):
        """The delivery once so many of its attempts have ended."""

        def ended():
            delivery = self.delivery(trace, key)
            over = [row for row in delivery["attempts"] if row["outcome"] in ("succeeded", "failed")]
            return len(over) >= count and delivery

        return until(f"{count} attempts of {trace}", ended, seconds)

    def over(self, trace, key="lms", seconds=PATIENCE):
        """The delivery once nothing more comes of it by itself."""

        def over():
            delivery = self.delivery(trace, key)
            return delivery["status"] != "pending" and delivery

        return until(f"{trace} is over", over, seconds)

    def send(self, name, criteria_event, loan, path, wait=None, **more):
        """A subscription for one name of an event, and such an event."""
        self.subscribe(name, {"events": [criteria_event]}, path, **more)
        self.traces[name] = self.one(criteria_event, loan)
        if wait == "over":
            self.over(self.traces[name])
        elif wait:
            self.attempts(self.traces[name], wait)
        return self.traces[name]

    def resend(self, trace, key="resender", idempotency=None, path=None):
        path = path or f"/v1/webhooks/{trace}/resend"
        answer = self.api(key).post(path, None, idempotency, 202)
        if idempotency:
            self.repeatable(path, key, idempotency, None, answer)
        return answer.json()["id"]

    # -------------------------------------------------------------------------------------------- parts

    def make_keys(self):
        self.key("operator", ["operator"], tenant="default", by="first", title="Operator")
        working = ["events:write", "history:read", "webhooks:resend", "subscriptions:write", "portal:write"]
        self.key("lms", working, title="Loan servicing ✓ Kreditverwaltung")
        self.key("events", ["events:write"])
        self.key("reader", ["history:read"])
        self.key("resender", ["webhooks:resend"], title="Resends: „Sachbearbeitung“")
        self.key("settings", ["subscriptions:write", "history:read"])
        self.key("portal", ["portal:write"], title="Portal of the LMS")
        self.key("admin-of-acme", ["admin"], title="Admin of acme")
        self.key("everything", [*working, "admin", "operator"])
        self.key("never-used", ["events:write"])
        self.key("ends-in-2099", ["history:read"], expiresAt=FAR_END)
        over = rfc3339(now() + timedelta(seconds=3))
        self.key("over", ["history:read"], expiresAt=over)
        self.api("over").get("/v1/subscriptions").expect(200)
        deleted = self.key("deleted", ["history:read"])
        self.api("deleted").get("/v1/subscriptions").expect(200)
        self.api("operator").call("DELETE", f"/v1/keys/{deleted}?tenant=acme").expect(204)
        self.key("birch", [*working, "admin"], tenant="birch", title="Birch Lending")
        self.key("default-tenant", working, tenant="default", title="The tenant of the first key")
        self.api("events").post("/v1/events", {"eventName": "Nobody listens", "loanId": "none", "context": {}}, status=202)

    def make_subscriptions(self):
        """Settings of every kind; those that only a part of the scenario needs are made there."""
        self.subscribe(
            "payments",
            {"events": ["Payment Posted to Account", "Payment Reversed"]},
            "/ok",
            title="Core banking: payment posted",
            description="Each payment, as it posts.\nAsk: core@lender.example ✓",
            request={"headers": {"Authorization": "Bearer a-token-of-core", "X-Lender": "acme"}},
        )
        self.subscribe(
            "templates",
            {"events": ["Zahlung gebucht ✓"]},
            "/text/[[v('loan-id')]]?days=[[v('status-days-past-due')]]&token=sesame",
            title="Vorlagen: „Grüße“ ✓ 日本",
            request={
                "method": "PUT",
                "contentType": "application/vnd.loan+json",
                "headers": {
                    "X-Loan": "loan [[v('loan-id')]] of [[v('borrower-name','unknown')]]",
                    "X-Api-Key": "a-key-without-placeholders",
                },
                "payload": '{"größe": "✓", "days": [[v(\'status-days-past-due\')]], "amount": [[v(\'last-payment-amount\')]],'
                ' "name": "[[v(\'borrower-name\',\'unknown\')]]", "first": [[v(\'payments[0].amount\')]],'
                ' "event": "[[v(\'event-name\')]]", "trace": "[[v(\'trace-id\')]]", "at": "[[v(\'occurred-at\')]]"}',
            },
            timeoutSeconds=30,
        )
        form = {
            "method": "PATCH",
            "contentType": "application/x-www-form-urlencoded",
            "payload": "loan=[[v('loan-id')]]&name=[[v('borrower-name')]]",
        }
        self.subscribe("form", {"events": ["Form"]}, "/untyped", request=form)
        self.subscribe("get", {"events": ["Methods"]}, "/empty", request={"method": "GET"})
        self.subscribe("delete-method", {"events": ["Methods"]}, "/binary", request={"method": "DELETE"})
        self.subscribe("empty-payload", {"events": ["Methods"]}, "/sloppy", request={"payload": "", "contentType": "text/plain"})
        self.subscribe(
            "on-change",
            {"trigger": "(> (or status-days-past-due 0) 30)"},
            "/ok",
            title="Collections: 30 days late",
            restriction='(= loan-status "Open")',
        )
        self.subscribe(
            "every-match",
            {"trigger": '(and (= loan-status "Charged Off") (> (or status-days-past-due 0) 30))', "fire": "every-match"},
            "/ok",
        )
        self.subscribe("trouble-trigger", {"trigger": "(> credit-score 600)", "fire": "every-match"}, "/ok")
        self.subscribe("trouble-restriction", {"events": ["Restricted"]}, "/ok", restriction="(> no-such-variable 3)")
        self.subscribe("disabled", {"events": ["Payment Posted to Account"]}, "/ok", enabled=False, retry={"delays": []})
        self.subscribe("everything-of-birch", {"events": ["*"]}, "/ok", key="birch", request={"headers": {"X-Birch": "theirs"}})
        self.subscribe("of-default", {"events": ["*"]}, "/ok", key="default-tenant")

        # Three versions; the header that is not told anew is kept, the trigger is another since the second.
        headers = {"X-Kept": "kept since the first version", "X-Old": "old"}
        self.subscribe("replaced", {"trigger": "(> 1 2)"}, "/ok", request={"headers": headers}, title="Replaced, first")
        url = f"{self.receiver.base}/ok/moved"
        body = {"title": "Replaced, second", "criteria": {"trigger": '(= loan-status "Replaced")'}}
        body["request"] = {"url": url, "headers": {"X-Kept": "***", "X-New": "new"}}
        self.replace("replaced", body)
        self.replace("replaced", {**body, "title": "Replaced, third", "retry": {"delays": [60]}, "description": "the third"})

        self.subscribe("rotated", {"events": ["Rotated"]}, "/ok")
        self.rotate("rotated")
        self.subscribe("rotated-twice", {"events": ["Rotated"]}, "/ok")
        self.rotate("rotated-twice")
        self.rotate("rotated-twice")

        # Deleted with a delivery that is done and one that still waits.
        self.subscribe("deleted", {"events": ["Deleted"]}, "/after/1", retry={"delays": [1]}, request={"headers": {"X-Gone": "gone"}})
        self.traces["deleted, succeeded"] = self.one("Deleted", "727")
        self.over(self.traces["deleted, succeeded"])
        body = {"title": "deleted", "criteria": {"events": ["Deleted"]}, "retry": {"delays": [604_800]}}
        self.replace("deleted", {**body, "request": {"url": f"{self.receiver.base}/fail", "headers": {"X-Gone": "***"}}})
        self.traces["deleted, pending"] = self.one("Deleted", "727")
        self.attempts(self.traces["deleted, pending"], 1)
        self.api().call("DELETE", f"/v1/subscriptions/{self.subscriptions['deleted']}").expect(204)

    def ordinary(self):
        """What succeeds, and how events come in."""
        self.marks["beginning"] = rfc3339(now())
        trace = self.one("Payment Posted to Account", "727", occurred_at="2026-11-23T10:00:00.5+01:00", idempotency="payment-8812")
        self.traces["payment"] = trace
        self.over(trace)
        self.event("Payment Reversed", "727")
        unicode = self.event("Zahlung gebucht ✓", self.UNICODE_LOAN, occurred_at="2026-11-23T10:00:00Z", idempotency="unicode")
        self.traces["templates"] = next(iter(unicode.values()))
        self.event("Form", self.UNICODE_LOAN)
        self.event("Methods", "methods")
        self.event("Rotated", "727")
        self.event("Restricted", "727")
        for context in [{"loan-display-id": "no score"}, {"credit-score": "not a number"}]:
            self.event("Nobody listens", "trouble", context)
        self.event("Anything", "727", key="birch", idempotency="payment-8812")
        self.event("Anything ✓", "of-birch", key="birch")
        self.event("Anything", "727", key="default-tenant")
        # Beyond what a small payload may be on AWS.
        large = {"loan-display-id": "large", "credit-score": 1, "note": "Ein langer Text. " * 120}
        self.subscribe("large", {"events": ["Large"]}, "/large")
        self.traces["large"] = next(iter(self.event("Large", "large", large).values()))
        self.over(self.traces["large"])

        keyed = {"eventName": "Payment Posted to Account", "loanId": "batch", "context": {"credit-score": 1, "n": 1}}
        events = [
            {**keyed, "idempotencyKey": "batch-1"},
            {"eventName": "Zahlung gebucht ✓", "loanId": "batch ✓", "context": {"credit-score": 1, "status-days-past-due": 1, "last-payment-amount": 1, "payments": [{"amount": 2}]}, "occurredAt": "2026-11-01T00:00:00Z", "idempotencyKey": "batch-2"},
            {"eventName": "Payment Posted to Account", "loanId": "bad/loan", "context": {}},
            {"eventName": "Payment Reversed", "loanId": "batch", "context": {"credit-score": 1}},
        ]
        self.api().post("/v1/events/batch", {"events": events}, status=200)
        # What can be repeated of it: the events that have a key.
        repeated = json.dumps({"events": events[:2]}, ensure_ascii=False)
        self.repeatable("/v1/events/batch", "lms", None, repeated, self.api().post("/v1/events/batch", repeated, status=200))

        for name, test in [
            ("payments", {"loanId": "727"}),
            ("disabled", {"loanId": "727", "eventName": "Payment Posted to Account", "context": {"a": 1.50}}),
            ("on-change", {"loanId": "tested", "eventName": "A test ✓", "occurredAt": "2026-11-23T10:00:00Z"}),
        ]:
            answer = self.api().post(f"/v1/subscriptions/{self.subscriptions[name]}/test", test, status=202)
            self.traces[f"test of {name}"] = answer.json()["deliveries"][0]["traceId"]

    def triggers(self):
        late = {"status-days-past-due": 31, "loan-status": "Open", "credit-score": 1}
        fine = {"status-days-past-due": 0, "loan-status": "Open", "credit-score": 1}
        # True and fired; true, then false; true and kept from firing; fired by the second of two.
        self.traces["trigger"] = self.one("Days passed", "trigger true", late, idempotency="trigger-1")
        self.event("Days passed", "trigger true", late)
        self.event("Days passed", "trigger false", late)
        self.event("Days passed", "trigger false", fine)
        self.event("Days passed", "trigger restricted", {**late, "loan-status": "Closed"})
        self.event("Days passed", "trigger rose", fine)
        self.event("Days passed", "trigger rose", {**late, "loan-status": "Charged Off"})
        self.event("Days passed", "trigger replaced", {**fine, "loan-status": "Replaced"})
        self.event("Days passed", "trigger high score", {**fine, "credit-score": 700})

    def failures(self):
        loan = "failures"
        none = {"retry": {"delays": []}}
        self.send("status", "F status", loan, "/fail", "over", **none)
        self.send("redirect", "F redirect", loan, "/redirect", "over", **none)
        self.send("connect", "F connect", loan, "http://127.0.0.1:9/nobody?token=sesame", "over", **none)
        self.send("timeout", "F timeout", loan, "/hang", "over", timeoutSeconds=1, **none)
        self.send("dns", "F dns", loan, "https://no-such-host.invalid/hook", "over", **none)
        self.send("tls", "F tls", loan, f"https://127.0.0.1:{self.receiver.port}/ok", "over", **none)
        self.send("broken", "F broken", loan, "/broken", "over", **none)
        self.send("garbage", "F garbage", loan, "/garbage", "over", **none)
        self.send("reset", "F reset", loan, "/reset", "over", **none)
        # Each is the end, whatever the schedule says.
        self.send("blocked", "F blocked", loan, "https://10.1.2.3/hook", "over")
        self.send("blocked-in-the-clear", "F in the clear", loan, "http://93.184.216.34/hook", "over")
        payload = {"payload": '{"missing": [[v(\'no-such-variable\')]]}'}
        self.send("unrenderable", "F template", loan, "/ok", "over", request=payload)
        self.kept_connection()

    def kept_connection(self):
        """A request on a kept connection that turns out to be closed."""
        self.subscribe("keep", {"events": ["Keep"]}, "/keep")
        for _ in range(20):
            trace = self.one("Keep", "kept connection")
            rows = self.over(trace)["attempts"]
            if len(rows) > 1:
                self.traces["kept connection"] = trace
                return
        sys.exit("no connection was kept")

    def retries(self):
        loan = "retries"
        exponential = {"base": 1, "factor": 1.5, "cap": 4, "maxRetries": 3, "jitter": 0.5}
        self.send("delays", "R delays", loan, "/fail", "over", retry={"delays": [1, 1]})
        self.send("interval", "R interval", loan, "/after/1", "over", retry={"interval": 1, "maxRetries": 2})
        self.send("exponential", "R exponential", loan, "/after/2", "over", retry={"exponential": exponential})
        # Without jitter, and what is due long after.
        plain = {"base": 259_200, "factor": 2, "cap": 604_800, "maxRetries": 4}
        self.send("pending-exponential", "R pending 1", loan, "/fail", 1, retry={"exponential": plain})
        self.send("pending-interval", "R pending 2", loan, "/fail", 1, retry={"interval": 604_800, "maxRetries": 4})
        self.send("pending-default", "R pending 3", loan, "/fail", 1)
        self.send("pending-second", "R pending 4", loan, "/fail", 2, retry={"delays": [1, 604_800]})
        self.send("pending-retry-after", "R pending 5", loan, "/retry-after", 1, retry={"delays": [60]})
        self.send("canceled", "R canceled", loan, "/fail", 1)
        self.api().post(f"/v1/webhooks/{self.traces['canceled']}/cancel", status=200)

    def resends(self):
        loan = "727"
        trace = self.send("resend-ok", "S ok", loan, "/ok", "over")
        self.resend(trace, idempotency="resend-1")
        self.attempts(trace, 2)
        self.resend(trace, idempotency="resend-2", path=f"/v1/webhook/retry/{trace}/manual")
        self.attempts(trace, 3)
        self.resend(trace, key="lms", path=f"/api/public/api/1/webhook/retry/{trace}/1")
        self.attempts(trace, 4)
        trace = self.send("resend-fails", "S fails", loan, "/fail", "over", retry={"delays": []})
        self.resend(trace)
        self.attempts(trace, 2)
        # Exhausted, then resent well; canceled, then resent well; resent well while it still waits.
        trace = self.send("resend-after-all", "S after all", loan, "/manual-ok", "over", retry={"delays": []})
        self.resend(trace)
        until("it is delivered after all", lambda: self.delivery(trace)["status"] == "succeeded")
        trace = self.send("resend-canceled", "S canceled", loan, "/manual-ok", 1)
        self.api().post(f"/v1/webhooks/{trace}/cancel", status=200)
        self.resend(trace)
        self.attempts(trace, 2)
        trace = self.send("resend-pending", "S pending", loan, "/manual-ok", 1, retry={"delays": [604_800]})
        self.resend(trace)
        self.attempts(trace, 2)
        self.target.invoke_resend(self, trace)

    def links(self):
        """Portal links, their sessions, and what is asked on the page."""
        link = {"loanId": "727", "scopes": ["history:read", "webhooks:resend"], "viewer": "jane@lender.example ✓", "ttlSeconds": 86_400, "sessionSeconds": 86_400}
        made = self.api("portal").post("/v1/portal-links", link, status=201).json()
        self.portal["portalToken"] = made["url"].partition("token=")[2]
        cookie = self.open(self.portal["portalToken"])
        self.portal["sessionCookie"] = cookie
        self.resend_on_page(cookie, self.traces["resend-ok"], 5)
        # No viewer: then it is the key's name. May only look.
        link = {"loanId": self.UNICODE_LOAN, "scopes": ["history:read"]}
        made = self.api("portal").post("/v1/portal-links", link, status=201).json()
        self.portal["lookingCookie"] = self.open(made["url"].partition("token=")[2])
        self.portal["signedInCookie"] = sign_in(self.target.base, self.keys["lms"], "727")
        self.resend_on_page(self.portal["signedInCookie"], self.traces["resend-fails"], 3)
        ended = sign_in(self.target.base, self.keys["reader"], "727")
        self.page("POST", "/sign-out", ended, {"loan": "727"}).expect(303)
        self.portal["endedCookie"] = ended

    def page(self, method, path, cookie=None, form=None):
        headers = {"Accept": "text/html", "Origin": self.target.base}
        if cookie:
            headers["Cookie"] = cookie
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(form)
        return Api(self.target.base).call(method, path, body, headers)

    def open(self, token):
        return cookie_of(self.page("GET", f"/portal?token={token}").expect(303))

    def resend_on_page(self, cookie, trace, attempts):
        row = self.delivery(trace)["attempts"][0]["id"]
        page = self.page("GET", f"/loans/727/webhooks?open={row}", cookie).expect(200).body.decode()
        form = re.search(r'<form method="post" action="([^"]+/resend[^"]*)">(.*?)</form>', page, re.S)
        fields = dict(re.findall(r'name="(csrf|once)" value="([^"]*)"', form[2]))
        self.page("POST", html.unescape(form[1]), cookie, fields).expect(303)
        self.attempts(trace, attempts)

    def read_all_keys(self):
        """So that the last use of every key that answers are read with is noted."""
        for key in READING_KEYS:
            self.api(key).get("/v1/event-types").expect(200)


# Their last use changes with every reading, unless it is to come.
READING_KEYS = ["lms", "reader", "resender", "portal", "birch", "default-tenant", "admin-of-acme", "operator", "admin", "ends-in-2099"]
INVALID_KEYS = ["over", "deleted", "admin-before", None]


def cookie_of(answer):
    cookie = next(value for value in answer.all("set-cookie") if "Max-Age=0" not in value)
    return cookie.partition(";")[0]


# ------------------------------------------------------------------------------------------------ one process


class OneProcess:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.process = self.base = None
        self.made_key = None

    def start(self, *options, admin_key=None, allow=True):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LOANHOOK_")}
        if admin_key:
            environment["LOANHOOK_ADMIN_KEY"] = admin_key
        command = [self.binary, "serve", "--listen", "127.0.0.1:0", "--data", str(self.folder), *options]
        command += ["--allow-network", "127.0.0.0/8"] if allow else []
        log = (self.folder.parent / f"{self.folder.name}.log").open("ab")
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        for line in self.process.stdout:
            if found := re.search(r"\blh_\w+", line):
                self.made_key = found[0]
            if line.startswith("loanhook is listening on "):
                self.base = line.split()[-1].rstrip("/")
                break
        else:
            sys.exit("the program did not start")
        # What a first start prints of its key may come after.
        threading.Thread(target=self._rest, args=(self.process.stdout,), daemon=True).start()

    def _rest(self, lines):
        for line in lines:
            if found := re.search(r"\blh_\w+", line):
                self.made_key = found[0]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def invoke_resend(self, scenario, trace):
        """There is no function to invoke."""


def make_sqlite(arguments):
    out = Path(arguments.out) / "sqlite"
    with tempfile.TemporaryDirectory(prefix="loanhook-fixtures-") as scratch:
        target = OneProcess(arguments.binary, Path(scratch) / "data")
        receiver = Receiver(arguments.port)
        try:
            scenario, varying = in_one_process(target, receiver)
            target.kill()
            captured = now()
            out.mkdir(parents=True, exist_ok=True)
            one_file(target.folder, out / "loanhook.db")
            move_sqlite(out / "loanhook.db", captured, scenario)
            receiver.let_go()
            read = [read_copy(arguments.binary, out / "loanhook.db", scenario, varying, Path(scratch) / f"copy{i}") for i in range(2)]
        finally:
            if target.process and target.process.poll() is None:
                target.kill()
    check_the_same(*read)
    write_answers(out, scenario, captured, read[0], varying)
    print(f"{(out / 'loanhook.db').stat().st_size} bytes of loanhook.db")
    summarize_sqlite(out / "loanhook.db")


def in_one_process(target, receiver):
    s = Scenario(target, receiver)
    # The first start makes a key.
    target.start()
    s.keys["first"] = until("the key of the first start", lambda: target.made_key)
    s.key("operator-at-first", ["operator"], tenant="default", by="first", title="Operator, made at the first start")
    target.stop()

    target.start(admin_key=ADMIN_KEYS[0])
    s.keys["admin-before"] = ADMIN_KEYS[0]
    s.api("admin-before").get("/v1/keys").expect(200)
    s.make_keys()
    s.make_subscriptions()
    s.ordinary()
    s.triggers()
    s.failures()
    s.retries()
    s.resends()
    s.links()

    # Killed in mid-request: an attempt that is followed at once and well, a resend that is not repeated, and one that is
    # interrupted twice before it is captured on its way for the third time.
    days = {"retry": {"delays": [604_800]}, "timeoutSeconds": 30}
    again = s.send("interrupted", "I first", "interrupted", "/hang-first", **days)
    resent = s.send("interrupted-resend", "I resend", "interrupted", "/ok-then-hang", "over", **days)
    third = s.send("in-flight-third", "I third", "in flight", "/hang", **days)
    receiver.awaits(again, "1")
    receiver.awaits(third, "1")
    s.resend(resent)
    receiver.awaits(resent, "manual")
    target.kill()

    target.start(admin_key=ADMIN_KEYS[0])
    s.over(again)
    receiver.awaits(third, "2")
    s.marks["interrupted"] = rfc3339(now())
    target.kill()

    # Another admin key. Of one tenant four requests are under way at most.
    target.start("--concurrency", "8", admin_key=ADMIN_KEYS[1])
    s.keys["admin"] = ADMIN_KEYS[1]
    receiver.awaits(third, "3")
    s.target.base = target.base
    in_flight(s, days)
    # All places are taken: what comes now waits.
    old = s.resend(s.traces["queued-old"])
    moved = s.resend(s.traces["queued"])
    s.traces["waiting"] = s.one("Payment Posted to Account", "waiting")
    s.read_all_keys()
    time.sleep(1)
    rows = {row["id"]: row["outcome"] for row in s.delivery(s.traces["queued-old"])["attempts"] + s.delivery(s.traces["queued"])["attempts"]}
    if rows[old] != "queued" or rows[moved] != "queued" or s.delivery(s.traces["waiting"])["attempts"]:
        sys.exit(f"something left that was to wait: {rows}")
    for trace, attempt in [(third, "3"), (s.traces["in-flight"], "1"), (s.traces["in-flight-canceled"], "1"), (s.traces["in-flight-resend"], "manual")]:
        states = [row["outcome"] for row in s.delivery(trace)["attempts"]]
        if states[-1] != "sending":
            sys.exit(f"{trace} is not in flight: {states}")
    s.queued = {"moved": moved, "old": old}
    follows = "its attempt was in flight: at the start after the crash it is recorded as interrupted and another follows at once"
    thirds = "its attempt was in flight: at the start after the crash it is recorded as interrupted, the third in a row, and the next is due 7 days after that start"
    late = "its resend was queued: within 15 minutes after the capture a start sends it, later it is recorded as interrupted"
    return s, {
        "loans": {"in flight": follows, "queued old": late},
        "traces": {s.traces["in-flight"]: follows, third: thirds, s.traces["queued-old"]: late},
    }


def in_flight(s, days):
    """What is on its way when the store is captured; before that, what will wait then, as far as it was sent once."""
    for name, loan in [("queued", "queued"), ("queued-old", "queued old")]:
        s.send(name, f"I {name}", loan, "/ok", "over", **days)
    canceled = s.subscribe("in-flight-canceled", {"events": ["I canceled"]}, "/hang", **days)
    s.send("in-flight-resend", "I resend in flight", "in flight resend", "/ok-then-hang", "over", **days)
    s.send("in-flight", "I in flight", "in flight", "/hang", **days)
    s.receiver.awaits(s.traces["in-flight"], "1")
    trace = s.traces["in-flight-canceled"] = s.one("I canceled", "in flight canceled")
    s.receiver.awaits(trace, "1")
    s.api().post(f"/v1/webhooks/{trace}/cancel", status=200)
    s.resend(s.traces["in-flight-resend"])
    s.receiver.awaits(s.traces["in-flight-resend"], "manual")


def one_file(folder, path):
    """The database with its log, as one file. A copy: the folder stays as the crash left it."""
    copy = folder.parent / "merged"
    shutil.copytree(folder, copy)
    connection = sqlite3.connect(copy / "loanhook.db", isolation_level=None)
    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        sys.exit("the log could not be merged")
    connection.close()
    path.unlink(missing_ok=True)
    shutil.copyfile(copy / "loanhook.db", path)


def milliseconds(moment):
    return int(moment.timestamp() * 1000)


def parse(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def moved_text(text):
    return rfc3339(parse(text) + MOVED)


class Mover:
    """Moves what was still to come."""

    def __init__(self, captured, queued):
        self.captured, self.queued = captured, queued

    def to_come(self, moment):
        return self.captured < moment < self.captured + HORIZON

    def document(self, doc, names):
        """The JSON text of a document, in which moments under these names are moved if they were to come."""

        def move(found):
            name, text = found[1], found[2]
            return f'"{name}":"{moved_text(text)}"' if self.to_come(parse(text)) else found[0]

        return re.sub(rf'"({"|".join(names)})":"(\d{{4}}-[0-9T:.-]+Z)"', move, doc)

    def number(self, value, unit=1000):
        """Milliseconds, or with a unit of 1 seconds, since 1970."""
        moment = datetime.fromtimestamp(value / unit, timezone.utc)
        return value + MOVED_MS * unit // 1000 if self.to_come(moment) else value

    def row(self, doc):
        doc = self.document(doc, ["next_attempt_at"])
        if json.loads(doc)["id"] == self.queued:
            # It is queued for ever: a queued row counts its age from this.
            doc = re.sub(r'"sent_at":"([^"]+)"', lambda found: f'"sent_at":"{moved_text(found[1])}"', doc)
        return doc


def move_sqlite(path, captured, s):
    mover = Mover(captured, s.queued["moved"])
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("BEGIN")

    def each(table, key, columns, change):
        for row in connection.execute(f"SELECT {key}, {', '.join(columns)} FROM {table}").fetchall():
            after = change(*row[1:])
            if after != row[1:]:
                sets = ", ".join(f"{column} = ?" for column in columns)
                connection.execute(f"UPDATE {table} SET {sets} WHERE {key} = ?", (*after, row[0]))

    def progress(text):
        # Due, or waiting although it is due: an attempt that is under way is followed at once.
        value = json.loads(text)
        if value["next"] and not value["in_flight"]:
            due = value["next"]["due"]
            text = text.replace(f'"due":"{due}"', f'"due":"{moved_text(due)}"')
        return (text,)

    old = bytes.fromhex(s.queued["old"].replace("-", ""))
    each("deliveries", "trace", ["progress"], progress)
    each("attempts", "id", ["doc"], lambda doc: (mover.row(doc),))
    each("queue", "id", ["due", "attempt"], lambda due, attempt: (due if attempt == old else due + MOVED_MS, attempt))
    each("grants", "hash", ["until", "doc"], lambda value, doc: (mover.number(value), mover.document(doc, ["until"])))
    for tenant, kind, key, value in connection.execute("SELECT tenant, kind, key, until FROM idempotency").fetchall():
        where = (mover.number(value), tenant, kind, key)
        connection.execute("UPDATE idempotency SET until = ? WHERE tenant = ? AND kind = ? AND key = ?", where)
    for tenant, of, version, doc in connection.execute("SELECT tenant, id, version, doc FROM subscriptions").fetchall():
        where = (mover.document(doc, ["until"]), tenant, of, version)
        connection.execute("UPDATE subscriptions SET doc = ? WHERE tenant = ? AND id = ? AND version = ?", where)
    connection.execute("UPDATE egress SET seen = seen + ?", [MOVED_MS])
    for name in READING_KEYS:
        digest = hashlib.sha256(s.keys[name].encode()).digest()
        changed = connection.execute("UPDATE keys SET used = used + ? WHERE hash = ? AND used IS NOT NULL", [MOVED_MS, digest])
        if changed.rowcount != 1:
            sys.exit(f"the last use of the key {name} is not there")
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for beside in ["-wal", "-shm"]:
        path.with_name(path.name + beside).unlink(missing_ok=True)


def read_copy(binary, database, s, varying, folder):
    """The answers of the same program on a copy. No network is allowed: nothing can be sent."""
    folder.mkdir()
    shutil.copyfile(database, folder / "loanhook.db")
    target = OneProcess(binary, folder)
    target.start(admin_key=ADMIN_KEYS[1], allow=False)
    s.target = target
    try:
        time.sleep(2)
        answers = read_answers(s, varying)
        answers["pages"] = read_pages(s)
        check_idempotency(s)
    finally:
        target.kill()
    return answers


def check_sqlite(arguments):
    """Whether a program, on a copy of the fixture, answers as it says."""
    out = Path(arguments.out) / "sqlite"
    told = json.loads((out / "answers.json").read_text())
    with tempfile.TemporaryDirectory(prefix="loanhook-fixtures-") as scratch:
        folder = Path(scratch) / "data"
        folder.mkdir()
        shutil.copyfile(out / "loanhook.db", folder / "loanhook.db")
        target = OneProcess(arguments.binary, folder)
        target.start(admin_key=told["keys"]["admin"], allow=False)
        try:
            time.sleep(1)
            wrong = hold(target.base, told)
        finally:
            target.kill()
    sys.exit(f"{wrong} answers are otherwise" if wrong else None)


def hold(base, told):
    """How much a loanhook at this address answers otherwise. What it adds to an answer is not looked at."""
    wrong = sum(not answers_as(Api(base, told["keys"].get(one["key"])), one) for one in told["answers"])
    for call in told["idempotency"]:
        api = Api(base, told["keys"][call["key"]])
        answer = api.post(call["endpoint"], call["body"], call["idempotencyKey"])
        if answer.status != call["status"] or not holds(call["answer"], answer.json()):
            print(f"{call['endpoint']} answered {answer.status} {answer.body!r}")
            wrong += 1
    for page in told["pages"]:
        headers = {"Cookie": told[page["cookie"]]} if page["cookie"] else {}
        answer = Api(base).call("GET", page["path"], None, {"Accept": "text/html", **headers})
        if answer.status != page["status"]:
            print(f"{page['path']} with {page['cookie']} answered {answer.status}, not {page['status']}")
            wrong += 1
    return wrong


def answers_as(api, one):
    answer = api.get(one["path"])
    if isinstance(one["body"], dict) and "base64" in one["body"]:
        body = {"base64": base64.b64encode(answer.body).decode(), "contentType": answer.header("content-type")}
    else:
        body = answer.json()
    same = answer.status == one["status"] and holds(one["body"], body)
    if not same:
        print(f"{one['path']} with {one['key']}: {answer.status} {json.dumps(body, ensure_ascii=False)}")
        print(f"  was {one['status']} {json.dumps(one['body'], ensure_ascii=False)}")
    return same


def holds(old, new):
    """Whether all of an answer is in another."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(name in new and holds(value, new[name]) for name, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(holds, old, new))
    return old == new


def summarize_sqlite(path):
    # Immutable: so that nothing is put beside it.
    connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    print(f"schema {connection.execute('PRAGMA user_version').fetchone()[0]}")
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1").fetchall():
        print(f"{table}: {connection.execute(f'SELECT count(*) FROM {table}').fetchone()[0]}")
    deliveries = [json.loads(text) for (text,) in connection.execute("SELECT progress FROM deliveries")]
    rows = [json.loads(text) for (text,) in connection.execute("SELECT doc FROM attempts")]
    kinds(deliveries, rows)
    connection.close()


def kinds(deliveries, rows):
    def tally(name, values):
        counts = {}
        for value in values:
            counts[value] = counts.get(value, 0) + 1
        print(f"{name}: " + ", ".join(f"{value} {count}" for value, count in sorted(counts.items())))

    def outcome(row):
        state = row["state"]
        if isinstance(state, str) or "Sending" in state:
            return state.lower() if isinstance(state, str) else "sending"
        result = state["Complete"]["result"]
        return str(result["Ok"]) if "Ok" in result else f"{result['Err']['kind']}/{result['Err']['phase']}"

    tally("status of deliveries", [one["status"] for one in deliveries])
    tally("in flight", [bool(one["in_flight"]) for one in deliveries])
    tally("interruptions", [one["interruptions"] for one in deliveries])
    tally("number of attempts", [str(row["number"]) for row in rows])
    tally("outcome of attempts", [outcome(row) for row in rows])
    tally("requested by", [row["requested_by"] for row in rows if row["requested_by"]])
    tally("test", [row.get("test", False) for row in rows])
    answers = [row["state"]["Complete"]["response"] for row in rows if "Complete" in row["state"]]
    for name in ["truncated", "headers_truncated", "headers_dropped"]:
        tally(f"answers: {name}", [answer[name] for answer in answers if answer])


# ------------------------------------------------------------------------------------------------ AWS


class Stack:
    """What `infra/stack.py` deploys to an emulator."""

    def __init__(self, outputs, stack):
        import boto3

        self.base = outputs["ApiUrl"].rstrip("/")
        self.outputs, self.stack = outputs, stack
        self.dynamodb, self.s3 = boto3.client("dynamodb"), boto3.client("s3")
        self.sqs, self.lambda_ = boto3.client("sqs"), boto3.client("lambda")
        self.functions = stack.deployed_functions()

    def hide_messages_for(self, seconds):
        self.stack.hide_messages_for(self.outputs["QueueUrl"], str(seconds))

    def deliveries(self, enabled):
        for mapping in self.lambda_.list_event_source_mappings()["EventSourceMappings"]:
            self.lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
        time.sleep(3)

    def admin_key(self, key):
        for name in ["intake", "history", "subscriptions"]:
            function = self.functions[name]
            told = self.lambda_.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
            told["LOANHOOK_ADMIN_KEY"] = key
            self.lambda_.update_function_configuration(FunctionName=function, Environment={"Variables": told})
        time.sleep(3)

    def invoke(self, name, event):
        answer = self.lambda_.invoke(FunctionName=self.functions[name], Payload=json.dumps(event).encode())
        body = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            sys.exit(f"{name} failed: {body}")
        return body

    def invoke_resend(self, scenario, trace):
        """A direct invocation, as from Step Functions, once without and once with a key of the caller's."""
        self.invoke("resend", {"tenant": "acme", "traceId": trace})
        scenario.attempts(trace, 3)
        self.invoke("resend", [{"tenant": "acme", "traceId": trace, "attempt": 1, "idempotencyKey": "direct-1"}])
        scenario.attempts(trace, 4)

    def kill_senders_to(self, port):
        """Ends the processes of functions that have a connection to this port."""
        sockets = set()
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[2].endswith(f":{port:04X}"):
                sockets.add(f"socket:[{fields[9]}]")
        killed = 0
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if b"AWS_LAMBDA_RUNTIME_API=" not in (process / "environ").read_bytes():
                    continue
                if any(os.readlink(file) in sockets for file in (process / "fd").iterdir()):
                    os.kill(int(process.name), signal.SIGKILL)
                    killed += 1
        if not killed:
            sys.exit("no sender was found")

    def items(self, table):
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def messages(self):
        address = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
        connection = http.client.HTTPConnection("127.0.0.1", address.port)
        connection.request("GET", "/_ministack/sqs/messages?" + urllib.parse.urlencode({"QueueUrl": self.outputs["QueueUrl"]}))
        return json.loads(connection.getresponse().read())


def make_aws(arguments):
    repository = Path(arguments.repository).resolve()
    sys.path.insert(0, str(repository / "infra"))
    import stack

    out = Path(arguments.out) / "aws"
    receiver = Receiver(arguments.port)
    with stack.aws("fixtures"):
        target = Stack(stack.deploy(), stack)
        s = on_aws(target, receiver, stack.deployment()["parameters"]["AdminKey"])
        captured = now()
        out.mkdir(parents=True, exist_ok=True)
        messages = message_lines(target, captured)
        move_aws(target, captured, s)
        varying = {"loans": {}, "traces": {}}
        read = []
        for _ in range(2):
            answers = read_answers(s, varying)
            answers["pages"] = read_pages(s, opens_links=False)
            read.append(answers)
        dump(target, out, messages)
        read[0]["pages"] = read[1]["pages"] = read_pages(s)
        check_idempotency(s)
    check_the_same(*read)
    write_answers(out, s, captured, read[0], varying)
    summarize_aws(out)


def on_aws(target, receiver, first_key):
    s = Scenario(target, receiver)
    s.keys["first"] = s.keys["admin-before"] = first_key
    s.make_keys()
    s.make_subscriptions()
    s.ordinary()
    s.triggers()
    s.failures()
    s.retries()
    s.resends()
    s.links()
    days = {"retry": {"delays": [604_800]}, "timeoutSeconds": 30}

    # The delivery function is killed in mid-request. What it had taken comes back soon, and its claim is over 70 s later.
    target.hide_messages_for(5)
    again = s.send("interrupted", "I first", "interrupted", "/hang-first", **days)
    second = s.send("in-flight-second", "I second", "in flight", "/hang", **days)
    receiver.awaits(again, "1")
    receiver.awaits(second, "1")
    target.kill_senders_to(receiver.port)
    resent = s.send("interrupted-resend", "I resend", "interrupted", "/ok-then-hang", "over", **days)
    s.resend(resent)
    receiver.awaits(resent, "manual")
    target.kill_senders_to(receiver.port)
    receiver.awaits(second, "2", seconds=180)
    s.over(again)
    s.attempts(resent, 2)
    # Within its time it is killed again, and captured before that claim is over.
    target.kill_senders_to(receiver.port)
    s.marks["interrupted"] = rfc3339(now())
    target.hide_messages_for(360)

    # The stack has another admin key.
    target.admin_key(ADMIN_KEYS[1])
    s.keys["admin"] = ADMIN_KEYS[1]
    s.api("admin").get("/v1/keys").expect(200)

    in_flight(s, days)
    target.deliveries(False)
    target.kill_senders_to(receiver.port)
    # Nobody takes messages any more.
    moved = s.resend(s.traces["queued"])
    old = s.resend(s.traces["queued-old"])
    s.traces["waiting"] = s.one("Payment Posted to Account", "waiting")
    s.read_all_keys()
    time.sleep(2)
    for trace in ["in-flight", "in-flight-second", "in-flight-canceled", "in-flight-resend"]:
        if s.delivery(s.traces[trace])["attempts"][-1]["outcome"] != "sending":
            sys.exit(f"{trace} is not in flight")
    for trace in ["queued", "queued-old"]:
        if s.delivery(s.traces[trace])["attempts"][-1]["outcome"] != "queued":
            sys.exit(f"{trace} is not queued")
    # Here nothing takes it up when the store is opened, so both can stay queued for ever.
    s.queued = {"moved": moved, "also": old}
    return s


def message_lines(target, captured):
    """The messages in the queue, each with what kind it is; moments that were to come are moved as in the tables."""
    mover = Mover(captured, None)
    found = target.messages()
    bodies = []

    def walk(value):
        if isinstance(value, dict):
            body = value.get("Body", value.get("body"))
            if isinstance(body, str):
                bodies.append(body)
                return
            value = list(value.values())
        if isinstance(value, list):
            for one in value:
                walk(one)

    walk(found)
    if not bodies:
        sys.exit(f"no messages in {json.dumps(found)[:500]}")
    lines = []
    for body in sorted(set(bodies)):
        value = json.loads(body)
        to_come = mover.to_come(parse(value["due"]))
        kind = "resend" if "attemptId" in value else "attempt"
        lines.append({"kind": f"{kind}, hops to come" if to_come else kind, "body": mover.document(body, ["due"])})
    return lines


def move_aws(target, captured, s):
    mover_of = {queued: Mover(captured, queued) for queued in s.queued.values()}
    mover = next(iter(mover_of.values()))
    reading = {hashlib.sha256(s.keys[name].encode()).hexdigest() for name in READING_KEYS}
    for table in [target.outputs["TableName"], target.outputs["PayloadsTableName"]]:
        for item in target.items(table):
            before = json.dumps(item, default=str, sort_keys=True)
            for name, unit in [("expires", 1), ("until", 1000)]:
                if name in item:
                    item[name] = {"N": str(mover.number(int(item[name]["N"]), unit))}
            if "next" in item and "flight" not in item and item["status"]["S"] == "pending":
                due = item["next"]["M"]["due"]
                due["N"] = str(int(due["N"]) + MOVED_MS)
            if "seen" in item:
                item["seen"] = {"N": str(int(item["seen"]["N"]) + MOVED_MS)}
            if "used" in item and item["hash"]["S"] in reading:
                item["used"] = {"N": str(int(item["used"]["N"]) + MOVED_MS)}
            if "secrets" in item:
                item["secrets"] = {"S": mover.document(item["secrets"]["S"], ["until"])}
            if item["pk"]["S"].startswith("G#") and "doc" in item:
                item["doc"] = {"S": mover.document(item["doc"]["S"], ["until"])}
            if item["pk"]["S"].startswith("L#"):
                own = mover_of.get(item["sk"]["S"], mover)
                item["doc"] = {"S": own.row(item["doc"]["S"])}
            if json.dumps(item, default=str, sort_keys=True) != before:
                target.dynamodb.put_item(TableName=table, Item=item)


def plain(value):
    """DynamoDB JSON: bytes as base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: plain(one) for name, one in sorted(value.items())}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def lines(path, values):
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values))


def dump(target, out, messages):
    by_key = lambda item: (item["pk"]["S"], item.get("sk", {}).get("S", ""))
    for name, output in [("table", "TableName"), ("payloads", "PayloadsTableName")]:
        lines(out / f"{name}.jsonl", map(plain, sorted(target.items(target.outputs[output]), key=by_key)))
    bucket = target.outputs["BucketName"]
    objects = []
    for page in target.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for one in page.get("Contents", []):
            body = target.s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            objects.append({"key": one["Key"], "base64": base64.b64encode(body).decode()})
    lines(out / "objects.jsonl", sorted(objects, key=lambda one: one["key"]))
    lines(out / "messages.jsonl", messages)


def check_aws(arguments):
    """Whether a stack on an emulator, with these items, objects and admin key, answers as the fixture says."""
    repository = Path(arguments.repository).resolve()
    sys.path.insert(0, str(repository / "infra"))
    import stack

    out = Path(arguments.out) / "aws"
    told = json.loads((out / "answers.json").read_text())
    with stack.aws("fixtures"):
        target = Stack(stack.deploy(), stack)
        target.deliveries(False)
        target.admin_key(told["keys"]["admin"])
        for name, output in [("table", "TableName"), ("payloads", "PayloadsTableName")]:
            for line in (out / f"{name}.jsonl").read_text().splitlines():
                item = json.loads(line)
                if "bytes" in item:
                    item["bytes"] = {"B": base64.b64decode(item["bytes"]["B"])}
                target.dynamodb.put_item(TableName=target.outputs[output], Item=item)
        for line in (out / "objects.jsonl").read_text().splitlines():
            one = json.loads(line)
            target.s3.put_object(Bucket=target.outputs["BucketName"], Key=one["key"], Body=base64.b64decode(one["base64"]))
        wrong = hold(target.base, told)
    sys.exit(f"{wrong} answers are otherwise" if wrong else None)


def summarize_aws(out):
    load = lambda name: [json.loads(line) for line in (out / f"{name}.jsonl").read_text().splitlines()]
    items = load("table")
    counts = {}
    for item in items:
        kind = item["pk"]["S"].partition("#")[0]
        if kind == "S":
            kind += " " + item["sk"]["S"].partition("#")[0]
        counts.setdefault(kind, []).append(item)
    for kind, found in sorted(counts.items()):
        names = sorted({name for item in found for name in item} - {"pk", "sk"})
        shapes = {tuple(sorted(set(item) - {"pk", "sk"})) for item in found}
        print(f"{kind}: {len(found)} items of {len(shapes)} shapes, attributes {', '.join(names)}")
    for name in ["payloads", "objects", "messages"]:
        print(f"{name}: {len(load(name))}")
    print("messages: " + ", ".join(sorted(one["kind"] for one in load("messages"))))
    deliveries = [
        {"status": item["status"]["S"], "in_flight": "flight" in item, "interruptions": int(item.get("interruptions", {"N": 0})["N"])}
        for item in counts["T"]
    ]
    kinds(deliveries, [json.loads(item["doc"]["S"]) for item in counts["L"]])


# ------------------------------------------------------------------------------------------------ answers


def read_answers(s, varying):
    """What every GET answers; of what varies, nothing."""
    answers = []

    def ask(path, key="lms"):
        if key not in READING_KEYS + INVALID_KEYS:
            sys.exit(f"{path} is read with {key}, whose last use would change")
        answer = Api(s.target.base, s.keys.get(key)).get(path)
        kind = (answer.header("content-type") or "").partition(";")[0]
        if answer.header("content-disposition"):
            body = {"base64": base64.b64encode(answer.body).decode(), "contentType": answer.header("content-type")}
        elif kind.endswith("json"):
            body = answer.json()
        else:
            sys.exit(f"{path} answered {answer.status} {kind}: {answer.body[:200]!r}")
        answers.append({"path": path, "key": key, "status": answer.status, "body": body})
        return body

    for key in ["lms", "birch", "default-tenant"]:
        for one in ask("/v1/subscriptions?limit=200", key)["items"]:
            ask(f"/v1/subscriptions/{one['id']}", key)
    page = ask("/v1/subscriptions?limit=20", "reader")
    while page["next"]:
        page = ask(f"/v1/subscriptions?limit=20&cursor={page['next']}", "reader")
    ask(f"/v1/subscriptions/{s.subscriptions['templates']}", "reader")
    ask(f"/v1/subscriptions/{s.subscriptions['deleted']}")
    ask(f"/v1/subscriptions/{s.subscriptions['everything-of-birch']}")
    ask("/v1/keys", "admin-of-acme")
    ask("/v1/keys", "admin")
    for tenant in ["acme", "birch", "default", "nobody"]:
        ask(f"/v1/keys?tenant={tenant}", "operator")
    ask("/v1/keys?limit=3", "admin-of-acme")
    for key in ["ends-in-2099", "portal", *INVALID_KEYS]:
        ask("/v1/subscriptions?limit=1", key)
    ask("/v1/egress")

    loans = {"acme": ("lms", set()), "birch": ("birch", {"727", "of-birch"}), "default": ("default-tenant", {"727"})}
    loans["acme"][1].update(
        ["727", s.UNICODE_LOAN, "methods", "large", "batch", "batch ✓", "tested", "failures", "retries", "kept connection"]
        + ["interrupted", "in flight", "in flight canceled", "in flight resend", "queued", "queued old", "waiting", "nobody"]
        + [f"trigger {state}" for state in ["true", "false", "restricted", "rose", "replaced", "high score"]]
    )
    traces, rows = {}, []
    for key, named in loans.values():
        for loan in sorted(named - set(varying["loans"])):
            path = f"/v1/loans/{segment(loan)}/webhooks"
            for row in ask(f"{path}?limit=200", key)["items"]:
                traces.setdefault(row["traceId"], key)
                rows.append((path, row, key))
    for path, row, key in rows:
        ask(f"{path}/{row['id']}", key)
        ask(row["source"]["href"], key)
        if row["response"]:
            ask(row["response"]["href"], key)
    path, row, _ = next(found for found in rows if found[1]["traceId"] == s.traces["templates"])
    ask(f"{path}/{row['id']}", "reader")
    ask(f"{path}/{row['id']}", "birch")
    for name in ["waiting", "payment"]:
        traces.setdefault(s.traces[name], "lms")
    for trace, key in traces.items():
        ask(f"/v1/webhooks/{trace}", key)
    ask(f"/v1/webhooks/{s.traces['payment']}", "birch")
    page = ask(f"/v1/webhooks/{s.traces['resend-ok']}?limit=2")
    while page["next"]:
        page = ask(f"/v1/webhooks/{s.traces['resend-ok']}?limit=2&cursor={page['next']}")

    outcomes = [{"outcome": outcome} for outcome in ["queued", "sending", "succeeded", "failed"]]
    codes = [{"responseCode": code} for code in ["200", "2xx", "302", "5xx", "404"]]
    errors = [{"error": kind} for kind in ["dns", "connect", "tls", "timeout", "protocol", "blocked", "template", "interrupted"]]
    numbers = [{"attempt": attempt} for attempt in ["auto", "manual", "1", "2", "3"]]
    methods = [{"method": method} for method in ["GET", "POST", "PUT", "PATCH", "DELETE"]]
    titles = [{"eventTitle": "Core banking: payment posted"}, {"eventName": "Zahlung gebucht ✓"}]
    of_one = [
        {"subscriptionId": s.subscriptions["payments"], "outcome": "succeeded"},
        {"traceId": s.traces["resend-ok"]},
        {"traceId": s.traces["resend-ok"], "attempt": "manual", "limit": "2"},
        {"from": s.marks["beginning"], "to": s.marks["interrupted"], "limit": "5"},
        {"to": s.marks["beginning"]},
    ]
    for loan, filters in [
        ("727", [*outcomes[:3], *codes, *numbers[1:], *titles, *of_one]),
        ("failures", [*outcomes[:3], *codes, *errors]),
        ("retries", numbers),
        ("methods", methods),
        (s.UNICODE_LOAN, [*titles, *methods]),
        ("interrupted", [*outcomes, *errors[-1:], *numbers]),
        ("queued", outcomes),
        ("in flight resend", [*outcomes, *errors[-1:]]),
    ]:
        for chosen in filters:
            ask(f"/v1/loans/{segment(loan)}/webhooks?{urllib.parse.urlencode(chosen)}")
    for loan in ["727", "failures"]:
        page = ask(f"/v1/loans/{segment(loan)}/webhooks?limit=4")
        while page["next"]:
            page = ask(f"/v1/loans/{segment(loan)}/webhooks?limit=4&cursor={page['next']}")
    return {"answers": answers}


def read_pages(s, opens_links=True):
    """The statuses of pages; they differ in what forms carry, so no more of them."""
    pages = []

    def ask(path, cookie):
        answer = s.page("GET", path, s.portal.get(cookie))
        pages.append({"path": path, "cookie": cookie, "status": answer.status})

    own, other = "/loans/727/webhooks", f"/loans/{segment(s.UNICODE_LOAN)}/webhooks"
    for cookie in ["sessionCookie", "lookingCookie", "signedInCookie", "endedCookie", None]:
        ask(own, cookie)
        ask(other, cookie)
    if opens_links:
        # This adds a session.
        ask(f"/portal?token={s.portal['portalToken']}", None)
    return pages


def check_idempotency(s):
    """A repeated call answers the same. Another body under the same key is refused."""
    for call in s.idempotency:
        if call["key"] not in READING_KEYS:
            sys.exit(f"{call['endpoint']} is called with {call['key']}, whose last use would change")
        answer = s.api(call["key"]).post(call["endpoint"], call["body"], call["idempotencyKey"], call["status"])
        if answer.json() != call["answer"]:
            sys.exit(f"{call['endpoint']} answered otherwise: {answer.json()} was {call['answer']}")


def check_the_same(first, second):
    for one, other in zip(first["answers"], second["answers"], strict=True):
        if one != other:
            print(json.dumps(one, indent=1, ensure_ascii=False), json.dumps(other, indent=1, ensure_ascii=False))
            sys.exit(f"{one['path']} answered otherwise when it was read again")
    if first["pages"] != second["pages"]:
        sys.exit("pages answered otherwise when they were read again")


def write_answers(out, s, captured, read, varying):
    doc = {
        "madeAt": rfc3339(captured),
        "movedDays": MOVED_DAYS,
        "receiver": s.receiver.base,
        "keys": s.keys,
        **s.portal,
        "subscriptions": s.subscriptions,
        "traces": s.traces,
        "queuedAttempts": s.queued,
        "credentials": s.credentials,
        "idempotency": s.idempotency,
        "varying": varying,
        "pages": read["pages"],
        "answers": read["answers"],
    }
    # One answer a line, so that a difference can be read.
    text = json.dumps({name: value for name, value in doc.items() if name != "answers"}, ensure_ascii=False, indent=1)
    each = ",\n".join("  " + json.dumps(answer, ensure_ascii=False) for answer in doc["answers"])
    (out / "answers.json").write_text(f'{text[:-2]},\n "answers": [\n{each}\n ]\n}}\n')
    json.loads((out / "answers.json").read_text())
    print(f"{len(doc['answers'])} answers")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, make, of in [
        ("sqlite", make_sqlite, "makes those of one process on SQLite"),
        ("aws", make_aws, "makes those of the stack on an emulator"),
        ("check-sqlite", check_sqlite, "holds a program against those of one process"),
        ("check-aws", check_aws, "holds a stack on an emulator against those of one"),
    ]:
        command = commands.add_parser(name, help=of)
        command.set_defaults(make=make)
        command.add_argument("--out", required=True, help="the folder of the fixtures")
        if name.endswith("sqlite"):
            command.add_argument("--binary", required=True, help="the program")
        else:
            command.add_argument("--repository", default=".", help="where infra/, samconfig.toml and target/lambda are")
        if not name.startswith("check"):
            command.add_argument("--port", type=int, default=47001, help="of the receiver")
    arguments = parser.parse_args()
    arguments.make(arguments)


if __name__ == "__main__":
    main()
