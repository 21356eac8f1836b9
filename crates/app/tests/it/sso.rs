//! Single sign-on through a real provider, which the test starts: who is let in, who is not and why, and what a session
//! that it vouches for opens.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use testkit::server::{Reply, Server, request};

use crate::access::cookie;
use crate::clients::{fetched, install_python, sources};
use crate::people::{by, join, member};
use crate::{BINARY, POSTGRES};

/// A provider.
struct Provider {
    child: Child,
    port: u16,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Provider {
    fn start(max_age: i64) -> Provider {
        let lock = "requirements.txt";
        let packages = fetched("oidc", &[lock], |folder| {
            install_python(folder, &sources("oidc").join(lock));
        });
        let mut child = Command::new(packages.join("bin/python"))
            .arg(sources("oidc").join("server.py"))
            .arg(max_age.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        Provider {
            child,
            port: port.trim().parse().unwrap(),
        }
    }

    fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn ask(&self, method: &str, path: &str, kind: &str, body: &str) -> Reply {
        // It names itself as it was called.
        let host = format!("127.0.0.1:{}", self.port);
        let headers = [("Content-Type", kind), ("Host", host.as_str())];
        request(self.port, method, path, &headers, body.as_bytes()).unwrap()
    }

    fn put(&self, path: &str) {
        assert_eq!(self.ask("PUT", path, "text/plain", "").status, 200);
    }

    /// Makes somebody known.
    fn person(&self, sub: &str, email: &str, verified: bool) {
        let body = json!({ "email": email, "email_verified": verified, "name": format!("Name of {sub}") });
        let reply = self.ask(
            "PUT",
            &format!("/users/{sub}"),
            "application/json",
            &body.to_string(),
        );
        assert!(reply.status < 300, "{}", reply.status);
    }

    /// Signs somebody in as their browser does: what the provider's redirection brings back.
    fn visit(&self, url: &str, sub: &str) -> Vec<(String, String)> {
        let path = url
            .strip_prefix(&self.issuer())
            .expect("an address of the provider");
        let reply = self.ask(
            "POST",
            path,
            "application/x-www-form-urlencoded",
            &format!("sub={sub}"),
        );
        assert_eq!(reply.status, 302, "{}", String::from_utf8_lossy(&reply.body));
        let to = reply.header("location").unwrap();
        let (_, query) = to.split_once('?').expect("a query");
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(k, v)| (k.to_owned(), v.replace("%20", " ").replace('+', " ")))
            .collect()
    }
}

/// A browser of its own on the server.
struct Browser<'a> {
    server: &'a Server,
    jar: String,
}

impl<'a> Browser<'a> {
    fn new(server: &'a Server) -> Browser<'a> {
        Browser {
            server,
            jar: String::new(),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        let headers = [("X-Requested-With", "test"), ("Cookie", self.jar.as_str())];
        self.server.request(
            "POST",
            &format!("/api/0/{path}"),
            &headers,
            body.to_string().as_bytes(),
        )
    }

    /// Begins a sign-in; answers where to go.
    fn begin(&mut self, org: &str) -> String {
        let reply = self.post(
            &format!("auth/sso/{org}/"),
            &json!({ "next": "/settings/account/" }),
        );
        assert_eq!(reply.status, 200, "{}", reply.json());
        let set = reply.header("set-cookie").unwrap();
        assert!(
            set.starts_with("vedette_sso=") && set.contains("HttpOnly") && set.contains("SameSite=Lax"),
            "{set}"
        );
        self.jar = set.split(';').next().unwrap().to_owned();
        reply.json()["url"].as_str().unwrap().to_owned()
    }

    /// Comes back with what the provider said.
    fn back(&self, org: &str, said: &[(String, String)]) -> Reply {
        let body: serde_json::Map<String, Value> = said
            .iter()
            .map(|(k, v)| (k.replace("error_description", "errorDescription"), json!(v)))
            .collect();
        self.post(&format!("auth/sso/{org}/callback/"), &Value::Object(body))
    }

    /// All of it.
    fn sign_in(&mut self, org: &str, provider: &Provider, sub: &str) -> Reply {
        let url = self.begin(org);
        self.back(org, &provider.visit(&url, sub))
    }
}

/// The cookie of the session that an answer opens.
fn session(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.json());
    let set = reply
        .headers
        .iter()
        .find(|(n, v)| n == "set-cookie" && v.starts_with("vedette_session="))
        .map(|(_, v)| v)
        .expect("a session");
    assert!(set.contains("HttpOnly"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

fn refused(reply: &Reply, word: &str) {
    assert!(
        matches!(reply.status, 400 | 403),
        "{}: {}",
        reply.status,
        reply.json()
    );
    let text = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(text.contains(word), "{word}: {text}");
    assert!(
        reply
            .headers
            .iter()
            .all(|(_, v)| !v.starts_with("vedette_session="))
    );
}

/// Registers the server at a provider and the provider at `acme`.
fn set_up(server: &Server, provider: &Provider, more: &Value) -> Value {
    let path = "organizations/acme/auth-provider/";
    let blank = server.api("GET", path, None).json();
    let redirect = blank["callbackUrl"].as_str().unwrap();
    let client = json!({ "redirect_uris": [redirect], "scope": "openid email profile" });
    let client = provider.ask("POST", "/oauth2/clients", "application/json", &client.to_string());
    assert!(client.status < 300, "{}", client.json());
    let mut body = json!({
        "issuer": provider.issuer(), "clientId": client.json()["client_id"],
        "clientSecret": client.json()["client_secret"],
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let set = server.api("PUT", path, Some(&body));
    assert_eq!(set.status, 200, "{}", set.json());
    set.json()
}

fn on_both_with_providers(test: impl Fn(&Server)) {
    let loopback = ("VEDETTE_OUTGOING_PRIVATE_NETWORKS", "127.0.0.0/8");
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(BINARY, folder.path(), &[], &[loopback]);
    test(&server);
    drop(server);
    let folder = tempfile::tempdir().unwrap();
    let url = POSTGRES.database();
    let server = Server::start_with(
        BINARY,
        folder.path(),
        &["--database-url", &url],
        &[("VEDETTE_DATABASE_URL", &url), loopback],
    );
    test(&server);
}

#[test]
fn members_sign_in_through_a_provider() {
    let provider = Provider::start(3600);
    on_both_with_providers(|server| {
        let settings = set_up(server, &provider, &json!({}));
        assert_eq!(settings["hasClientSecret"], true);
        assert!(!settings.to_string().contains("clientSecret\""), "{settings}");
        let tested = server
            .api("POST", "organizations/acme/auth-provider/test/", None)
            .json();
        assert_eq!(
            (&tested["ok"], &tested["keys"]),
            (&json!(true), &json!(1)),
            "{tested}"
        );
        let shown = server.request("GET", "/api/0/auth/sso/", &[], b"").json();
        assert_eq!(shown["organization"]["slug"], "acme");
        let view = server.api("GET", "organizations/acme/", None).json();
        assert_eq!(
            (&view["hasAuthProvider"], &view["requiresSso"]),
            (&json!(true), &json!(false))
        );

        // Who is nobody here and was not invited stays outside.
        let before = provider.ask("GET", "/test/checked", "text/plain", "").json();
        provider.person("new", "New@Example.com", true);
        refused(
            &Browser::new(server).sign_in("acme", &provider, "new"),
            "invited new@example.com",
        );
        // An invitation lets them in, with its role, whatever its link is.
        let body = json!({ "email": "new@example.com", "orgRole": "manager" });
        assert_eq!(
            server
                .api("POST", "organizations/acme/members/", Some(&body))
                .status,
            201
        );
        let mut browser = Browser::new(server);
        let done = browser.sign_in("acme", &provider, "new");
        assert_eq!(
            (&done.json()["orgSlug"], &done.json()["next"]),
            (&json!("acme"), &json!("/settings/account/"))
        );
        let new = session(&done);
        assert_eq!(
            by(server, &new, "GET", "organizations/acme/", Value::Null).json()["orgRole"],
            "manager"
        );
        let me = by(server, &new, "GET", "auth/", Value::Null).json();
        assert_eq!(
            (&me["email"], &me["name"]),
            (&json!("new@example.com"), &json!("Name of new"))
        );
        let checked = provider.ask("GET", "/test/checked", "text/plain", "").json();
        assert_eq!(checked.as_u64().unwrap(), before.as_u64().unwrap() + 2);

        // The address may change afterwards: who it is says the provider's name for them.
        provider.person("new", "renamed@example.com", true);
        let again = session(&Browser::new(server).sign_in("acme", &provider, "new"));
        assert_eq!(
            by(server, &again, "GET", "auth/", Value::Null).json()["id"],
            me["id"]
        );
        let linked = server
            .api("GET", "organizations/acme/auth-provider/identities/", None)
            .json();
        assert_eq!(linked.as_array().unwrap().len(), 1, "{linked}");
        let path = format!(
            "organizations/acme/members/{}/",
            member(server, "new@example.com")
        );
        assert_eq!(server.api("GET", &path, None).json()["flags"]["sso:linked"], true);
        let log = server
            .api("GET", "organizations/acme/audit-logs/", None)
            .json()
            .to_string();
        for event in ["sso.enable", "member.join-sso", "sso-identity.link"] {
            assert!(log.contains(event), "{event}: {log}");
        }
        // Who leaves is known there no longer, and their sessions end.
        assert_eq!(server.api("DELETE", &path, None).status, 204);
        assert_eq!(by(server, &again, "GET", "auth/", Value::Null).status, 401);
    });
}

#[test]
fn an_account_that_exists_is_linked_once() {
    let provider = Provider::start(3600);
    on_both_with_providers(|server| {
        set_up(
            server,
            &provider,
            &json!({ "allowJoin": true, "defaultRole": "admin" }),
        );
        let bob = join(server, "bob@example.com", "member");
        let id = by(server, &bob, "GET", "auth/", Value::Null).json()["id"].clone();
        // Not by an address that the provider does not vouch for.
        provider.person("bob", "bob@example.com", false);
        refused(
            &Browser::new(server).sign_in("acme", &provider, "bob"),
            "email_verified",
        );
        provider.person("bob", "BOB@example.com", true);
        let in_acme = session(&Browser::new(server).sign_in("acme", &provider, "bob"));
        assert_eq!(by(server, &in_acme, "GET", "auth/", Value::Null).json()["id"], id);
        // Somebody else at the provider who has the address later does not get the account.
        provider.person("mallory", "bob@example.com", true);
        refused(
            &Browser::new(server).sign_in("acme", &provider, "mallory"),
            "somebody else",
        );
        // An owner can undo the link.
        let number = member(server, "bob@example.com");
        let path = format!("organizations/acme/auth-provider/identities/{number}/");
        assert_eq!(server.api("DELETE", &path, None).status, 204);
        assert_eq!(
            by(server, &in_acme, "GET", "auth/", Value::Null).status,
            401,
            "it ends"
        );
        assert_eq!(server.api("DELETE", &path, None).status, 404);
        session(&Browser::new(server).sign_in("acme", &provider, "bob"));

        // Nobody is taken into an organization by its own provider who has an account elsewhere.
        let other = by(server, &bob, "POST", "organizations/", json!({ "name": "Other" }));
        assert_eq!(other.status, 201);
        let eve = json!({ "email": "eve@example.com", "orgRole": "member" });
        let invited = by(server, &bob, "POST", "organizations/other/members/", eve).json();
        let link = invited["invite_link"]
            .as_str()
            .unwrap()
            .split_once("/accept/")
            .unwrap()
            .1
            .to_owned();
        let accepted = server.request(
            "POST",
            &format!("/api/0/accept-invite/{link}"),
            &[("X-Requested-With", "test")],
            br#"{"password":"long enough"}"#,
        );
        assert_eq!(accepted.status, 200, "{}", accepted.json());
        provider.person("eve", "eve@example.com", true);
        refused(
            &Browser::new(server).sign_in("acme", &provider, "eve"),
            "accept it signed in",
        );
        // Who has none becomes a member with the role that is set.
        provider.person("fay", "fay@example.com", true);
        let fay = session(&Browser::new(server).sign_in("acme", &provider, "fay"));
        assert_eq!(
            by(server, &fay, "GET", "organizations/acme/", Value::Null).json()["orgRole"],
            "admin"
        );
        // Unless their domain is not one of the organization's.
        let domains = json!({ "allowedDomains": ["@Example.com"] });
        let set = server.api("PUT", "organizations/acme/auth-provider/", Some(&domains));
        assert_eq!(set.json()["allowedDomains"], json!(["example.com"]));
        provider.person("out", "out@example.com.evil.test", true);
        refused(
            &Browser::new(server).sign_in("acme", &provider, "out"),
            "example.com.evil.test",
        );
    });
}

#[test]
fn a_session_of_a_provider_opens_one_organization() {
    let provider = Provider::start(3600);
    on_both_with_providers(|server| {
        set_up(server, &provider, &json!({}));
        // Ann owns acme and administers the installation; another organization is hers as well.
        let ann = cookie(server, "ann@example.com", "correct horse");
        assert_eq!(
            by(server, &ann, "POST", "organizations/", json!({ "name": "Other" })).status,
            201
        );
        provider.person("ann", "ann@example.com", true);
        let sso = session(&Browser::new(server).sign_in("acme", &provider, "ann"));
        let get = |who: &str, path: &str| by(server, who, "GET", path, Value::Null);
        assert_eq!(get(&sso, "organizations/acme/members/").status, 200);
        assert_eq!(get(&sso, "organizations/other/").status, 404);
        assert_eq!(get(&sso, "organizations/").json().as_array().unwrap().len(), 1);
        assert_eq!(get(&sso, "internal/status/").status, 403, "no administrator");
        assert_eq!(get(&sso, "auth/").json()["isSuperuser"], false);
        assert_eq!(
            by(server, &sso, "POST", "organizations/", json!({ "name": "Third" })).status,
            403
        );
        // It opens no other way into the account.
        for (method, path) in [
            ("PUT", "users/me/"),
            ("PUT", "users/me/password/"),
            ("POST", "users/me/email/"),
            ("GET", "users/me/authenticators/u2f/enroll/"),
            ("POST", "users/me/authenticators/totp/enroll/"),
            ("DELETE", "users/me/authenticators/totp/"),
        ] {
            let reply = by(server, &sso, method, path, json!({}));
            assert_eq!(reply.status, 403, "{method} {path}: {}", reply.json());
        }
        // It learns nothing of other sessions and tokens, and its own tokens open no more than it does.
        let sessions = get(&sso, "users/me/sessions/").json();
        assert_eq!(sessions.as_array().unwrap().len(), 1, "{sessions}");
        let tokens = get(&sso, "api-tokens/").json();
        assert_eq!(tokens.as_array().unwrap().len(), 0, "{tokens}");
        let other = get(&ann, "api-tokens/").json()[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            by(
                server,
                &sso,
                "DELETE",
                &format!("api-tokens/{other}/"),
                Value::Null
            )
            .status,
            404
        );
        let scopes = json!({ "name": "t", "scopes": ["org:admin", "org:read"] });
        let made = by(server, &sso, "POST", "api-tokens/", scopes).json();
        let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
        let with = |path: &str| {
            let headers = [("Authorization", bearer.as_str())];
            server
                .request("GET", &format!("/api/0/{path}"), &headers, b"")
                .status
        };
        assert_eq!(
            (
                with("organizations/acme/"),
                with("organizations/other/"),
                with("internal/status/")
            ),
            (200, 404, 403)
        );

        // Where it is required, nobody but owners comes in without it.
        let bob = join(server, "bob@example.com", "manager");
        let scopes = json!({ "name": "b", "scopes": ["org:read", "project:read"] });
        let token = by(server, &bob, "POST", "api-tokens/", scopes).json()["token"].clone();
        let bearer = format!("Bearer {}", token.as_str().unwrap());
        let by_token = |path: &str| {
            server.request(
                "GET",
                &format!("/api/0/{path}"),
                &[("Authorization", bearer.as_str())],
                b"",
            )
        };
        let require = json!({ "requireSso": true });
        assert_eq!(
            server
                .api("PUT", "organizations/acme/auth-provider/", Some(&require))
                .status,
            200
        );
        let closed = get(&bob, "organizations/acme/issues/");
        assert_eq!(
            (closed.status, &closed.json()["code"]),
            (403, &json!("sso-required"))
        );
        assert_eq!(by_token("organizations/acme/").json()["code"], "sso-required");
        assert_eq!(by_token("projects/").json(), json!([]));
        assert_eq!(get(&ann, "organizations/acme/").json()["requiresSso"], true);
        provider.person("bob", "bob@example.com", true);
        let through = session(&Browser::new(server).sign_in("acme", &provider, "bob"));
        assert_eq!(get(&through, "organizations/acme/issues/").status, 200);
        assert_eq!(
            get(&bob, "organizations/acme/issues/").status,
            403,
            "a password is still not enough"
        );
        assert_eq!(
            by_token("organizations/acme/").status,
            200,
            "its user is known at the provider"
        );
        // An invitation says so before it is accepted.
        let body = json!({ "email": "cy@example.com" });
        let invited = server
            .api("POST", "organizations/acme/members/", Some(&body))
            .json();
        let link = invited["invite_link"]
            .as_str()
            .unwrap()
            .split_once("/accept/")
            .unwrap()
            .1
            .to_owned();
        let view = server
            .request("GET", &format!("/api/0/accept-invite/{link}"), &[], b"")
            .json();
        assert_eq!(
            (&view["requireSso"], &view["ssoProvider"]),
            (&json!(true), &json!("OpenID Connect"))
        );
        // Without the provider, what it vouched for ends.
        assert_eq!(
            server
                .api("DELETE", "organizations/acme/auth-provider/", None)
                .status,
            204
        );
        assert_eq!(get(&through, "auth/").status, 401);
        assert_eq!(get(&bob, "organizations/acme/").status, 200);
    });
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let provider = Provider::start(3600);
    on_both_with_providers(|server| {
        set_up(server, &provider, &json!({ "allowJoin": true }));
        provider.person("bob", "bob@example.com", true);
        let mut browser = Browser::new(server);
        // A state that nobody gave, one of another browser, and one that was used.
        let url = browser.begin("acme");
        let said = provider.visit(&url, "bob");
        let mut wrong = said.clone();
        wrong
            .iter_mut()
            .filter(|(k, _)| k == "state")
            .for_each(|(_, v)| v.replace_range(0..1, "x"));
        refused(&browser.back("acme", &wrong), "Begin it again");
        let mut stranger = Browser::new(server);
        stranger.begin("acme");
        refused(&stranger.back("acme", &said), "not begun in this browser");
        refused(&browser.back("acme", &said), "used already");
        // Two tabs of one browser do not disturb each other.
        let (first, second) = (browser.begin("acme"), browser.begin("acme"));
        let (first, second) = (provider.visit(&first, "bob"), provider.visit(&second, "bob"));
        session(&browser.back("acme", &first));
        session(&browser.back("acme", &second));
        refused(&browser.back("acme", &second), "used already");
        // A code of somebody else's sign-in fits no other: the verifier is not theirs.
        let (mine, theirs) = (browser.begin("acme"), stranger.begin("acme"));
        let mut mixed = provider.visit(&mine, "bob");
        let code = provider
            .visit(&theirs, "bob")
            .into_iter()
            .find(|(k, _)| k == "code")
            .unwrap();
        mixed.retain(|(k, _)| k != "code");
        mixed.push(code);
        refused(&browser.back("acme", &mixed), "did not accept");
        // Another nonce, another key, a refusal.
        provider.put("/test/nonce");
        refused(&browser.sign_in("acme", &provider, "bob"), "another sign-in");
        provider.put("/test/nonce");
        provider.put("/test/rotate");
        session(&browser.sign_in("acme", &provider, "bob"));
        provider.put("/test/deny");
        refused(&browser.sign_in("acme", &provider, "bob"), "access_denied no");
        provider.put("/test/deny");
        // No page of another site begins or ends anything.
        for path in ["auth/sso/acme/", "auth/sso/acme/callback/"] {
            assert_eq!(
                server
                    .request("POST", &format!("/api/0/{path}"), &[], b"{}")
                    .status,
                403
            );
        }
        let nothing = browser.post("auth/sso/nowhere/", &json!({}));
        assert_eq!(nothing.status, 404);
    });
    let old = Provider::start(-3600);
    let loopback = ("VEDETTE_OUTGOING_PRIVATE_NETWORKS", "127.0.0.1");
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(BINARY, folder.path(), &[], &[loopback]);
    set_up(&server, &old, &json!({ "allowJoin": true }));
    old.person("bob", "bob@example.com", true);
    refused(&Browser::new(&server).sign_in("acme", &old, "bob"), "clock");
}

#[test]
fn settings_are_checked_and_addresses_of_the_inside_are_not_asked() {
    crate::on_one(&[], |server, _| {
        let path = "organizations/acme/auth-provider/";
        let good = json!({ "issuer": "https://127.0.0.1:1", "clientId": "a", "clientSecret": "s3cret" });
        for (name, value) in [
            ("issuer", json!("")),
            ("issuer", json!("javascript:alert(1)")),
            ("issuer", json!("https://a.example/?x=1")),
            ("clientSecret", json!(null)),
            ("defaultRole", json!("owner")),
            ("allowedDomains", json!(["nowhere"])),
            ("requireSso", json!("yes")),
        ] {
            let mut body = good.clone();
            body[name] = value.clone();
            let reply = server.api("PUT", path, Some(&body));
            assert!(
                reply.status == 400 && reply.json()[name].is_array(),
                "{name}={value}: {}",
                reply.json()
            );
        }
        assert_eq!(server.api("GET", path, None).json()["enabled"], false);
        assert_eq!(server.api("PUT", path, Some(&good)).status, 200);
        let tested = server.api("POST", &format!("{path}test/"), None).json();
        assert_eq!(tested["ok"], false);
        assert!(
            tested["detail"]
                .as_str()
                .unwrap()
                .contains("outgoing-private-networks"),
            "{tested}"
        );
        // Who signs in learns nothing of the inside.
        let begun = Browser::new(server).post("auth/sso/acme/", &json!({}));
        refused(&begun, "cannot be reached");
        assert!(!begun.json().to_string().contains("127.0.0.1"));
        // A secret does not go to an issuer that it was not given for.
        let moved = server.api("PUT", path, Some(&json!({ "issuer": "https://evil.example" })));
        assert!(moved.json()["clientSecret"].is_array(), "{}", moved.json());
        // The secret is nowhere in what is answered, and it is for owners.
        let log = server
            .api("GET", "organizations/acme/audit-logs/", None)
            .json()
            .to_string();
        assert!(!log.contains("s3cret") && log.contains("sso.enable"), "{log}");
        let bob = join(server, "bob@example.com", "manager");
        assert_eq!(by(server, &bob, "GET", path, Value::Null).status, 403);
    });
}
