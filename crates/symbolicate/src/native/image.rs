//! The images of an event: what was loaded where, and what we have of it.

use std::borrow::Cow;
use std::cell::OnceCell;

use protocol::json::{Json, Map};
use symbolic::common::{Arch, DebugId};

use crate::files::{Answer, Candidate, Files, Form, Module, Status};
use crate::stacks::address;

/// Images of one event that are looked at.
const MAX_IMAGES: usize = 5_000;

/// Kinds of images that hold no machine code.
const OTHERS: [&str; 3] = ["proguard", "jvm", "sourcemap"];

/// An image and the answers to what was asked of it.
pub(super) struct Image {
    /// Its place in `debug_meta.images`, which `addr_mode` counts by.
    pub(super) place: usize,
    pub(super) module: Module<'static>,
    /// What the client says of the processor.
    pub(super) arch: Arch,
    pub(super) symbols: OnceCell<Answer>,
    pub(super) portable_pdb: OnceCell<Answer>,
    pub(super) sources: OnceCell<Answer>,
    pub(super) il2cpp: OnceCell<Answer>,
}

/// The images by address and by place.
pub(super) struct Images {
    pub(super) list: Vec<Image>,
    by_address: Vec<usize>,
}

/// A text of an image under the first of several names that clients use.
fn text(image: &Map<'_>, keys: &[&str]) -> Option<Cow<'static, str>> {
    keys.iter()
        .find_map(|k| image.str(k).filter(|s| !s.is_empty()))
        .map(|s| Cow::Owned(s.to_owned()))
}

/// Reads an image as clients describe it; `None` if it holds no machine code.
pub(crate) fn module(image: &Map<'_>) -> Option<Module<'static>> {
    let kind = image.str("type").unwrap_or("symbolic");
    if OTHERS.contains(&kind) {
        return None;
    }
    let code_id = text(image, &["code_id"]);
    let debug_id = text(image, &["debug_id", "id", "uuid"])
        .map(|id| match id.parse::<DebugId>() {
            Ok(parsed) => Cow::Owned(parsed.to_string()),
            Err(_) => id,
        })
        .or_else(|| from_build_id(kind, code_id.as_deref()?).map(Cow::Owned));
    Some(Module {
        kind: Cow::Owned(kind.to_owned()),
        debug_id,
        code_id,
        code_file: text(image, &["code_file", "name"]),
        debug_file: text(image, &["debug_file"]),
        debug_checksum: text(image, &["debug_checksum"]),
        address: address(image.get("image_addr")).unwrap_or(0),
        size: address(image.get("image_size")).unwrap_or(0),
    })
}

/// The debug id of an ELF file is the beginning of its build id.
fn from_build_id(kind: &str, code_id: &str) -> Option<String> {
    if kind != "elf" || !code_id.is_ascii() {
        return None;
    }
    let bytes: Vec<u8> = (0..16)
        .map(|i| {
            code_id
                .get(2 * i..2 * i + 2)
                .map_or(Some(0), |hex| u8::from_str_radix(hex, 16).ok())
        })
        .collect::<Option<_>>()?;
    let guid: [u8; 16] = bytes.try_into().ok()?;
    let uuid = symbolic::common::Uuid::from_bytes_le(guid);
    Some(DebugId::from_uuid(uuid).to_string())
}

impl Images {
    pub(super) fn read(event: &Map<'_>, arch: Arch) -> Images {
        let list: Vec<Image> = event
            .object("debug_meta")
            .and_then(|meta| meta.array("images"))
            .unwrap_or_default()
            .iter()
            .enumerate()
            .take(MAX_IMAGES)
            .filter_map(|(place, image)| {
                let image = image.as_object()?;
                Some(Image {
                    place,
                    module: module(image)?,
                    arch: image.str("arch").and_then(|a| a.parse().ok()).unwrap_or(arch),
                    symbols: OnceCell::new(),
                    portable_pdb: OnceCell::new(),
                    sources: OnceCell::new(),
                    il2cpp: OnceCell::new(),
                })
            })
            .collect();
        let mut by_address: Vec<usize> = (0..list.len())
            .filter(|i| list[*i].module.address > 0 || list[*i].module.size > 0)
            .collect();
        by_address.sort_by_key(|i| list[*i].module.address);
        Images { list, by_address }
    }

    /// The image that an address is in.
    pub(super) fn at(&self, address: u64) -> Option<usize> {
        let next = self
            .by_address
            .partition_point(|i| self.list[*i].module.address <= address);
        let index = *self.by_address.get(next.checked_sub(1)?)?;
        let module = &self.list[index].module;
        // An image of unknown size reaches to the next one.
        (module.size == 0 || address - module.address < module.size).then_some(index)
    }

    /// The image with a place in the event's list.
    pub(super) fn placed(&self, place: usize) -> Option<usize> {
        self.list.binary_search_by_key(&place, |image| image.place).ok()
    }
}

impl Image {
    pub(super) fn answer(&self, files: &dyn Files, form: Form) -> &Answer {
        let cell = match form {
            Form::PortablePdb => &self.portable_pdb,
            Form::Sources => &self.sources,
            Form::Il2cpp => &self.il2cpp,
            _ => &self.symbols,
        };
        cell.get_or_init(|| files.find(&self.module, form))
    }
}

/// How the debug file of an image fared, as the event says it.
pub(crate) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Found => "found",
        Status::Missing | Status::NoPermission => "missing",
        Status::Malformed => "malformed",
        Status::Timeout => "timeout",
        Status::FetchingFailed => "fetching_failed",
    }
}

/// Adds the places where a file was looked for to those that the image names already; `use_of` is `debug` or
/// `unwind`, under which it stands how the file served that purpose.
pub(crate) fn add_candidates(image: &mut Map<'_>, found: &[Candidate], use_of: &'static str) {
    if found.is_empty() {
        return;
    }
    let slot = image.entry("candidates");
    if slot.as_array().is_none() {
        *slot = Json::Array(Vec::new());
    }
    let Some(list) = slot.as_array_mut() else {
        return;
    };
    for candidate in found {
        let known = list.iter().position(|c| {
            c.str_at(&["source"]) == Some(&candidate.source)
                && c.str_at(&["location"]) == Some(&candidate.location)
        });
        let at = known.unwrap_or_else(|| {
            let mut new = Map::new();
            new.set("source", candidate.source.clone());
            new.set("location", candidate.location.clone());
            list.push(new.into());
            list.len() - 1
        });
        let mut download = Map::new();
        download.set(
            "status",
            match candidate.status {
                Status::Found => "ok",
                Status::Missing => "notfound",
                Status::NoPermission => "noperm",
                Status::Malformed => "malformed",
                Status::Timeout | Status::FetchingFailed => "error",
            },
        );
        if let Some(details) = &candidate.details {
            download.set("details", details.clone());
        }
        list[at].set("download", download);
        if !matches!(candidate.status, Status::Missing | Status::NoPermission) {
            let mut result = Map::new();
            result.set(
                "status",
                match candidate.status {
                    Status::Found => "ok",
                    Status::Malformed => "malformed",
                    _ => "error",
                },
            );
            list[at].set(use_of, result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(image: &str) -> Option<Module<'static>> {
        let (json, _) = protocol::json::parse_str(image).unwrap();
        module(json.as_object().unwrap())
    }

    #[test]
    fn ids_as_clients_write_them() {
        let id = "00112233-4455-6677-8899-aabbccddeeff";
        for (image, expected) in [
            (
                r#"{"type":"pe","debug_id":"00112233-4455-6677-8899-AABBCCDDEEFF-2"}"#,
                "-2",
            ),
            (
                r#"{"type":"wasm","debug_id":"00112233445566778899aabbccddeeff0"}"#,
                "",
            ),
            (
                r#"{"type":"apple","uuid":"00112233-4455-6677-8899-aabbccddeeff"}"#,
                "",
            ),
            (
                r#"{"type":"symbolic","id":"00112233-4455-6677-8899-aabbccddeeff-A"}"#,
                "-a",
            ),
            (
                r#"{"type":"elf","code_id":"33221100554477668899aabbccddeeff01234567"}"#,
                "",
            ),
        ] {
            let found = read(image).unwrap();
            assert_eq!(
                found.debug_id.as_deref(),
                Some(&*format!("{id}{expected}")),
                "{image}"
            );
        }
        let short = read(r#"{"type":"elf","code_id":"33221100"}"#).unwrap();
        assert_eq!(
            short.debug_id.as_deref(),
            Some("00112233-0000-0000-0000-000000000000")
        );
        for image in [
            r#"{"type":"elf"}"#,
            r#"{"type":"elf","code_id":"zz"}"#,
            r#"{"type":"elf","code_id":"éé"}"#,
        ] {
            assert_eq!(read(image).unwrap().debug_id, None, "{image}");
        }
        for kind in OTHERS {
            assert_eq!(read(&format!(r#"{{"type":"{kind}"}}"#)), None);
        }
    }

    #[test]
    fn images_by_address() {
        let event = r#"{"debug_meta":{"images":[{"type":"jvm"},
            {"type":"elf","image_addr":"0x5000","image_size":4096},{"type":"elf","image_addr":"0x1000"},
            {"type":"elf","image_addr":12288,"image_size":"0x10"},{"type":"elf"}]}}"#;
        let (json, _) = protocol::json::parse_str(event).unwrap();
        let images = Images::read(json.as_object().unwrap(), Arch::Unknown);
        let place = |address| images.at(address).map(|i| images.list[i].place);
        for (address, expected) in [
            (0, None),
            (0xfff, None),
            (0x1000, Some(2)),
            (0x2fff, Some(2)),
            (0x3000, Some(3)),
            (0x3010, None),
            (0x5fff, Some(1)),
            (0x6000, None),
            (u64::MAX, None),
        ] {
            assert_eq!(place(address), expected, "{address:#x}");
        }
        assert_eq!(images.placed(0), None);
        assert_eq!(images.placed(4).map(|i| images.list[i].place), Some(4));
    }
}
