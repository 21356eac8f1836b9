//! Teams, and which projects their members see.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::people::{by, join, member};
use crate::{error, on_both};

fn make_team(server: &Server, slug: &str) {
    let made = server.api(
        "POST",
        "organizations/acme/teams/",
        Some(&json!({ "slug": slug })),
    );
    assert_eq!(made.status, 201, "{}", made.json());
}

#[test]
fn a_team_has_members_and_projects() {
    on_both(|server, _| {
        let teams = server.api("GET", "organizations/acme/teams/", None).json();
        assert_eq!(teams[0]["slug"], "acme", "everything begins in one team");
        assert_eq!(teams[0]["projects"][0]["slug"], "shop");
        assert_eq!(
            (&teams[0]["memberCount"], &teams[0]["isMember"]),
            (&json!(1), &json!(true))
        );
        make_team(server, "web");
        let twice = server.api(
            "POST",
            "organizations/acme/teams/",
            Some(&json!({ "name": "Web" })),
        );
        assert_eq!(twice.status, 400);
        let body = json!({ "name": "Front" });
        let made = server.api("POST", "teams/acme/web/projects/", Some(&body));
        assert_eq!((made.status, &made.json()["team"]["slug"]), (201, &json!("web")));
        assert_eq!(
            server.api("POST", "projects/acme/shop/teams/web/", None).status,
            201
        );
        let of_shop = server.api("GET", "projects/acme/shop/teams/", None).json();
        assert_eq!(of_shop.as_array().unwrap().len(), 2);
        assert_eq!(
            server
                .api("DELETE", "projects/acme/shop/teams/acme/", None)
                .status,
            200
        );
        let projects = server.api("GET", "teams/acme/web/projects/", None).json();
        assert_eq!(projects.as_array().unwrap().len(), 2);
        let bob = join(server, "bob@example.com", "member");
        let into = "organizations/acme/members/me/teams/web/";
        assert_eq!(by(server, &bob, "POST", into, Value::Null).status, 201);
        assert_eq!(by(server, &bob, "POST", into, Value::Null).status, 204);
        let own = by(server, &bob, "GET", "organizations/acme/user-teams/", Value::Null).json();
        assert_eq!(own[0]["slug"], "web");
        let people = server.api("GET", "projects/acme/shop/members/", None).json();
        assert_eq!(people.as_array().unwrap().len(), 2);
        let renamed = server.api("PUT", "teams/acme/web/", Some(&json!({ "slug": "site" })));
        assert_eq!(renamed.json()["slug"], "site");
        assert_eq!(server.api("DELETE", "teams/acme/site/", None).status, 204);
        assert_eq!(server.api("GET", "teams/acme/site/", None).status, 404);
        assert_eq!(server.api("GET", "projects/acme/front/", None).status, 200);
    });
}

#[test]
fn the_admin_of_a_team_changes_it_and_its_projects() {
    on_both(|server, _| {
        make_team(server, "web");
        server.api(
            "POST",
            "teams/acme/web/projects/",
            Some(&json!({ "name": "Front" })),
        );
        let bob = join(server, "bob@example.com", "member");
        let id = member(server, "bob@example.com");
        by(
            server,
            &bob,
            "POST",
            "organizations/acme/members/me/teams/web/",
            Value::Null,
        );
        let rename = |team: &str| {
            let body = json!({ "name": "New" });
            by(server, &bob, "PUT", &format!("teams/acme/{team}/"), body).status
        };
        let platform = |project: &str| {
            let body = json!({ "platform": "python" });
            by(server, &bob, "PUT", &format!("projects/acme/{project}/"), body).status
        };
        // The project says so itself, for pages that offer what the caller may do.
        let may_change = |project: &str| {
            let path = format!("projects/acme/{project}/");
            let view = by(server, &bob, "GET", &path, Value::Null).json();
            let access = view["access"].as_array().unwrap();
            assert!(access.contains(&json!("project:read")), "{access:?}");
            access.contains(&json!("project:write"))
        };
        assert_eq!((rename("web"), platform("front")), (403, 403));
        assert!(!may_change("front"));
        let path = format!("organizations/acme/members/{id}/teams/web/");
        assert_eq!(
            by(server, &bob, "PUT", &path, json!({ "teamRole": "admin" })).status,
            403
        );
        let raised = server.api("PUT", &path, Some(&json!({ "teamRole": "admin" })));
        assert_eq!(raised.json()["teamRole"], "admin");
        assert_eq!((rename("web"), platform("front")), (200, 200));
        assert_eq!((rename("acme"), platform("shop")), (403, 403));
        assert_eq!((may_change("front"), may_change("shop")), (true, false));
        // Nobody takes projects of others into their team, or hands them on to strangers.
        let give = |project: &str, team: &str| {
            let path = format!("projects/acme/{project}/teams/{team}/");
            by(server, &bob, "POST", &path, Value::Null).status
        };
        assert_eq!((give("shop", "web"), give("front", "acme")), (403, 403));
        assert_eq!(
            server.api("POST", "projects/acme/shop/teams/web/", None).status,
            201
        );
        assert_eq!(platform("shop"), 200, "now it is one of the team");
    });
}

#[test]
fn closed_membership_hides_the_projects_of_other_teams() {
    on_both(|server, _| {
        server.send(&error(1, "Boom"));
        server.balance();
        make_team(server, "web");
        server.api(
            "POST",
            "teams/acme/web/projects/",
            Some(&json!({ "name": "Front" })),
        );
        let bob = join(server, "bob@example.com", "member");
        let mia = join(server, "mia@example.com", "manager");
        by(
            server,
            &bob,
            "POST",
            "organizations/acme/members/me/teams/web/",
            Value::Null,
        );
        let issue = server.api("GET", "organizations/acme/issues/", None).json()[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let event = format!("{:032x}", 1);
        let hidden = [
            "projects/acme/shop/".to_owned(),
            "projects/acme/shop/keys/".to_owned(),
            "projects/acme/shop/issues/".to_owned(),
            "projects/acme/shop/events/".to_owned(),
            format!("projects/acme/shop/events/{event}/"),
            format!("organizations/acme/issues/{issue}/"),
            format!("organizations/acme/issues/{issue}/events/"),
            format!("issues/{issue}/"),
            "organizations/acme/issues/SHOP-1/".to_owned(),
            "organizations/acme/shortids/SHOP-1/".to_owned(),
            format!("organizations/acme/eventids/{event}/"),
            format!("organizations/acme/events/shop:{event}/"),
        ];
        let get = |cookie: &str, path: &str| by(server, cookie, "GET", path, Value::Null);
        for path in &hidden {
            assert_eq!(get(&bob, path).status, 200, "open: {path}");
        }
        let closed = json!({ "openMembership": false });
        let set = server.api("PUT", "organizations/acme/", Some(&closed));
        assert_eq!((set.status, &set.json()["openMembership"]), (200, &json!(false)));
        for path in &hidden {
            assert_eq!(get(&bob, path).status, 404, "closed: {path}");
            assert_eq!(get(&mia, path).status, 200, "a manager sees all: {path}");
        }
        let lists = [
            ("organizations/acme/issues/", 0),
            ("organizations/acme/projects/", 1),
            ("projects/", 1),
            ("organizations/acme/tags/", 0),
        ];
        for (path, n) in lists {
            let found = get(&bob, path).json();
            assert_eq!(found.as_array().unwrap().len(), n, "{path}: {found}");
        }
        let details = get(&bob, "organizations/acme/").json();
        assert_eq!(details["projects"].as_array().unwrap().len(), 1);
        let named = get(&bob, "organizations/acme/issues/?project=shop");
        assert_eq!(named.status, 400, "as if it were not there");
        let places = get(&bob, &format!("organizations/acme/eventids/{event}/where/")).json();
        assert_eq!(places["places"], json!([]));
        let bulk = format!("organizations/acme/issues/?id={issue}");
        assert_eq!(
            by(server, &bob, "PUT", &bulk, json!({ "status": "resolved" })).status,
            404
        );
        // Nobody lets themselves in, not even who makes teams.
        let into = "organizations/acme/members/me/teams/acme/";
        assert_eq!(by(server, &bob, "POST", into, Value::Null).status, 403);
        let eve = join(server, "eve@example.com", "admin");
        for (method, path) in [
            ("POST", into),
            ("PUT", "teams/acme/acme/"),
            ("DELETE", "teams/acme/acme/"),
            ("POST", "teams/acme/acme/projects/"),
        ] {
            let tried = by(server, &eve, method, path, json!({ "name": "X" }));
            assert_eq!(tried.status, 403, "{method} {path}");
        }
        assert_eq!(get(&eve, "projects/acme/shop/").status, 404);
        let own = by(
            server,
            &eve,
            "POST",
            "organizations/acme/teams/",
            json!({ "slug": "eves" }),
        );
        assert_eq!(own.status, 201);
        let made = by(
            server,
            &eve,
            "POST",
            "teams/acme/eves/projects/",
            json!({ "name": "Eves" }),
        );
        assert_eq!(made.status, 201, "{}", made.json());
        let id = member(server, "bob@example.com");
        let path = format!("organizations/acme/members/{id}/teams/acme/");
        assert_eq!(server.api("POST", &path, None).status, 201);
        assert_eq!(get(&bob, "projects/acme/shop/").status, 200);
    });
}

#[test]
fn issues_are_assigned_to_teams() {
    on_both(|server, _| {
        server.send(&error(1, "Boom"));
        server.send(&error(2, "Bang"));
        server.balance();
        make_team(server, "web");
        let assign = |to: &str| {
            let body = json!({ "assignedTo": to });
            server.api("PUT", "organizations/acme/issues/SHOP-1/", Some(&body))
        };
        let done = assign("#web");
        assert_eq!(done.status, 200, "{}", done.json());
        let view = server
            .api("GET", "organizations/acme/issues/SHOP-1/", None)
            .json();
        assert_eq!(view["assignedTo"]["type"], "team");
        assert_eq!(view["assignedTo"]["name"], "web");
        assert_eq!(assign("#nothing").status, 400);
        let count = |query: &str| {
            let path = format!("organizations/acme/issues/?query={query}");
            let found = server.api("GET", &path, None);
            assert_eq!(found.status, 200, "{}", found.json());
            found.json().as_array().unwrap().len()
        };
        assert_eq!(count("assigned:%23web"), 1);
        assert_eq!(count("assigned:my_teams"), 1);
        assert_eq!(count("!assigned:%23web"), 1);
        assert_eq!(count("is:unassigned"), 1);
        assert_eq!(count("assigned:me"), 0);
        let id = view["assignedTo"]["id"].as_str().unwrap();
        assert_eq!(assign("me").status, 200);
        assert_eq!(count("assigned:%23web"), 0);
        assert_eq!(assign(&format!("team:{id}")).status, 200);
        assert_eq!(count("assigned:me"), 0);
        assert_eq!(server.api("DELETE", "teams/acme/web/", None).status, 204);
        assert_eq!(count("is:unassigned"), 2);
    });
}
