//! Who may do what: every route of the table is asked without a caller, with a stranger and with too few scopes.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::on_one;

fn path_of(route: &str) -> String {
    let mut path = route.trim_start_matches('/').to_owned();
    for (name, value) in [
        ("{org}", "acme"),
        ("{project}", "shop"),
        ("{issue}", "SHOP-1"),
        ("{other}", "SHOP-1"),
        ("{team}", "acme"),
    ] {
        path = path.replace(name, value);
    }
    for name in [
        "{event}",
        "{key}",
        "{note}",
        "{token}",
        "{attachment}",
        "{short}",
        "{tombstone}",
    ] {
        path = path.replace(name, "1");
    }
    // Whatever else has a name in a path: nothing is called so.
    while let Some((before, rest)) = path.split_once('{') {
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        path = format!("{before}1{after}");
    }
    path
}

pub fn cookie(server: &Server, email: &str, password: &str) -> String {
    let body = json!({ "username": email, "password": password }).to_string();
    let reply = server.request(
        "POST",
        "/api/0/auth/login/",
        &[("X-Requested-With", "test")],
        body.as_bytes(),
    );
    assert_eq!(reply.status, 200, "{}", reply.json());
    let set = reply.header("set-cookie").unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

#[test]
fn every_route_asks_who_it_is() {
    on_one(&[], |server, data| {
        let out = std::process::Command::new(crate::BINARY)
            .args([
                "setup",
                "--email",
                "eve@example.com",
                "--password",
                "long enough",
                "--org",
                "other",
                "--project",
                "own",
                "--data-dir",
            ])
            .arg(data)
            .output()
            .unwrap();
        assert!(out.status.success());
        let stranger = server.api("GET", "organizations/other/", None).status;
        assert_eq!(stranger, 200, "the first login is a superuser");
        std::process::Command::new(crate::BINARY)
            .args([
                "createuser",
                "--email",
                "mallory@example.com",
                "--password",
                "long enough",
                "--org",
                "other",
                "--data-dir",
            ])
            .arg(data)
            .output()
            .unwrap();
        let cookie = cookie(server, "mallory@example.com", "long enough");
        let own = |body: Value| {
            let headers = [("Cookie", cookie.as_str()), ("X-Requested-With", "test")];
            server.request(
                "POST",
                "/api/0/api-tokens/",
                &headers,
                body.to_string().as_bytes(),
            )
        };
        let token = own(json!({ "name": "t", "scopes": ["org:read"] })).json()["token"]
            .as_str()
            .unwrap()
            .to_owned();
        let token = format!("Bearer {token}");
        for route in api::ROUTES {
            let path = format!("/api/0/{}", path_of(route.path));
            let nobody = server.request(route.method, &path, &[], b"{}");
            let by_cookie = server.request(route.method, &path, &[("Cookie", &cookie)], b"{}");
            let public = route.access == api::access::Access::Public;
            if public {
                assert!(
                    nobody.status != 401 || ["/auth/login/", "/oauth/token/"].contains(&route.path),
                    "{} {path}",
                    route.method
                );
                continue;
            }
            assert_eq!(nobody.status, 401, "{} {path}", route.method);
            if route.method != "GET" {
                assert_eq!(
                    by_cookie.status, 403,
                    "without X-Requested-With: {} {path}",
                    route.method
                );
            }
            if route.access == api::access::Access::Superuser {
                let headers = [("Cookie", cookie.as_str()), ("X-Requested-With", "test")];
                let member = server.request(route.method, &path, &headers, b"{}");
                assert_eq!(member.status, 403, "no administrator: {} {path}", route.method);
                let few = server.request(route.method, &path, &[("Authorization", &token)], b"{}");
                assert_eq!(few.status, 403, "a member's token: {} {path}", route.method);
            }
            if route.path.contains("{org}") {
                let headers = [("Cookie", cookie.as_str()), ("X-Requested-With", "test")];
                let other = server.request(route.method, &path, &headers, b"{}");
                assert_eq!(
                    other.status, 404,
                    "another's organization: {} {path}",
                    route.method
                );
                let path = path.replace("acme", "other").replace("shop", "own");
                let few = server.request(route.method, &path, &[("Authorization", &token)], b"{}");
                let enough = match route.access {
                    api::access::Access::AnyOf(scopes) => scopes.contains(&"org:read"),
                    other => other == api::access::Access::Scope("org:read"),
                };
                if !enough {
                    assert_eq!(few.status, 403, "a token of org:read: {} {path}", route.method);
                }
            }
        }
    });
}

#[test]
fn metrics_are_for_the_machine_and_its_administrators() {
    on_one(&[], |server, _| {
        let near = server.request("GET", "/metrics", &[], b"");
        assert_eq!(near.status, 200);
        let text = String::from_utf8(near.body).unwrap();
        for name in [
            "vedette_queue_records",
            "vedette_disk_free_bytes",
            "process_resident_memory_bytes",
        ] {
            assert!(text.contains(&format!("\n{name} ")), "{name}: {text}");
        }
        // Through a proxy it is somebody else who asks.
        let through = ("X-Forwarded-For", "192.0.2.7");
        assert_eq!(server.request("GET", "/metrics", &[through], b"").status, 401);
        let token = format!("Bearer {}", server.get("token"));
        let admin = [through, ("Authorization", token.as_str())];
        assert_eq!(server.request("GET", "/metrics", &admin, b"").status, 200);
        server.send(&crate::error(1, "Boom"));
        server.balance();
        let status = server.api("GET", "internal/status/", None);
        assert_eq!(status.status, 200);
        assert_eq!(status.json()["outcomes"][0]["outcome"], "accepted");
        assert!(status.header("x-request-id").is_some());
        let text = String::from_utf8(server.request("GET", "/metrics", &[], b"").body).unwrap();
        let line = "vedette_outcomes_total{outcome=\"accepted\",category=\"error\",reason=\"\"} 1";
        assert!(text.contains(line), "{text}");
        assert!(
            text.contains("vedette_stage_seconds_count{stage=\"database\"} 1"),
            "{text}"
        );
    });
}

#[test]
fn logins_end_and_wrong_ones_wait() {
    on_one(&[], |server, _| {
        let cookie = cookie(server, "ann@example.com", "correct horse");
        let headers = [("Cookie", cookie.as_str()), ("X-Requested-With", "test")];
        assert_eq!(
            server.request("GET", "/api/0/auth/", &headers, b"").json()["email"],
            "ann@example.com"
        );
        let weak = json!({ "currentPassword": "correct horse", "newPassword": "short" }).to_string();
        assert_eq!(
            server
                .request("PUT", "/api/0/users/me/password/", &headers, weak.as_bytes())
                .status,
            400
        );
        let good = json!({ "currentPassword": "correct horse", "newPassword": "battery staple" }).to_string();
        assert_eq!(
            server
                .request("PUT", "/api/0/users/me/password/", &headers, good.as_bytes())
                .status,
            204
        );
        assert_eq!(
            server.request("GET", "/api/0/auth/", &headers, b"").status,
            401,
            "old sessions end"
        );
        let body = json!({ "username": "ann@example.com", "password": "wrong" }).to_string();
        let statuses: Vec<u16> = (0..8)
            .map(|_| {
                server
                    .request(
                        "POST",
                        "/api/0/auth/login/",
                        &[("X-Requested-With", "test")],
                        body.as_bytes(),
                    )
                    .status
            })
            .collect();
        assert_eq!(statuses[0], 401);
        assert_eq!(statuses[7], 429, "{statuses:?}");
    });
}
