//! What is sent: events of several sizes and kinds.

use std::io::Write as _;

use serde_json::{Value, json};

/// Distinct stack traces, where a shape does not say otherwise.
const STACKS: usize = 50;

/// A kind of load.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, for people.
    pub what: &'static str,
    /// How many events.
    pub events: usize,
    /// Frames of a stack trace.
    frames: usize,
    /// Lines of source around each frame, on either side.
    context: usize,
    /// Breadcrumbs.
    crumbs: usize,
    /// Distinct stack traces; 0 means each event has its own.
    stacks: usize,
    /// Whether bodies are compressed.
    pub gzip: bool,
    /// Projects that they are spread over.
    pub projects: usize,
    /// Requests at the same time.
    pub connections: usize,
}

const STANDARD: Shape = Shape {
    name: "standard",
    what: "errors of 5.5 KB with one of 50 stack traces of 14 frames",
    events: 40_000,
    frames: 14,
    context: 2,
    crumbs: 1,
    stacks: STACKS,
    gzip: false,
    projects: 1,
    connections: 32,
};

/// Every shape; the first is what `make bench` measures.
pub const SHAPES: [Shape; 8] = [
    STANDARD,
    Shape {
        name: "gzip",
        what: "the standard ones, compressed",
        gzip: true,
        events: 20_000,
        ..STANDARD
    },
    Shape {
        name: "small",
        what: "errors of 1 KB with two frames",
        frames: 2,
        context: 0,
        crumbs: 0,
        events: 40_000,
        ..STANDARD
    },
    Shape {
        name: "large",
        what: "errors of 50 KB with 90 frames and 100 breadcrumbs",
        frames: 90,
        context: 3,
        crumbs: 100,
        events: 5_000,
        ..STANDARD
    },
    Shape {
        name: "unique",
        what: "every event begins an issue",
        stacks: 0,
        events: 20_000,
        ..STANDARD
    },
    Shape {
        name: "hot",
        what: "one issue gets them all",
        stacks: 1,
        events: 20_000,
        ..STANDARD
    },
    Shape {
        name: "projects",
        what: "spread over 1,000 projects",
        projects: 1_000,
        events: 20_000,
        ..STANDARD
    },
    Shape {
        name: "burst",
        what: "20,000 at once over 256 connections",
        events: 20_000,
        connections: 256,
        ..STANDARD
    },
];

impl Shape {
    /// The shape with this name.
    pub fn named(name: &str) -> Option<Shape> {
        SHAPES.into_iter().find(|s| s.name == name)
    }

    /// The id of an event.
    pub fn id(n: usize) -> String {
        format!(
            "{:032x}",
            (n as u128 + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128
        )
    }

    /// The JSON of an event: ids in its message, one of the stack traces.
    pub fn event(&self, n: usize) -> Value {
        let stack = if self.stacks == 0 { n } else { n % self.stacks };
        let lines = |what: &str| -> Vec<String> {
            (0..self.context)
                .map(|i| format!("    def {what}_{i}(self):"))
                .collect()
        };
        let frames: Vec<Value> = (0..self.frames)
            .map(|f| {
                let module = (f * 7 + stack) % 90;
                json!({
                    "filename": format!("shop/part{}/module_{module}.py", f % 5),
                    "abs_path": format!("/srv/app/shop/part{}/module_{module}.py", f % 5),
                    "function": format!("handle_{stack}_{f}"), "module": format!("shop.part{}.module_{module}", f % 5),
                    "lineno": 10 + f * 3, "in_app": f % 3 == 0, "context_line": "    return self.call(request, *args, **kwargs)",
                    "pre_context": lines("before"), "post_context": lines("after"),
                })
            })
            .collect();
        let crumbs: Vec<Value> = (0..self.crumbs)
            .map(|i| json!({ "category": "query", "message": "select * from orders where id = %s", "timestamp": 1_790_000_000 + i }))
            .collect();
        json!({
            "event_id": Self::id(n), "platform": "python", "level": "error", "release": "shop@1.4.2", "environment": "production",
            "server_name": format!("web-{}", n % 12), "transaction": format!("/checkout/{}", stack % 9),
            "exception": { "values": [{ "type": format!("ShopError{stack}"), "value": format!("order {n} of user {} failed", n * 7 % 9001),
                "mechanism": { "type": "generic", "handled": !n.is_multiple_of(4) }, "stacktrace": { "frames": frames } }] },
            "user": { "id": (n % 5000).to_string() }, "tags": { "region": (["eu", "us", "ap"][n % 3]), "shard": (n % 16).to_string() },
            "request": { "url": format!("https://shop.example/checkout/{}", n % 9), "method": "POST", "headers": { "User-Agent": "Mozilla/5.0" } },
            "breadcrumbs": { "values": crumbs },
            "sdk": { "name": "sentry.python", "version": "2.75.0" },
        })
    }

    /// The envelope of an event, compressed if the shape says so; and how long it was before.
    pub fn body(&self, n: usize) -> std::io::Result<(Vec<u8>, usize)> {
        let event = self.event(n).to_string();
        let header = json!({ "event_id": Self::id(n) });
        let plain = format!(
            "{header}\n{{\"type\":\"event\",\"length\":{}}}\n{event}\n",
            event.len()
        );
        let length = plain.len();
        if !self.gzip {
            return Ok((plain.into_bytes(), length));
        }
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(plain.as_bytes())?;
        Ok((out.finish()?, length))
    }
}
