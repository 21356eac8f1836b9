//! The Rust SDK: every scenario once, the panic that ends the program last.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyhow::Context as _;
use sentry::protocol::{Attachment, Context, Event, LogEntry, Request, User, Value};
use sentry::{Breadcrumb, ClientOptions, Level};

fn scenario(name: &str, act: impl FnOnce()) {
    sentry::with_scope(|scope| scope.set_tag("scenario", name), act);
}

fn price(text: &str) -> anyhow::Result<u32> {
    text.parse().with_context(|| format!("no price in {text:?}"))
}

fn offer(text: &str) -> anyhow::Result<u32> {
    price(text).context("no offer")
}

fn main() {
    let dsn = std::env::args().nth(1).expect("a DSN");
    let _client = sentry::init(
        ClientOptions::new()
            .dsn(&dsn)
            .release("shop@1.2.3")
            .environment("test")
            .attach_stacktrace(true)
            .send_default_pii(true)
            .shutdown_timeout(Duration::from_secs(10)),
    );

    scenario("handled", || {
        let error = price("").expect_err("an error");
        sentry::integrations::anyhow::capture_anyhow(&error);
    });
    scenario("plain error", || {
        let error = "x".parse::<f64>().expect_err("an error");
        sentry::capture_error(&error);
    });
    scenario("chained", || {
        let error = offer("twelve").expect_err("an error");
        sentry::integrations::anyhow::capture_anyhow(&error);
    });
    scenario("message", || {
        sentry::capture_event(Event {
            logentry: Some(LogEntry {
                message: "order %s is late by %d days".into(),
                params: vec!["A-7".into(), 3.into()],
            }),
            level: Level::Error,
            logger: Some("shop".into()),
            ..Event::default()
        });
    });
    scenario("context", context);
    scenario("breadcrumbs", || {
        sentry::add_breadcrumb(Breadcrumb {
            category: Some("cart".into()),
            message: Some("added a book".into()),
            level: Level::Info,
            data: BTreeMap::from([("price".to_owned(), 3.into())]),
            ..Breadcrumb::default()
        });
        sentry::add_breadcrumb(Breadcrumb {
            ty: "navigation".into(),
            category: Some("page".into()),
            message: Some("to the till".into()),
            ..Breadcrumb::default()
        });
        sentry::capture_message("with crumbs", Level::Info);
    });
    scenario("threads", || {
        sentry::capture_message("a message has the stack of its thread", Level::Debug);
    });
    scenario("attachment", || {
        sentry::configure_scope(|scope| {
            scope.add_attachment(Attachment {
                buffer: b"remember\n".to_vec(),
                filename: "notes.txt".into(),
                content_type: Some("text/plain".into()),
                ty: None,
            });
            scope.add_attachment(Attachment {
                buffer: (0..50_000u32).map(|i| (i % 251) as u8).collect(),
                filename: "blob.bin".into(),
                ..Attachment::default()
            });
        });
        sentry::capture_message("with files", Level::Info);
    });
    serve();

    sentry::configure_scope(|scope| scope.set_tag("scenario", "unhandled"));
    let nothing: Option<u32> = None;
    nothing.expect("nobody catches this");
}

fn context() {
    sentry::configure_scope(|scope| {
        scope.set_user(Some(User {
            id: Some("7".into()),
            email: Some("ann@example.com".into()),
            username: Some("ann".into()),
            other: BTreeMap::from([("plan".to_owned(), "gold".into())]),
            ..User::default()
        }));
        scope.set_tag("flavour", "plum");
        let order: BTreeMap<String, Value> = BTreeMap::from([
            ("total".to_owned(), 12.into()),
            (
                "lines".to_owned(),
                vec![Value::from("A"), 1.5.into(), Value::Null].into(),
            ),
        ]);
        scope.set_context("order", Context::Other(order));
        scope.set_extra("note", "the password is sesame".into());
        scope.set_extra("cart", vec![Value::from(1), "two".into(), Value::Null].into());
        scope.set_fingerprint(Some(["{{ default }}", "plums"].as_ref()));
        scope.set_transaction(Some("checkout"));
    });
    sentry::capture_message("context", Level::Warning);
}

/// A request that comes over a socket, as a program without a framework would tell of it.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let body = r#"{"count": 5, "password": "hunter2"}"#;
    let mut client = TcpStream::connect(address).expect("a connection");
    write!(
        client,
        "POST /buy/plum?size=3&colour=dark%20blue HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Cookie: theme=dark; basket=9\r\nAuthorization: Basic sesame\r\nContent-Length: {}\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    client
        .shutdown(std::net::Shutdown::Write)
        .expect("the end of the request");
    let mut text = String::new();
    let (mut served, _) = listener.accept().expect("a request");
    served.read_to_string(&mut text).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let target = lines.next().and_then(|l| l.split(' ').nth(1)).expect("a target");
    let headers = lines.filter_map(|l| l.split_once(": "));
    let request = Request {
        method: Some("POST".into()),
        url: format!("http://{address}{target}").parse().ok(),
        headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        data: Some(body.to_owned()),
        env: BTreeMap::from([("REMOTE_ADDR".to_owned(), "203.0.113.9".to_owned())]),
        ..Request::default()
    };
    sentry::with_scope(
        |scope| {
            scope.set_tag("scenario", "request");
            scope.add_event_processor(move |mut event| {
                event.request = Some(request.clone());
                Some(event)
            });
        },
        || {
            let error = offer(target).expect_err("an error");
            sentry::integrations::anyhow::capture_anyhow(&error);
        },
    );
}
