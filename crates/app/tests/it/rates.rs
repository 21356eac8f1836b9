//! How much one caller of the web API may ask.

use std::process::Command;

use testkit::server::{Reply, Server};

use crate::access::cookie;
use crate::clients::requests::python;
use crate::clients::sources;
use crate::{error, on_one};

fn number(reply: &Reply, name: &str) -> i64 {
    let name = format!("x-sentry-rate-limit-{name}");
    let value = reply
        .header(&name)
        .unwrap_or_else(|| panic!("{name}: {:?}", reply.headers));
    value.parse().unwrap()
}

fn seconds() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64
}

fn mine(server: &Server, headers: &[(&str, &str)]) -> Reply {
    server.request("GET", "/api/0/organizations/acme/", headers, b"")
}

#[test]
fn answers_say_how_much_is_left() {
    on_one(&["--set", "api-rate-limit=1000/50"], |server, _| {
        let reply = server.api("GET", "organizations/acme/", None);
        assert_eq!(reply.status, 200);
        assert_eq!(
            (number(&reply, "limit"), number(&reply, "concurrentlimit")),
            (1000, 50)
        );
        assert!((900..1000).contains(&number(&reply, "remaining")));
        assert_eq!(number(&reply, "concurrentremaining"), 49);
        assert!((0..=11).contains(&(number(&reply, "reset") - seconds())));
        // Also when it is refused or fails, and to those who are not known.
        for (path, status) in [
            ("organizations/nobody/", 404),
            ("organizations/acme/issues/?sort=x", 400),
        ] {
            let reply = server.api("GET", path, None);
            assert_eq!((reply.status, number(&reply, "limit")), (status, 1000), "{path}");
        }
        let reply = mine(server, &[]);
        assert_eq!((reply.status, number(&reply, "limit")), (401, 1000));
        let reply = mine(server, &[("Authorization", "Bearer sntryu_wrong")]);
        assert_eq!((reply.status, number(&reply, "limit")), (401, 1000));
    });
}

#[test]
fn nothing_is_said_without_a_limit() {
    on_one(&["--set", "api-rate-limit=off"], |server, _| {
        let reply = server.api("GET", "organizations/acme/", None);
        assert_eq!(
            (reply.status, reply.header("x-sentry-rate-limit-limit")),
            (200, None)
        );
    });
}

#[test]
fn who_asks_too_much_waits_alone() {
    on_one(&["--set", "api-rate-limit=20/5"], |server, _| {
        let session = cookie(server, "ann@example.com", "correct horse");
        // At the border of two windows a count begins anew.
        let refused = (0..80)
            .map(|_| {
                server.api(
                    "PUT",
                    "organizations/acme/",
                    Some(&serde_json::json!({ "name": "Acme" })),
                )
            })
            .find(|r| r.status != 200)
            .expect("it ends");
        assert_eq!(refused.status, 429);
        assert_eq!(number(&refused, "remaining"), 0);
        let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=11).contains(&wait), "{wait}");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("may send 20 in 10 seconds"), "{detail}");
        // The session of the same user, and who is not known, are others.
        assert_eq!(mine(server, &[("Cookie", session.as_str())]).status, 200);
        assert_eq!(mine(server, &[]).status, 401);
        let path = "organizations/acme/";
        server.until("the next window", |s| {
            (s.api("GET", path, None).status == 200).then_some(())
        });
    });
}

#[test]
fn tokens_that_do_not_exist_are_counted_by_address() {
    on_one(&["--set", "api-rate-limit=20/5"], |server, _| {
        let ask = |n: i32| {
            mine(
                server,
                &[("Authorization", format!("Bearer sntryu_{n}").as_str())],
            )
        };
        let last = (0..80).map(ask).find(|r| r.status != 401).expect("it ends");
        assert_eq!(last.status, 429);
        assert_eq!(server.api("GET", "organizations/acme/", None).status, 200);
    });
}

#[test]
fn a_script_waits_and_goes_on() {
    let packages = python();
    on_one(&["--set", "api-rate-limit=12/5"], |server, _| {
        for n in 1..31 {
            server.send(&error(n, &format!("Kind{n}")));
        }
        let code = "import sys; from api import Api\n\
            found = [i['id'] for i in Api(*sys.argv[1:]).walk('organizations/acme/issues/', limit=2, query='')]\n\
            assert len(found) == len(set(found)) == 30, found";
        server.until("the issues", |s| {
            let reply = s.api("GET", "organizations/acme/issues/?limit=1&query=", None);
            (reply.header("x-hits") == Some("30")).then_some(())
        });
        let out = Command::new(packages.join("bin/python"))
            .args(["-B", "-c", code])
            .arg(format!("http://127.0.0.1:{}", server.port))
            .arg(server.get("token"))
            .current_dir(sources("requests"))
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    });
}
