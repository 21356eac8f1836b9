//! `.ips` files: a line of JSON that says what the report is of, and the report as a second document.

use protocol::json::{Json, Map, parse};
use symbolic::common::DebugId;

use super::{AppleError, Frame, MAX_FRAMES, MAX_IMAGES, MAX_THREADS, Report, Thread, arch, os};
use crate::crash::Image;
use crate::files::Module;

pub(super) fn read(bytes: &[u8]) -> Result<Report, AppleError> {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let document = |bytes| {
        parse(bytes)
            .map(|(json, _)| json)
            .map_err(|e| AppleError::NoReport(e.to_string()))
    };
    let header = document(&bytes[..end])?;
    let body = document(bytes.get(end + 1..).unwrap_or_default())?;
    let body = body
        .as_object()
        .ok_or_else(|| AppleError::NoReport("the second document is no object".into()))?;
    let owned = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);

    let images: Vec<Image> = body
        .array("usedImages")
        .unwrap_or_default()
        .iter()
        .take(MAX_IMAGES)
        .map(image)
        .collect();
    let threads = body
        .array("threads")
        .unwrap_or_default()
        .iter()
        .take(MAX_THREADS)
        .enumerate()
        .filter_map(|(i, thread)| Some((i, thread.as_object()?)))
        .map(|(i, map)| Thread {
            // The numbers of threads are those of the kernel; reports name them by their place.
            id: i as u64,
            name: owned(map.str("name")).or_else(|| owned(map.str("queue"))),
            crashed: map.get("triggered").and_then(Json::as_bool) == Some(true)
                || body.get("faultingThread").and_then(Json::as_u64) == Some(i as u64),
            registers: registers(map.object("threadState")),
            frames: frames(map.get("frames"), &images),
        })
        .collect();

    let exception = body.object("exception");
    let part = |key: &str| exception.and_then(|e| e.str(key)).filter(|t| !t.is_empty());
    let reason = match (part("type"), part("signal")) {
        (Some(kind), Some(signal)) => Some(format!("{kind} ({signal})")),
        (kind, signal) => owned(kind.or(signal)),
    };
    let thrown = body.object("exceptionReason");
    let (os_name, mut os_version, mut os_build) = body
        .object("osVersion")
        .and_then(|o| o.str("train"))
        .or_else(|| header.str_at(&["os_version"]))
        .map(os)
        .unwrap_or_default();
    if os_build.is_none() {
        os_build = owned(body.object("osVersion").and_then(|o| o.str("build")));
    }
    if os_version.is_none() {
        os_version = owned(header.str_at(&["os_version"])).and_then(|v| os(&v).1);
    }
    Ok(Report {
        timestamp: body
            .str("captureTime")
            .or_else(|| header.str_at(&["timestamp"]))
            .and_then(time),
        os_name: Some(os_name),
        os_version,
        os_build,
        arch: body.str("cpuType").map(arch),
        model: owned(body.str("modelCode")),
        app_name: owned(
            body.str("procName")
                .or_else(|| header.str_at(&["app_name"]))
                .or_else(|| header.str_at(&["name"])),
        ),
        app_version: owned(header.str_at(&["app_version"])),
        reason,
        exception: owned(thrown.and_then(|t| t.str("name"))),
        details: owned(thrown.and_then(|t| t.str("composed_message")))
            .or_else(|| said(body))
            .or_else(|| owned(part("subtype"))),
        thrown: frames(body.get("lastExceptionBacktrace"), &images),
        threads,
        images,
    })
}

/// `2022-05-25 10:48:05.3714 -0700` as seconds since 1970.
fn time(text: &str) -> Option<f64> {
    let text = match text.rsplit_once(' ') {
        Some((time, zone)) if zone.starts_with(['+', '-']) && zone.len() == 5 && zone.is_ascii() => {
            format!("{time}{}:{}", &zone[..3], &zone[3..])
        }
        _ => text.to_owned(),
    };
    protocol::time::parse_time(&text).map(|t| t as f64 / 1e6)
}

/// What libraries said when the process ended (`asi`: lists of lines by library).
fn said(body: &Map<'_>) -> Option<String> {
    let lines: Vec<&str> = body
        .object("asi")?
        .iter()
        .filter_map(|(_, lines)| lines.as_array())
        .flatten()
        .filter_map(Json::as_str)
        .take(20)
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Registers: each an object with its `value`; those of ARM that are counted are a list under `x`.
fn registers(state: Option<&Map<'_>>) -> Vec<(String, u64)> {
    let value = |register: &Json<'_>| register.get("value").and_then(Json::as_u64);
    let mut out = Vec::new();
    for (name, register) in state.into_iter().flat_map(Map::iter) {
        if let Some(list) = register.as_array() {
            let counted = list.iter().take(64).enumerate();
            out.extend(counted.filter_map(|(i, r)| Some((format!("{name}{i}"), value(r)?))));
        } else if let Some(value) = value(register).filter(|_| out.len() < 200) {
            out.push((name.to_owned(), value));
        }
    }
    out
}

fn frames(list: Option<&Json<'_>>, images: &[Image]) -> Vec<Frame> {
    list.and_then(Json::as_array)
        .unwrap_or_default()
        .iter()
        .take(MAX_FRAMES)
        .filter_map(|frame| {
            let offset = frame.get("imageOffset")?.as_u64()?;
            let image = frame
                .get("imageIndex")
                .and_then(Json::as_u64)
                .and_then(|i| images.get(usize::try_from(i).ok()?));
            let text = |key| frame.str_at(&[key]).filter(|t| !t.is_empty()).map(str::to_owned);
            Some(Frame {
                address: image.map_or(0, |i| i.module.address).checked_add(offset)?,
                package: image.and_then(|i| i.module.code_file.as_deref().map(str::to_owned)),
                symbol: text("symbol"),
                file: text("sourceFile"),
                line: frame.get("sourceLine").and_then(Json::as_u64),
            })
        })
        .collect()
}

fn image(image: &Json<'_>) -> Image {
    let text = |key| image.str_at(&[key]).filter(|t| !t.is_empty()).map(str::to_owned);
    let number = |key| image.get(key).and_then(Json::as_u64).unwrap_or(0);
    let id = text("uuid").and_then(|id| id.parse::<DebugId>().ok());
    Image {
        module: Module {
            kind: "macho".into(),
            debug_id: id.map(|id| id.to_string().into()),
            code_id: id.map(|id| id.uuid().simple().to_string().into()),
            code_file: text("path").or_else(|| text("name")).map(Into::into),
            debug_file: None,
            debug_checksum: None,
            address: number("base"),
            size: number("size"),
        },
        arch: text("arch"),
    }
}
