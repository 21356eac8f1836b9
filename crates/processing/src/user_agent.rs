//! Browser, system and device from a user agent.

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

/// Reads a user agent.
pub fn parse(_text: &str) -> Option<UserAgent> {
    None
}
