//! Security reports inside events.

use protocol::json::{Json, Map};

pub(super) fn normalize(event: &mut Map<'_>) {
    let Some(Json::Object(csp)) = event.get_mut("csp") else {
        return;
    };
    csp.0.retain(|(_, v)| !v.is_null());
    let directive = ["effective_directive", "violated_directive"]
        .into_iter()
        .find_map(|key| csp.str(key)?.split_whitespace().next())
        .map(str::to_owned);
    if let Some(directive) = directive {
        csp.set("effective_directive", directive);
    }
}
