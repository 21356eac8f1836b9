//! What follows from other fields: the event's type, the user's address and place, browser and system.

use protocol::json::{Json, Map};

use crate::context::Receipt;
use crate::geo::Geo;
use crate::meta::Notes;
use crate::user_agent;

/// Sets `type` by what the event holds.
pub(super) fn event_type(event: &mut Map<'_>) {
    let kind = if event.contains("exception") {
        "error"
    } else if event.contains("csp") {
        "csp"
    } else if event.contains("hpkp") {
        "hpkp"
    } else if event.contains("expectct") {
        "expectct"
    } else if event.contains("expectstaple") {
        "expectstaple"
    } else {
        "default"
    };
    event.set("type", kind);
}

/// `{{auto}}` becomes the connection's address; without any the SDK's settings and platform decide.
pub(super) fn address(event: &mut Map<'_>, receipt: &Receipt<'_>, notes: &mut Notes) {
    const AUTO: &str = "{{auto}}";
    let remote = event
        .get("request")
        .and_then(|r| r.str_at(&["env", "REMOTE_ADDR"]))
        .filter(|ip| ip.parse::<std::net::IpAddr>().is_ok())
        .map(str::to_owned);
    let given = event
        .object("user")
        .and_then(|u| u.str("ip_address"))
        .map(str::to_owned);
    let infer = event
        .get("sdk")
        .and_then(|s| s.str_at(&["settings", "infer_ip"]))
        .map(str::to_owned);
    let client = receipt.client_ip.map(str::to_owned);
    let resolved = match given.as_deref() {
        Some(AUTO) => client,
        Some(ip) if ip.parse::<std::net::IpAddr>().is_ok() => return,
        Some(other) => {
            notes.enter("user");
            notes.enter("ip_address");
            notes.invalid("expected an ip address", &Json::from(other));
            notes.leave();
            notes.leave();
            None
        }
        None => match infer.as_deref() {
            Some("never") => return,
            Some("auto") => remote.or(client),
            // Older SDKs of these platforms run at the user's; the others on servers.
            _ => {
                let platform = event.str("platform").unwrap_or_default();
                let at_user = matches!(platform, "javascript" | "cocoa" | "objc");
                if remote.is_some() {
                    remote
                } else if at_user {
                    client
                } else {
                    return;
                }
            }
        },
    };
    if given.is_none() && resolved.is_none() {
        return;
    }
    let user = event.entry("user").make_object();
    match resolved {
        Some(ip) => user.set("ip_address", ip),
        None => {
            user.remove("ip_address");
            if user.is_empty() {
                event.remove("user");
            }
        }
    }
}

/// Contexts `browser`, `os` and `device` from the user agent, where the event has none.
pub(super) fn user_agent(event: &mut Map<'_>, receipt: &Receipt<'_>) {
    let from_event = event
        .get("request")
        .and_then(|r| r.get("headers")?.as_array())
        .and_then(|h| {
            h.iter().find(|p| {
                p.path(&["0"])
                    .and_then(Json::as_str)
                    .is_some_and(|k| k.eq_ignore_ascii_case("user-agent"))
            })
        })
        .and_then(|p| p.path(&["1"]))
        .and_then(Json::as_str)
        .map(str::to_owned);
    let at_user = matches!(event.str("platform"), Some("javascript"));
    let is_report = event.contains("csp");
    let Some(text) = from_event.or_else(|| {
        receipt
            .user_agent
            .filter(|_| at_user || is_report)
            .map(str::to_owned)
    }) else {
        return;
    };
    let Some(found) = user_agent::parse(&text) else {
        return;
    };
    for (key, context) in [
        ("browser", found.browser()),
        ("client_os", found.system()),
        ("device", found.device()),
    ] {
        let Some(context) = context else { continue };
        let key = if key == "client_os" && !has_context(event, "os") {
            "os"
        } else {
            key
        };
        if !has_context(event, key) {
            event.entry("contexts").make_object().set(key, context);
        }
    }
}

fn has_context(event: &Map<'_>, key: &str) -> bool {
    event.object("contexts").is_some_and(|c| c.contains(key))
}

/// `user.geo` from the address.
pub(super) fn place(event: &mut Map<'_>, geo: &dyn Geo) {
    let Some(Json::Object(user)) = event.get_mut("user") else {
        return;
    };
    if user
        .get("geo")
        .is_some_and(|g| g.as_object().is_some_and(|g| !g.is_empty()))
    {
        return;
    }
    let Some(ip) = user.str("ip_address").and_then(|ip| ip.parse().ok()) else {
        return;
    };
    let Some(place) = geo.find(ip) else { return };
    let mut map = Map::new();
    for (key, value) in [
        ("country_code", place.country_code),
        ("region", place.region),
        ("city", place.city),
        ("subdivision", place.subdivision),
    ] {
        if let Some(value) = value {
            map.set(key, value);
        }
    }
    if !map.is_empty() {
        user.set("geo", map);
    }
}
