"""A provider of single sign-on that can be told to misbehave, around oidc-provider-mock, which does not check PKCE.

server.py MAX_AGE; prints its port. Its tokens are valid for so many seconds. What it does from then on:

PUT /test/rotate  another key signs from now on
PUT /test/nonce   the next tokens carry another nonce (again: no longer)
PUT /test/deny    who signs in is refused (again: no longer)
GET /test/checked how many codes were redeemed with the right verifier
"""

import base64
import hashlib
import os
import sys
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # it speaks plain HTTP to this machine

import flask
import oidc_provider_mock
import werkzeug.serving
from authlib import jose

app = oidc_provider_mock.app(
    require_client_registration=True,
    require_nonce=True,
    access_token_max_age=timedelta(seconds=int(sys.argv[1])),
)
challenges, state = {}, {"checked": 0, "nonce": False, "deny": False}


@app.put("/test/rotate")
def rotate():
    storage = flask.g.oidc_provider_mock_storage
    storage.jwk = jose.RSAKey.generate_key(options={"kid": f"key-{id(challenges)}-{len(challenges)}"}, is_private=True)
    return ""


@app.put("/test/<any(nonce, deny):what>")
def switch(what):
    state[what] = not state[what]
    return ""


@app.get("/test/checked")
def checked():
    return flask.jsonify(state["checked"])


@app.before_request
def verify():
    if flask.request.path == "/oauth2/token":
        code, verifier = flask.request.form.get("code", ""), flask.request.form.get("code_verifier", "")
        digest = hashlib.sha256(verifier.encode()).digest()
        if challenges.get(code) != base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
            return flask.jsonify(error="invalid_grant", error_description="the verifier does not fit"), 400
        state["checked"] += 1
    if flask.request.path == "/oauth2/authorize" and state["deny"]:
        query = urlencode({"error": "access_denied", "error_description": "no", "state": flask.request.args["state"]})
        return flask.redirect(flask.request.args["redirect_uri"] + "?" + query)
    return None


@app.after_request
def remember(response):
    if flask.request.path == "/oauth2/authorize" and response.status_code == 302:
        for code in parse_qs(urlsplit(response.headers["Location"]).query).get("code", []):
            assert flask.request.args["code_challenge_method"] == "S256"
            challenges[code] = flask.request.args["code_challenge"]
    return response


def misled(environ, start_response):
    """What the provider is asked reaches it with another nonce."""
    if state["nonce"] and environ["PATH_INFO"] == "/oauth2/authorize":
        environ["QUERY_STRING"] = environ["QUERY_STRING"].replace("nonce=", "nonce=x")
    return app(environ, start_response)


server = werkzeug.serving.make_server("127.0.0.1", 0, misled, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
