"""The Python SDK in a Flask application: every scenario once, the uncaught exception last."""

import logging
import sys
import threading

import sentry_sdk
from flask import Flask
from sentry_sdk.integrations.flask import FlaskIntegration

sentry_sdk.init(
    sys.argv[1],
    release="shop@1.2.3",
    dist="7",
    environment="test",
    integrations=[FlaskIntegration()],
    include_local_variables=True,
    attach_stacktrace=True,
    send_default_pii=True,
    max_request_body_size="always",
)


def scenario(name):
    scope = sentry_sdk.new_scope()
    sentry_sdk.get_isolation_scope().set_tag("scenario", name)
    return scope


def pay(order):
    # Hidden by the SDK by its name.
    password = "hunter2"
    # The SDK lets this through; the server must not.
    note = "password: sesame"
    total = order["total"] / order["count"]
    return total, password, note


with scenario("handled"):
    try:
        pay({"total": 12})
    except KeyError:
        sentry_sdk.capture_exception()

with scenario("locals"):
    try:
        pay({"total": 12, "count": 0})
    except ZeroDivisionError:
        sentry_sdk.capture_exception()

with scenario("chained"):
    try:
        try:
            try:
                1 / 0
            except ZeroDivisionError as error:
                raise ValueError("no price") from error
        except ValueError:
            raise LookupError("no offer")
    except LookupError:
        sentry_sdk.capture_exception()

with scenario("grouped"):
    try:
        inner = ExceptionGroup("inner", [OSError("disk"), RuntimeError("fan")])
        raise ExceptionGroup("both", [KeyError("a"), inner])
    except ExceptionGroup:
        sentry_sdk.capture_exception()

with scenario("message"):
    logging.getLogger("shop").error("order %s is late by %d days", "A-7", 3)

with scenario("context") as scope:
    scope.set_user({"id": "7", "email": "ann@example.com", "username": "ann", "plan": "gold"})
    scope.set_tag("flavour", "plum")
    scope.set_tag("count", 3)
    scope.set_context("order", {"total": 12, "lines": [{"sku": "A", "n": 1.5}], "paid": None})
    scope.set_extra("cart", [1, "two", None, {"three": 3}])
    scope.set_extra("floats", [0.1 + 0.2, 65.613616999999977, 1795746361.7402265, 1e300 / 3, 5e-324, 2.0, -0.0])
    scope.set_extra("card", "4111111111111111")
    scope.fingerprint = ["{{ default }}", "plums"]
    scope.set_transaction_name("checkout")
    sentry_sdk.capture_message("context", level="warning")

with scenario("too much") as scope:

    def unknown(event, hint):
        event["colour"] = "plum"
        return event

    scope.add_event_processor(unknown)
    scope.set_tag("long", "plum " * 60)
    scope.set_context("long", {"text": "plum " * 2000, "left": 1, "right": 2})
    sentry_sdk.add_breadcrumb(message="plum " * 2000)
    sentry_sdk.capture_message("plum " * 2000)
    sentry_sdk.get_isolation_scope().clear_breadcrumbs()

with scenario("breadcrumbs"):
    sentry_sdk.add_breadcrumb(category="cart", message="added a book", level="info", data={"price": 3})
    sentry_sdk.add_breadcrumb(type="navigation", category="page", message="to the till", level="debug")
    logging.getLogger("shop").info("the till is open")
    sentry_sdk.capture_message("with crumbs")
    sentry_sdk.get_isolation_scope().clear_breadcrumbs()

with scenario("attachment") as scope:
    scope.add_attachment(bytes=b"remember\n", filename="notes.txt")
    scope.add_attachment(bytes=bytes(range(256)) * 64, filename="blob.bin", content_type="image/png")
    sentry_sdk.capture_message("with files")

app = Flask("shop")


@app.route("/buy/<item>", methods=["POST"])
def buy(item):
    sentry_sdk.set_tag("scenario", "request")
    raise RuntimeError("sold out: " + item)


app.test_client().post(
    "/buy/plum?size=3&colour=dark%20blue",
    json={"item": 5, "password": "hunter2"},
    headers={
        "X-Test": "yes",
        "Cookie": "theme=dark; basket=9",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    },
)


def work():
    with scenario("threads"):
        sentry_sdk.capture_message("a message has the stack of its thread")
    sentry_sdk.set_tag("scenario", "crash of a thread")
    raise OSError("disk on fire")


worker = threading.Thread(target=work, name="packer")
worker.start()
worker.join()

sentry_sdk.get_isolation_scope().set_tag("scenario", "unhandled")
raise RuntimeError("nobody catches this")
