//! From a record of the queue to what is to be written: no store is asked here.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use processing::kinds::{self, Kind};
use processing::{
    Geo, Processed, Receipt, Symbolicate, parse_client_report, process_event, process_security,
};
use protocol::category::{Category, Discard, Outcome};
use protocol::envelope::{Envelope, Item};
use protocol::json::{Json, Map};
use protocol::time::hour_of;
use storage::payloads::Partition;
use storage::queue::Claimed;
use storage::record::StoredEvent;
use storage::relational::outcomes::{Counts, OutcomeKey};

use crate::directory::{Directory, ProjectEntry};
use crate::ingest::record::{Form, Meta};
use crate::worker::unpack::unpack;

/// The kind of attachment that is the views of a screen.
const VIEW_HIERARCHY: &str = "event.view_hierarchy";

/// An event on its way to the stores.
#[derive(Debug)]
pub struct Event {
    /// Its place in the order of application; given when its batch is applied.
    pub seq: u64,
    /// What processing made of it; its JSON is in the record.
    pub processed: Processed,
    /// Its record as the packs keep it.
    pub record: Vec<u8>,
    /// Where its record goes.
    pub partition: Partition,
}

impl Event {
    /// Sets its place in the order of application.
    pub(crate) fn place(&mut self, seq: u64) {
        self.seq = seq;
        StoredEvent::place(&mut self.record, seq);
    }

    pub(crate) fn new(mut processed: Processed, partition: Partition) -> Event {
        let stored = StoredEvent {
            seq: 0,
            row: processed.row,
            hashes: processed.hashes,
            rules: processing::RULES_VERSION,
            json: std::mem::take(&mut processed.json),
        };
        let record = stored.encode();
        processed.row = stored.row;
        processed.hashes = stored.hashes;
        Event {
            seq: 0,
            processed,
            record,
            partition,
        }
    }
}

/// An attachment on its way.
#[derive(Debug)]
pub struct File {
    /// The event, 32 hex digits.
    pub event_id: String,
    /// The file's name.
    pub name: String,
    /// `event.attachment`…
    pub kind: String,
    /// The MIME type.
    pub content_type: String,
    /// The bytes to keep.
    pub bytes: Vec<u8>,
    /// How many were sent, if others are kept: what was sent counts.
    pub sent: Option<u64>,
    /// Where it is kept.
    pub partition: Partition,
    /// Its number within everything that is applied: partition and position of its record, and item.
    pub place: (u32, u64, usize),
}

/// Something whose processing failed.
#[derive(Debug)]
pub struct Failure {
    /// The event's id, if known.
    pub event_id: Option<String>,
    /// What happened.
    pub error: String,
    /// The item's bytes.
    pub payload: Vec<u8>,
    /// With the bytes, the record that tries it again; `None` if nothing is known of it.
    pub meta: Option<Meta>,
    /// Under which category its loss was counted, if it was.
    pub category: Option<Category>,
}

/// Everything that a record asks for.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The project.
    pub project: u64,
    /// When it was received, µs.
    pub received: i64,
    /// Events.
    pub events: Vec<Event>,
    /// Attachments.
    pub files: Vec<File>,
    /// Outcomes that are certain already.
    pub counts: Counts,
    /// Event ids that end here, and why.
    pub discarded: Vec<(String, Discard)>,
    /// What is kept aside.
    pub failures: Vec<Failure>,
}

impl Prepared {
    /// Counts an outcome.
    pub fn count(&mut self, outcome: Outcome, category: &str, reason: &str, quantity: u64) {
        if quantity == 0 {
            return;
        }
        let key = OutcomeKey {
            project: self.project,
            hour: hour_of(self.received),
            outcome: outcome.name(),
            category: category.to_owned(),
            reason: reason.to_owned(),
        };
        *self.counts.entry(key).or_default() += quantity;
    }

    /// Counts a discarded item.
    pub fn discard(&mut self, category: Category, reason: Discard, event_id: Option<&str>) {
        self.count(reason.outcome(), category.name(), reason.name(), 1);
        if let Some(id) = event_id {
            self.discarded.push((id.to_owned(), reason));
        }
    }

    /// Counts a discarded attachment, in pieces and bytes.
    pub fn discard_file(&mut self, reason: Discard, bytes: u64) {
        self.count(
            reason.outcome(),
            Category::AttachmentItem.name(),
            reason.name(),
            1,
        );
        self.count(
            reason.outcome(),
            Category::Attachment.name(),
            reason.name(),
            bytes,
        );
    }
}

/// Prepares a record.
pub fn prepare(
    claimed: &Claimed,
    directory: &Directory,
    geo: &dyn Geo,
    symbols: &dyn Symbolicate,
    today: i32,
) -> Prepared {
    let Some((meta, body)) = Meta::read(&claimed.bytes) else {
        tracing::error!(
            position = claimed.position,
            "a record of the queue is of another version; it is kept aside"
        );
        return Prepared {
            project: claimed.key,
            failures: vec![Failure {
                event_id: None,
                error: "the record is of another version".into(),
                payload: claimed.bytes.clone(),
                meta: None,
                category: None,
            }],
            ..Prepared::default()
        };
    };
    let mut out = Prepared {
        project: meta.project,
        received: meta.received,
        ..Prepared::default()
    };
    let Some(project) = directory.project(meta.project) else {
        out.discard(Category::Error, Discard::ProjectGone, meta.event_id.as_deref());
        return out;
    };
    let partition = Partition {
        retention: project.retention,
        day: today,
    };
    let context = Context {
        meta: &meta,
        project: &project,
        geo,
        symbols,
        partition,
        queue_partition: claimed.partition,
        position: claimed.position,
    };
    match meta.form {
        Form::Envelope => context.envelope(body, &mut out),
        Form::Store => context.event(body, None, meta.event_id.as_deref(), &mut out),
        Form::Security => context.security(body, meta.content_type.as_deref(), &mut out),
    }
    out
}

/// An item as a record of its own.
#[derive(Clone, Copy)]
struct Part<'a> {
    form: Form,
    bytes: &'a [u8],
    content_type: Option<&'a str>,
    sent_at: Option<i64>,
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap_or_else(|| "unknown panic".into())
}

/// A record that could not be applied: it is kept aside as a whole.
pub(super) fn aside(claimed: &Claimed, error: String) -> Prepared {
    let read = Meta::read(&claimed.bytes);
    let mut out = Prepared {
        project: claimed.key,
        received: read.as_ref().map_or(0, |(meta, _)| meta.received),
        ..Prepared::default()
    };
    let (meta, payload) = match read {
        Some((meta, body)) => (Some(meta), body.to_vec()),
        None => (None, claimed.bytes.clone()),
    };
    let event_id = meta.as_ref().and_then(|m| {
        let inside = || Envelope::parse(&payload).ok()?.header.event_id;
        m.event_id.clone().or_else(|| inside().map(|id| id.to_string()))
    });
    if meta.is_some() {
        out.discard(Category::Error, Discard::Internal, event_id.as_deref());
    }
    let category = meta.is_some().then_some(Category::Error);
    out.failures.push(Failure {
        event_id,
        error,
        payload,
        meta,
        category,
    });
    out
}

struct Context<'a> {
    meta: &'a Meta,
    project: &'a ProjectEntry,
    geo: &'a dyn Geo,
    symbols: &'a dyn Symbolicate,
    partition: Partition,
    queue_partition: u32,
    position: u64,
}

impl Context<'_> {
    fn receipt<'b>(&'b self, event_id: Option<&str>, sent_at: Option<i64>) -> Receipt<'b> {
        Receipt {
            received: self.meta.received,
            sent_at,
            client_ip: self.meta.address.as_deref(),
            user_agent: self.meta.user_agent.as_deref(),
            client: self.meta.client.as_deref(),
            event_id: event_id.and_then(|id| id.parse().ok()),
            project: self.meta.project,
            release: self.meta.release.as_deref(),
            environment: self.meta.environment.as_deref(),
        }
    }

    /// Takes what processing answers. If it panics it is asked once more; then this item alone is kept aside.
    fn guarded<T>(
        &self,
        item: Part<'_>,
        id: Option<&str>,
        category: Category,
        out: &mut Prepared,
        f: impl Fn() -> T,
    ) -> Option<T> {
        let mut tries = 0;
        let error = loop {
            match catch_unwind(AssertUnwindSafe(&f)) {
                Ok(value) => return Some(value),
                Err(panic) if tries > 0 => break said(&*panic),
                Err(_) => tries += 1,
            }
        };
        tracing::error!(
            error,
            event = id,
            project = self.meta.project,
            "processing failed twice; the item is kept aside"
        );
        out.discard(category, Discard::Internal, id);
        out.failures.push(Failure {
            event_id: id.map(str::to_owned),
            error,
            payload: item.bytes.to_vec(),
            meta: Some(Meta {
                form: item.form,
                event_id: id.map(str::to_owned),
                content_type: item.content_type.map(str::to_owned),
                sent_at: item.sent_at,
                limited: false,
                ..self.meta.clone()
            }),
            category: Some(category),
        });
        None
    }

    fn event(&self, body: &[u8], sent_at: Option<i64>, id: Option<&str>, out: &mut Prepared) {
        let sent_at = sent_at.or(self.meta.sent_at);
        let receipt = self.receipt(id, sent_at);
        let item = Part {
            form: Form::Store,
            bytes: body,
            content_type: None,
            sent_at,
        };
        let done = self.guarded(item, id, Category::Error, out, || {
            process_event(body, &receipt, &self.project.rules, self.geo, self.symbols)
        });
        if let Some(result) = done {
            self.keep(result, id, out);
        }
    }

    fn keep(&self, result: Result<Processed, Discard>, id: Option<&str>, out: &mut Prepared) {
        match result {
            Ok(processed) => {
                let oldest = self.meta.received - i64::from(self.project.retention) * 86_400_000_000;
                if processed.time < oldest {
                    let id = processed.event_id.to_string();
                    out.discard(processed.category, Discard::TooOld, Some(&id));
                    return;
                }
                out.events.push(Event::new(processed, self.partition));
            }
            Err(reason) => out.discard(Category::Error, reason, id),
        }
    }

    fn security(&self, body: &[u8], mime: Option<&str>, out: &mut Prepared) {
        let receipt = self.receipt(None, None);
        let rules = &self.project.rules;
        let item = Part {
            form: Form::Security,
            bytes: body,
            content_type: mime,
            sent_at: None,
        };
        let done = self.guarded(item, None, Category::Security, out, || {
            process_security(body, mime, &receipt, rules, self.geo)
        });
        for result in done.into_iter().flatten() {
            match result {
                Err(reason) => out.discard(Category::Security, reason, None),
                ok => self.keep(ok, None, out),
            }
        }
    }

    fn envelope(&self, body: &[u8], out: &mut Prepared) {
        let envelope = match Envelope::parse(body) {
            Ok(envelope) => envelope,
            Err(e) => {
                // It was read when it was accepted: only another version of the reader can get here.
                let error = e.to_string();
                out.discard(Category::Error, Discard::Internal, self.meta.event_id.as_deref());
                out.failures.push(Failure {
                    event_id: self.meta.event_id.clone(),
                    error,
                    payload: body.to_vec(),
                    meta: Some(self.meta.clone()),
                    category: Some(Category::Error),
                });
                return;
            }
        };
        let id = envelope
            .header
            .event_id
            .map(|i| i.to_string())
            .or_else(|| self.meta.event_id.clone());
        let told = envelope.items.iter().find(|i| i.kind == "event");
        let report = envelope
            .items
            .iter()
            .find(|i| i.kind == "attachment" && i.attachment_type.as_deref().is_some_and(is_crash));
        if let Some(report) = report.filter(|_| !self.meta.limited) {
            self.crash(report, told, envelope.header.sent_at, id.as_deref(), out);
        }
        let mut seen: Vec<(&str, usize)> = Vec::new();
        for (n, item) in envelope.items.iter().enumerate() {
            let Some(kind) = kinds::find(&item.kind) else {
                out.discard(Category::Unknown, Discard::UnknownType, None);
                continue;
            };
            let count = match seen.iter_mut().find(|(name, _)| *name == kind.name) {
                Some((_, count)) => {
                    *count += 1;
                    *count
                }
                None => {
                    seen.push((kind.name, 1));
                    1
                }
            };
            if report.is_some() && item.kind == "event" {
                continue; // It is what the crash report became.
            }
            if self.meta.limited
                && matches!(
                    item.kind.as_str(),
                    "event" | "security" | "raw_security" | "attachment"
                )
            {
                continue; // Counted when it was refused.
            }
            if count > kind.max_per_envelope {
                out.discard(kind.category, Discard::TooManyItems, None);
                continue;
            }
            self.item(kind, item, envelope.header.sent_at, id.as_deref(), n, out);
        }
        if let Some(told) = told {
            self.view_hierarchies(told, &mut out.files);
        }
    }

    /// Names the views among the attachments by the mappings that their event tells of.
    fn view_hierarchies(&self, told: &Item<'_>, files: &mut [File]) {
        let mut files = files.iter_mut().filter(|f| f.kind == VIEW_HIERARCHY).peekable();
        if files.peek().is_none() {
            return;
        }
        let Ok((Json::Object(event), _)) = protocol::json::parse(told.payload) else {
            return;
        };
        for file in files {
            if let Some(renamed) = self
                .symbols
                .view_hierarchy(&file.bytes, &event, self.meta.project)
            {
                file.sent = Some(file.bytes.len() as u64);
                file.bytes = renamed;
            }
        }
    }

    /// The event that a crash report becomes, with what the client told beside it.
    fn crash(
        &self,
        report: &Item<'_>,
        told: Option<&Item<'_>>,
        sent_at: Option<i64>,
        id: Option<&str>,
        out: &mut Prepared,
    ) {
        let told = told.and_then(|item| protocol::json::parse(item.payload).ok());
        let mut event = match told {
            Some((Json::Object(event), _)) => event,
            _ => Map::new(),
        };
        let kind = report.attachment_type.as_deref().unwrap_or_default();
        let read =
            unpack(report.payload).and_then(|bytes| self.symbols.crash(kind, &bytes, self.meta.project));
        let parts = read.unwrap_or_else(|why| unreadable(kind, &why));
        symbolicate::crash::merge(&mut event, parts);
        let mut body = Vec::new();
        Json::Object(event).write(&mut body);
        self.event(&body, sent_at, id, out);
    }

    fn item(
        &self,
        kind: &Kind,
        item: &Item<'_>,
        sent_at: Option<i64>,
        id: Option<&str>,
        n: usize,
        out: &mut Prepared,
    ) {
        if !kind.kept {
            out.discard(kind.category, Discard::UnknownType, None);
            return;
        }
        match kind.name {
            "client_report" => match parse_client_report(item.payload) {
                Ok(reports) => {
                    for (reason, category, quantity) in reports {
                        out.count(Outcome::ClientDiscard, &category, &reason, quantity);
                    }
                }
                Err(reason) => out.discard(kind.category, reason, None),
            },
            "attachment" => self.file(item, id, n, out),
            "security" | "raw_security" => self.security(item.payload, item.content_type.as_deref(), out),
            _ => self.event(item.payload, sent_at, id, out),
        }
    }

    fn file(&self, item: &Item<'_>, id: Option<&str>, n: usize, out: &mut Prepared) {
        let Some(id) = id else {
            out.discard_file(Discard::AttachmentWithoutEvent, item.payload.len() as u64);
            return;
        };
        let kind = item
            .attachment_type
            .clone()
            .unwrap_or_else(|| "event.attachment".into());
        let name = item
            .filename
            .clone()
            .filter(|n| !n.is_empty())
            .unwrap_or_else(|| match kind.as_str() {
                "event.minidump" => "minidump.dmp".into(),
                VIEW_HIERARCHY => "view-hierarchy.json".into(),
                _ => "unnamed".into(),
            });
        out.files.push(File {
            event_id: id.to_owned(),
            name: name.chars().take(255).collect(),
            kind: kind.chars().take(64).collect(),
            content_type: item
                .content_type
                .clone()
                .unwrap_or_else(|| guess(&name))
                .chars()
                .take(128)
                .collect(),
            bytes: item.payload.to_vec(),
            sent: None,
            partition: self.partition,
            place: (self.queue_partition, self.position, n),
        });
    }
}

/// Whether an attachment of a kind becomes an event.
pub(crate) fn is_crash(kind: &str) -> bool {
    matches!(kind, "event.minidump" | "event.applecrashreport")
}

/// What a crash report becomes that cannot be read: an event that says so.
fn unreadable(kind: &str, why: &str) -> Map<'static> {
    let (name, mechanism) = match kind {
        "event.applecrashreport" => ("Apple crash report", "applecrashreport"),
        _ => ("Minidump", "minidump"),
    };
    let object = |pairs: Vec<(&'static str, Json<'static>)>| {
        Json::Object(Map(pairs
            .into_iter()
            .map(|(k, v)| (Cow::Borrowed(k), v))
            .collect()))
    };
    let mechanism = object(vec![
        ("type", mechanism.into()),
        ("handled", false.into()),
        ("synthetic", true.into()),
    ]);
    let exception = object(vec![
        ("type", name.into()),
        ("value", format!("the report cannot be read: {why}").into()),
        ("mechanism", mechanism),
    ]);
    let error = object(vec![
        ("type", "invalid_attachment".into()),
        ("details", why.to_owned().into()),
    ]);
    let mut parts = Map::new();
    parts.set("platform", "native");
    parts.set("level", "fatal");
    parts.set(
        "exception",
        object(vec![("values", Json::Array(vec![exception]))]),
    );
    parts.set("errors", Json::Array(vec![error]));
    parts
}

/// The MIME type by the file's name, for senders that do not say it.
fn guess(name: &str) -> String {
    let end = name.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
    match end.as_str() {
        "txt" | "log" => "text/plain",
        "json" => "application/json",
        "xml" => "text/xml",
        "html" | "htm" => "text/html",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "csv" => "text/csv",
        "zip" => "application/zip",
        "gz" => "application/gzip",
        "mp4" => "video/mp4",
        "dmp" => "application/x-dmp",
        _ => "application/octet-stream",
    }
    .to_owned()
}
