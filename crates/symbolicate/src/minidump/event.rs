//! The event that a dump becomes.

use minidump::Module as _;
use protocol::json::{Json, Map};

use super::walk::{Frame, State, Thread};
use super::{Dump, arch_name, crashpad, module, os_name, reason};
use crate::crash::{self, Image};
use crate::files::Status;
use crate::native::image::{add_candidates, status_name};

pub(super) fn event(dump: &Dump<'_>, state: &State<'_>) -> Map<'static> {
    let (os, cpu) = (state.system.os, state.system.cpu);
    let mut event = Map::new();
    event.set("platform", "native");
    let crashed = state.exception.is_some();
    event.set("level", if crashed { "fatal" } else { "info" });
    if dump.header.time_date_stamp > 0 {
        event.set("timestamp", u64::from(dump.header.time_date_stamp));
    }

    let mut exception = Map::new();
    let mut mechanism = crash::mechanism("minidump");
    match &state.exception {
        Some(found) => {
            let reason = reason(found, os, cpu);
            let value = format!("Fatal Error: {reason}");
            exception.set("type", reason);
            exception.set("value", value);
            let code = u64::from(found.raw.exception_record.exception_code);
            if matches!(
                os,
                minidump::system_info::Os::Linux | minidump::system_info::Os::Android
            ) {
                let mut signal = Map::new();
                signal.set("number", code);
                let mut meta = Map::new();
                meta.set("signal", signal);
                mechanism.set("meta", meta);
            }
            let mut data = Map::new();
            data.set("address", format!("{:#x}", found.get_crash_address(os, cpu)));
            mechanism.set("data", data);
        }
        None => {
            exception.set("type", "Minidump");
            exception.set("value", "A dump of a running process");
        }
    }
    exception.set("mechanism", mechanism);

    let mut threads = Vec::new();
    for thread in &state.threads {
        let mut map = Map::new();
        map.set("id", u64::from(thread.id));
        if let Some(name) = &thread.name {
            map.set("name", name.clone());
        }
        map.set("crashed", crashed && thread.requesting);
        map.set("current", thread.requesting);
        let stack = stack(thread);
        // The stack of the thread that crashed is that of the exception.
        if thread.requesting {
            exception.set("thread_id", u64::from(thread.id));
            if let Some(stack) = stack {
                exception.set("stacktrace", stack);
            }
        } else if let Some(stack) = stack {
            map.set("stacktrace", stack);
        }
        threads.push(Json::Object(map));
    }
    event.set("exception", crash::values(vec![exception.into()]));
    event.set("threads", crash::values(threads));
    event.set("debug_meta", images(state));

    let (version, build) = state.system.os_parts();
    let version = Some(version).filter(|v| v != "0.0.0");
    let mut contexts = crash::contexts(&os_name(os), version, build, arch_name(cpu));
    crashpad::add(dump, &state.modules, &mut contexts);
    event.set("contexts", contexts);
    event
}

fn stack(thread: &Thread) -> Option<Map<'static>> {
    if thread.frames.is_empty() {
        return None;
    }
    let mut stack = Map::new();
    stack.set(
        "frames",
        thread
            .frames
            .iter()
            .rev()
            .map(|f| Json::Object(frame(f)))
            .collect::<Vec<_>>(),
    );
    let mut registers = Map::new();
    for (name, value) in &thread.registers {
        registers.set(*name, format!("{value:#x}"));
    }
    stack.set("registers", registers);
    Some(stack)
}

fn frame(frame: &Frame) -> Map<'static> {
    let mut map = Map::new();
    map.set("instruction_addr", format!("{:#x}", frame.instruction));
    if let Some(package) = &frame.package {
        map.set("package", package.clone());
    }
    map.set("trust", frame.trust);
    map
}

fn images(state: &State<'_>) -> Map<'static> {
    let images = state
        .modules
        .iter()
        .map(|m| {
            let mut image = crash::image(&Image {
                module: module(m, state.system.os),
                arch: Some(arch_name(state.system.cpu).to_owned()),
            });
            match state.unwind.get(&m.base_address()) {
                Some((status, candidates)) => {
                    image.set("unwind_status", status_name(*status));
                    add_candidates(&mut image, candidates, "unwind");
                    let mut features = Map::new();
                    features.set("has_unwind_info", *status == Status::Found);
                    image.set("features", features);
                }
                None => image.set("unwind_status", "unused"),
            }
            Json::Object(image)
        })
        .collect::<Vec<_>>();
    let mut meta = Map::new();
    meta.set("images", images);
    meta
}
