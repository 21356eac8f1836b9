//! Containers and what is in them.

use std::io::Write;

use flate2::write::ZlibEncoder;

use super::*;

const ACCOUNT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<FGenericCrashContext>
    <RuntimeProperties>
        <CrashGUID>UE4CC-Windows-123</CrashGUID>
        <IsAssert>true</IsAssert>
        <ErrorMessage>Assertion failed: a &lt; b &amp;&amp; &#x63; [File:x.cpp]</ErrorMessage>
        <UserName>anna</UserName><LoginId>login-1</LoginId>
        <MemoryStats.TotalPhysical>6896832512</MemoryStats.TotalPhysical>
        <Misc.CPUBrand>A CPU</Misc.CPUBrand>
        <Misc.OSVersionMajor>Windows 10</Misc.OSVersionMajor>
        <GameStateName />
        <Modules>a.exe
b.dll</Modules>
        <CallStack><![CDATA[x <unknown> y]]></CallStack>
    </RuntimeProperties>
    <!-- <EngineData> --><EngineData><RHI.AdapterName>GPU 1</RHI.AdapterName></EngineData>
    <GameData><level>7</level><__sentry>{"release":"shop@1","tags":{"a":"b"},"user":{"id":"5"}}</__sentry></GameData>
</FGenericCrashContext>"#;

const LOG: &str = "Log file open, 12/13/18 15:54:53\nLogInit: first\n\
    [2018.12.13-15.55.01:250][  3]LogNet: second: part\r\n\nno category\n";

fn text(out: &mut Vec<u8>, text: &str, padded: usize) {
    out.extend((padded.max(text.len()) as i32).to_le_bytes());
    out.extend(text.bytes());
    out.resize(out.len() + padded.saturating_sub(text.len()), 0);
}

fn header(out: &mut Vec<u8>, count: i32) {
    text(out, "UE4CC-Windows-123", 260);
    text(out, "UE4CC-Windows-123.ue4crash", 260);
    out.extend(0i32.to_le_bytes());
    out.extend(count.to_le_bytes());
}

fn plain(magic: bool) -> Vec<u8> {
    let files: [(&str, &[u8]); 4] = [
        ("CrashContext.runtime-xml", ACCOUNT.as_bytes()),
        ("logs/Shop.log", LOG.as_bytes()),
        ("UE4Minidump.dmp", b"MDMP\x93\xa7"),
        ("CrashReportClient.ini", b"[x]"),
    ];
    let mut out = Vec::new();
    if magic {
        out.extend(b"CR1");
    }
    header(&mut out, if magic { 4 } else { 0 });
    for (i, (name, data)) in files.iter().enumerate() {
        out.extend((i as i32).to_le_bytes());
        text(&mut out, name, 260);
        out.extend((data.len() as i32).to_le_bytes());
        out.extend(*data);
    }
    if !magic {
        header(&mut out, 4);
    }
    out
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn containers_are_taken_apart() {
    for magic in [false, true] {
        let files = split(&packed(&plain(magic)), 1 << 20).unwrap();
        let seen: Vec<_> = files.iter().map(|f| (f.name.as_str(), f.kind)).collect();
        assert_eq!(
            seen,
            [
                ("CrashContext.runtime-xml", Kind::Context),
                ("Shop.log", Kind::Log),
                ("UE4Minidump.dmp", Kind::Minidump),
                ("CrashReportClient.ini", Kind::Other)
            ]
        );
        assert_eq!(files[2].data, b"MDMP\x93\xa7");
    }
}

#[test]
fn what_the_engine_says_becomes_an_event() {
    let files = split(&packed(&plain(false)), 1 << 20).unwrap();
    let event = Json::Object(event(&files, Some("header-id|epic-1|machine-1")));
    let at = |path: &[&str]| event.path(path).map(ToString::to_string).unwrap_or_default();
    for (path, expected) in [
        (&["release"][..], "\"shop@1\""),
        (&["level"], "\"error\""),
        (
            &["logentry", "formatted"],
            "\"Assertion failed: a < b && c [File:x.cpp]\"",
        ),
        (&["user", "id"], "\"5\""),
        (&["user", "username"], "\"anna\""),
        (&["tags", "a"], "\"b\""),
        (&["tags", "epic_account_id"], "\"epic-1\""),
        (&["tags", "machine_id"], "\"machine-1\""),
        (&["sdk", "name"], "\"unreal.crashreporter\""),
        (&["contexts", "device", "memory_size"], "6896832512"),
        (&["contexts", "os", "raw_description"], "\"Windows 10\""),
        (&["contexts", "gpu", "name"], "\"GPU 1\""),
        (&["contexts", "unreal", "crash_guid"], "\"UE4CC-Windows-123\""),
        (&["contexts", "unreal", "misc_cpu_brand"], "\"A CPU\""),
        (&["contexts", "unreal", "modules"], ""),
        (&["contexts", "unreal", "call_stack"], ""),
        (&["contexts", "game", "level"], "\"7\""),
        (&["contexts", "game", "__sentry"], ""),
        (&["breadcrumbs", "values", "0", "category"], "\"LogInit\""),
        (&["breadcrumbs", "values", "0", "message"], "\"first\""),
        (&["breadcrumbs", "values", "0", "timestamp"], "1544716493.0"),
        (&["breadcrumbs", "values", "1", "timestamp"], "1544716501.25"),
        (&["breadcrumbs", "values", "1", "message"], "\"second: part\""),
        (&["breadcrumbs", "values", "2", "message"], "\"no category\""),
        (&["breadcrumbs", "values", "3"], ""),
    ] {
        assert_eq!(at(path), expected, "{path:?}");
    }
}

#[test]
fn bombs_and_broken_containers_are_refused() {
    assert_eq!(
        split(&packed(&vec![0; 1 << 20]), 1 << 16),
        Err(UnrealError::TooLarge(1 << 16))
    );
    assert!(matches!(
        split(b"hello", 1 << 16),
        Err(UnrealError::Compression(_))
    ));
    let whole = plain(false);
    for cut in [0, 3, 500, 540, 600, whole.len() - 1] {
        assert_eq!(
            split(&packed(&whole[..cut]), 1 << 20),
            Err(UnrealError::Malformed),
            "{cut}"
        );
    }
    // A header alone has no files.
    let mut alone = Vec::new();
    header(&mut alone, 0);
    assert_eq!(split(&packed(&alone), 1 << 20), Err(UnrealError::Malformed));
}
