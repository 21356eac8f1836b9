//! Browser, system and device from a user agent.
//!
//! The patterns are those of `uap-core`, compiled at the first use; what a user agent says is kept, as few of them
//! make most of the traffic.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use ua_parser::{Extractor, Regexes};

use protocol::json::{Json, Map};

/// What a user agent says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserAgent {
    browser: Option<(String, Option<String>)>,
    system: Option<(String, Option<String>)>,
    device: Option<(String, Option<String>, Option<String>)>,
}

fn named(kind: &'static str, name: &str, version: Option<&str>) -> Json<'static> {
    let mut m = Map::new();
    m.set("name", name.to_owned());
    if let Some(version) = version {
        m.set("version", version.to_owned());
    }
    m.set("type", kind);
    m.into()
}

impl UserAgent {
    /// The context `browser`.
    pub fn browser(&self) -> Option<Json<'static>> {
        self.browser
            .as_ref()
            .map(|(name, version)| named("browser", name, version.as_deref()))
    }

    /// The context `os`.
    pub fn system(&self) -> Option<Json<'static>> {
        self.system
            .as_ref()
            .map(|(name, version)| named("os", name, version.as_deref()))
    }

    /// The context `device`.
    pub fn device(&self) -> Option<Json<'static>> {
        self.device.as_ref().map(|(family, model, brand)| {
            let mut m = Map::new();
            m.set("family", family.clone());
            if let Some(model) = model {
                m.set("model", model.clone());
            }
            if let Some(brand) = brand {
                m.set("brand", brand.clone());
            }
            m.set("type", "device");
            m.into()
        })
    }
}

/// User agents that are remembered.
const REMEMBERED: usize = 4096;

/// Longer user agents are not looked at, bytes.
const MAX_LENGTH: usize = 1024;

static PATTERNS: LazyLock<Option<Extractor<'static>>> = LazyLock::new(|| {
    let regexes: Regexes<'static> = serde_json::from_str(include_str!("../data/user-agents.json")).ok()?;
    regexes.try_into().ok()
});

static KNOWN: LazyLock<Mutex<HashMap<String, Arc<UserAgent>>>> = LazyLock::new(Mutex::default);

/// Reads a user agent; none if it says nothing.
pub fn parse(text: &str) -> Option<Arc<UserAgent>> {
    if text.is_empty() || text.len() > MAX_LENGTH {
        return None;
    }
    if let Ok(known) = KNOWN.lock()
        && let Some(found) = known.get(text)
    {
        return Some(Arc::clone(found));
    }
    let found = Arc::new(look(text)?);
    if let Ok(mut known) = KNOWN.lock() {
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(text.to_owned(), Arc::clone(&found));
    }
    Some(found)
}

/// A version of its parts, as far as they are there.
fn version(parts: [Option<&str>; 3]) -> Option<String> {
    let parts: Vec<&str> = parts
        .into_iter()
        .map_while(|p| p.filter(|p| !p.is_empty()))
        .collect();
    (!parts.is_empty()).then(|| parts.join("."))
}

fn look(text: &str) -> Option<UserAgent> {
    let (browser, system, device) = PATTERNS.as_ref()?.extract(text);
    let known = |name: &str| name != "Other" && !name.is_empty();
    Some(UserAgent {
        browser: browser.filter(|b| known(&b.family)).map(|b| {
            let parts = [b.major, b.minor, b.patch];
            (b.family.into_owned(), version(parts))
        }),
        system: system.filter(|s| known(&s.os)).map(|s| {
            let parts = [s.major.as_deref(), s.minor.as_deref(), s.patch.as_deref()];
            (s.os.to_string(), frozen(text).or_else(|| version(parts)))
        }),
        device: device.filter(|d| known(&d.device)).map(|d| {
            (
                d.device.into_owned(),
                d.model.map(Into::into),
                d.brand.map(Into::into),
            )
        }),
    })
}

/// Versions that browsers say whatever the system's newer version is.
fn frozen(text: &str) -> Option<String> {
    if text.contains("Windows NT 10.0") {
        Some(">=10".to_owned())
    } else if text.contains("Mac OS X 10_15_7") {
        Some(">=10.15.7".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_agents() {
        let text = |json: Option<Json<'static>>| json.map(|j| j.to_string()).unwrap_or_default();
        let chrome = parse(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
        )
        .unwrap();
        assert_eq!(
            text(chrome.browser()),
            r#"{"name":"Chrome","version":"120.0.0","type":"browser"}"#
        );
        assert_eq!(
            text(chrome.system()),
            r#"{"name":"Windows","version":">=10","type":"os"}"#
        );
        assert_eq!(chrome.device(), None);
        let phone = parse(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 Mobile/15E148 Safari/604.1",
        )
        .unwrap();
        assert_eq!(
            text(phone.browser()),
            r#"{"name":"Mobile Safari","version":"16.5","type":"browser"}"#
        );
        assert_eq!(
            text(phone.device()),
            r#"{"family":"iPhone","model":"iPhone","brand":"Apple","type":"device"}"#
        );
        assert_eq!(parse(""), None);
    }
}
