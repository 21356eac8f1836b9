//! The text of `.crash` files.

use apple_crash_report_parser::{AppleCrashReport, BinaryImage};
use symbolic::common::DebugId;

use super::{AppleError, Frame, MAX_FRAMES, MAX_IMAGES, MAX_THREADS, Report, Thread, arch, os};
use crate::crash::Image;
use crate::files::Module;

pub(super) fn read(text: &str) -> Result<Report, AppleError> {
    // The parser knows the line above the registers only without its bits.
    let mut found: AppleCrashReport = text
        .replace("Thread State (64-bit):", "Thread State:")
        .replace("Thread State (32-bit):", "Thread State:")
        .parse()
        .map_err(|e: apple_crash_report_parser::ParseError| AppleError::NoReport(e.to_string()))?;
    let mut take = |key: &str| found.metadata.remove(key).filter(|v| !v.is_empty());
    let (os_name, os_version, os_build) = take("OS Version").map(|v| os(&v)).unwrap_or_default();
    let reason = take("Exception Type");
    let details = ["Exception Subtype", "Exception Message", "Exception Codes"]
        .iter()
        .find_map(|k| take(k));
    let app_name = take("Identifier").or_else(|| take("Process"));
    let app_version = take("Version");
    let model = take("Hardware Model");
    let arch = found
        .code_type
        .as_deref()
        .map(arch)
        .or_else(|| found.binary_images.first().map(|i| i.arch.clone()));
    let images = &found.binary_images;
    let threads = found
        .threads
        .iter()
        .take(MAX_THREADS)
        .map(|thread| Thread {
            id: thread.id,
            name: thread.name.clone().or_else(|| thread.dispatch_queue.clone()),
            crashed: thread.crashed,
            registers: thread
                .registers
                .iter()
                .flatten()
                .map(|(name, value)| (name.clone(), value.0))
                .collect(),
            frames: thread
                .frames
                .iter()
                .take(MAX_FRAMES)
                .map(|f| frame(f, images))
                .collect(),
        })
        .collect();
    let thrown = thrown(text, images);
    let said = found
        .application_specific_information
        .filter(|t| !t.trim().is_empty())
        .map(|t| t.trim().to_owned());
    let uncaught = said.as_deref().and_then(uncaught);
    Ok(Report {
        timestamp: found.timestamp.map(|t| t.timestamp_millis() as f64 / 1000.0),
        os_name: Some(os_name),
        os_version,
        os_build,
        arch: arch.clone(),
        model,
        app_name,
        app_version,
        reason,
        exception: uncaught.as_ref().map(|(class, _)| class.clone()),
        details: uncaught.map(|(_, words)| words).or(said).or(details),
        thrown,
        threads,
        images: images.iter().take(MAX_IMAGES).map(image).collect(),
    })
}

/// The class and the reason of an exception that nobody caught:
/// `*** Terminating app due to uncaught exception 'NSRangeException', reason: 'index 3 beyond bounds'`.
fn uncaught(said: &str) -> Option<(String, String)> {
    let (_, rest) = said.split_once("uncaught exception '")?;
    let (class, rest) = rest.split_once('\'')?;
    let rest = rest.lines().next()?.split_once("reason: '")?.1;
    let reason = rest.rsplit_once('\'').map_or(rest, |(reason, _)| reason);
    Some((class.to_owned(), reason.to_owned()))
}

/// Where an exception was thrown that nobody caught: frames like those of a thread, or bare addresses.
fn thrown(text: &str, images: &[BinaryImage]) -> Vec<Frame> {
    let mut lines = text
        .lines()
        .skip_while(|line| !line.starts_with("Last Exception Backtrace:"))
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        .take(MAX_FRAMES)
        .peekable();
    let bare = lines.peek().is_some_and(|line| line.starts_with('('));
    let section: String = if bare {
        let addresses = lines.flat_map(|line| line.trim_matches(['(', ')']).split_whitespace());
        let numbered = addresses.take(MAX_FRAMES).enumerate();
        numbered
            .map(|(i, address)| format!("{i} ??? {address} {address} + 0\n"))
            .collect()
    } else {
        lines.map(|line| format!("{line}\n")).collect()
    };
    let parsed: Result<AppleCrashReport, _> = format!("Thread 0:\n{section}").parse();
    let threads = parsed.map(|report| report.threads).unwrap_or_default();
    threads
        .iter()
        .flat_map(|t| &t.frames)
        .map(|f| frame(f, images))
        .collect()
}

fn frame(frame: &apple_crash_report_parser::Frame, images: &[BinaryImage]) -> Frame {
    let address = frame.instruction_addr.0;
    let image = images.iter().find(|i| {
        address
            .checked_sub(i.addr.0)
            .is_some_and(|offset| offset <= i.size)
    });
    let name = frame.module.as_deref();
    Frame {
        address,
        package: image.map(|i| i.path.clone()).or_else(|| name.map(str::to_owned)),
        // Where no symbol is known, the name of the image stands for it.
        symbol: frame
            .symbol
            .as_deref()
            .map(without_offset)
            .filter(|s| !s.is_empty() && Some(*s) != name)
            .map(str::to_owned),
        file: frame.filename.clone(),
        line: frame.lineno.map(u64::from),
    }
}

/// The parser leaves the offset in a name that a file and a line follow.
fn without_offset(symbol: &str) -> &str {
    match symbol.rsplit_once(" + ") {
        Some((name, offset)) if offset.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => symbol,
    }
}

fn image(image: &BinaryImage) -> Image {
    let id = *image.uuid.as_bytes();
    let uuid = symbolic::common::Uuid::from_bytes(id);
    Image {
        module: Module {
            kind: "macho".into(),
            debug_id: Some(DebugId::from_uuid(uuid).to_string().into()),
            code_id: Some(uuid.simple().to_string().into()),
            code_file: Some(image.path.clone().into()),
            debug_file: None,
            debug_checksum: None,
            address: image.addr.0,
            // The end that is written belongs to the image.
            size: image.size.saturating_add(1),
        },
        arch: Some(image.arch.clone()),
    }
}
