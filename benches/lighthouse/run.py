"""Lighthouse on the console: starts this program, gives it a tenant with deliveries, signs in, and has pages of it judged.

usage: run.py BINARY

Prints the scores of each page, of 100, on a phone and on a desktop; exits with 1 where one is below 95.
"""

import http.server
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIGHTHOUSE = HERE / "node_modules" / ".bin" / "lighthouse"
PAGES = ["/", "/webhooks", "/subscriptions", "/loans/727/webhooks"]
CATEGORIES = ["performance", "accessibility", "best-practices"]
LEAST = 95
EVENTS = {"Payment Posted to Account": "/bank", "Autopay Failed": "/collections"}
LOANS = 40


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes all webhooks but those to `/collections`, which it answers with 503."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(503 if self.path == "/collections" else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Server:
    """loanhook on a data folder of its own."""

    def __init__(self, binary, folder):
        self.key = f"lh_{secrets.token_hex(16)}"
        self.process = subprocess.Popen(
            [binary, "serve", "--listen", "127.0.0.1:0", "--data", folder, "--allow-network", "127.0.0.0/8"],
            env={**os.environ, "LOANHOOK_ADMIN_KEY": self.key},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        beginning = "loanhook is listening on "
        line = next((line for line in self.process.stdout if line.startswith(beginning)), None)
        if line is None:
            sys.exit(f"{binary} did not start")
        self.base = line.split()[-1].rstrip("/")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def fill(self, receiver):
        """A tenant with a webhook that succeeds and one that fails, and deliveries of both that have ended."""
        for event, path in EVENTS.items():
            webhook = {
                "title": f"Webhook for {event}",
                "criteria": {"events": [event]},
                "request": {"url": receiver + path},
                "retry": {"delays": []},
            }
            self.call("POST", "/v1/subscriptions", webhook)
        for loan in range(700, 700 + LOANS):
            for event in EVENTS:
                self.call("POST", "/v1/events", {"eventName": event, "loanId": str(loan), "context": {}})
        while self.call("GET", "/v1/webhooks?status=pending&limit=1")["items"]:
            time.sleep(0.1)

    def sign_in(self):
        """The cookie of a session that may do everything."""
        form = urllib.parse.urlencode({"key": self.key}).encode()
        request = urllib.request.Request(f"{self.base}/sign-in", data=form, headers={"Origin": self.base})
        try:
            urllib.request.build_opener(NoRedirect).open(request)
        except urllib.error.HTTPError as answer:
            if answer.code == 303:
                cookies = answer.headers.get_all("Set-Cookie")
                return "; ".join(cookie.split(";")[0] for cookie in cookies if "Max-Age=0" not in cookie)
        sys.exit("the sign-in was refused")


def judge(url, cookie, desktop):
    """The scores of a page, of 100."""
    command = [LIGHTHOUSE, url, "--quiet", "--output=json", "--chrome-flags=--headless=new --no-sandbox"]
    command += [f"--only-categories={','.join(CATEGORIES)}", f"--extra-headers={json.dumps({'Cookie': cookie})}"]
    command += ["--preset=desktop"] if desktop else []
    report = json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL))
    scores = [round(report["categories"][category]["score"] * 100) for category in CATEGORIES]
    if min(scores) < LEAST:
        for audit in report["audits"].values():
            if audit["score"] is not None and audit["score"] < 0.9:
                print(f"    {audit['id']} {audit['score']}: {audit['title']} {audit.get('displayValue', '')}")
    return scores


def main(binary):
    browser = os.environ.get("CHROME_PATH") or shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        sys.exit("Lighthouse needs Chromium: install it, or name it in CHROME_PATH")
    os.environ["CHROME_PATH"] = browser
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(binary, folder)
        try:
            server.fill(f"http://127.0.0.1:{receiver.server_port}")
            cookie = server.sign_in()
            print(f"{'':32}{''.join(f'{category:>16}' for category in CATEGORIES)}")
            below = False
            for page in PAGES:
                for desktop in (False, True):
                    scores = judge(server.base + page, cookie, desktop)
                    below |= min(scores) < LEAST
                    name = f"{page} {'desktop' if desktop else 'phone'}"
                    print(f"{name:32}{''.join(f'{score:>16}' for score in scores)}", flush=True)
        finally:
            server.process.terminate()
            server.process.wait()
    if below:
        sys.exit(f"a score is below {LEAST}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
