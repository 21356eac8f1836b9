//! Which addresses are looked up, and what is left alone.

use super::*;
use crate::files::NoFiles;

#[test]
fn addresses_behind_calls_are_moved_back() {
    let images = Images::read(&Map::new(), Arch::Unknown);
    use Adjustment::{All, AllButFirst, Auto, None as Never};
    for (adjustment, top, ip, signal, arch, expected) in [
        (Auto, true, None, None, Arch::Amd64, 0x1000),
        (Auto, false, None, None, Arch::Amd64, 0xfff),
        (Auto, false, None, None, Arch::Arm64, 0xffc),
        (Auto, true, Some(0x1000), Some(11), Arch::Amd64, 0x1000),
        // The frame of a signal's handler was taken off: what is left on top is a return address.
        (Auto, true, Some(0x2000), Some(11), Arch::Amd64, 0xfff),
        (Auto, true, Some(0x2000), None, Arch::Amd64, 0x1000),
        (All, true, None, None, Arch::Amd64, 0xfff),
        (AllButFirst, true, None, None, Arch::Amd64, 0x1000),
        (AllButFirst, false, None, None, Arch::Amd64, 0xfff),
        (Never, false, None, None, Arch::Amd64, 0x1000),
    ] {
        let work = Work::new(&images, &NoFiles, signal, false);
        let place = Place { top, ip, adjustment };
        assert_eq!(work.adjusted(0x1000, arch, &place), expected);
    }
    let work = Work::new(&images, &NoFiles, None, false);
    for adjustment in [Auto, All, AllButFirst] {
        let place = Place {
            top: false,
            ip: None,
            adjustment,
        };
        assert_eq!(work.adjusted(0, Arch::Arm64, &place), 0);
    }
}

#[test]
fn events_without_images_or_addresses_stay_as_they_are() {
    for text in [
        r#"{"exception":{"values":[{"stacktrace":{"frames":[{"instruction_addr":"0x1"}]}}]}}"#,
        r#"{"exception":{"stacktrace":{"frames":[{"function":"f"},null,1]}},"debug_meta":{"images":[{"type":"elf"}]}}"#,
        r#"{"threads":[{"stacktrace":{"frames":"x"}},null],"debug_meta":{"images":[{"type":"elf"},null]}}"#,
    ] {
        let (json, _) = protocol::json::parse_str(text).unwrap();
        let mut event = json.as_object().unwrap().clone();
        assert!(!apply(&mut event, &NoFiles));
        assert_eq!(Json::Object(event), json);
    }
}
