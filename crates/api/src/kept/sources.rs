//! Servers that have debug files.

use serde_json::{Value, json};
use storage::relational::documents::Document;

use super::shape::{Field, Shape, may, must, or};
use super::shown::put;
use super::{HIDDEN, Kept, Kind, Naming, Shown};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::Body;

const LAYOUT: &[Field] = &[
    or(
        "type",
        Shape::OneOf(&[
            "native",
            "symstore",
            "symstore_index2",
            "ssqp",
            "unified",
            "debuginfod",
            "slashsymbols",
        ]),
        "\"native\"",
    ),
    or(
        "casing",
        Shape::OneOf(&["lowercase", "uppercase", "default"]),
        "\"default\"",
    ),
];

const FILE_TYPES: Shape = Shape::OneOf(&[
    "pe",
    "pdb",
    "portablepdb",
    "mach_debug",
    "mach_code",
    "elf_debug",
    "elf_code",
    "wasm_debug",
    "wasm_code",
    "breakpad",
    "sourcebundle",
    "uuidmap",
    "bcsymbolmap",
    "il2cpp",
    "proguard",
    "dartsymbolmap",
]);

const FILTERS: &[Field] = &[
    may("filetypes", Shape::List(&FILE_TYPES, 50)),
    may("path_patterns", Shape::List(&Shape::Text(500), 100)),
    may("requires_checksum", Shape::Flag),
];

/// The fields of each type: those that it cannot do without, and those that it may have.
const TYPES: &[(&str, &[&str], &[&str])] = &[
    ("http", &["url"], &["username", "password"]),
    (
        "s3",
        &["bucket", "region", "access_key", "secret_key"],
        &["url", "prefix"],
    ),
    ("gcs", &["bucket", "client_email", "private_key"], &["prefix"]),
];

/// Servers that have debug files.
pub struct Sources;

impl Kept for Sources {
    const KIND: &'static Kind = &Kind {
        name: "symbol_source",
        noun: "Symbol source",
        fields: &[
            must("type", Shape::OneOf(&["http", "gcs", "s3"])),
            must("name", Shape::Text(255)),
            may("id", Shape::Text(64)),
            or(
                "layout",
                Shape::Object(LAYOUT),
                "{\"type\": \"native\", \"casing\": \"default\"}",
            ),
            may("filters", Shape::Object(FILTERS)),
            may("url", Shape::Address),
            may("username", Shape::Text(255)),
            may("password", Shape::Text(1024)),
            may("bucket", Shape::Text(255)),
            may("region", Shape::Text(64)),
            may("access_key", Shape::Text(255)),
            may("secret_key", Shape::Text(1024)),
            may("prefix", Shape::Text(1024)),
            may("client_email", Shape::Text(255)),
            may("private_key", Shape::Text(10_000)),
        ],
        secrets: &["password", "secret_key", "private_key"],
        naming: Naming::Made(|_, body| match body.get("id").and_then(Value::as_str) {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => uuid::Uuid::new_v4().simple().to_string(),
        }),
        of_project: true,
        acting: true,
        check: complete,
        view: source,
        ..Kind::PLAIN
    };
}

fn fields_of(kind: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    let found = TYPES.iter().find(|(name, _, _)| *name == kind);
    found.map(|(_, needed, more)| (*needed, *more))
}

/// The fields that only some types have.
fn of_types() -> impl Iterator<Item = &'static str> {
    let all = TYPES
        .iter()
        .flat_map(|(_, needed, more)| needed.iter().chain(*more));
    all.copied()
}

/// The fields of other types than this one.
fn foreign(kind: &str) -> impl Iterator<Item = &'static str> {
    let own = fields_of(kind);
    of_types().filter(move |f| own.is_some_and(|(needed, more)| !needed.contains(f) && !more.contains(f)))
}

/// Each type has fields that it cannot do without, and what is in them is of use.
fn complete(call: &Call, body: &Body) -> Result<(), ApiError> {
    let (needed, _) = body["type"].as_str().and_then(fields_of).unwrap_or_default();
    let missing: Vec<(String, String)> = needed
        .iter()
        .filter(|n| !body.contains_key(**n))
        .map(|n| ((*n).to_owned(), "This field is required.".into()))
        .collect();
    if !missing.is_empty() {
        return Err(ApiError::Fields(missing));
    }
    (call.api.hooks.check_source)(&Value::Object(body.clone()))
        .map_err(|(field, what)| ApiError::field(&field, what))
}

fn source(shown: &Shown<'_>, out: &mut Body) {
    put(out, json!({ "id": shown.document.slug }));
}

/// A body as it is read: what is empty is not there, and a region may bring its address along.
fn sent(call: &Call, before: Option<&Body>) -> Result<Body, ApiError> {
    let mut body = call.json()?;
    // Some tools name a server other than Amazon's so.
    if let Some([name, address]) = body.get("region").and_then(Value::as_array).map(Vec::as_slice) {
        let (name, address) = (name.clone(), address.clone());
        body.insert("region".into(), name);
        body.insert("url".into(), address);
    }
    let kind = body.get("type").or_else(|| before.and_then(|b| b.get("type")));
    let kind = kind.and_then(Value::as_str).unwrap_or_default().to_owned();
    for name in of_types() {
        if body.get(name) == Some(&json!("")) {
            body.insert(name.into(), Value::Null);
        }
    }
    let wrong: Vec<(String, String)> = foreign(&kind)
        .filter(|name| body.get(*name).is_some_and(|v| !v.is_null()))
        .map(|name| {
            (
                name.to_owned(),
                format!("A source of type {kind} has no such field."),
            )
        })
        .collect();
    if wrong.is_empty() {
        Ok(body)
    } else {
        Err(ApiError::Fields(wrong))
    }
}

/// The public servers that `builtinSymbolSources` of a project can name.
pub fn public_sources(call: &Call) -> Result<Answer, ApiError> {
    let servers = (call.api.hooks.symbol_servers)();
    let one = |(id, name): (&str, &str)| json!({ "sentry_key": id, "id": id, "name": name, "hidden": false });
    Ok(Answer::json(servers.into_iter().map(one).collect::<Vec<_>>()))
}

/// Adds a source.
pub fn add_source(call: &Call) -> Result<Answer, ApiError> {
    let body = sent(call, None)?;
    let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
    let taken = |what: &str| ApiError::field("id", what);
    if id.starts_with("sentry:") {
        return Err(taken("This may not begin with sentry:."));
    }
    if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(taken("This needs a letter."));
    }
    if id == "uploaded"
        || (call.api.hooks.symbol_servers)()
            .iter()
            .any(|(public, _)| *public == id)
    {
        return Err(taken("This is the id of a source that every project has."));
    }
    let document = super::keep(call, Sources::KIND, &body).map_err(|e| match e {
        ApiError::Fields(f) if f.iter().any(|(name, _)| name == "slug") => {
            taken("The organization has a source with this id.")
        }
        other => other,
    })?;
    (call.api.hooks.changed)();
    Ok(Answer::created(super::view(call, Sources::KIND, &document)?))
}

fn source_of(call: &Call) -> Result<Document, ApiError> {
    let id = call
        .value("id")
        .ok_or_else(|| ApiError::Bad("Missing source id".into()))?;
    super::named(call, Sources::KIND, id)
}

/// The sources of a project, or the one that `id` names.
pub fn list_sources(call: &Call) -> Result<Answer, ApiError> {
    if call.value("id").is_some() {
        return Ok(Answer::json(super::view(call, Sources::KIND, &source_of(call)?)?));
    }
    super::list::<Sources>(call)
}

/// Scheme, host and port of an address.
fn origin(url: Option<&Value>) -> Option<&str> {
    let url = url?.as_str()?;
    let start = url.find("://")? + 3;
    let end = url.get(start..)?.find(['/', '?', '#']);
    url.get(..end.map_or(url.len(), |e| start + e))
}

/// Changes the source that `id` names. A secret that is sent back as it is shown stays.
pub fn update_source(call: &Call) -> Result<Answer, ApiError> {
    let mut document = source_of(call)?;
    let before = document.body.as_object().cloned().unwrap_or_default();
    let mut body = sent(call, Some(&before))?;
    let named = body.get("id").and_then(Value::as_str);
    if named.is_some_and(|id| id != document.slug) {
        return Err(ApiError::field("id", "The id of a source stays."));
    }
    let hidden = json!({ HIDDEN: true });
    body.retain(|name, value| !(Sources::KIND.secrets.contains(&name.as_str()) && *value == hidden));
    // A password goes to the server that it was given for, and to no other.
    let moved = body.contains_key("url") && origin(body.get("url")) != origin(before.get("url"));
    if moved && before.contains_key("password") && !body.contains_key("password") {
        let what = "The address is another: enter the password again, or leave it empty.";
        return Err(ApiError::field("password", what));
    }
    // What one type means by a field is nothing to another.
    if let Value::Object(kept) = &mut document.body
        && body
            .get("type")
            .is_some_and(|kind| kept.get("type") != Some(kind))
    {
        kept.retain(|name, _| !of_types().any(|n| n == name));
    }
    super::change(call, Sources::KIND, &mut document, &body)?;
    (call.api.hooks.changed)();
    Ok(Answer::json(super::view(call, Sources::KIND, &document)?))
}

/// Forgets the source that `id` names.
pub fn remove_source(call: &Call) -> Result<Answer, ApiError> {
    super::forget(call, Sources::KIND, &[source_of(call)?])?;
    (call.api.hooks.changed)();
    Ok(Answer::nothing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_fields_of_its_own() {
        let of = |kind| foreign(kind).collect::<Vec<_>>();
        assert!(of("http").contains(&"bucket") && !of("http").contains(&"url"));
        assert!(of("s3").contains(&"private_key") && !of("s3").contains(&"prefix"));
        assert!(of("gcs").contains(&"url") && of("ftp").is_empty());
        let fields: Vec<&str> = Sources::KIND.fields.iter().map(|f| f.name).collect();
        for (kind, needed, more) in TYPES {
            for name in needed.iter().chain(*more) {
                assert!(fields.contains(name), "{kind}: {name}");
            }
        }
    }

    #[test]
    fn origins_of_addresses() {
        let of = |url: &str| origin(Some(&json!(url))).map(str::to_owned);
        assert_eq!(of("https://s:1/x?y").as_deref(), Some("https://s:1"));
        assert_eq!(of("http://s").as_deref(), Some("http://s"));
        assert_eq!((of("s"), origin(None)), (None, None));
    }
}
