//! Scrubbing: secrets and, where asked for, addresses are taken out of an event before it is written anywhere.
//!
//! What is looked at follows Sentry's defaults: values that users and requests bring (user, request, extra,
//! contexts, breadcrumbs, variables, reports) are scrubbed by the names of their keys and by what they look like.
//! In messages only what has a shape of its own is replaced; exception values, tags, names of functions and files
//! are left alone. Every change is noted in `_meta`.

mod patterns;

use protocol::json::{Json, Map};

use self::patterns::{Chunks, Keys, is_ip};
use crate::context::ScrubSettings;
use crate::meta::{Notes, Remark};

/// What stands in place of a secret.
const FILTERED: &str = "[Filtered]";

/// Cookies that carry sessions or tokens against forgery.
const SECRET_COOKIES: [&str; 23] = [
    "sentrysid",
    "sudo",
    "su",
    "session",
    "__session",
    "sessionid",
    "user_session",
    "symfony",
    "phpsessid",
    "fasthttpsessionid",
    "mysession",
    "irissessionid",
    "_vercel_jwt",
    "csrf",
    "xsrf",
    "_xsrf",
    "_csrf",
    "csrf-token",
    "csrf_token",
    "xsrf-token",
    "xsrf_token",
    "fastcsrf",
    "_iris_csrf",
];

/// Removes secrets from events.
#[derive(Debug)]
pub struct Scrubber {
    defaults: bool,
    addresses: bool,
    sensitive: Option<Keys>,
    safe: Vec<String>,
}

impl Scrubber {
    /// Follows the settings of a project.
    pub fn new(settings: &ScrubSettings) -> Scrubber {
        let clean = |names: &[String]| -> Vec<String> {
            names
                .iter()
                .map(|n| n.trim().to_lowercase())
                .filter(|n| !n.is_empty())
                .collect()
        };
        let sensitive = clean(&settings.sensitive_fields);
        Scrubber {
            defaults: settings.data && settings.defaults,
            addresses: settings.ip_addresses,
            sensitive: (settings.data && !sensitive.is_empty()).then(|| Keys::of(&sensitive)),
            safe: clean(&settings.safe_fields),
        }
    }

    /// Scrubs a normalized event.
    pub fn scrub(&self, event: &mut Map<'_>, notes: &mut Notes) {
        if !self.defaults && !self.addresses && self.sensitive.is_none() {
            return;
        }
        for key in ["user", "extra", "contexts", "csp"] {
            self.field(event, key, notes);
        }
        self.request(event, notes);
        self.message(event, notes);
        each(event, "breadcrumbs", notes, |crumb, notes| {
            self.field(crumb, "message", notes);
            self.field(crumb, "data", notes);
        });
        each(event, "exception", notes, |exception, notes| {
            if let Some(Json::Object(mechanism)) = exception.get_mut("mechanism") {
                notes.enter("mechanism");
                self.field(mechanism, "data", notes);
                notes.leave();
            }
            self.variables(exception, notes);
        });
        each(event, "threads", notes, |thread, notes| {
            self.variables(thread, notes)
        });
        self.variables(event, notes);
        if self.addresses {
            for path in [
                &["user", "ip_address"][..],
                &["request", "env", "REMOTE_ADDR"],
                &["sdk", "client_ip"],
            ] {
                remove_address(event, path, notes);
            }
        }
    }

    fn field(&self, map: &mut Map<'_>, key: &'static str, notes: &mut Notes) {
        if let Some(value) = map.get_mut(key) {
            notes.enter(key);
            self.value(value, Some(key), notes);
            notes.leave();
        }
    }

    fn is_safe(&self, key: &str) -> bool {
        !self.safe.is_empty() && self.safe.iter().any(|s| key.eq_ignore_ascii_case(s))
    }

    /// Scrubs a value and what is in it.
    fn value(&self, value: &mut Json<'_>, key: Option<&str>, notes: &mut Notes) {
        if let Some(key) = key {
            if self.is_safe(key) {
                return;
            }
            if let Some(rule) = self.key_rule(key) {
                return filter(value, rule, notes);
            }
        }
        match value {
            Json::Str(text) => {
                if let Some(chunks) = self.text(text) {
                    let len = text.chars().count();
                    *value = Json::from(chunks.write(len, notes));
                }
            }
            Json::Number(n) => {
                // A card number may come as a number.
                let text = n.text();
                if self.defaults && text.len() >= 13 && self.text(text).is_some() {
                    notes.remark(
                        &Remark {
                            rule: "@creditcard:filter".into(),
                            how: "x",
                            range: None,
                        },
                        None,
                    );
                    *value = Json::Null;
                }
            }
            Json::Array(list) => {
                for (i, inner) in list.iter_mut().enumerate() {
                    notes.enter_index(i);
                    self.value(inner, None, notes);
                    notes.leave();
                }
            }
            Json::Object(map) => {
                for (k, inner) in map.0.iter_mut() {
                    if matches!(inner, Json::Null | Json::Bool(_)) && self.key_rule(k).is_none() {
                        continue;
                    }
                    notes.enter_name(k);
                    self.value(inner, Some(k), notes);
                    notes.leave();
                }
            }
            _ => {}
        }
    }

    /// The rule by which a key's value is hidden.
    fn key_rule(&self, key: &str) -> Option<&'static str> {
        if self.defaults && patterns::is_secret_key(key) {
            return Some("@password:filter");
        }
        self.sensitive
            .as_ref()
            .filter(|s| s.matches(key))
            .map(|_| "strip-fields")
    }

    /// What becomes of a text; none if it stays.
    fn text(&self, text: &str) -> Option<Chunks> {
        if self.defaults && patterns::names_secret(text) && text != FILTERED {
            return Some(Chunks::whole(FILTERED, "@password:filter"));
        }
        if self.sensitive.as_ref().is_some_and(|s| s.matches(text)) {
            return Some(Chunks::whole(FILTERED, "strip-fields"));
        }
        patterns::redact(
            text,
            self.defaults.then_some(&patterns::FILTERS[..]),
            self.addresses,
        )
    }

    /// Lists of pairs are scrubbed by the names in them.
    fn pairs(&self, request: &mut Map<'_>, key: &'static str, notes: &mut Notes) {
        let Some(value) = request.get_mut(key) else { return };
        notes.enter(key);
        match value {
            Json::Array(list) => {
                for (i, pair) in list.iter_mut().enumerate() {
                    let Some([Json::Str(name), value]) = pair.as_array_mut().map(Vec::as_mut_slice) else {
                        continue;
                    };
                    notes.enter_index(i);
                    notes.enter("1");
                    if key == "cookies"
                        && self.defaults
                        && !self.is_safe(name)
                        && SECRET_COOKIES.iter().any(|c| name.eq_ignore_ascii_case(c))
                    {
                        filter(value, "@anything:filter", notes);
                    } else if key == "headers" && name.eq_ignore_ascii_case("user-agent") {
                        // It is needed as it is, and full of numbers that look like addresses.
                    } else {
                        self.value(value, Some(name), notes);
                    }
                    notes.leave();
                    notes.leave();
                }
            }
            other => self.value(other, Some(key), notes),
        }
        notes.leave();
    }

    fn request(&self, event: &mut Map<'_>, notes: &mut Notes) {
        let Some(Json::Object(request)) = event.get_mut("request") else {
            return;
        };
        notes.enter("request");
        for key in ["query_string", "cookies", "headers"] {
            self.pairs(request, key, notes);
        }
        for key in ["data", "env", "fragment"] {
            self.field(request, key, notes);
        }
        notes.leave();
    }

    fn message(&self, event: &mut Map<'_>, notes: &mut Notes) {
        let Some(Json::Object(entry)) = event.get_mut("logentry") else {
            return;
        };
        notes.enter("logentry");
        self.field(entry, "params", notes);
        for key in ["message", "formatted"] {
            if self.defaults
                && let Some(value) = entry.get_mut(key)
                && let Some(text) = value.as_str()
                && let Some(chunks) = patterns::redact(text, Some(&patterns::REPLACEMENTS), false)
            {
                let len = text.chars().count();
                notes.enter(key);
                *value = Json::from(chunks.write(len, notes));
                notes.leave();
            }
        }
        notes.leave();
    }

    /// The variables of frames.
    fn variables(&self, holder: &mut Map<'_>, notes: &mut Notes) {
        for key in ["stacktrace", "raw_stacktrace"] {
            let Some(Json::Object(stack)) = holder.get_mut(key) else {
                continue;
            };
            let Some(frames) = stack.get_mut("frames").and_then(Json::as_array_mut) else {
                continue;
            };
            notes.enter(key);
            notes.enter("frames");
            for (i, frame) in frames.iter_mut().enumerate() {
                if let Some(frame) = frame.as_object_mut()
                    && frame.contains("vars")
                {
                    notes.enter_index(i);
                    self.field(frame, "vars", notes);
                    notes.leave();
                }
            }
            notes.leave();
            notes.leave();
        }
    }
}

fn each<'a>(map: &mut Map<'a>, key: &'static str, notes: &mut Notes, act: impl Fn(&mut Map<'a>, &mut Notes)) {
    let Some(list) = map
        .get_mut(key)
        .and_then(|v| v.get_mut("values"))
        .and_then(Json::as_array_mut)
    else {
        return;
    };
    notes.enter(key);
    notes.enter("values");
    for (i, value) in list.iter_mut().enumerate() {
        if let Some(inner) = value.as_object_mut() {
            notes.enter_index(i);
            act(inner, notes);
            notes.leave();
        }
    }
    notes.leave();
    notes.leave();
}

/// Hides a whole value. Texts become [`FILTERED`], others null.
fn filter(value: &mut Json<'_>, rule: &'static str, notes: &mut Notes) {
    match value {
        Json::Null => {}
        Json::Str(text) if text == FILTERED || text.is_empty() => {}
        Json::Str(text) => {
            let len = text.chars().count();
            let range = Some((0, FILTERED.len()));
            notes.remark(
                &Remark {
                    rule: rule.into(),
                    how: "s",
                    range,
                },
                Some(len),
            );
            *value = Json::from(FILTERED);
        }
        _ => {
            notes.remark(
                &Remark {
                    rule: rule.into(),
                    how: "x",
                    range: None,
                },
                None,
            );
            *value = Json::Null;
        }
    }
}

fn remove_address(event: &mut Map<'_>, path: &[&'static str], notes: &mut Notes) {
    let mut at = event;
    let (last, parents) = path
        .split_last()
        .expect("paths are written in this file and not empty");
    for key in parents {
        match at.get_mut(key) {
            Some(Json::Object(inner)) => at = inner,
            _ => return,
        }
    }
    let Some(value) = at.get_mut(last) else { return };
    if value.as_str().is_some_and(|s| is_ip(s) || s == "[ip]") {
        path.iter().for_each(|key| notes.enter(key));
        notes.remark(
            &Remark {
                rule: "@anything:remove".into(),
                how: "x",
                range: None,
            },
            None,
        );
        path.iter().for_each(|_| notes.leave());
        *value = Json::Null;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(settings: &ScrubSettings, text: &str) -> String {
        let (event, _) = protocol::json::parse_str(text).unwrap();
        let Json::Object(mut map) = event else {
            panic!("not an object")
        };
        let mut notes = Notes::default();
        Scrubber::new(settings).scrub(&mut map, &mut notes);
        notes.write(&mut map);
        Json::Object(map).to_string()
    }

    #[test]
    fn secrets_are_filtered_and_noted() {
        assert_eq!(
            scrubbed(
                &ScrubSettings::default(),
                r#"{"extra":{"api_key":"k","x":{"list":[{"token":1}]},"ok":"v"}}"#
            ),
            concat!(
                r#"{"extra":{"api_key":"[Filtered]","x":{"list":[{"token":null}]},"ok":"v"},"#,
                r#""_meta":{"extra":{"api_key":{"":{"rem":[["@password:filter","s",0,10]],"len":1}},"#,
                r#""x":{"list":{"0":{"token":{"":{"rem":[["@password:filter","x"]]}}}}}}}}"#
            )
        );
    }

    #[test]
    fn settings_are_followed() {
        let event = r#"{"extra":{"token":"a","account":"b"}}"#;
        let off = ScrubSettings {
            data: false,
            ..ScrubSettings::default()
        };
        assert_eq!(scrubbed(&off, event), event);
        let own = ScrubSettings {
            defaults: false,
            sensitive_fields: vec!["acc".into()],
            ..ScrubSettings::default()
        };
        assert!(scrubbed(&own, event).starts_with(r#"{"extra":{"token":"a","account":"[Filtered]"}"#));
        let safe = ScrubSettings {
            safe_fields: vec!["Token".into()],
            ..ScrubSettings::default()
        };
        assert_eq!(scrubbed(&safe, event), event);
    }
}
