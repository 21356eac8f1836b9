//! Crash reports of Apple's systems: the text of `.crash` files, and the two JSON documents of `.ips` files.
//!
//! Both become the parts of an event; [`crate::native`] then looks up its addresses.

mod ips;
mod text;

use protocol::json::{Json, Map};

use crate::crash::{self, Image};
use crate::names::readable;

/// The largest report that is read, bytes.
pub const MAX_REPORT: usize = 16 << 20;

/// Threads of a report, frames of a thread and images that are kept.
const MAX_THREADS: usize = 500;
const MAX_FRAMES: usize = 1_000;
const MAX_IMAGES: usize = 5_000;

/// Why a report cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AppleError {
    /// It is larger than [`MAX_REPORT`].
    #[error("the crash report is larger than {MAX_REPORT} bytes")]
    TooLarge,
    /// It is no report of a crash.
    #[error("this is not an Apple crash report: {0}")]
    NoReport(String),
}

/// A report, however it was written.
#[derive(Default)]
struct Report {
    /// Seconds since 1970.
    timestamp: Option<f64>,
    os_name: Option<String>,
    os_version: Option<String>,
    os_build: Option<String>,
    arch: Option<String>,
    model: Option<String>,
    app_name: Option<String>,
    app_version: Option<String>,
    /// What ended the process, such as `EXC_BAD_ACCESS (SIGSEGV)`.
    reason: Option<String>,
    /// The class of an uncaught exception of Objective-C.
    exception: Option<String>,
    /// What the program or the system said when it ended.
    details: Option<String>,
    /// Where an uncaught exception was thrown, if that is known, the innermost frame first.
    thrown: Vec<Frame>,
    threads: Vec<Thread>,
    images: Vec<Image>,
}

struct Thread {
    id: u64,
    name: Option<String>,
    crashed: bool,
    registers: Vec<(String, u64)>,
    /// The innermost first.
    frames: Vec<Frame>,
}

struct Frame {
    address: u64,
    package: Option<String>,
    symbol: Option<String>,
    file: Option<String>,
    line: Option<u64>,
}

/// Reads a report and makes the parts of an event, for [`crate::crash::merge`].
///
/// # Errors
/// [`AppleError`].
pub fn process(bytes: &[u8]) -> Result<Map<'static>, AppleError> {
    if bytes.len() > MAX_REPORT {
        return Err(AppleError::TooLarge);
    }
    let start = bytes.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
    let report = if bytes.get(start) == Some(&b'{') {
        ips::read(&bytes[start..])?
    } else {
        text::read(&String::from_utf8_lossy(bytes))?
    };
    if report.threads.is_empty() {
        return Err(AppleError::NoReport("it has no threads".into()));
    }
    Ok(event(report))
}

fn event(report: Report) -> Map<'static> {
    let mut event = Map::new();
    event.set("platform", "native");
    event.set("level", "fatal");
    if let Some(seconds) = report.timestamp {
        event.set("timestamp", seconds);
    }

    let mut exception = Map::new();
    let reason = report.reason.unwrap_or_else(|| "Crash".into());
    let value = report.details.unwrap_or_else(|| format!("Fatal Error: {reason}"));
    exception.set("type", report.exception.unwrap_or(reason));
    exception.set("value", value);
    exception.set("mechanism", crash::mechanism("applecrashreport"));

    let mut threads = Vec::new();
    let mut seen = false;
    for thread in report.threads {
        let mut map = Map::new();
        map.set("id", thread.id);
        if let Some(name) = thread.name {
            map.set("name", name);
        }
        let crashed = thread.crashed && !seen;
        map.set("crashed", crashed);
        map.set("current", crashed);
        let stack = stack(&thread.frames, &thread.registers);
        if crashed {
            seen = true;
            exception.set("thread_id", thread.id);
        }
        if crashed && report.thrown.is_empty() {
            // The stack of the thread that crashed is that of the exception.
            exception.set("stacktrace", stack);
        } else {
            map.set("stacktrace", stack);
        }
        threads.push(Json::Object(map));
    }
    if !report.thrown.is_empty() {
        // Every address of it is one behind a call.
        let mut stack = stack(&report.thrown, &[]);
        stack.set("instruction_addr_adjustment", "all");
        exception.set("stacktrace", stack);
    }
    event.set("exception", crash::values(vec![exception.into()]));
    event.set("threads", crash::values(threads));

    let images: Vec<Json<'_>> = report.images.iter().map(|i| crash::image(i).into()).collect();
    let mut meta = Map::new();
    meta.set("images", images);
    event.set("debug_meta", meta);

    let mut contexts = crash::contexts(
        report.os_name.as_deref().unwrap_or_default(),
        report.os_version,
        report.os_build,
        report.arch.as_deref().unwrap_or("unknown"),
    );
    if let (Some(model), Some(Json::Object(device))) = (report.model, contexts.get_mut("device")) {
        device.set("model", model);
    }
    let mut app = Map::new();
    for (key, value) in [("app_name", report.app_name), ("app_version", report.app_version)] {
        if let Some(value) = value {
            app.set(key, value);
        }
    }
    if !app.is_empty() {
        app.set("type", "app");
        contexts.set("app", app);
    }
    event.set("contexts", contexts);
    event
}

fn stack(frames: &[Frame], registers: &[(String, u64)]) -> Map<'static> {
    let frames: Vec<Json<'_>> = frames.iter().rev().map(|f| frame(f).into()).collect();
    let mut stack = Map::new();
    stack.set("frames", frames);
    if !registers.is_empty() {
        let mut map = Map::new();
        for (name, value) in registers {
            map.set(name.clone(), format!("{value:#x}"));
        }
        stack.set("registers", map);
    }
    stack
}

fn frame(frame: &Frame) -> Map<'static> {
    let mut map = Map::new();
    map.set("instruction_addr", format!("{:#x}", frame.address));
    if let Some(package) = &frame.package {
        map.set("package", package.clone());
    }
    if let Some(symbol) = &frame.symbol {
        map.set("function", readable(symbol).unwrap_or_else(|| symbol.clone()));
        map.set("symbol", symbol.clone());
    }
    if let Some(file) = &frame.file {
        map.set("filename", file.clone());
    }
    if let Some(line) = frame.line {
        map.set("lineno", line);
    }
    map
}

/// The name of a processor as debug files know it.
fn arch(name: &str) -> String {
    let name = name.split(' ').next().unwrap_or(name).to_ascii_lowercase();
    match name.as_str() {
        "arm-64" => "arm64".into(),
        "x86-64" => "x86_64".into(),
        "x86" => "x86".into(),
        _ => name,
    }
}

/// Takes `iPhone OS 13.3.1 (17D50)` apart: name, version and build.
fn os(text: &str) -> (String, Option<String>, Option<String>) {
    let (text, build) = match text.rsplit_once(" (") {
        Some((text, build)) => (text, Some(build.trim_end_matches(')').to_owned())),
        None => (text, None),
    };
    let (name, version) = match text.rsplit_once(' ') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            (name, Some(version.to_owned()))
        }
        _ => (text, None),
    };
    let name = match name {
        "iPhone OS" => "iOS",
        "Mac OS X" | "OS X" => "macOS",
        name => name,
    };
    (name.to_owned(), version, build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems() {
        let some = |s: &str| Some(s.to_owned());
        for (text, expected) in [
            ("iPhone OS 13.3.1 (17D50)", ("iOS", some("13.3.1"), some("17D50"))),
            (
                "Mac OS X 10.14.0 (18A391)",
                ("macOS", some("10.14.0"), some("18A391")),
            ),
            ("macOS 12.4", ("macOS", some("12.4"), None)),
            ("watchOS", ("watchOS", None, None)),
            ("", ("", None, None)),
        ] {
            let (name, version, build) = os(text);
            assert_eq!((name.as_str(), version, build), expected);
        }
    }

    #[test]
    fn exceptions_that_nobody_caught() {
        let report = |backtrace: &str| {
            format!(
                "Exception Type:  EXC_CRASH (SIGABRT)\n\n{backtrace}\n\nThread 0 Crashed:\n\
                 0   libsystem_c.dylib  0x0000000180000064 abort + 100\n\n\
                 Binary Images:\n0x104000000 - 0x104003fff Shop arm64  <4c4c44f155553144a1b1e57c8c312d4f> /a/Shop\n\n\
                 Application Specific Information:\n*** Terminating app due to uncaught exception \
                 'NSRangeException', reason: 'it's beyond bounds'\nterminating"
            )
        };
        for (backtrace, symbol) in [
            (
                "Last Exception Backtrace:\n0   Shop  0x0000000104000100 -[Cart at:] + 4 (Cart.m:7)\n\
                 1   Shop  0x0000000104000200 0x104000000 + 512",
                Some("-[Cart at:]"),
            ),
            ("Last Exception Backtrace:\n(0x104000100 0x104000200)", None),
        ] {
            let event = Json::Object(process(report(backtrace).as_bytes()).unwrap());
            let exception = event.path(&["exception", "values", "0"]).unwrap();
            assert_eq!(exception.str_at(&["type"]), Some("NSRangeException"));
            assert_eq!(exception.str_at(&["value"]), Some("it's beyond bounds"));
            let frames = exception
                .path(&["stacktrace", "frames"])
                .unwrap()
                .as_array()
                .unwrap();
            let addresses: Vec<_> = frames.iter().map(|f| f.str_at(&["instruction_addr"])).collect();
            assert_eq!(addresses, [Some("0x104000200"), Some("0x104000100")]);
            assert_eq!(frames[1].str_at(&["function"]), symbol);
            assert_eq!(frames[1].str_at(&["package"]), Some("/a/Shop"));
            assert_eq!(
                event.str_at(&["threads", "values", "0", "stacktrace", "frames", "0", "function"]),
                Some("abort")
            );
        }
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for body in [
            "",
            "hello",
            "{",
            "{}",
            "{}\n{}",
            "{}\n{\"threads\":[]}",
            "Binary Images:\n",
        ] {
            assert!(
                matches!(process(body.as_bytes()), Err(AppleError::NoReport(_))),
                "{body}"
            );
        }
        assert_eq!(process(&vec![b' '; MAX_REPORT + 1]), Err(AppleError::TooLarge));
    }
}
