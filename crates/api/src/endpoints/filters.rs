//! Which events of a project are left out.

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use storage::relational::projects::{self, Project};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::Body;

/// The filters that are on or off.
const FILTERS: &[&str] = &[
    "browser-extensions",
    "localhost",
    "web-crawlers",
    "legacy-browsers",
    "filtered-transaction",
    "react-hydration-errors",
    "chunk-load-error",
];

/// The filter that has nothing to leave out: transactions are not kept.
const IDLE: &str = "filtered-transaction";

/// The browsers that one of them knows.
const BROWSERS: &[&str] = &[
    "ie",
    "edge",
    "safari",
    "firefox",
    "chrome",
    "opera",
    "android",
    "opera_mini",
    "ie_pre_9",
    "ie9",
    "ie10",
    "ie11",
    "opera_pre_15",
    "android_pre_4",
    "safari_pre_6",
    "opera_mini_pre_8",
    "edge_pre_79",
];

/// Lists that are options of a project, one entry a line.
const LISTS: &[&str] = &["blacklisted_ips", "releases", "error_messages"];
/// Switches that are options of a project as well.
const SWITCHES: &[&str] = &["react-hydration-errors", "chunk-load-error"];

fn of(project: &Project) -> Map<String, Value> {
    let filters = project.settings.get("filters").and_then(Value::as_object);
    filters.cloned().unwrap_or_default()
}

/// The filters of a project, and whether each is on.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let kept = of(call.project()?);
    let one = |name: &&str| {
        let mut view = json!({ "id": name, "active": kept.get(*name).cloned().unwrap_or(json!(false)) });
        if *name == IDLE {
            view["acting"] = json!(false);
        }
        view
    };
    Ok(Answer::json(FILTERS.iter().map(one).collect::<Vec<Value>>()))
}

/// Switches a filter: `{"active"}`, or `{"subfilters"}` for browsers.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let name = call.param("filter").to_owned();
    if !FILTERS.contains(&name.as_str()) {
        return Err(ApiError::missing("Filter"));
    }
    let body = call.json()?;
    let value = match (body.get("subfilters"), body.get("active")) {
        (Some(Value::Array(list)), _) if name == "legacy-browsers" => {
            let known = |b: &&Value| b.as_str().is_some_and(|b| BROWSERS.contains(&b));
            if let Some(unknown) = list.iter().find(|b| !known(b)) {
                let what = format!("{unknown} is not a valid choice.");
                return Err(ApiError::field("subfilters", what));
            }
            json!(list)
        }
        (_, Some(Value::Bool(on))) => json!(on),
        (_, Some(_)) => return Err(ApiError::field("active", "Must be a valid boolean.")),
        _ => return Err(ApiError::field("active", "This field is required.")),
    };
    let id = call.project()?.id;
    call.change(|c| {
        // Read anew: several filters may be switched at the same time.
        let mut project = projects::by_id(c, id)?.ok_or_else(|| ApiError::missing("Project"))?;
        let mut filters = of(&project);
        filters.insert(name.clone(), value.clone());
        project.settings["filters"] = Value::Object(filters);
        projects::update(c, &project)?;
        let data = json!({ "slug": project.slug, "filter": name, "active": value });
        call.audit(c, "project.edit", Some(id), &data)
    })?;
    (call.api.hooks.changed)();
    Ok(Answer::nothing())
}

/// Whether a text is an address or a network.
fn is_network(text: &str) -> bool {
    let (base, bits) = match text.split_once('/') {
        Some((base, bits)) => (base, Some(bits)),
        None => (text, None),
    };
    let Ok(ip) = base.trim().parse::<IpAddr>() else {
        return false;
    };
    let all = if ip.to_canonical().is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.trim().parse::<u8>().is_ok_and(|bits| bits <= all))
}

/// Takes the filters from the options of a body: `{"options": {"filters:releases": "1.*\n2.0"}}`.
pub fn read_options(body: &Body, settings: &mut Map<String, Value>) -> Result<(), ApiError> {
    let options = match body.get("options") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(options)) => options,
        Some(_) => return Err(ApiError::field("options", "expected an object")),
    };
    let filters = settings.get("filters").and_then(Value::as_object);
    let mut filters = filters.cloned().unwrap_or_default();
    for (option, value) in options {
        let Some(name) = option.strip_prefix("filters:") else {
            continue;
        };
        if SWITCHES.contains(&name) {
            let on = value.as_bool();
            let on = on.ok_or_else(|| ApiError::field(option, "Must be a valid boolean."))?;
            filters.insert(name.to_owned(), json!(on));
        } else if LISTS.contains(&name) {
            filters.insert(name.to_owned(), json!(lines(option, name, value)?));
        }
    }
    settings.insert("filters".into(), Value::Object(filters));
    Ok(())
}

/// The lines of a list that is written as a text, or as a list of texts.
fn lines(option: &str, name: &str, value: &Value) -> Result<Vec<String>, ApiError> {
    let all: Vec<String> = match value {
        Value::String(text) => text.lines().map(|l| l.trim().to_owned()).collect(),
        Value::Array(list) if list.iter().all(Value::is_string) => list
            .iter()
            .filter_map(|v| Some(v.as_str()?.trim().to_owned()))
            .collect(),
        _ => return Err(ApiError::field(option, "expected a text with one entry a line")),
    };
    let all: Vec<String> = all.into_iter().filter(|l| !l.is_empty()).collect();
    if all.len() > 200 || all.iter().any(|l| l.len() > 200) {
        return Err(ApiError::field(option, "at most 200 lines of 200 bytes"));
    }
    if let Some(bad) = all.iter().find(|l| name == "blacklisted_ips" && !is_network(l)) {
        let what = format!("'{bad}' is neither an address nor a network such as 10.0.0.0/8");
        return Err(ApiError::field(option, what));
    }
    Ok(all)
}

/// The filters as options of a project.
pub fn options(project: &Project) -> Value {
    let kept = of(project);
    let mut out = Map::new();
    for name in LISTS {
        let list = kept.get(*name).and_then(Value::as_array).into_iter().flatten();
        let text: Vec<&str> = list.filter_map(Value::as_str).collect();
        out.insert(format!("filters:{name}"), json!(text.join("\n")));
    }
    for name in SWITCHES {
        let on = kept.get(*name).and_then(Value::as_bool).unwrap_or(false);
        out.insert(format!("filters:{name}"), json!(on));
    }
    Value::Object(out)
}
