"""The Python SDK in a Django application: every scenario is a view."""

import logging
import sys
from http.client import HTTPConnection
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
import sentry_sdk
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from sentry_sdk.integrations.django import DjangoIntegration

sentry_sdk.init(
    sys.argv[1],
    release="shop@1.2.3",
    dist="7",
    environment="test",
    integrations=[DjangoIntegration()],
    attach_stacktrace=True,
    send_default_pii=True,
    max_request_body_size="always",
)

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY="sesame",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {"bill.html": "<h1>Bill</h1>\n<p>{% widthratio total 1 wide %}</p>\n"},
                    )
                ]
            },
        }
    ],
    LOGGING={"version": 1, "disable_existing_loggers": False, "handlers": {}},
)
django.setup()


def handled(request):
    order = {"total": 12}
    try:
        order["count"]
    except KeyError:
        sentry_sdk.capture_exception()
    return HttpResponse("ok")


def unhandled(request):
    # Hidden by the SDK by its name.
    secret = "hunter2"
    # The SDK lets this through; the server must not.
    note = ["the password is sesame"]
    raise RuntimeError(f"nobody catches this: {len(secret) + len(note)}")


def chained(request):
    try:
        int("twelve")
    except ValueError as error:
        raise LookupError("no price") from error


def grouped(request):
    raise ExceptionGroup("both", [KeyError("a"), OSError(5, "disk on fire"), ExceptionGroup("in", [KeyError("b")])])


def message(request):
    logging.getLogger("shop").error("order %s is late by %d days", "A-7", 3)
    return HttpResponse("ok")


def context(request):
    sentry_sdk.set_user({"id": "7", "email": "ann@example.com", "username": "ann"})
    sentry_sdk.set_tag("flavour", "plum")
    sentry_sdk.set_context("order", {"total": 12, "lines": ["A", {"n": 2}]})
    sentry_sdk.set_extra("cart", {"note": "pass\u00e9 \U0001f351", "card": 4111111111111111})
    sentry_sdk.capture_message("context", level="info")
    return HttpResponse("ok")


def breadcrumbs(request):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 + 1")
    sentry_sdk.add_breadcrumb(category="cart", message="added a book", level="info")
    sentry_sdk.add_breadcrumb(category="cart", message="added a pen", level="warning", data={"ink": "blue"})
    sentry_sdk.capture_message("with crumbs")
    return HttpResponse("ok")


def buy(request, item):
    raise PermissionError("sold out: " + item)


def threads(request):
    sentry_sdk.capture_message("a message has the stack of its thread")
    return HttpResponse("ok")


def template(request):
    from django.shortcuts import render

    return render(request, "bill.html", {"total": 3, "wide": "no number"})


def attachment(request):
    sentry_sdk.get_current_scope().add_attachment(bytes=b"remember\n", filename="notes.txt")
    sentry_sdk.capture_message("with a file")
    return HttpResponse("ok")


def scenario(name, view):
    def tagged(request, **parts):
        sentry_sdk.set_tag("scenario", name)
        return view(request, **parts)

    # The SDK names the transaction by it.
    tagged.__name__ = tagged.__qualname__ = view.__name__
    return tagged


urlpatterns = [
    path(f"{view.__name__}/", scenario(view.__name__, view))
    for view in (handled, unhandled, chained, grouped, message, context, breadcrumbs, threads, template, attachment)
] + [path("buy/<item>/", scenario("request", buy))]



class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def form(fields, boundary="beefbeef"):
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    photo = f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="plum.png"\r\n\r\nPNG\r\n'
    return "".join(parts) + photo + f"--{boundary}--\r\n", f"multipart/form-data; boundary={boundary}"


server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
Thread(target=server.serve_forever, daemon=True).start()
for pattern in urlpatterns[:-1]:
    connection = HTTPConnection("127.0.0.1", server.server_port)
    connection.request("GET", f"/{pattern.pattern}")
    connection.getresponse().read()
body, kind = form({"count": "2", "password": "hunter2"})
connection = HTTPConnection("127.0.0.1", server.server_port)
connection.request(
    "POST",
    "/buy/plum/?size=3&size=4",
    body,
    {
        "Content-Type": kind,
        "Cookie": "theme=dark; sessionid=sesame",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "X-Note": "sesame is the password",
    },
)
connection.getresponse().read()
server.shutdown()
sentry_sdk.flush(10)
