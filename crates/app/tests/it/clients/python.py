"""The Python client in eight situations; what goes over the wire is written down beside."""

import json
import logging
import sys
import threading

import sentry_sdk
from flask import Flask
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.transport import HttpTransport


class Recording(HttpTransport):
    def capture_envelope(self, envelope):
        event = envelope.get_event()
        if event is not None:
            with open(sys.argv[2], "a") as wire:
                wire.write(json.dumps(event, default=str) + "\n")
        super().capture_envelope(envelope)


sentry_sdk.init(
    sys.argv[1],
    transport=Recording,
    release="shop@1.2.3",
    environment="test",
    integrations=[FlaskIntegration()],
    include_local_variables=True,
)



def pay(order):
    total = order["total"]
    return total


with sentry_sdk.new_scope() as scope:
    scope.set_tag("scenario", "handled")
    try:
        pay({})
    except KeyError:
        sentry_sdk.capture_exception()

with sentry_sdk.new_scope() as scope:
    scope.set_tag("scenario", "chained")
    try:
        try:
            1 / 0
        except ZeroDivisionError as error:
            raise ValueError("no price") from error
    except ValueError:
        sentry_sdk.capture_exception()

with sentry_sdk.new_scope() as scope:
    scope.set_tag("scenario", "group")
    if sys.version_info >= (3, 11):
        try:
            raise ExceptionGroup("both", [KeyError("a"), RuntimeError("b")])
        except ExceptionGroup:
            sentry_sdk.capture_exception()

with sentry_sdk.new_scope() as scope:
    scope.set_tag("scenario", "message")
    logging.getLogger("shop").error("order %s is late by %d days", "A-7", 3)

with sentry_sdk.new_scope() as scope:
    scope.set_tag("scenario", "context")
    scope.set_user({"id": "7", "email": "ann@example.com", "username": "ann"})
    scope.set_context("order", {"total": 12})
    scope.set_extra("cart", [1, 2, 3])
    sentry_sdk.add_breadcrumb(category="cart", message="added a book", level="info")
    sentry_sdk.add_breadcrumb(category="cart", message="added a pen", level="info")
    sentry_sdk.capture_message("context", level="warning")

with sentry_sdk.new_scope() as scope:
    scope.set_tag("scenario", "attachment")
    scope.add_attachment(bytes=b"remember", filename="notes.txt")
    sentry_sdk.capture_message("with a file")

app = Flask("shop")


@app.route("/buy", methods=["POST"])
def buy():
    sentry_sdk.set_tag("scenario", "request")
    raise RuntimeError("sold out")


app.test_client().post("/buy?size=3", json={"item": 5}, headers={"X-Test": "yes"})


def work():
    sentry_sdk.set_tag("scenario", "thread")
    raise OSError("disk on fire")


worker = threading.Thread(target=work, name="packer")
worker.start()
worker.join()
sentry_sdk.flush(10)
