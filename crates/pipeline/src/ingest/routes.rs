//! The routes of clients (protocol.md 3.1), each with and without its trailing slash.

use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header, request::Parts};
use protocol::category::{Category, Discard};
use protocol::envelope::Envelope;
use protocol::ids::EventId;
use protocol::limits::{RateLimit, Scope};
use storage::queue::{QueueError, Record, Track};

use super::Ingest;
use super::answer::{Refusal, accepted, allow_any_origin, preflight};
use super::body::{MAX_ENVELOPE, Share, decode, decode_store, receive};
use super::crowd::NoRoom;
use super::dumps;
use super::origin;
use super::record::{Form, Meta};
use super::request::{Sender, address, authenticate, header as header_of, query, value};

/// Bytes of a store body or a security report.
const MAX_EVENT: usize = 1 << 20;
/// Bytes of the same on the wire: base64 of what hardly compresses is longer than it.
const MAX_SENT_EVENT: usize = 2 << 20;
/// It is logged so often at most that events are refused, µs.
const TELL_EVERY: i64 = 10_000_000;
/// Bytes of the attachments of an envelope, all together.
const MAX_ATTACHMENTS: usize = 200 << 20;

/// The routes below `/api/{project}/…`, and health.
pub fn router(ingest: Ingest) -> Router {
    let mut router = Router::new();
    for end in ["", "/"] {
        router = router
            .route(&format!("/api/{{project}}/envelope{end}"), any(envelope))
            .route(&format!("/api/{{project}}/store{end}"), any(store))
            .route(&format!("/api/{{project}}/security{end}"), any(security))
            .route(&format!("/api/{{project}}/csp-report{end}"), any(security))
            .route(&format!("/api/{{project}}/minidump{end}"), any(minidump))
            .route(&format!("/api/{{project}}/unreal/{{key}}{end}"), any(unreal))
            .route(&format!("/api/store{end}"), any(store_by_key))
            .route(&format!("/api/envelope{end}"), any(tunnel))
            .route(&format!("/tunnel{end}"), any(tunnel))
            .route(&format!("/_health{end}"), get(health))
            .route(&format!("/api/0/relays/live{end}"), get(live))
            .route(&format!("/api/relay/healthcheck/live{end}"), get(live))
            .route(&format!("/api/relay/healthcheck/ready{end}"), get(health));
    }
    router.with_state(ingest)
}

async fn live() -> &'static str {
    "ok"
}

async fn health(State(ingest): State<Ingest>) -> Response {
    match (ingest.unwell)() {
        None => "ok".into_response(),
        Some(why) => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

async fn envelope(
    State(ingest): State<Ingest>,
    Path(project): Path<String>,
    request: Request<Body>,
) -> Response {
    open(&ingest, request, Kind::Envelope, Some(project)).await
}

async fn tunnel(State(ingest): State<Ingest>, request: Request<Body>) -> Response {
    open(&ingest, request, Kind::Envelope, None).await
}

async fn store(
    State(ingest): State<Ingest>,
    Path(project): Path<String>,
    request: Request<Body>,
) -> Response {
    open(&ingest, request, Kind::Store, Some(project)).await
}

async fn store_by_key(State(ingest): State<Ingest>, request: Request<Body>) -> Response {
    open(&ingest, request, Kind::Store, None).await
}

async fn security(
    State(ingest): State<Ingest>,
    Path(project): Path<String>,
    request: Request<Body>,
) -> Response {
    open(&ingest, request, Kind::Security, Some(project)).await
}

async fn minidump(
    State(ingest): State<Ingest>,
    Path(project): Path<String>,
    request: Request<Body>,
) -> Response {
    open(&ingest, request, Kind::Minidump, Some(project)).await
}

async fn unreal(
    State(ingest): State<Ingest>,
    Path((project, key)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    open(&ingest, request, Kind::Unreal(key), Some(project)).await
}

/// What a route takes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Envelope,
    Store,
    Security,
    Minidump,
    /// With the key of the path.
    Unreal(String),
}

impl Kind {
    /// What the queue gets of it.
    fn form(&self) -> Form {
        match self {
            Kind::Store => Form::Store,
            Kind::Security => Form::Security,
            // Crash reports are made envelopes.
            Kind::Envelope | Kind::Minidump | Kind::Unreal(_) => Form::Envelope,
        }
    }
}

/// What every route shares: preflight, method, room, and an answer that any page may read.
async fn open(ingest: &Ingest, request: Request<Body>, kind: Kind, project: Option<String>) -> Response {
    if request.method() == Method::OPTIONS {
        return preflight();
    }
    let begun = Instant::now();
    let mut response = if request.method() == Method::POST {
        match ingest.slots.enter(number(project.as_deref())) {
            Err(why) => {
                let text = match why {
                    NoRoom::Full => "too many requests are being read",
                    NoRoom::Share => "too many requests of this project are being read",
                };
                let mut full = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text);
                full.retry_after = Some(1);
                full.into_response()
            }
            Ok(_slot) => take(ingest, request, &kind, project.as_deref())
                .await
                .unwrap_or_else(IntoResponse::into_response),
        }
    } else {
        let mut response =
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "send events with POST").into_response();
        response
            .headers_mut()
            .insert(header::ALLOW, http::HeaderValue::from_static("POST, OPTIONS"));
        response
    };
    let status = match response.status().as_u16() {
        200 => "200",
        429 => "429",
        503 => "503",
        400..500 => "4xx",
        _ => "5xx",
    };
    metrics::histogram!("vedette_accept_seconds", "status" => status).record(begun.elapsed().as_secs_f64());
    allow_any_origin(&mut response);
    response
}

/// The project of a path; 0 if there is none, or no number.
fn number(project: Option<&str>) -> u64 {
    project.and_then(|p| p.parse().ok()).unwrap_or(0)
}

async fn take(
    ingest: &Ingest,
    request: Request<Body>,
    kind: &Kind,
    project: Option<&str>,
) -> Result<Response, Refusal> {
    if let Some(why) = (ingest.unwell)() {
        let mut refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, why);
        refusal.retry_after = Some(30);
        return Err(refusal);
    }
    // Who has its share of the queue hears it before its body is read.
    let named = number(project);
    if named != 0 {
        ingest.queue.room(named).map_err(|e| full(ingest, &e))?;
    }
    let (parts, body) = request.into_parts();
    let mut query = query(&parts);
    if let Kind::Unreal(key) = kind {
        query.push(("sentry_key".to_owned(), key.clone()));
    }
    // Who is not known is refused before a byte of the body is read; an envelope may say it in its first line.
    let early = match authenticate(ingest, &parts, &query, project, None) {
        Err(e) if *kind == Kind::Envelope && e.status == StatusCode::UNAUTHORIZED => None,
        known => Some(known?),
    };
    // Held until the queue has the bytes.
    let mut share = ingest.bodies.enter();
    let (sent, limit) = match kind {
        Kind::Envelope | Kind::Minidump | Kind::Unreal(_) => (MAX_ENVELOPE, MAX_ENVELOPE),
        _ => (MAX_SENT_EVENT, MAX_EVENT),
    };
    let raw = receive(body, sent, &mut share).await?;
    let encodings = header_of(&parts.headers, "content-encoding").unwrap_or_default();
    let (body, mut share) = if encodings.is_empty() {
        (raw, share)
    } else {
        let _turn = ingest.decoders.acquire().await;
        tokio::task::spawn_blocking(move || Ok((decode(raw, &encodings, limit, &mut share)?, share)))
            .await
            .map_err(|e| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))??
    };
    match (kind, early) {
        (Kind::Minidump | Kind::Unreal(_), Some(sender)) => {
            let meta = meta(ingest, &parts, &query, &sender, kind.form());
            origin::check(ingest, &parts.headers, &meta, &sender, &[(Category::Error, 1)])?;
            match kind {
                Kind::Minidump => dumps::take(ingest, meta, &sender, body).await,
                _ => {
                    let user = value(&query, "UserID");
                    dumps::take_unreal(ingest, meta, &sender, user, body, &mut share).await
                }
            }
        }
        (Kind::Store, Some(sender)) => take_store(ingest, &parts, &query, sender, body, &mut share).await,
        (Kind::Security, Some(sender)) => take_security(ingest, &parts, &query, sender, body).await,
        _ => take_envelope(ingest, &parts, &query, project, body).await,
    }
}

fn meta(ingest: &Ingest, parts: &Parts, query: &[(String, String)], sender: &Sender, form: Form) -> Meta {
    Meta {
        sent_at: None,
        received: ingest.clock.now(),
        project: u64::try_from(sender.entry.key.project_id).unwrap_or(0),
        form,
        event_id: None,
        content_type: header_of(&parts.headers, "content-type"),
        client: sender.client.clone(),
        address: address(ingest, parts).map(|a| a.to_string()),
        user_agent: header_of(&parts.headers, "user-agent"),
        release: value(query, "sentry_release"),
        environment: value(query, "sentry_environment"),
        limited: false,
    }
}

/// What a client hears when the queue does not take its event.
fn full(ingest: &Ingest, e: &QueueError) -> Refusal {
    let (status, seconds) = match e {
        QueueError::Crowded(_) => (StatusCode::TOO_MANY_REQUESTS, 10),
        QueueError::Full(_) => (StatusCode::SERVICE_UNAVAILABLE, 5),
        QueueError::Disk(_) | QueueError::Closed => (StatusCode::SERVICE_UNAVAILABLE, 30),
    };
    let mut refusal = Refusal::new(status, e.to_string());
    refusal.retry_after = Some(seconds);
    if matches!(e, QueueError::Crowded(_)) {
        refusal.limits = vec![RateLimit {
            retry_after: seconds,
            categories: vec![],
            scope: Scope::Project,
            reason: "backlog",
        }];
    }
    // Thousands a second may be refused: one line in ten seconds says so.
    let now = ingest.clock.now();
    let last = ingest.told.load(Ordering::Relaxed);
    if now - last > TELL_EVERY
        && ingest
            .told
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    {
        tracing::warn!(error = %e, "events are refused");
    }
    refusal
}

/// Puts a request into the queue; `dump` says that there is a crash dump in it, which is slow to read.
pub(super) async fn append(ingest: &Ingest, meta: &Meta, body: Bytes, dump: bool) -> Result<(), Refusal> {
    let symbols = ingest
        .directory
        .project(meta.project)
        .is_some_and(|p| p.symbols.any());
    let record = Record {
        key: meta.project,
        track: if dump || symbols {
            Track::Symbols
        } else {
            Track::Quick
        },
        bytes: meta.write(&body),
    };
    // A large one is not held twice while it is written.
    drop(body);
    match ingest.queue.append(record).await {
        Ok(_) => Ok(()),
        Err(e) => Err(full(ingest, &e)),
    }
}

/// Whether an attachment becomes an event.
fn is_dump(kind: Option<&str>) -> bool {
    kind.is_some_and(crate::worker::prepare::is_crash)
}

fn limited(seconds: u64) -> Refusal {
    let limit = RateLimit {
        retry_after: seconds,
        categories: vec![
            Category::Default,
            Category::Error,
            Category::Security,
            Category::Attachment,
        ],
        scope: Scope::Key,
        reason: "key_quota",
    };
    Refusal {
        limits: vec![limit],
        retry_after: Some(seconds),
        ..Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "the rate limit of this client key is reached; it is set in the project's settings",
        )
    }
}

fn take_event(ingest: &Ingest, meta: &Meta, sender: &Sender, category: Category) -> Result<(), Refusal> {
    ingest
        .quota
        .take(&sender.entry.key, meta.received)
        .map_err(|seconds| {
            ingest
                .quota
                .refuse(meta.project, category, 1, meta.received, Discard::KeyRateLimit);
            limited(seconds)
        })
}

pub(super) fn new_id() -> EventId {
    EventId(*uuid::Uuid::new_v4().as_bytes())
}

async fn take_store(
    ingest: &Ingest,
    parts: &Parts,
    query: &[(String, String)],
    sender: Sender,
    body: Bytes,
    share: &mut Share,
) -> Result<Response, Refusal> {
    let mut meta = meta(ingest, parts, query, &sender, Form::Store);
    origin::check(ingest, &parts.headers, &meta, &sender, &[(Category::Error, 1)])?;
    let body = decode_store(body, MAX_EVENT, share)?;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::bad("the body is empty", "expected an event as JSON"));
    }
    if body.len() > MAX_EVENT {
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the event is larger than 1 MiB",
        ));
    }
    let (event, _) = protocol::json::parse(&body).map_err(|e| Refusal::bad("the event is not JSON", e))?;
    if event.as_object().is_none() {
        return Err(Refusal::bad(
            "the event is not a JSON object",
            "expected {\"exception\": …} or {\"message\": …}",
        ));
    }
    let id = match event.get("event_id") {
        Some(protocol::json::Json::Str(text)) => text
            .parse::<EventId>()
            .map_err(|e| Refusal::bad("bad event_id", e))?,
        _ => EventId::NIL,
    };
    drop(event);
    let id = if id.is_nil() { new_id() } else { id };
    meta.event_id = Some(id.to_string());
    take_event(ingest, &meta, &sender, Category::Error)?;
    append(ingest, &meta, body, false).await?;
    Ok(accepted(meta.event_id.as_deref()))
}

async fn take_security(
    ingest: &Ingest,
    parts: &Parts,
    query: &[(String, String)],
    sender: Sender,
    body: Bytes,
) -> Result<Response, Refusal> {
    let meta = meta(ingest, parts, query, &sender, Form::Security);
    origin::check(ingest, &parts.headers, &meta, &sender, &[(Category::Security, 1)])?;
    let mime = meta
        .content_type
        .as_deref()
        .unwrap_or("")
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    let known = [
        "application/csp-report",
        "application/json",
        "application/reports+json",
        "application/expect-ct-report",
        "application/expect-ct-report+json",
        "application/expect-staple-report",
    ];
    if !known.contains(&mime.as_str()) {
        let detail = format!(
            "unsupported content type '{mime}': expected one of {}",
            known.join(", ")
        );
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::bad(
            "the body is empty",
            "expected a security report as JSON",
        ));
    }
    if body.len() > MAX_EVENT {
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the report is larger than 1 MiB",
        ));
    }
    protocol::json::parse(&body).map_err(|e| Refusal::bad("the report is not JSON", e))?;
    take_event(ingest, &meta, &sender, Category::Security)?;
    append(ingest, &meta, body, false).await?;
    Ok(StatusCode::OK.into_response())
}

async fn take_envelope(
    ingest: &Ingest,
    parts: &Parts,
    query: &[(String, String)],
    project: Option<&str>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let envelope = Envelope::parse(&body).map_err(|e| match e.large {
        true => Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, e.to_string()),
        false => Refusal::bad("bad envelope", e),
    })?;
    let sender = authenticate(ingest, parts, query, project, envelope.header.dsn.as_deref())?;
    let mut meta = meta(ingest, parts, query, &sender, Form::Envelope);
    origin::check(ingest, &parts.headers, &meta, &sender, &origin::holds(&envelope))?;
    if let Some(sdk) = &envelope.header.sdk {
        meta.client = Some(sdk.clone());
    }
    let mut attachments = 0usize;
    let mut event = None;
    for item in &envelope.items {
        let Some(kind) = processing::kinds::find(&item.kind) else {
            continue;
        };
        if kind.category == Category::Attachment {
            attachments = attachments.saturating_add(item.payload.len());
        }
        if item.payload.len() > kind.max_bytes || attachments > MAX_ATTACHMENTS {
            let detail = format!("envelope exceeded size limits for type '{}'", item.kind);
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        if matches!(kind.name, "event" | "security" | "raw_security") && event.is_none() {
            event = Some(item);
        }
    }
    let dump = envelope
        .items
        .iter()
        .any(|i| is_dump(i.attachment_type.as_deref()));
    let mut id = envelope.header.event_id;
    if dump && event.is_none() && id.is_none() {
        let given = new_id();
        meta.event_id = Some(given.to_string());
        id = Some(given);
    }
    if let (Some(item), None) = (event, id) {
        // The header should say it; some senders say it in the event alone.
        let inside = protocol::json::parse(item.payload)
            .ok()
            .and_then(|(e, _)| e.get("event_id")?.as_str()?.parse().ok());
        let given = inside.filter(|i: &EventId| !i.is_nil()).unwrap_or_else(new_id);
        meta.event_id = Some(given.to_string());
        id = Some(given);
    }
    let mut refusal = None;
    if (event.is_some() || dump)
        && let Err(e) = take_event(ingest, &meta, &sender, Category::Error)
    {
        meta.limited = true;
        refusal = Some(e);
        for item in envelope.items.iter().filter(|i| i.kind == "attachment") {
            ingest.quota.refuse(
                meta.project,
                Category::AttachmentItem,
                1,
                meta.received,
                Discard::KeyRateLimit,
            );
            ingest.quota.refuse(
                meta.project,
                Category::Attachment,
                item.payload.len() as u64,
                meta.received,
                Discard::KeyRateLimit,
            );
        }
    }
    let others = envelope.items.iter().any(|i| {
        !matches!(
            i.kind.as_str(),
            "event" | "security" | "raw_security" | "attachment"
        )
    });
    if !envelope.items.is_empty() && (refusal.is_none() || others) {
        append(ingest, &meta, body, dump).await?;
    }
    match refusal {
        Some(refusal) => Err(refusal),
        None => Ok(accepted(id.map(|i| i.to_string()).as_deref())),
    }
}
