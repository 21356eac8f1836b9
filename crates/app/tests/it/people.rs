//! Organizations, members, invitations and roles.

use serde_json::{Value, json};
use testkit::server::{Reply, Server};

use crate::on_both;

/// Asks as who has this cookie.
pub fn by(server: &Server, cookie: &str, method: &str, path: &str, body: Value) -> Reply {
    let headers = [("Cookie", cookie), ("X-Requested-With", "test")];
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    server.request(method, &format!("/api/0/{path}"), &headers, body.as_bytes())
}

/// Makes a member of `acme` with a role; answers their cookie.
pub fn join(server: &Server, email: &str, role: &str) -> String {
    let body = json!({ "email": email, "orgRole": role });
    let invited = server.api("POST", "organizations/acme/members/", Some(&body));
    assert_eq!(invited.status, 201, "{}", invited.json());
    let link = invited.json()["invite_link"].as_str().unwrap().to_owned();
    let accepted = accept(server, &link, json!({ "name": "N", "password": "long enough" }));
    assert_eq!(accepted.status, 200, "{}", accepted.json());
    let set = accepted.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

/// The API path of an invitation's link.
fn api_path(link: &str) -> String {
    let (_, rest) = link.split_once("/accept/").unwrap();
    format!("/api/0/accept-invite/{rest}")
}

fn accept(server: &Server, link: &str, body: Value) -> Reply {
    let headers = [("X-Requested-With", "test")];
    server.request("POST", &api_path(link), &headers, body.to_string().as_bytes())
}

/// The number of a member of `acme`.
pub fn member(server: &Server, email: &str) -> String {
    let all = server.api("GET", "organizations/acme/members/", None).json();
    let all = all.as_array().unwrap();
    let found = all.iter().find(|m| m["email"] == email).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_invitation_makes_an_account() {
    on_both(|server, _| {
        let body =
            json!({ "email": "Bob@Example.com", "teamRoles": [{ "teamSlug": "acme", "role": "admin" }] });
        let invited = server.api("POST", "organizations/acme/members/", Some(&body));
        assert_eq!(invited.status, 201, "{}", invited.json());
        let view = invited.json();
        assert_eq!(view["email"], "bob@example.com");
        assert_eq!((&view["pending"], &view["user"]), (&json!(true), &Value::Null));
        assert_eq!(
            view["teamRoles"],
            json!([{ "teamSlug": "acme", "role": "admin" }])
        );
        let twice = server.api("POST", "organizations/acme/members/", Some(&body));
        assert_eq!(twice.status, 400);
        let link = view["inviteLink"].as_str().unwrap();
        let id = view["id"].as_str().unwrap();
        // The link is shown once; asked again, a new one takes its place.
        let path = format!("organizations/acme/members/{id}/");
        assert_eq!(server.api("GET", &path, None).json()["invite_link"], Value::Null);
        let again = server
            .api("PUT", &path, Some(&json!({ "reinvite": true })))
            .json();
        let fresh = again["invite_link"].as_str().unwrap();
        assert_eq!(server.request("GET", &api_path(link), &[], b"").status, 404);
        let details = server.request("GET", &api_path(fresh), &[], b"");
        assert_eq!(details.status, 200);
        assert_eq!(details.json()["orgSlug"], "acme");
        assert_eq!(details.json()["needsAuthentication"], true);
        assert_eq!(details.json()["hasAccount"], false);
        let wrong = format!("{}0/", api_path(fresh).trim_end_matches('/'));
        assert_eq!(server.request("GET", &wrong, &[], b"").status, 404);
        assert_eq!(accept(server, fresh, json!({ "password": "short" })).status, 400);
        let form = server.request("POST", &api_path(fresh), &[], b"password=long+enough");
        assert_eq!(form.status, 403, "a form of another site");
        let done = accept(server, fresh, json!({ "name": "Bob", "password": "long enough" }));
        assert_eq!(done.status, 200, "{}", done.json());
        assert_eq!(
            accept(server, fresh, json!({ "password": "long enough" })).status,
            404
        );
        let cookie = crate::access::cookie(server, "bob@example.com", "long enough");
        let me = by(
            server,
            &cookie,
            "GET",
            "organizations/acme/members/me/",
            Value::Null,
        )
        .json();
        assert_eq!(me["role"], "member");
        assert_eq!(me["teams"], json!(["acme"]));
        assert_eq!(me["pending"], false);
    });
}

#[test]
fn who_has_an_account_logs_in_to_accept() {
    on_both(|server, _| {
        let cookie = join(server, "bob@example.com", "member");
        let made = by(
            server,
            &cookie,
            "POST",
            "organizations/",
            json!({ "name": "Bob's" }),
        );
        assert_eq!(made.status, 201, "{}", made.json());
        assert_eq!(made.json()["slug"], "bob-s");
        let body = json!({ "email": "ann@example.com" });
        let invited = by(server, &cookie, "POST", "organizations/bob-s/members/", body);
        let link = invited.json()["invite_link"]
            .as_str()
            .unwrap()
            .replace("accept/", "x/accept/");
        let path = api_path(&link).replace("/acme/", "/bob-s/");
        let headers = [("X-Requested-With", "test")];
        let unknown = server.request("POST", &path, &headers, b"{\"password\": \"long enough\"}");
        assert_eq!(unknown.status, 400, "{}", unknown.json());
        let ann = crate::access::cookie(server, "ann@example.com", "correct horse");
        let path = path.trim_start_matches("/api/0/");
        assert_eq!(
            by(server, &ann, "GET", path, Value::Null).json()["needsAuthentication"],
            false
        );
        assert_eq!(by(server, &ann, "POST", path, Value::Null).status, 200);
    });
}

#[test]
fn nobody_gives_a_role_above_their_own() {
    on_both(|server, _| {
        let manager = join(server, "mia@example.com", "manager");
        let plain = join(server, "bob@example.com", "member");
        let owner = member(server, "ann@example.com");
        let bob = member(server, "bob@example.com");
        let members = "organizations/acme/members/";
        let put = |cookie: &str, id: &str, role: &str| {
            let body = json!({ "orgRole": role });
            by(server, cookie, "PUT", &format!("{members}{id}/"), body).status
        };
        assert_eq!(put(&manager, &bob, "admin"), 200);
        assert_eq!(put(&manager, &bob, "owner"), 400);
        assert_eq!(put(&manager, &bob, "god"), 400);
        assert_eq!(put(&manager, &owner, "member"), 403, "an owner is above");
        assert_eq!(put(&plain, &bob, "owner"), 403);
        let invite = json!({ "email": "new@example.com", "orgRole": "owner" });
        assert_eq!(by(server, &manager, "POST", members, invite.clone()).status, 400);
        assert_eq!(by(server, &plain, "POST", members, invite).status, 403);
        let remove = |cookie: &str, id: &str| {
            by(server, cookie, "DELETE", &format!("{members}{id}/"), Value::Null).status
        };
        let ann = crate::access::cookie(server, "ann@example.com", "correct horse");
        assert_eq!(remove(&ann, "me"), 403, "the last owner stays");
        assert_eq!(put(&ann, &owner, "member"), 403);
        assert_eq!(remove(&plain, &owner), 403);
        assert_eq!(remove(&plain, "me"), 204, "everybody may leave");
        assert_eq!(
            by(server, &plain, "GET", "organizations/acme/", Value::Null).status,
            404
        );
        let mia = member(server, "mia@example.com");
        assert_eq!(put(&ann, &mia, "owner"), 200);
        assert_eq!(remove(&ann, "me"), 204, "another owner is there");
    });
}

#[test]
fn old_slugs_lead_on() {
    on_both(|server, _| {
        let rename = |path: &str, slug: &str| server.api("PUT", path, Some(&json!({ "slug": slug })));
        assert_eq!(rename("projects/acme/shop/", "store").status, 200);
        assert_eq!(rename("organizations/acme/", "acme-inc").status, 200);
        for path in ["projects/acme/shop/", "projects/acme-inc/store/"] {
            assert_eq!(server.api("GET", path, None).json()["slug"], "store", "{path}");
        }
        // A slug that leads somewhere is not free for another organization.
        let taken = server.api(
            "POST",
            "organizations/",
            Some(&json!({ "name": "A", "slug": "acme" })),
        );
        assert_eq!(taken.status, 400, "{}", taken.json());
        let back = rename("organizations/acme/", "acme");
        assert_eq!((back.status, &back.json()["slug"]), (200, &json!("acme")));
        // A project may take a slug that only leads on.
        let body = json!({ "name": "Shop" });
        let made = server.api("POST", "organizations/acme/projects/", Some(&body));
        assert_eq!(made.json()["slug"], "shop", "{}", made.json());
        assert_eq!(
            server.api("GET", "projects/acme/shop/", None).json()["name"],
            "Shop"
        );
        assert_eq!(rename("projects/acme/shop/", "market").status, 200);
        assert_eq!(
            server.api("GET", "projects/acme/shop/", None).json()["slug"],
            "market"
        );
    });
}

#[test]
fn sessions_are_seen_and_ended() {
    on_both(|server, _| {
        let login = || {
            let body = json!({ "username": "ann@example.com", "password": "correct horse" });
            let json_type = [("Content-Type", "application/json")];
            let path = "/api/0/auth/login/";
            let reply = server.request("POST", path, &json_type, body.to_string().as_bytes());
            let set = reply.header("set-cookie").expect("a session").to_owned();
            set.split(';').next().unwrap().to_owned()
        };
        let (first, second) = (login(), login());
        let bob = join(server, "bob@example.com", "member");
        let ask = |who: &str, method: &str, path: &str| by(server, who, method, path, Value::Null);
        let list = |who: &str| {
            ask(who, "GET", "users/me/sessions/")
                .json()
                .as_array()
                .unwrap()
                .clone()
        };
        let all = list(&first);
        assert_eq!(all.len(), 2);
        assert_eq!(all.iter().filter(|s| s["isCurrent"] == true).count(), 1);
        assert_eq!(all[0]["ipAddress"], "127.0.0.1");
        let other = all.iter().find(|s| s["isCurrent"] == false).unwrap()["id"].clone();
        let path = format!("users/me/sessions/{}/", other.as_str().unwrap());
        assert_eq!(ask(&bob, "DELETE", &path).status, 404, "not theirs");
        let by_token = server.api("GET", "users/me/sessions/", None).status;
        assert_eq!(by_token, 403, "not for tokens");
        assert_eq!(ask(&first, "DELETE", &path).status, 204);
        assert_eq!(ask(&second, "GET", "auth/").status, 401);
        let third = login();
        assert_eq!(ask(&first, "DELETE", "users/me/sessions/").status, 204);
        assert_eq!(ask(&third, "GET", "auth/").status, 401);
        assert_eq!((list(&first).len(), list(&bob).len()), (1, 1));
    });
}
