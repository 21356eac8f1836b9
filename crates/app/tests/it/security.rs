//! Attacks on the web API and on what it answers: forged requests, guessed passwords, planted sessions, paths and
//! headers that reach where they should not, and addresses that are made up. Who may do what is in `access.rs`,
//! scripts in stored texts are in the browser tests of `web/e2e`.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::server::{Reply, Server};

use crate::{BINARY, error, on_one};

const PASSWORD: &str = "correct horse";
const ASKED: (&str, &str) = ("X-Requested-With", "test");

fn login_with(server: &Server, email: &str, password: &str, headers: &[(&str, &str)]) -> Reply {
    let body = json!({ "username": email, "password": password }).to_string();
    let mut all = vec![ASKED];
    all.extend_from_slice(headers);
    server.request("POST", "/api/0/auth/login/", &all, body.as_bytes())
}

fn session(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.json());
    let set = reply.header("set-cookie").unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

fn login(server: &Server) -> String {
    session(&login_with(server, "ann@example.com", PASSWORD, &[]))
}

fn signed_in(server: &Server, cookie: &str) -> bool {
    server
        .request("GET", "/api/0/auth/", &[("Cookie", cookie)], b"")
        .status
        == 200
}

/// A path of a route in the organization of the test.
fn path_of(route: &str) -> String {
    let mut path = format!("/api/0{route}");
    for (name, value) in [("{org}", "acme"), ("{project}", "shop"), ("{issue}", "SHOP-1")] {
        path = path.replace(name, value);
    }
    for name in ["{event}", "{key}", "{note}", "{token}", "{attachment}", "{short}"] {
        path = path.replace(name, "1");
    }
    path
}

#[test]
fn requests_of_other_sites_change_nothing() {
    on_one(&[], |server, _| {
        let cookie = login(server);
        let own = format!("http://localhost:{}", server.port);
        let mut asked = 0;
        for route in api::ROUTES.iter().filter(|r| r.method != "GET") {
            // What asks for no login is the login itself, below.
            if route.access == api::access::Access::Public {
                continue;
            }
            asked += 1;
            let path = path_of(route.path);
            let cookie = ("Cookie", cookie.as_str());
            // A form or a script of another site can send the cookie at most, as far as browsers let it.
            let forged: &[&[(&str, &str)]] = &[
                &[cookie],
                &[cookie, ("Content-Type", "application/json")],
                &[
                    cookie,
                    ("Content-Type", "text/plain"),
                    ("Origin", "https://evil.example"),
                ],
                // Were a header of its own let through, the browser would still say where it comes from.
                &[cookie, ASKED, ("Origin", "https://evil.example")],
                &[cookie, ASKED, ("Origin", "null")],
                &[cookie, ASKED, ("Origin", &own.replace("http:", "http://evil@"))],
                &[cookie, ASKED, ("Origin", &format!("{own}.evil.example"))],
                &[cookie, ASKED, ("Sec-Fetch-Site", "cross-site")],
                &[cookie, ASKED, ("Sec-Fetch-Site", "same-site"), ("Origin", &own)],
            ];
            for headers in forged {
                let reply = server.request(route.method, &path, headers, b"{}");
                let detail = reply.json()["detail"].to_string();
                assert!(
                    reply.status == 403 && detail.contains("CSRF"),
                    "{} {path} {headers:?}: {} {detail}",
                    route.method,
                    reply.status
                );
            }
        }
        assert!(asked > 20, "{asked} routes");
        assert!(signed_in(server, &cookie), "the session is still there");
        // The page of this server may, also if a proxy tells its name or the browser vouches for it.
        let rename = |headers: &[(&str, &str)]| {
            let mut all = vec![("Cookie", cookie.as_str()), ASKED];
            all.extend_from_slice(headers);
            server
                .request("PUT", "/api/0/users/me/", &all, b"{\"name\":\"Ann\"}")
                .status
        };
        assert_eq!(rename(&[]), 200);
        assert_eq!(rename(&[("Origin", &own)]), 200);
        let proxy = [
            ("Origin", "https://errors.example"),
            ("X-Forwarded-Host", "errors.example"),
        ];
        assert_eq!(rename(&proxy), 200);
        assert_eq!(
            rename(&[
                ("Origin", "http://localhost:5173"),
                ("Sec-Fetch-Site", "same-origin")
            ]),
            200
        );
        // No other site is told that it may.
        let asks = [
            ("Origin", "https://evil.example"),
            ("Access-Control-Request-Method", "PUT"),
            ("Access-Control-Request-Headers", "x-requested-with"),
        ];
        for method in ["OPTIONS", "GET"] {
            let reply = server.request(method, "/api/0/organizations/", &asks, b"");
            assert_eq!(reply.header("access-control-allow-origin"), None);
        }
        // Nor may another site log somebody in as somebody else.
        let body = json!({ "username": "ann@example.com", "password": PASSWORD }).to_string();
        for headers in [
            &[("Content-Type", "text/plain")][..],
            &[("Content-Type", "application/x-www-form-urlencoded")],
            &[
                ("Content-Type", "application/json"),
                ("Origin", "https://evil.example"),
            ],
            &[ASKED, ("Sec-Fetch-Site", "cross-site")],
        ] {
            let reply = server.request("POST", "/api/0/auth/login/", headers, body.as_bytes());
            assert_eq!(
                (reply.status, reply.header("set-cookie")),
                (403, None),
                "{headers:?}"
            );
        }
    });
}

fn user(data: &Path, email: &str) {
    let out = Command::new(BINARY)
        .args([
            "createuser",
            "--email",
            email,
            "--password",
            PASSWORD,
            "--org",
            "acme",
        ])
        .arg("--data-dir")
        .arg(data)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn passwords_cannot_be_guessed() {
    on_one(&[], |server, data| {
        user(data, "bob@example.com");
        let from = |address: &'static str| [("X-Forwarded-For", address)];
        // Many at once count as many one after the other.
        let statuses: Vec<u16> = std::thread::scope(|s| {
            let one = || login_with(server, "ann@example.com", "wrong", &from("198.51.100.1")).status;
            let all: Vec<_> = (0..24).map(|_| s.spawn(one)).collect();
            all.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let count = |status| statuses.iter().filter(|s| **s == status).count();
        // Six are free or pay later; the others wait.
        assert_eq!((count(401), count(429)), (6, 18), "{statuses:?}");
        // The right password waits too, from every address, in every spelling of the name.
        for name in ["ann@example.com", " ANN@example.com"] {
            let reply = login_with(server, name, PASSWORD, &from("198.51.100.2"));
            assert_eq!((reply.status, reply.header("set-cookie")), (429, None), "{name}");
            let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=900).contains(&wait), "{wait}");
        }
        // So does everybody at the address that guessed; nobody else.
        assert_eq!(
            login_with(server, "bob@example.com", PASSWORD, &from("198.51.100.1")).status,
            429
        );
        assert_eq!(
            login_with(server, "bob@example.com", PASSWORD, &from("198.51.100.2")).status,
            200
        );
        // Names that do not exist are answered as those that do.
        let unknown = |n: u32| {
            let reply = login_with(
                server,
                "eve@example.com",
                &format!("wrong {n}"),
                &from("198.51.100.3"),
            );
            (reply.status, reply.json()["detail"].clone())
        };
        let known = login_with(server, "bob@example.com", "wrong", &from("198.51.100.4"));
        assert_eq!(unknown(0), (known.status, known.json()["detail"].clone()));
        let statuses: Vec<u16> = (1..8).map(|n| unknown(n).0).collect();
        assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
        // After its wait it is let in, and starts anew.
        let cookie = server.until("the wait is over", |s| {
            let reply = login_with(s, "ann@example.com", PASSWORD, &from("198.51.100.5"));
            (reply.status == 200).then(|| session(&reply))
        });
        // The current password cannot be guessed by who has a session.
        let headers = [("Cookie", cookie.as_str()), ASKED];
        let body = json!({ "currentPassword": "wrong", "newPassword": "battery staple" }).to_string();
        let change = || {
            server
                .request("PUT", "/api/0/users/me/password/", &headers, body.as_bytes())
                .status
        };
        let statuses: Vec<u16> = (0..8).map(|_| change()).collect();
        assert_eq!(statuses, [400, 400, 400, 400, 400, 400, 429, 429]);
    });
}

#[test]
fn sessions_are_never_given_and_end() {
    on_one(&[], |server, _| {
        // A cookie that somebody planted is not the one that a login makes valid.
        let planted = format!("vedette_session={}", "a".repeat(64));
        let reply = login_with(server, "ann@example.com", PASSWORD, &[("Cookie", &planted)]);
        let first = session(&reply);
        assert_ne!(first, planted);
        assert!(!signed_in(server, &planted) && signed_in(server, &first));
        // A login with an old session makes a new one, each is its own.
        let second = session(&login_with(
            server,
            "ann@example.com",
            PASSWORD,
            &[("Cookie", &first)],
        ));
        let third = login(server);
        assert!(first != second && second != third && first != third);
        // Logging out ends one.
        let end = |cookie: &str| server.request("DELETE", "/api/0/auth/", &[("Cookie", cookie), ASKED], b"");
        let reply = end(&second);
        assert!(
            reply
                .header("set-cookie")
                .is_some_and(|c| c.contains("Max-Age=0"))
        );
        assert!(!signed_in(server, &second) && signed_in(server, &third));
        // A new password ends all but the one that set it, which has a new cookie.
        let body = json!({ "currentPassword": PASSWORD, "newPassword": "battery staple" }).to_string();
        let headers = [("Cookie", third.as_str()), ASKED];
        let reply = server.request("PUT", "/api/0/users/me/password/", &headers, body.as_bytes());
        assert_eq!(reply.status, 204);
        let fourth = reply
            .header("set-cookie")
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        assert_ne!(fourth, third);
        assert!(signed_in(server, &fourth));
        for old in [&first, &second, &third] {
            assert!(!signed_in(server, old));
        }
        // The hash that is kept is not what logs in, nor is a token as a cookie.
        for no in [
            api::token_hash(fourth.split_once('=').unwrap().1),
            server.get("token").to_owned(),
        ] {
            assert!(!signed_in(server, &format!("vedette_session={no}")));
        }
        // No answer of the API may be kept by a cache.
        let reply = server.request("GET", "/api/0/auth/", &[("Cookie", &fourth)], b"");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    });
}

#[test]
fn paths_stay_inside() {
    on_one(&[], |server, data| {
        std::fs::write(data.join("bait.txt"), "bait").unwrap();
        let page = server.request("GET", "/", &[], b"").body;
        let deep = "../".repeat(12);
        for end in [
            "etc/passwd",
            "etc/hostname",
            "bait.txt",
            "Cargo.toml",
            "package.json",
        ] {
            for way in [
                deep.clone(),
                deep.replace('/', "%2f"),
                deep.replace('.', "%2e"),
                deep.replace("../", "%2e%2e%2f"),
                deep.replace("../", "..%5c"),
                deep.replace("../", "..\\"),
                deep.replace("../", "%252e%252e%252f"),
                deep.replace("../", "%c0%ae%c0%ae/"),
                "/".into(),
                "%00".into(),
            ] {
                for start in ["/", "/assets/", "//", "/assets/%2e%2e/"] {
                    let path = format!("{start}{way}{end}");
                    let reply = server.request("GET", &path, &[], b"");
                    let text = String::from_utf8_lossy(&reply.body);
                    // The page, which finds its way, or nothing.
                    let harmless = reply.body == page || matches!(reply.status, 400 | 404);
                    assert!(harmless, "{path}: {} {text}", reply.status);
                    assert!(
                        !text.contains("root:") && !text.contains("bait") && !text.contains("[workspace]"),
                        "{path}"
                    );
                }
            }
        }
        // Names of attachments are names and nothing else.
        let id = format!("{:032x}", 1);
        let names = [
            "../../../../../../etc/cron.d/x",
            "..\\..\\x",
            "/etc/passwd",
            "a/b",
            ".",
            "..",
            "\u{0}",
            "",
        ];
        let mut body = format!(
            "{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{}\n",
            error(1, "Boom")
        );
        for name in names {
            body.push_str(&format!(
                "{}\nhello\n",
                json!({ "type": "attachment", "length": 5, "filename": name })
            ));
        }
        let path = format!(
            "/api/{}/envelope/?sentry_key={}",
            server.get("project_id"),
            server.key()
        );
        assert_eq!(server.request("POST", &path, &[], body.as_bytes()).status, 200);
        let files = server.until("the attachments", |s| {
            let reply = s
                .api(
                    "GET",
                    &format!("projects/acme/shop/events/{id}/attachments/"),
                    None,
                )
                .json();
            (reply.as_array()?.len() == names.len()).then_some(reply)
        });
        for file in files.as_array().unwrap() {
            let path = format!(
                "projects/acme/shop/events/{id}/attachments/{}/?download=1",
                file["id"].as_str().unwrap()
            );
            let reply = server.api("GET", &path, None);
            assert_eq!((reply.status, &reply.body[..]), (200, &b"hello"[..]));
            let said = reply.header("content-disposition").unwrap();
            assert!(!said.contains(['/', '\\']), "{said}");
        }
        // All that was written lies below the folder, under keys that the server made.
        let mut kept = 0;
        let mut folders = vec![data.join("blobs")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                match entry.file_type().unwrap().is_dir() {
                    true => folders.push(entry.path()),
                    false => kept += 1,
                }
            }
        }
        assert_eq!(kept, names.len());
        // Numbers and ids in paths are numbers and ids.
        for path in [
            "projects/acme/shop/events/..%2f..%2f1/json/",
            "projects/acme/shop/events/%2e%2e/attachments/1/",
            "projects/acme/..%2fother/",
            "organizations/..%2f..%2f/issues/",
            &format!("projects/acme/shop/events/{id}/attachments/..%2f1/?download=1"),
        ] {
            let status = server.api("GET", path, None).status;
            assert!(matches!(status, 400 | 404), "{path}: {status}");
        }
    });
}

/// Checks that no header came of what was sent.
fn single(what: &str, reply: &Reply) {
    for (name, value) in &reply.headers {
        assert!(
            name != "x-evil" && !name.contains("evil"),
            "{what}: {name}: {value}"
        );
        assert!(!value.chars().any(char::is_control), "{what}: {name}");
    }
    let cookies = reply.headers.iter().filter(|(n, _)| n == "set-cookie").count();
    assert!(cookies <= 1, "{what}");
    for name in [
        "content-type",
        "content-length",
        "location",
        "link",
        "x-sentry-error",
        "content-disposition",
    ] {
        assert!(
            reply.headers.iter().filter(|(n, _)| n == name).count() <= 1,
            "{what}: {name}"
        );
    }
}

#[test]
fn headers_stay_single() {
    on_one(&[], |server, _| {
        const EVIL: &str = "a\r\nX-Evil: 1\r\nSet-Cookie: vedette_session=x\r\n\r\n<script>";
        let coded = "a%0d%0aX-Evil:%201%0d%0aSet-Cookie:%20vedette_session=x%0d%0a%0d%0a<script>"
            .replace(['<', '>'], "%3c");
        let id = format!("{:032x}", 1);
        let mut event = error(1, "Boom");
        event["release"] = json!(EVIL);
        event["environment"] = json!(EVIL);
        event["tags"] = json!({ "evil": EVIL });
        event["transaction"] = json!(EVIL);
        let file = json!({ "type": "attachment", "length": 5, "filename": EVIL, "content_type": format!("text/plain{EVIL}"),
            "attachment_type": EVIL });
        let body = format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{event}\n{file}\nhello\n");
        let path = format!(
            "/api/{}/envelope/?sentry_key={}&sentry_release={coded}&sentry_client={coded}&x={coded}",
            server.get("project_id"),
            server.key()
        );
        let reply = server.request("POST", &path, &[], body.as_bytes());
        assert_eq!(reply.status, 200);
        single("what is taken", &reply);
        let files = server.until("the attachment", |s| {
            let reply = s.api(
                "GET",
                &format!("projects/acme/shop/events/{id}/attachments/"),
                None,
            );
            single("attachments", &reply);
            (reply.json().as_array()?.len() == 1).then(|| reply.json())
        });
        let file = files[0]["id"].as_str().unwrap();
        let path = format!("projects/acme/shop/events/{id}/attachments/{file}/?download=1");
        let reply = server.api("GET", &path, None);
        assert_eq!((reply.status, &reply.body[..]), (200, &b"hello"[..]));
        single("a download", &reply);
        assert_eq!(
            reply.header("content-security-policy"),
            Some("sandbox; default-src 'none'")
        );
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        // What is refused is repeated in a header.
        for path in [
            format!("/api/{coded}/store/?sentry_key={}", server.key()),
            format!("/api/{coded}/envelope/?sentry_key={}", server.key()),
            format!("/api/{}/store/?sentry_key={coded}", server.get("project_id")),
        ] {
            let reply = server.request("POST", &path, &[], b"{\"message\":\"a\"}");
            assert!(reply.status >= 400, "{path}");
            single(&path, &reply);
        }
        let envelope = format!(
            "/api/{}/envelope/?sentry_key={}",
            server.get("project_id"),
            server.key()
        );
        for head in [json!({ "event_id": EVIL }), json!({ "dsn": EVIL }), json!(EVIL)] {
            let reply = server.request("POST", &envelope, &[], format!("{head}\n").as_bytes());
            assert!(reply.status >= 400, "{head}");
            single("an envelope's header", &reply);
        }
        // Questions and names come back in links and pages.
        for path in [
            format!("organizations/acme/issues/?query={coded}&cursor=0:0:0&{coded}={coded}"),
            format!("organizations/acme/issues/?query=&cursor={coded}"),
            format!("organizations/acme/issues/?query=&cursor=0:{}:0", u64::MAX),
            format!("projects/acme/shop/events/?{coded}={coded}"),
            format!("organizations/{coded}/"),
            format!("projects/acme/{coded}/"),
            format!("organizations/acme/issues/{coded}/"),
            format!("{coded}/"),
        ] {
            let reply = server.api("GET", &path, None);
            assert!(reply.status < 500, "{path}: {}", reply.json());
            single(&path, &reply);
        }
        for (path, body) in [
            (
                "organizations/acme/projects/",
                json!({ "name": EVIL, "slug": EVIL }),
            ),
            ("organizations/acme/projects/", json!({ "name": EVIL })),
            ("projects/acme/shop/keys/", json!({ "name": EVIL })),
            ("auth/login/", json!({ "username": EVIL, "password": EVIL })),
        ] {
            let reply = server.api("POST", path, Some(&body));
            single(path, &reply);
            assert!(reply.status < 500, "{path}");
            let slug = reply.json()["slug"].as_str().map(str::to_owned);
            assert!(slug.is_none_or(|s| !s.contains(char::is_control)), "{path}");
        }
        for path in [
            format!("/{coded}"),
            format!("/assets/{coded}"),
            "/%0d%0aX-Evil:1".into(),
        ] {
            single(
                &path,
                &server.request("GET", &path, &[("X-Request-Id", "a\tX-Evil: 1")], b""),
            );
        }
    });
}

#[test]
fn numbers_and_times_beyond_reason_are_refused() {
    on_one(&[], |server, _| {
        server.send(&error(1, "Boom"));
        server.balance();
        let huge = [
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551616",
            "1e400",
            "-1",
            "NaN",
        ];
        for path in [
            "organizations/acme/issues/?query=&limit={}",
            "organizations/acme/issues/?query=&cursor=0:{}:0",
            "organizations/acme/issues/?query=&statsPeriod={}d",
            "organizations/acme/issues/?query=&groupStatsPeriod={}h",
            "organizations/acme/issues/?query=times_seen:>{}",
            "organizations/acme/issues/?query=age:-{}w",
            "organizations/acme/issues/?query=firstSeen:+{}d",
            "organizations/acme/issues/?query=&start={}&end={}",
            "organizations/acme/issues/?query=&project={}",
            "organizations/acme/issues/{}/",
            "issues/{}/",
            "organizations/acme/stats_v2/?field=sum(quantity)&statsPeriod={}d",
            "organizations/acme/stats_v2/?field=sum(quantity)&statsPeriod=1d&interval={}h",
            "organizations/acme/stats_v2/?field=sum(quantity)&start={}&end={}",
            "projects/acme/shop/stats/?since={}&until={}",
            "projects/acme/shop/stats/?since=0&until={}",
            "projects/acme/shop/events/?limit={}&cursor=0:{}:0",
            "projects/acme/{}/",
            "organizations/{}/",
            "organizations/acme/issues/SHOP-{}/",
            "organizations/acme/eventids/{}/where/",
        ] {
            for number in huge {
                let path = path.replace("{}", number);
                let reply = server.api("GET", &path, None);
                assert!(reply.status < 500, "{path}: {} {}", reply.status, reply.json());
            }
        }
    });
}

/// The address of the user that an event with `{{auto}}` gets.
fn address(server: &Server, n: u32, headers: &[(&str, &str)]) -> Value {
    let mut event = error(n, "Boom");
    event["user"] = json!({ "ip_address": "{{auto}}" });
    let path = format!(
        "/api/{}/store/?sentry_key={}",
        server.get("project_id"),
        server.key()
    );
    let reply = server.request("POST", &path, headers, event.to_string().as_bytes());
    assert_eq!(reply.status, 200);
    let path = format!("projects/acme/shop/events/{n:032x}/json/");
    let stored = server.until("the event", |s| {
        let reply = s.api("GET", &path, None);
        (reply.status == 200).then(|| reply.json())
    });
    stored["user"]["ip_address"].clone()
}

#[test]
fn addresses_are_taken_from_trusted_proxies() {
    on_one(
        &["--set", "trusted-proxies=127.0.0.0/8,10.0.0.0/8"],
        |server, _| {
            for (n, list, want) in [
                (1, "198.51.100.7", "198.51.100.7"),
                // What the client says of itself stands before what the proxies say.
                (2, "192.0.2.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
                (3, "192.0.2.1, nonsense, 10.0.0.2", "10.0.0.2"),
                (4, "", "127.0.0.1"),
            ] {
                assert_eq!(address(server, n, &[("X-Forwarded-For", list)]), want, "{list}");
            }
            for name in [
                "X-Real-IP",
                "Forwarded",
                "True-Client-IP",
                "X-Client-IP",
                "CF-Connecting-IP",
            ] {
                let n = 10 + u32::try_from(name.len()).unwrap();
                assert_eq!(
                    address(server, n, &[(name, "198.51.100.9")]),
                    "127.0.0.1",
                    "{name}"
                );
            }
            // Https is what a trusted proxy says it is.
            let secure = [("X-Forwarded-Proto", "https")];
            let reply = login_with(server, "ann@example.com", PASSWORD, &secure);
            assert!(reply.header("set-cookie").unwrap().ends_with("; Secure"));
        },
    );
}

#[test]
fn addresses_that_others_make_up_are_ignored() {
    on_one(&["--set", "trusted-proxies=10.0.0.0/8"], |server, _| {
        let made_up = [("X-Forwarded-For", "198.51.100.7, 10.0.0.2")];
        assert_eq!(address(server, 1, &made_up), "127.0.0.1");
        let secure = [("X-Forwarded-Proto", "https")];
        let reply = login_with(server, "ann@example.com", PASSWORD, &secure);
        assert!(!reply.header("set-cookie").unwrap().contains("Secure"));
        let host = [
            ("X-Forwarded-Host", "evil.example"),
            ("Origin", "https://evil.example"),
        ];
        assert_eq!(login_with(server, "ann@example.com", PASSWORD, &host).status, 403);
        // A new name and a new address each time: it is one address that guesses.
        let statuses: Vec<u16> = (0..8)
            .map(|n| {
                let from = format!("198.51.100.{n}");
                login_with(
                    server,
                    &format!("u{n}@example.com"),
                    "wrong",
                    &[("X-Forwarded-For", &from)],
                )
                .status
            })
            .collect();
        assert_eq!(statuses, [401, 401, 401, 401, 401, 401, 429, 429]);
    });
}
