"""A mail server with STARTTLS and a login: each mail it takes becomes a file of a folder.

server.py FOLDER CERTIFICATE KEY; prints its port. `bounce@` is refused for good, and while the file `busy` is in the
folder everything is refused for now.
"""

import pathlib
import socket
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

folder = pathlib.Path(sys.argv[1])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])


class Handler:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if (folder / "busy").exists():
            return "451 come back later"
        if address.startswith("bounce@"):
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        Handler.count += 1
        part = folder / f"{Handler.count:04}.part"
        part.write_bytes(envelope.content)
        part.rename(part.with_suffix(".eml"))
        return "250 taken"


def login(server, session, envelope, mechanism, data):
    good = data.login == b"vedette" and data.password == b"correct horse"
    return AuthResult(success=good, handled=False)


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
controller = Controller(
    Handler(),
    hostname="127.0.0.1",
    port=port,
    tls_context=context,
    require_starttls=True,
    authenticator=login,
    auth_required=True,
)
controller.start()
print(port, flush=True)
threading.Event().wait()
