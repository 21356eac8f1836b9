//! Accounts: second factors, showing once more who one is, what organizations ask of their members, making accounts
//! without an invitation, and the installation's administrators.

use std::path::Path;

use backends::sql::sqlite::Sqlite;
use protocol::time::{Clock as _, SystemClock};
use serde_json::{Value, json};
use storage::sql::Sql;
use testkit::server::{Reply, Server};
use totp_rs::{Builder, Secret};

use crate::access::cookie;
use crate::mail::{MailServer, wait_for_mails};
use crate::people::{by, join};
use crate::{BINARY, on_both, on_one};

const PASSWORD: &str = "long enough";

fn login(server: &Server, email: &str, password: &str) -> Reply {
    let body = json!({ "username": email, "password": password }).to_string();
    let headers = [("X-Requested-With", "test")];
    server.request("POST", "/api/0/auth/login/", &headers, body.as_bytes())
}

fn anonymous(server: &Server, path: &str, body: &Value) -> Reply {
    let headers = [("X-Requested-With", "test")];
    server.request(
        "POST",
        &format!("/api/0/{path}"),
        &headers,
        body.to_string().as_bytes(),
    )
}

fn set_cookie(reply: &Reply) -> String {
    let set = reply.header("set-cookie").expect("a cookie");
    set.split(';').next().unwrap().to_owned()
}

/// The code that an app shows so many steps from now.
fn code(secret: &str, steps: u64) -> String {
    let totp = Builder::new()
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap();
    let now = u64::try_from(SystemClock.now() / 1_000_000).unwrap();
    totp.generate(now + steps * 30).to_string()
}

/// An app that was set up.
struct App {
    secret: String,
    /// The code that set it up.
    used: String,
    /// The codes for emergencies that came with it.
    recovery: Vec<String>,
}

/// Sets up an app for who has the cookie.
fn enroll(server: &Server, cookie: &str) -> App {
    let path = "users/me/authenticators/totp/enroll/";
    let begun = by(server, cookie, "GET", path, Value::Null).json();
    let secret = begun["secret"].as_str().expect("a secret").to_owned();
    assert!(
        begun["uri"]
            .as_str()
            .unwrap()
            .contains(&format!("secret={secret}"))
    );
    assert!(begun["qrcode"].as_array().unwrap().len() > 20);
    let ticket = &begun["ticket"];
    let wrong = by(
        server,
        cookie,
        "POST",
        path,
        json!({ "ticket": ticket, "otp": "000000" }),
    );
    assert_eq!(wrong.status, 400, "{}", wrong.json());
    assert!(wrong.json()["otp"][0].as_str().unwrap().contains("clocks"));
    let used = code(&secret, 0);
    let body = json!({ "ticket": ticket, "otp": used });
    let done = by(server, cookie, "POST", path, body.clone());
    assert_eq!(done.status, 200, "{}", done.json());
    assert_eq!(done.json()["isEnrolled"], true);
    let again = by(server, cookie, "POST", path, body);
    assert_eq!(again.status, 400, "what was begun is ended once");
    let recovery = done.json()["codes"].as_array().map_or(vec![], |codes| {
        codes.iter().map(|c| c.as_str().unwrap().to_owned()).collect()
    });
    App {
        secret,
        used,
        recovery,
    }
}

#[test]
fn a_second_factor_guards_the_login() {
    on_both(|server, _| {
        let bob = join(server, "bob@example.com", "member");
        let elsewhere = cookie(server, "bob@example.com", PASSWORD);
        let App {
            secret,
            used,
            recovery: codes,
        } = enroll(server, &bob);
        assert_eq!(codes.len(), 10);
        assert_eq!(
            by(server, &elsewhere, "GET", "auth/", Value::Null).status,
            401,
            "sessions without the factor end"
        );
        assert_eq!(
            by(server, &bob, "GET", "auth/", Value::Null).json()["has2fa"],
            true
        );

        let first = login(server, "bob@example.com", PASSWORD);
        assert_eq!(first.status, 200);
        assert!(first.header("set-cookie").is_none(), "the password is not enough");
        let view = first.json();
        assert_eq!(view["nextStep"], "second-factor");
        assert_eq!(
            view["methods"],
            json!({ "totp": true, "passkey": false, "recovery": true })
        );
        let finish = |ticket: &Value, code: &str| {
            anonymous(
                server,
                "auth/login/code/",
                &json!({ "ticket": ticket, "code": code }),
            )
        };
        // The code that set the app up was used; so is each one that let somebody in.
        assert_eq!(finish(&view["ticket"], &used).status, 400);
        let next = code(&secret, 1);
        let done = finish(&view["ticket"], &next);
        assert_eq!(done.status, 200, "{}", done.json());
        let session = set_cookie(&done);
        assert_eq!(by(server, &session, "GET", "auth/", Value::Null).status, 200);
        assert_eq!(finish(&view["ticket"], &next).status, 401, "the ticket is used");
        let second = login(server, "bob@example.com", PASSWORD).json();
        assert_eq!(finish(&second["ticket"], &next).status, 400, "the code is used");
        let typed = codes[3].replace('-', "").to_uppercase();
        assert_eq!(finish(&second["ticket"], &typed).status, 200);
        let third = login(server, "bob@example.com", PASSWORD).json();
        assert_eq!(
            finish(&third["ticket"], &codes[3]).status,
            400,
            "a recovery code is good once"
        );
        let list = by(server, &session, "GET", "users/me/authenticators/", Value::Null).json();
        assert_eq!(list[0]["isEnrolled"], true);
        assert_eq!(list[2]["codesLeft"], 9);

        // New codes end the old ones; without a factor none are left.
        let renewed = by(
            server,
            &session,
            "PUT",
            "users/me/authenticators/recovery/",
            Value::Null,
        );
        assert_eq!(renewed.json()["codes"].as_array().unwrap().len(), 10);
        assert_eq!(finish(&third["ticket"], &codes[4]).status, 400);
        let gone = by(
            server,
            &session,
            "DELETE",
            "users/me/authenticators/totp/",
            Value::Null,
        );
        assert_eq!(gone.status, 204);
        let list = by(server, &session, "GET", "users/me/authenticators/", Value::Null).json();
        assert_eq!(
            (&list[0]["isEnrolled"], &list[2]["codesLeft"]),
            (&json!(false), &json!(0))
        );
        assert!(
            login(server, "bob@example.com", PASSWORD)
                .header("set-cookie")
                .is_some()
        );
    });
}

#[test]
fn wrong_codes_have_to_wait() {
    on_one(&[], |server, _| {
        let bob = join(server, "bob@example.com", "member");
        enroll(server, &bob);
        let ticket = login(server, "bob@example.com", PASSWORD).json()["ticket"].clone();
        let statuses: Vec<u16> = (0..8)
            .map(|_| {
                let body = json!({ "ticket": ticket, "code": "123456" });
                anonymous(server, "auth/login/code/", &body).status
            })
            .collect();
        assert_eq!((statuses[0], statuses[7]), (400, 429), "{statuses:?}");
    });
}

/// Lets every session have begun two hours ago.
fn age(data: &Path) {
    let sql: Box<dyn Sql> = Box::new(Sqlite::open(&data.join("vedette.sqlite")).unwrap());
    sql.writing(|c| {
        c.execute("update sessions set confirmed = confirmed - 7200000000", &[])?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn dangerous_acts_ask_who_it_is_once_more() {
    on_one(&[], |server, data| {
        let ann = cookie(server, "ann@example.com", "correct horse");
        let act = || by(server, &ann, "DELETE", "projects/acme/nothing/", Value::Null);
        assert_eq!(act().status, 404, "the login was just now");
        age(data);
        let asked = act();
        assert_eq!(asked.status, 401);
        assert_eq!(asked.json()["detail"]["code"], "sudo-required");
        assert_eq!(asked.json()["detail"]["extra"]["username"], "ann@example.com");
        for (method, path) in [
            ("POST", "api-tokens/"),
            ("GET", "users/me/authenticators/totp/enroll/"),
            ("DELETE", "organizations/acme/"),
            ("POST", "users/"),
        ] {
            let reply = by(server, &ann, method, path, json!({}));
            assert_eq!(reply.json()["detail"]["code"], "sudo-required", "{method} {path}");
        }
        // What is no danger goes on, and so does a token.
        assert_eq!(
            by(server, &ann, "GET", "projects/acme/shop/", Value::Null).status,
            200
        );
        assert_eq!(server.api("DELETE", "projects/acme/nothing/", None).status, 404);
        let wrong = by(server, &ann, "PUT", "auth/", json!({ "password": "wrong" }));
        assert_eq!(wrong.status, 400);
        assert_eq!(act().status, 401);
        let right = by(
            server,
            &ann,
            "PUT",
            "auth/",
            json!({ "password": "correct horse" }),
        );
        assert_eq!(right.status, 200);
        assert_eq!(act().status, 404);
        // A code of the app does as well.
        let secret = enroll(server, &ann).secret;
        age(data);
        assert_eq!(act().status, 401);
        let code = json!({ "code": code(&secret, 1) });
        assert_eq!(by(server, &ann, "PUT", "auth/", code).status, 200);
        assert_eq!(act().status, 404);
    });
}

#[test]
fn an_organization_asks_for_a_second_factor() {
    on_both(|server, _| {
        let ann = cookie(server, "ann@example.com", "correct horse");
        let bob = join(server, "bob@example.com", "member");
        let ask = || {
            by(
                server,
                &ann,
                "PUT",
                "organizations/acme/",
                json!({ "require2FA": true }),
            )
        };
        let refused = ask();
        assert_eq!(refused.status, 400, "nobody closes the door behind themselves");
        assert!(refused.json()["require2FA"][0].is_string());
        enroll(server, &ann);
        let asked = ask();
        assert_eq!((asked.status, &asked.json()["require2FA"]), (200, &json!(true)));
        let closed = by(server, &bob, "GET", "organizations/acme/issues/", Value::Null);
        assert_eq!(closed.status, 401);
        assert_eq!(closed.json()["detail"]["code"], "2fa-required");
        // What is one's own stays open, so that the factor can be set up.
        enroll(server, &bob);
        assert_eq!(
            by(server, &bob, "GET", "organizations/acme/issues/", Value::Null).status,
            200
        );
        let last = by(
            server,
            &bob,
            "DELETE",
            "users/me/authenticators/totp/",
            Value::Null,
        );
        assert_eq!(last.status, 403, "{}", last.json());
        // Tokens of builds have nobody behind them who could have a factor.
        let body = json!({ "name": "build" });
        let token = by(server, &ann, "POST", "organizations/acme/org-auth-tokens/", body);
        let token = format!("Bearer {}", token.json()["token"].as_str().unwrap());
        let headers = [("Authorization", token.as_str())];
        assert_eq!(
            server
                .request("GET", "/api/0/organizations/acme/", &headers, b"")
                .status,
            200
        );
        by(
            server,
            &ann,
            "PUT",
            "organizations/acme/",
            json!({ "require2FA": false }),
        );
    });
}

#[test]
fn administrators_manage_accounts() {
    on_both(|server, _| {
        let ann = cookie(server, "ann@example.com", "correct horse");
        let bob = join(server, "bob@example.com", "member");
        let all = by(server, &ann, "GET", "users/", Value::Null);
        let emails = all.json();
        let emails: Vec<&str> = emails
            .as_array()
            .unwrap()
            .iter()
            .map(|u| u["email"].as_str().unwrap())
            .collect();
        assert_eq!(emails[..2], ["bob@example.com", "ann@example.com"]);
        let found = by(server, &ann, "GET", "users/?query=BOB", Value::Null).json();
        let bobs = found.as_array().unwrap();
        assert_eq!(bobs.len(), 1);
        assert_eq!(
            bobs[0]["organizations"],
            json!([{ "slug": "acme", "name": "Acme", "role": "member" }])
        );
        let id = bobs[0]["id"].as_str().unwrap();
        let path = format!("users/{id}/");
        let first = by(server, &ann, "GET", "users/?per_page=1", Value::Null);
        assert_eq!(first.json()[0]["id"], id, "the newest first");
        assert!(
            first
                .header("link")
                .unwrap()
                .contains("rel=\"next\"; results=\"true\"")
        );
        assert_eq!(
            by(server, &ann, "GET", "users/?query=%25", Value::Null).json(),
            json!([]),
            "a part is not a pattern"
        );

        // Disabled, nothing of theirs works; enabled, a new link to a password does.
        let off = by(server, &ann, "PUT", &path, json!({ "isActive": false }));
        assert_eq!((off.status, &off.json()["isActive"]), (200, &json!(false)));
        assert_eq!(by(server, &bob, "GET", "auth/", Value::Null).status, 401);
        assert_eq!(login(server, "bob@example.com", PASSWORD).status, 401);
        by(server, &ann, "PUT", &path, json!({ "isActive": true }));
        let link = by(
            server,
            &ann,
            "POST",
            &format!("{path}password-reset/"),
            Value::Null,
        );
        let link = link.json()["passwordLink"].as_str().unwrap().to_owned();
        let token = link.split("/reset-password/").nth(1).unwrap().trim_matches('/');
        let body = json!({ "token": token, "password": "another one" });
        assert_eq!(anonymous(server, "auth/recover/confirm/", &body).status, 204);
        let bob = cookie(server, "bob@example.com", "another one");
        enroll(server, &bob);
        assert_eq!(
            login(server, "bob@example.com", "another one").json()["nextStep"],
            "second-factor"
        );
        let lost = by(
            server,
            &ann,
            "DELETE",
            &format!("{path}authenticators/"),
            Value::Null,
        );
        assert_eq!(lost.status, 204);
        let bob = cookie(server, "bob@example.com", "another one");
        for (method, path) in [
            ("GET", "users/"),
            ("PUT", path.as_str()),
            ("GET", "internal/options/"),
        ] {
            assert_eq!(
                by(server, &bob, method, path, json!({})).status,
                403,
                "{method} {path}"
            );
        }
        let log = server.api("GET", "organizations/acme/audit-logs/", None).json();
        let events: Vec<&str> = log["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["event"].as_str().unwrap())
            .collect();
        for event in [
            "user.disable",
            "user.enable",
            "user.reset-password",
            "user.remove-2fa",
        ] {
            assert!(events.contains(&event), "{event}: {events:?}");
        }

        // Somebody who administers the installation is always left.
        let others = by(server, &ann, "GET", "users/", Value::Null).json();
        for other in others.as_array().unwrap() {
            if other["isSuperuser"] == true && other["email"] != "ann@example.com" {
                let path = format!("users/{}/", other["id"].as_str().unwrap());
                let done = by(server, &ann, "PUT", &path, json!({ "isSuperuser": false }));
                assert_eq!(done.status, 200);
            }
        }
        let own = by(server, &ann, "GET", "users/?query=ann", Value::Null).json()[0]["id"].clone();
        let own = format!("users/{}/", own.as_str().unwrap());
        for body in [json!({ "isSuperuser": false }), json!({ "isActive": false })] {
            assert_eq!(by(server, &ann, "PUT", &own, body).status, 403);
        }
        assert_eq!(by(server, &ann, "DELETE", &own, Value::Null).status, 403);
        let made = by(
            server,
            &ann,
            "POST",
            "users/",
            json!({ "email": "Eve@example.com", "isSuperuser": true }),
        );
        assert_eq!(made.status, 201, "{}", made.json());
        assert_eq!(made.json()["hasPasswordAuth"], false);
        assert!(
            made.json()["passwordLink"]
                .as_str()
                .unwrap()
                .contains("/reset-password/")
        );
        assert_eq!(login(server, "eve@example.com", "").status, 400);

        // Who is removed leaves no name and no access; their address is free again.
        let gone = by(server, &ann, "DELETE", &path, Value::Null);
        assert_eq!(gone.status, 204, "{}", gone.json());
        assert_eq!(by(server, &bob, "GET", "auth/", Value::Null).status, 401);
        let left = by(server, &ann, "GET", &path, Value::Null).json();
        assert!(
            !left.to_string().contains("bob"),
            "nothing of the name is left: {left}"
        );
        join(server, "bob@example.com", "member");
    });
}

#[test]
fn accounts_are_made_where_the_installation_allows_it() {
    on_both(|server, _| {
        let ann = cookie(server, "ann@example.com", "correct horse");
        let register = |email: &str| {
            anonymous(
                server,
                "auth/register/",
                &json!({ "email": email, "password": PASSWORD, "name": "Cleo" }),
            )
        };
        let offered = || server.request("GET", "/api/0/auth/config/", &[], b"").json();
        assert_eq!(offered()["canRegister"], false);
        assert_eq!(register("cleo@example.com").status, 403);
        let set = |body: Value| by(server, &ann, "PUT", "internal/options/", body);
        assert_eq!(set(json!({ "registration": "yes" })).status, 400);
        assert_eq!(set(json!({ "registration": true })).json()["registration"], true);
        assert_eq!(offered()["canRegister"], true);

        // Where there are many organizations, an account has none and makes its own.
        let made = register("cleo@example.com");
        assert_eq!(made.status, 201, "{}", made.json());
        assert_eq!(register("cleo@example.com").status, 400);
        let cleo = set_cookie(&made);
        assert_eq!(
            by(server, &cleo, "GET", "organizations/", Value::Null).json(),
            json!([])
        );
        let own = by(
            server,
            &cleo,
            "POST",
            "organizations/",
            json!({ "name": "Cleo's" }),
        );
        assert_eq!(own.status, 201);

        // Where there is one, an account joins it, and makes no other.
        set(json!({ "singleOrganization": true }));
        let dora = set_cookie(&register("dora@example.com"));
        let all = by(server, &dora, "GET", "organizations/", Value::Null).json();
        assert_eq!(all[0]["slug"], "acme");
        let another = by(
            server,
            &dora,
            "POST",
            "organizations/",
            json!({ "name": "Dora's" }),
        );
        assert_eq!(another.status, 403);
        assert_eq!(
            by(server, &dora, "GET", "organizations/acme/issues/", Value::Null).status,
            200
        );
    });
}

#[test]
fn members_invite_members_where_they_may() {
    on_one(&[], |server, _| {
        let bob = join(server, "bob@example.com", "member");
        let invite = |role: &str| {
            let body = json!({ "email": format!("{role}@example.com"), "orgRole": role });
            by(server, &bob, "POST", "organizations/acme/members/", body).status
        };
        assert_eq!(invite("member"), 403);
        let open = json!({ "allowMemberInvite": true });
        assert_eq!(server.api("PUT", "organizations/acme/", Some(&open)).status, 200);
        assert_eq!(invite("admin"), 400, "above their own role");
        assert_eq!(invite("member"), 201);
    });
}

#[test]
fn keys_are_rotated_without_a_gap() {
    on_one(&[], |server, _| {
        let path = "projects/acme/shop/keys/";
        let old = server.api("GET", path, None).json()[0].clone();
        let id = old["id"].as_str().unwrap();
        let limit = json!({ "rateLimit": { "count": 7, "window": 60 } });
        server.api("PUT", &format!("{path}{id}/"), Some(&limit));
        let rotate = |body: Value| server.api("POST", &format!("{path}{id}/rotate/"), Some(&body));
        let new = rotate(json!({}));
        assert_eq!(new.status, 201, "{}", new.json());
        assert_ne!(new.json()["public"], old["public"]);
        assert_eq!(new.json()["rateLimit"]["count"], 7);
        assert_eq!(
            server.api("GET", &format!("{path}{id}/"), None).json()["isActive"],
            true
        );
        assert_eq!(rotate(json!({ "disableOld": true })).status, 201);
        assert_eq!(
            server.api("GET", &format!("{path}{id}/"), None).json()["isActive"],
            false
        );
        let on = json!({ "isActive": true });
        server.api("PUT", &format!("{path}{id}/"), Some(&on));
    });
}

#[test]
fn an_organization_is_removed_with_all_it_holds() {
    on_both(|server, _| {
        let made = json!({ "name": "Gone", "slug": "gone" });
        assert_eq!(server.api("POST", "organizations/", Some(&made)).status, 201);
        let project = json!({ "name": "web" });
        let project = server.api("POST", "teams/gone/gone/projects/", Some(&project));
        assert_eq!(project.status, 201, "{}", project.json());
        let bob = join(server, "bob@example.com", "manager");
        assert_eq!(
            by(server, &bob, "DELETE", "organizations/gone/", Value::Null).status,
            404
        );
        assert_eq!(
            by(server, &bob, "DELETE", "organizations/acme/", Value::Null).status,
            403
        );
        assert_eq!(server.api("DELETE", "organizations/gone/", None).status, 204);
        assert_eq!(server.api("GET", "organizations/gone/", None).status, 404);
        assert_eq!(server.api("GET", "projects/gone/web/", None).status, 404);
        let all = server.api("GET", "organizations/", None).json();
        assert!(!all.to_string().contains("gone"), "{all}");
        // The slug is free at once.
        assert_eq!(server.api("POST", "organizations/", Some(&made)).status, 201);
        assert_eq!(
            server.api("GET", "organizations/gone/projects/", None).json(),
            json!([])
        );
    });
}

#[test]
fn addresses_are_confirmed_by_mail() {
    let mail = MailServer::start();
    let settings = mail.settings();
    let environment: Vec<(&str, &str)> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(BINARY, folder.path(), &[], &environment);
    let ann = cookie(&server, "ann@example.com", "correct horse");
    let body = json!({ "registration": true, "singleOrganization": true });
    by(&server, &ann, "PUT", "internal/options/", body);
    let body = json!({ "email": "cleo@example.com", "password": PASSWORD });
    let cleo = set_cookie(&anonymous(&server, "auth/register/", &body));
    let verified =
        || by(&server, &cleo, "GET", "auth/", Value::Null).json()["emails"][0]["is_verified"].clone();
    assert_eq!(verified(), false);
    let token = |mail: &str| {
        let rest = mail.split("/verify-email/").nth(1).expect("a link");
        rest.split('/').next().unwrap().to_owned()
    };
    let first = wait_for_mails(&server, &mail, 1).remove(0);
    assert!(first.contains("To: cleo@example.com"), "{first}");

    // An organization may wait for it.
    let ask = json!({ "requireEmailVerification": true });
    assert_eq!(server.api("PUT", "organizations/acme/", Some(&ask)).status, 200);
    let closed = by(&server, &cleo, "GET", "organizations/acme/issues/", Value::Null);
    assert_eq!(closed.json()["detail"]["code"], "email-verification-required");
    let verify = |token: &str| anonymous(&server, "auth/verify/", &json!({ "token": token }));
    assert_eq!(verify("nothing").status, 400);
    assert_eq!(verify(&token(&first)).status, 200);
    assert_eq!(verify(&token(&first)).status, 400, "a link works once");
    assert_eq!(verified(), true);
    assert_eq!(
        by(&server, &cleo, "GET", "organizations/acme/issues/", Value::Null).status,
        200
    );

    // A new address counts when its link is opened; the old one hears of it.
    let body = json!({ "email": "ann@example.com" });
    assert_eq!(by(&server, &cleo, "POST", "users/me/email/", body).status, 400);
    let body = json!({ "email": "Cleo@New.example" });
    let changed = by(&server, &cleo, "POST", "users/me/email/", body);
    assert_eq!((changed.status, &changed.json()["waiting"]), (200, &json!(true)));
    let all = wait_for_mails(&server, &mail, 2);
    assert!(all[1].contains("To: cleo@new.example"), "{}", all[1]);
    let email = || by(&server, &cleo, "GET", "auth/", Value::Null).json()["email"].clone();
    assert_eq!(email(), "cleo@example.com");
    assert_eq!(verify(&token(&all[1])).status, 200);
    assert_eq!(email(), "cleo@new.example");
    let all = wait_for_mails(&server, &mail, 3);
    assert!(
        all[2].contains("To: cleo@example.com") && all[2].contains("cleo@new.example"),
        "{}",
        all[2]
    );
}
