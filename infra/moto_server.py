"""The server of moto, with its DynamoDB answering one call at a time and a function of its SQS made faster.

usage: moto_server.py PORT

moto has a thread for each call, and no lock between the check of a condition and the write: two conditional writes at once
could both succeed, which DynamoDB excludes.
"""

import sys
import threading
import time

import moto.sqs.models
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple


class Handler(MotoRequestHandler):
    # Head and body are written apart, and the body would wait for the other side to acknowledge the head.
    disable_nagle_algorithm = True


class OneAtATime:
    def __init__(self, application):
        self.application = application
        self.lock = threading.Lock()

    def __call__(self, environment, start_response):
        if not environment.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            return self.application(environment, start_response)
        with self.lock:
            return list(self.application(environment, start_response))


if __name__ == "__main__":
    # Each call asks for the time twice for each message of the queue, and moto's own way to it is slow.
    moto.sqs.models.unix_time_millis = lambda: time.time() * 1000
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True, request_handler=Handler)
