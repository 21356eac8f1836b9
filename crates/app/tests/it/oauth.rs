//! Applications that act in the name of users: the way from asking to a token, and every way that it must not go.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::server::{Reply, Server};

use crate::access::cookie;
use crate::on_both;
use crate::people::{by, join};

const VERIFIER: &str = "0123456789012345678901234567890123456789abc";
const BACK: &str = "https://app.example.com/callback?keep=1";

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER.as_bytes()))
}

fn register(server: &Server, who: &str, body: Value) -> Value {
    let made = by(server, who, "POST", "api-applications/", body);
    assert_eq!(made.status, 201, "{}", made.json());
    made.json()
}

fn question(client: &Value) -> Value {
    json!({
        "client_id": client["clientID"], "redirect_uri": BACK, "response_type": "code", "state": "a b&c",
        "scope": "org:read event:read", "code_challenge": challenge(), "code_challenge_method": "S256",
        "approve": true,
    })
}

/// Decides; answers the parameters of where the answer goes.
fn decide(server: &Server, who: &str, body: &Value) -> Vec<(String, String)> {
    let reply = by(server, who, "POST", "oauth/authorize/", body.clone());
    assert_eq!(reply.status, 200, "{}", reply.json());
    let to = reply.json()["redirect"].as_str().unwrap().to_owned();
    let rest = to.strip_prefix(BACK).expect("the registered address").to_owned();
    let pairs = rest.strip_prefix('&').unwrap().split('&');
    pairs
        .map(|p| p.split_once('=').unwrap())
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect()
}

fn named(pairs: &[(String, String)], name: &str) -> String {
    pairs
        .iter()
        .find(|(k, _)| k == name)
        .map(|(_, v)| v.clone())
        .unwrap_or_default()
}

fn token(server: &Server, fields: &[(&str, &str)], basic: Option<(&str, &str)>) -> Reply {
    let body: Vec<String> = fields
        .iter()
        .map(|(k, v)| {
            format!(
                "{k}={}",
                v.replace('%', "%25")
                    .replace('&', "%26")
                    .replace('=', "%3D")
                    .replace('+', "%2B")
            )
        })
        .collect();
    let mut headers = vec![("Content-Type", "application/x-www-form-urlencoded".to_owned())];
    if let Some((id, secret)) = basic {
        headers.push((
            "Authorization",
            format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))),
        ));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (*k, v.as_str())).collect();
    server.request("POST", "/oauth/token/", &headers, body.join("&").as_bytes())
}

fn asks(server: &Server, token: &str, path: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    server
        .request(
            "GET",
            &format!("/api/0/{path}"),
            &[("Authorization", &bearer)],
            b"",
        )
        .status
}

#[test]
fn an_application_acts_for_a_user_who_allowed_it() {
    on_both(|server, _| {
        let ann = cookie(server, "ann@example.com", "correct horse");
        let bob = join(server, "bob@example.com", "member");
        let client = register(server, &ann, json!({ "name": "Dash", "redirectUris": [BACK] }));
        let (id, secret) = (
            client["clientID"].as_str().unwrap(),
            client["clientSecret"].as_str().unwrap(),
        );
        let one = format!("api-applications/{id}/");
        assert_eq!(
            by(server, &ann, "GET", &one, Value::Null).json()["clientSecret"],
            Value::Null
        );
        assert_eq!(
            by(server, &bob, "GET", &one, Value::Null).status,
            404,
            "whose it is not"
        );
        // The page learns what is asked for.
        let path = format!(
            "oauth/authorize/?client_id={id}&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback%3Fkeep%3D1&\
             response_type=code&scope=org:read%20event:read&code_challenge={}&code_challenge_method=S256",
            challenge()
        );
        let asked = by(server, &bob, "GET", &path, Value::Null).json();
        assert_eq!(asked["application"]["name"], "Dash", "{asked}");
        assert_eq!(
            (&asked["scopes"], &asked["redirectHost"]),
            (&json!(["org:read", "event:read"]), &json!("app.example.com"))
        );
        let said = decide(server, &bob, &question(&client));
        assert_eq!(named(&said, "state"), "a+b%26c");
        let code = named(&said, "code");
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        // Not with another secret, address or verifier.
        assert_eq!(token(server, &fields, Some((id, "wrong"))).status, 401);
        assert_eq!(token(server, &fields, None).json()["error"], "invalid_client");
        for (name, value) in [
            ("redirect_uri", "https://app.example.com/callback"),
            ("code_verifier", "0123456789012345678901234567890123456789abd"),
            ("code_verifier", ""),
            ("code", "nothing"),
            ("grant_type", "password"),
        ] {
            let mut wrong = fields;
            wrong.iter_mut().filter(|f| f.0 == name).for_each(|f| f.1 = value);
            let reply = token(server, &wrong, Some((id, secret)));
            assert_eq!(reply.status, 400, "{name}={value}: {}", reply.json());
        }
        let got = token(server, &fields, Some((id, secret)));
        assert_eq!(got.status, 200, "{}", got.json());
        let view = got.json();
        assert_eq!(
            (&view["token_type"], &view["scope"]),
            (&json!("Bearer"), &json!("org:read event:read"))
        );
        assert_eq!(view["user"]["email"], "bob@example.com");
        let access = view["access_token"].as_str().unwrap();
        assert!(access.starts_with("sntrya_"));
        // It acts as the user, with what was allowed and no more.
        assert_eq!(asks(server, access, "organizations/acme/issues/"), 200);
        assert_eq!(asks(server, access, "organizations/acme/members/"), 403);
        assert_eq!(
            asks(server, access, "api-tokens/"),
            403,
            "what concerns the login is not for tokens"
        );
        // Refreshing replaces both.
        let refresh = |refresh: &str| {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
            token(
                server,
                &[&fields[..], &[("client_id", id), ("client_secret", secret)]].concat(),
                None,
            )
        };
        let first = view["refresh_token"].as_str().unwrap();
        let next = refresh(first).json();
        let fresh = next["access_token"].as_str().unwrap();
        assert_eq!(
            (
                asks(server, access, "organizations/acme/"),
                asks(server, fresh, "organizations/acme/")
            ),
            (401, 200)
        );
        // Who comes with the one before has stolen it, or the other has: nobody keeps anything.
        assert_eq!(refresh(first).json()["error"], "invalid_grant");
        assert_eq!(asks(server, fresh, "organizations/acme/"), 401);
        assert_eq!(refresh(next["refresh_token"].as_str().unwrap()).status, 400);
    });
}

/// Goes the whole way; answers the token and the code that it came from.
fn whole(server: &Server, who: &str, client: &Value) -> (String, String) {
    let code = named(&decide(server, who, &question(client)), "code");
    let id = client["clientID"].as_str().unwrap();
    let secret = client["clientSecret"].as_str().unwrap_or("");
    let got = token(
        server,
        &[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
            ("client_id", id),
            ("client_secret", secret),
        ],
        None,
    );
    assert_eq!(got.status, 200, "{}", got.json());
    (got.json()["access_token"].as_str().unwrap().to_owned(), code)
}

#[test]
fn what_was_allowed_ends() {
    on_both(|server, _| {
        let ann = cookie(server, "ann@example.com", "correct horse");
        let client = register(server, &ann, json!({ "name": "Dash", "redirectUris": [BACK] }));
        // A code that comes twice takes its token with it.
        let (access, code) = whole(server, &ann, &client);
        let id = client["clientID"].as_str().unwrap();
        let again = |client: &Value| {
            let secret = client["clientSecret"].as_str().unwrap();
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", &*code),
                ("redirect_uri", BACK),
            ];
            token(
                server,
                &[&fields[..], &[("code_verifier", VERIFIER)]].concat(),
                Some((id, secret)),
            )
        };
        assert_eq!(asks(server, &access, "organizations/acme/"), 200);
        assert_eq!(again(&client).json()["error"], "invalid_grant");
        assert_eq!(asks(server, &access, "organizations/acme/"), 401);
        // Revoking, by the user alone.
        let (access, _) = whole(server, &ann, &client);
        let bob = join(server, "bob@example.com", "member");
        let list = by(server, &ann, "GET", "api-authorizations/", Value::Null).json();
        assert_eq!(
            (list.as_array().unwrap().len(), &list[0]["application"]["name"]),
            (1, &json!("Dash"))
        );
        let body = json!({ "authorization": list[0]["id"] });
        assert_eq!(
            by(server, &bob, "DELETE", "api-authorizations/", body.clone()).status,
            404
        );
        assert_eq!(asks(server, &access, "organizations/acme/"), 200);
        assert_eq!(
            by(server, &ann, "DELETE", "api-authorizations/", body).status,
            204
        );
        assert_eq!(asks(server, &access, "organizations/acme/"), 401);
        // A new secret, and the end of the application.
        let (access, _) = whole(server, &ann, &client);
        let path = format!("api-applications/{id}/");
        let rotated = by(server, &ann, "POST", &format!("{path}rotate-secret/"), json!({})).json();
        assert_ne!(rotated["clientSecret"], client["clientSecret"]);
        assert_eq!(again(&client).status, 401);
        assert_eq!(by(server, &bob, "DELETE", &path, Value::Null).status, 404);
        assert_eq!(by(server, &ann, "DELETE", &path, Value::Null).status, 204);
        assert_eq!(asks(server, &access, "organizations/acme/"), 401);
        assert_eq!(
            by(server, &ann, "GET", "api-authorizations/", Value::Null).json(),
            json!([])
        );
    });
}

#[test]
fn answers_go_to_registered_addresses_alone() {
    crate::on_one(&[], |server, _| {
        let ann = cookie(server, "ann@example.com", "correct horse");
        for bad in [
            "javascript:alert(1)",
            "http://app.example.com/",
            "https://a.example/#x",
            "data:text/html,x",
        ] {
            let body = json!({ "redirectUris": [bad] });
            assert_eq!(
                by(server, &ann, "POST", "api-applications/", body).status,
                400,
                "{bad}"
            );
        }
        let public = register(
            server,
            &ann,
            json!({ "name": "App", "redirectUris": [BACK, "http://127.0.0.1:7000/cb"], "isPublic": true }),
        );
        assert_eq!(
            (&public["clientSecret"], &public["isPublic"]),
            (&Value::Null, &json!(true))
        );
        let ask = |name: &str, value: Value| {
            let mut body = question(&public);
            body[name] = value;
            by(server, &ann, "POST", "oauth/authorize/", body)
        };
        // Who asks or where to is not known: nothing is sent anywhere.
        for (name, value) in [
            ("client_id", json!("x")),
            ("redirect_uri", json!("https://evil.example/")),
            ("redirect_uri", json!("https://app.example.com/callback")),
            ("redirect_uri", json!("https://app.example.com/callback?keep=1&x")),
            ("redirect_uri", json!("http://127.0.0.1:7001/cb")),
            ("redirect_uri", json!("")),
        ] {
            let reply = ask(name, value.clone());
            assert!(
                reply.status == 400 && reply.json()["redirect"].is_null(),
                "{name}={value}: {}",
                reply.json()
            );
        }
        // The rest is said to the application.
        for (name, value, error) in [
            ("response_type", json!("token"), "unsupported_response_type"),
            ("scope", json!("org:everything"), "invalid_scope"),
            ("scope", json!(""), "invalid_scope"),
            ("code_challenge", Value::Null, "invalid_request"),
            ("code_challenge", json!("abc"), "invalid_request"),
            ("code_challenge_method", json!("plain"), "invalid_request"),
            ("code_challenge_method", Value::Null, "invalid_request"),
            ("approve", json!(false), "access_denied"),
            ("approve", json!("true"), "access_denied"),
        ] {
            let reply = ask(name, value.clone()).json();
            let to = reply["redirect"].as_str().unwrap_or_default();
            let fits = to.starts_with(&format!("{BACK}&error={error}")) && to.ends_with("&state=a+b%26c");
            assert!(fits, "{name}={value}: {to}");
        }
        // No page of another site decides, and no token does.
        let headers = [("Cookie", ann.as_str())];
        let body = question(&public).to_string();
        let path = "/api/0/oauth/authorize/";
        assert_eq!(
            server.request("POST", path, &headers, body.as_bytes()).status,
            403
        );
        assert_eq!(
            server
                .api("POST", "oauth/authorize/", Some(&question(&public)))
                .status,
            403
        );
        // A public client needs no secret, and its verifier is what counts.
        let (access, _) = whole(server, &ann, &public);
        assert_eq!(asks(server, &access, "organizations/acme/"), 200);
    });
}
