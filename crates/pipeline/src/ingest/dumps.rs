//! Crash reporters send a dump and what they know beside it: a form, or the dump alone. Either becomes an envelope.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use multer::{Constraints, Multipart, SizeLimit};
use protocol::category::{Category, Discard};
use protocol::ids::EventId;
use protocol::json::Json;
use serde_json::{Map, Value, json};
use symbolicate::unreal;

use super::Ingest;
use super::answer::Refusal;
use super::body::{MAX_ENVELOPE, Share};
use super::record::Meta;
use super::request::Sender;
use super::routes::{append, new_id};

/// The field with the dump.
const DUMP: &str = "upload_file_minidump";
/// Fields of a form, at most.
const FIELDS: usize = 1_000;
/// Bytes of a field that is no file.
const FIELD: usize = 2 << 20;
/// Names within each other that a field may have: `sentry[a][b]`.
const DEPTH: usize = 20;
/// The longest first line of a form: two strokes and a boundary (RFC 2046, section 5.1.1).
const BOUNDARY: usize = 2 + 70 + 2;
/// Breadcrumbs of one event.
const BREADCRUMBS: usize = 100;

/// A file of a form.
struct File {
    name: String,
    kind: &'static str,
    content_type: Option<String>,
    bytes: Bytes,
}

/// What a form says.
#[derive(Default)]
struct Form {
    files: Vec<File>,
    /// The event that came as one, in pieces or packed.
    event: Map<String, Value>,
    /// Its pieces by number.
    pieces: Vec<(u32, String)>,
    breadcrumbs: Vec<Value>,
    /// Other fields.
    extra: Map<String, Value>,
}

fn bad(what: impl ToString) -> Refusal {
    Refusal::bad("bad minidump upload", what.to_string())
}

fn is_dump(bytes: &[u8]) -> bool {
    let packed: [&[u8]; 5] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh", b"MSCF"];
    bytes.starts_with(b"MDMP") || bytes.starts_with(b"PMDM") || packed.iter().any(|p| bytes.starts_with(p))
}

/// The boundary of a form that stands where the dump should be: old versions of Electron send their form within
/// another.
fn embedded(bytes: &[u8]) -> Option<String> {
    let line = bytes.get(..BOUNDARY.min(bytes.len()))?;
    let end = line.windows(2).position(|w| w == b"\r\n")?;
    let boundary = std::str::from_utf8(line.get(..end)?).ok()?.strip_prefix("--")?;
    (!boundary.is_empty()).then(|| boundary.to_owned())
}

/// Takes what a crash reporter sends.
pub(super) async fn take(
    ingest: &Ingest,
    mut meta: Meta,
    sender: &Sender,
    body: Bytes,
) -> Result<Response, Refusal> {
    let content_type = meta.content_type.take().unwrap_or_default();
    let mut form = match multer::parse_boundary(&content_type) {
        Ok(boundary) => read(body, &boundary).await?,
        Err(_) if is_dump(&body) => Form {
            files: vec![File {
                name: "minidump.dmp".into(),
                kind: "event.minidump",
                content_type: None,
                bytes: body,
            }],
            ..Form::default()
        },
        Err(_) => {
            return Err(bad(
                "send a form (multipart/form-data) with the dump in the field upload_file_minidump, or the dump alone",
            ));
        }
    };
    let Some(dump) = form.files.iter_mut().find(|f| f.kind == "event.minidump") else {
        return Err(bad(format!("the form has no file in the field {DUMP}")));
    };
    if let Some(inner) = embedded(&dump.bytes) {
        let inner = read(dump.bytes.clone(), &inner).await?;
        let Some(real) = inner.files.into_iter().find(|f| f.kind == "event.minidump") else {
            return Err(bad(format!(
                "the form in the field {DUMP} has no file in a field of that name"
            )));
        };
        dump.bytes = real.bytes;
    }
    if !is_dump(&dump.bytes) {
        return Err(bad(format!("what is in the field {DUMP} is no minidump")));
    }
    let files = std::mem::take(&mut form.files);
    let event = form.event()?;
    let files: Vec<_> = files.iter().map(as_item).collect();
    finish(ingest, meta, sender, event, &files).await
}

/// Takes a crash of the Unreal Engine: one compressed file that holds a dump, an account of the crash and logs. `user`
/// is how the request names the person.
pub(super) async fn take_unreal(
    ingest: &Ingest,
    mut meta: Meta,
    sender: &Sender,
    user: Option<String>,
    body: Bytes,
    share: &mut Share,
) -> Result<Response, Refusal> {
    meta.content_type = None;
    // How much it holds is known when it is read: until then it may be as much as any.
    share.grow(MAX_ENVELOPE)?;
    let _turn = ingest.decoders.acquire().await;
    let read = move || {
        let files = unreal::split(&body, MAX_ENVELOPE)?;
        let mut event = Vec::new();
        Json::Object(unreal::event(&files, user.as_deref())).write(&mut event);
        Ok((files, event))
    };
    let (files, event) = tokio::task::spawn_blocking(read)
        .await
        .map_err(|e| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))?
        .map_err(|e: unreal::UnrealError| Refusal::bad("bad crash report of the Unreal Engine", e))?;
    let event = serde_json::from_slice(&event).unwrap_or_default();
    let item = |file| {
        let unreal::File { name, kind, data } = file;
        File {
            name,
            kind: match kind {
                unreal::Kind::Minidump => "event.minidump",
                unreal::Kind::AppleCrashReport => "event.applecrashreport",
                unreal::Kind::Context => "unreal.context",
                unreal::Kind::Log => "unreal.logs",
                unreal::Kind::Other => "event.attachment",
            },
            content_type: None,
            bytes: data.into(),
        }
    };
    let files: Vec<File> = files.into_iter().map(item).collect();
    let files: Vec<_> = files.iter().map(as_item).collect();
    finish(ingest, meta, sender, event, &files).await
}

/// An item of the envelope that is made.
struct Item<'a> {
    name: String,
    kind: &'static str,
    content_type: Option<String>,
    bytes: &'a [u8],
}

fn as_item(file: &File) -> Item<'_> {
    Item {
        name: file.name.clone(),
        kind: file.kind,
        content_type: file.content_type.clone(),
        bytes: &file.bytes,
    }
}

async fn finish(
    ingest: &Ingest,
    mut meta: Meta,
    sender: &Sender,
    event: Map<String, Value>,
    files: &[Item<'_>],
) -> Result<Response, Refusal> {
    let given = event
        .get("event_id")
        .and_then(Value::as_str)
        .and_then(|id| id.parse::<EventId>().ok());
    let id = given.filter(|id| !id.is_nil()).unwrap_or_else(new_id);
    let told = hyphenated(id);
    // Crash reporters keep what is refused and send it again and again: they are told that it came.
    let quota = ingest.quota.take(&sender.entry.key, meta.received);
    if quota.is_err() {
        let refuse = |category, n| {
            ingest
                .quota
                .refuse(meta.project, category, n, meta.received, Discard::KeyRateLimit)
        };
        refuse(Category::Error, 1);
        for file in files {
            refuse(Category::AttachmentItem, 1);
            refuse(Category::Attachment, file.bytes.len() as u64);
        }
        return Ok((StatusCode::OK, told).into_response());
    }
    meta.event_id = Some(id.to_string());
    let mut body = serde_json::to_vec(&json!({ "event_id": id.to_string() })).unwrap_or_default();
    let mut item = |header: Value, payload: &[u8]| {
        body.push(b'\n');
        body.extend_from_slice(header.to_string().as_bytes());
        body.push(b'\n');
        body.extend_from_slice(payload);
    };
    let event = Value::Object(event).to_string();
    item(
        json!({ "type": "event", "length": event.len() }),
        event.as_bytes(),
    );
    for file in files {
        let mut header = json!({
            "type": "attachment", "length": file.bytes.len(), "filename": file.name, "attachment_type": file.kind,
        });
        if let Some(kind) = &file.content_type {
            header["content_type"] = json!(kind);
        }
        item(header, file.bytes);
    }
    append(ingest, &meta, body.into(), true).await?;
    Ok((StatusCode::OK, told).into_response())
}

/// As crash reporters print it.
fn hyphenated(id: EventId) -> String {
    uuid::Uuid::from_bytes(id.0).hyphenated().to_string()
}

async fn read(body: Bytes, boundary: &str) -> Result<Form, Refusal> {
    let once = futures_util::stream::once(std::future::ready(Ok::<_, std::io::Error>(body)));
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(u64::MAX));
    let mut parts = Multipart::with_constraints(once, boundary, limits);
    let mut form = Form::default();
    for n in 0.. {
        let Some(field) = parts.next_field().await.map_err(bad)? else {
            break;
        };
        if n >= FIELDS {
            return Err(bad(format!("the form has more than {FIELDS} fields")));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let content_type = field.content_type().map(ToString::to_string);
        let bytes = field.bytes().await.map_err(bad)?;
        form.field(&name, file, content_type, bytes)?;
    }
    Ok(form)
}

impl Form {
    fn field(
        &mut self,
        name: &str,
        file: Option<String>,
        content_type: Option<String>,
        bytes: Bytes,
    ) -> Result<(), Refusal> {
        let packed = name.starts_with("__sentry-");
        if packed && bytes.len() > FIELD {
            return Err(bad(format!("the field {name} has more than {FIELD} bytes")));
        }
        match name {
            "__sentry-event" => {
                let event: Value = rmp_serde::from_slice(&bytes).map_err(|e| bad(format!("{name}: {e}")))?;
                merge(&mut self.event, event);
                return Ok(());
            }
            "__sentry-breadcrumb1" | "__sentry-breadcrumb2" => {
                // One after another, until the file ends.
                let mut rest = &bytes[..];
                while !rest.is_empty() && self.breadcrumbs.len() < 2 * BREADCRUMBS {
                    let one: Value =
                        rmp_serde::from_read(&mut rest).map_err(|e| bad(format!("{name}: {e}")))?;
                    self.breadcrumbs.push(one);
                }
                return Ok(());
            }
            _ => {}
        }
        let is_text = file.is_none() && name != DUMP;
        if !is_text {
            let kind = match (name, file.as_deref()) {
                (DUMP, _) => "event.minidump",
                (_, Some("view-hierarchy.json")) => "event.view_hierarchy",
                _ => "event.attachment",
            };
            if !bytes.is_empty() {
                self.files.push(File {
                    name: file.filter(|f| !f.is_empty()).unwrap_or_else(|| name.to_owned()),
                    kind,
                    content_type,
                    bytes,
                });
            }
            return Ok(());
        }
        if bytes.len() > FIELD {
            return Err(bad(format!("the field {name} has more than {FIELD} bytes")));
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if name == "sentry" {
            let event =
                serde_json::from_str(&text).map_err(|e| bad(format!("the field sentry is no JSON: {e}")))?;
            merge(&mut self.event, event);
        } else if let Some(n) = name.strip_prefix("sentry__").and_then(|n| n.parse().ok()) {
            let sum: usize = self.pieces.iter().map(|(_, piece)| piece.len()).sum();
            if sum + text.len() > FIELD {
                return Err(bad(format!("the pieces sentry__… have more than {FIELD} bytes")));
            }
            self.pieces.push((n, text));
        } else if let Some(path) = name.strip_prefix("sentry[").and_then(|p| p.strip_suffix(']')) {
            let path: Vec<&str> = path.split("][").collect();
            if path.len() <= DEPTH {
                set(&mut self.event, &path, &text);
            }
        } else {
            self.extra.insert(name.to_owned(), Value::String(text));
        }
        Ok(())
    }

    /// The event that the form tells of.
    fn event(mut self) -> Result<Map<String, Value>, Refusal> {
        if !self.pieces.is_empty() {
            self.pieces.sort_by_key(|(n, _)| *n);
            let whole: String = self.pieces.iter().map(|(_, text)| text.as_str()).collect();
            let event = serde_json::from_str(&whole)
                .map_err(|e| bad(format!("the pieces sentry__… are no JSON: {e}")))?;
            merge(&mut self.event, event);
        }
        if !self.breadcrumbs.is_empty() {
            let time = |b: &Value| b["timestamp"].as_str().unwrap_or_default().to_owned();
            self.breadcrumbs.sort_by_key(time);
            let from = self.breadcrumbs.len().saturating_sub(BREADCRUMBS);
            self.event.insert(
                "breadcrumbs".into(),
                json!({ "values": self.breadcrumbs.split_off(from) }),
            );
        }
        if !self.extra.is_empty() {
            let extra = self.event.entry("extra").or_insert_with(|| json!({}));
            if let Value::Object(extra) = extra {
                for (key, value) in self.extra {
                    extra.entry(key).or_insert(value);
                }
            }
        }
        Ok(self.event)
    }
}

fn merge(into: &mut Map<String, Value>, from: Value) {
    let Value::Object(from) = from else { return };
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Sets `sentry[a][b]`; what is no object on the way is replaced.
fn set(into: &mut Map<String, Value>, path: &[&str], text: &str) {
    match path {
        [] => {}
        [last] => {
            into.insert((*last).to_owned(), Value::String(text.to_owned()));
        }
        [first, rest @ ..] => {
            let slot = into.entry((*first).to_owned()).or_insert_with(|| json!({}));
            if !slot.is_object() {
                *slot = json!({});
            }
            if let Value::Object(inner) = slot {
                set(inner, rest, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Result<Form, Refusal> {
        let mut body = Vec::new();
        for (name, file, bytes) in parts {
            let file = file.map(|f| format!("; filename=\"{f}\"")).unwrap_or_default();
            body.extend_from_slice(
                format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes(),
            );
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--X--\r\n");
        futures_executor::block_on(read(body.into(), "X"))
    }

    #[test]
    fn fields_in_every_form() {
        let packed = rmp_serde::to_vec(&json!({"release": "packed@1"})).unwrap();
        let crumb = |t: &str| rmp_serde::to_vec(&json!({"timestamp": t, "message": t})).unwrap();
        let crumbs = [crumb("2026-01-02"), crumb("2026-01-03")].concat();
        let form = form(&[
            (DUMP, Some("a.dmp"), b"MDMP1234"),
            ("sentry", None, br#"{"tags":{"a":"1"},"level":"error"}"#),
            ("sentry[tags][b]", None, b"2"),
            ("sentry[user][id]", None, b"7"),
            ("sentry__2", None, br#""x@1"}"#),
            ("sentry__1", None, br#"{"dist":"#),
            ("__sentry-event", Some("__sentry-event"), &packed),
            ("__sentry-breadcrumb1", Some("b"), &crumbs),
            ("__sentry-breadcrumb2", Some("b"), &crumb("2026-01-01")),
            ("prod", None, b"Shop"),
            ("log", Some("app.log"), b"lines"),
            ("view", Some("view-hierarchy.json"), b"{}"),
        ])
        .ok()
        .unwrap();
        let kinds: Vec<_> = form.files.iter().map(|f| (f.name.as_str(), f.kind)).collect();
        assert_eq!(
            kinds,
            [
                ("a.dmp", "event.minidump"),
                ("app.log", "event.attachment"),
                ("view-hierarchy.json", "event.view_hierarchy")
            ]
        );
        let event = Value::Object(form.event().ok().unwrap());
        assert_eq!(event["tags"], json!({"a": "1", "b": "2"}));
        assert_eq!(event["user"]["id"], "7");
        assert_eq!(event["dist"], "x@1");
        assert_eq!(event["release"], "packed@1");
        assert_eq!(event["extra"]["prod"], "Shop");
        let messages: Vec<_> = event["breadcrumbs"]["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|b| b["message"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(messages, ["2026-01-01", "2026-01-02", "2026-01-03"]);
    }

    #[test]
    fn a_form_within_a_form_is_known_by_its_first_line() {
        assert_eq!(
            embedded(b"--X-1\r\nContent-Disposition: form-data").as_deref(),
            Some("X-1")
        );
        let long = [b"--".to_vec(), vec![b'a'; 71], b"\r\n".to_vec()].concat();
        for other in [&b"MDMP"[..], b"--", b"--\r\n", b"-- no line", &long] {
            assert_eq!(embedded(other), None);
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for parts in [
            &[("sentry", None, &b"{"[..])][..],
            &[("__sentry-event", Some("e"), &b"\xc1"[..])],
            &[("__sentry-breadcrumb1", Some("e"), &b"\xc1"[..])],
        ] {
            assert_eq!(form(parts).err().unwrap().status, StatusCode::BAD_REQUEST);
        }
        let pieces = form(&[("sentry__1", None, b"{")]).ok().unwrap();
        assert!(pieces.event().is_err());
        let mut event = Map::new();
        set(&mut event, &["a", "b"], "1");
        set(&mut event, &["a"], "2");
        set(&mut event, &["a", "c"], "3");
        assert_eq!(Value::Object(event), json!({"a": {"c": "3"}}));
    }
}
