//! Debug files from the servers that a project names. Each is asked by its layout, one after the other, for what the
//! project has not uploaded; what comes is kept on disk, and that nothing came is remembered.

use std::borrow::Cow;
use std::io::Read;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use storage::cache::CacheError;
use storage::outgoing::Request;
use symbolicate::bundle::debug_id;
use symbolicate::files::{Candidate, Form, Module, Status};
use symbolicate::js::urls;
use symbolicate::layout::{FileType, Layout, path, wanted};
use symbolicate::object::{Found, inspect};

use super::convert::{Job, What, open};
use super::debug_files::{Held, name_of, rank_of};
use super::settings::Source;
use super::shelf::hash;
use super::{LARGEST, Symbols};

/// The largest file that is fetched, bytes.
const LARGEST_FETCHED: u64 = 256 << 20;
/// How long a server may take for a file.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often other servers are asked for one event.
const MOST_REQUESTS: usize = 40;
/// How long it is remembered that a server does not have a file, µs.
const MISSING: i64 = 3_600_000_000;
/// How long a server is left alone that did not answer, and a file that it failed to give, µs.
const SILENT: i64 = 300_000_000;
/// Redirections that are followed.
const REDIRECTIONS: usize = 3;
/// The memory that a file compressed with zstd may ask for, as a power of two.
const WINDOW_LOG: u32 = 27;

/// Why there is no file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failed {
    status: Status,
    details: Option<String>,
}

fn failed(status: Status, details: impl ToString) -> Failed {
    Failed {
        status,
        details: Some(details.to_string()),
    }
}

impl From<CacheError> for Failed {
    fn from(e: CacheError) -> Failed {
        match e {
            CacheError::Bad(why) => failed(Status::Malformed, why),
            CacheError::Failed(why) => failed(Status::FetchingFailed, why),
        }
    }
}

/// What a fetched file is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct About {
    kind: String,
    features: Vec<String>,
    debug_id: Option<String>,
}

/// Asks the sources of a project for the files of one event.
pub(super) struct Asking<'s> {
    symbols: &'s Symbols,
    sources: &'s [Source],
    requests: AtomicUsize,
    begun: Instant,
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    Some((scheme, rest.split(['/', '?', '#']).next().unwrap_or_default()))
}

/// The address of a path below that of a source; what stands after `?` there stays at the end.
fn address(source: &Source, path: &str) -> (String, String) {
    let (base, query) = source.url.split_once('?').unwrap_or((&source.url, ""));
    let base = base.trim_end_matches('/');
    // Both ways are in use to name such a server.
    let path = match path.strip_prefix("buildid/") {
        Some(rest) if source.layout == Layout::Debuginfod && base.ends_with("/buildid") => rest,
        _ => path,
    };
    let shown = format!("{base}/{path}");
    let asked = match query {
        "" => shown.clone(),
        query => format!("{shown}?{query}"),
    };
    (asked, shown)
}

/// Writes a file as it is once nothing is compressed.
fn unpack(bytes: &[u8], out: &Path) -> Result<(), CacheError> {
    let bad = |e: std::io::Error| CacheError::Bad(format!("it cannot be decompressed: {e}"));
    let mut reader: Box<dyn Read + '_> = match bytes {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = zstd::Decoder::with_buffer(bytes).map_err(bad)?;
            decoder.window_log_max(WINDOW_LOG).map_err(bad)?;
            Box::new(decoder)
        }
        [first, second, ..]
            if first & 0x0f == 8
                && first >> 4 <= 7
                && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0 =>
        {
            Box::new(flate2::read::ZlibDecoder::new(bytes))
        }
        [b'M', b'S', b'C', b'F', ..] => {
            let what = "it is compressed as a cabinet (cab), which is not read";
            return Err(CacheError::Bad(what.into()));
        }
        plain => Box::new(plain),
    };
    let lost = |e: std::io::Error| CacheError::Failed(format!("{}: {e}", out.display()));
    let mut file = std::fs::File::create(out).map_err(lost)?;
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0_u64;
    loop {
        let n = reader.read(&mut buffer).map_err(bad)?;
        let Some(read) = buffer.get(..n).filter(|r| !r.is_empty()) else {
            return Ok(());
        };
        total += n as u64;
        if total > LARGEST {
            let what = format!("it is more than {} MiB when it is decompressed", LARGEST >> 20);
            return Err(CacheError::Bad(what));
        }
        std::io::Write::write_all(&mut file, read).map_err(lost)?;
    }
}

/// The object of a file that is meant by a module.
fn meant(bytes: &[u8], module: &Module<'_>) -> Result<About, CacheError> {
    let wanted_id = module.debug_id.as_deref().and_then(debug_id);
    let found = catch_unwind(|| inspect(bytes, "", None))
        .map_err(|_| CacheError::Bad("the file contradicts itself".into()))?
        .map_err(|e| CacheError::Bad(e.to_string()))?;
    let same = |f: &Found| match (&f.debug_id, &wanted_id) {
        (Some(is), Some(wanted)) if f.kind == "portablepdb" => is.get(..36) == wanted.get(..36),
        (Some(is), Some(wanted)) => is == wanted,
        _ => match (&f.code_id, &module.code_id) {
            (Some(is), Some(wanted)) => is.eq_ignore_ascii_case(wanted),
            _ => false,
        },
    };
    let Some(one) = found.iter().find(|f| same(f)) else {
        let ids: Vec<&str> = found
            .iter()
            .take(4)
            .filter_map(|f| f.debug_id.as_deref())
            .collect();
        let what = format!(
            "it is another file than the one that was asked for: {}",
            ids.join(", ")
        );
        return Err(CacheError::Bad(what));
    };
    Ok(About {
        kind: one.kind.to_owned(),
        features: one.features.iter().map(|f| (*f).to_owned()).collect(),
        debug_id: one.debug_id.clone(),
    })
}

impl<'s> Asking<'s> {
    pub(super) fn new(symbols: &'s Symbols, sources: &'s [Source]) -> Asking<'s> {
        Asking {
            symbols,
            sources,
            requests: AtomicUsize::new(0),
            begun: Instant::now(),
        }
    }

    /// A form of the file of a module, from the first source that has one.
    pub(super) fn held(&self, module: &Module<'_>, form: Form) -> Held {
        let mut held = Held {
            path: None,
            status: Status::Missing,
            candidates: Vec::new(),
        };
        for source in self.sources {
            for file in wanted(&module.kind, form) {
                let Some(path) = self.place(source, module, *file) else {
                    continue;
                };
                let (url, location) = address(source, &path);
                let mut candidate = Candidate {
                    source: source.id.clone(),
                    location,
                    status: Status::Found,
                    details: None,
                };
                match self.form(source, module, &url, form) {
                    Ok(Some(path)) => {
                        held.candidates.push(candidate);
                        held.path = Some(path);
                        held.status = Status::Found;
                        return held;
                    }
                    Ok(None) => {
                        candidate.details =
                            Some("the file is there and holds nothing of what is needed".into());
                    }
                    Err(e) => {
                        candidate.status = e.status;
                        candidate.details = e.details;
                        if e.status != Status::Missing {
                            held.status = e.status;
                        }
                    }
                }
                held.candidates.push(candidate);
            }
        }
        held
    }

    fn place(&self, source: &Source, module: &Module<'_>, file: FileType) -> Option<String> {
        if !source.has(file) {
            return None;
        }
        path(source.layout, source.casing, module, file)
    }

    /// A form of what stands at an address; `None` if it is the right file and holds nothing of that form.
    fn form(
        &self,
        source: &Source,
        module: &Module<'_>,
        url: &str,
        form: Form,
    ) -> Result<Option<PathBuf>, Failed> {
        let (user, password) = source.login.as_ref().map_or(("", ""), |(u, p)| (u, p));
        // What a password lets one see is for those alone who have it.
        let key = hash(&[
            url,
            user,
            password,
            module.debug_id.as_deref().unwrap_or_default(),
            module.code_id.as_deref().unwrap_or_default(),
        ]);
        let file = self.file(source, module, url, &key)?;
        let about = self.symbols.cache.file(&format!("about1-{key}"), &mut |out| {
            let about = meant(&open(&file)?, module)?;
            let json = serde_json::to_vec(&about).map_err(|e| CacheError::Failed(e.to_string()))?;
            std::fs::write(out, json).map_err(|e| CacheError::Failed(e.to_string()))
        });
        let about: About = about
            .and_then(|path| {
                serde_json::from_slice(&open(&path)?).map_err(|e| CacheError::Failed(e.to_string()))
            })
            .map_err(Failed::from)?;
        let has = |feature: &str| about.features.iter().any(|f| f == feature);
        if rank_of(&about.kind, &has, form).is_none() {
            return Ok(None);
        }
        let name = format!("{}-{}", name_of(form), hash(&["source", &key]));
        let made = self.symbols.cache.file(&name, &mut |out| {
            self.symbols.convert.convert(&Job {
                what: What::Form {
                    form,
                    file: file.clone(),
                    debug_id: about.debug_id.clone(),
                },
                output: out.to_owned(),
            })
        });
        Ok(Some(made?))
    }

    /// What stands at an address, from the disk or from there.
    fn file(&self, source: &Source, module: &Module<'_>, url: &str, key: &str) -> Result<PathBuf, Failed> {
        let symbols = self.symbols;
        let (generation, now) = (symbols.directory.generation(), symbols.stores.clock.now());
        let host = format!("host {}", origin(url).unwrap_or_default().1);
        let mut failure = None;
        let file = symbols.cache.file(&format!("source1-{key}"), &mut |out| {
            let refuse = |f: Failed, failure: &mut Option<Failed>| {
                *failure = Some(f);
                CacheError::Failed("not fetched".into())
            };
            for known in [key, &host] {
                if let Some(known) = symbols.missed.get(generation, &known.to_owned(), now) {
                    return Err(refuse(known, &mut failure));
                }
            }
            let bytes = self.ask(source, url).map_err(|f| {
                let (key, pause) = match f.status {
                    Status::Missing => (key, MISSING),
                    Status::Timeout => (&*host, SILENT),
                    _ => (key, SILENT),
                };
                // Who was not asked may be asked for the next event.
                if !f.details.as_deref().is_some_and(|d| d.contains("was not asked")) {
                    symbols
                        .missed
                        .put(generation, key.to_owned(), f.clone(), now + pause);
                }
                refuse(f, &mut failure)
            })?;
            unpack(&bytes, out)?;
            drop(bytes);
            meant(&open(out)?, module).map(|_| ())
        });
        match failure {
            Some(failure) => Err(failure),
            None => Ok(file?),
        }
    }

    /// Asks a server for a file.
    fn ask(&self, source: &Source, url: &str) -> Result<Vec<u8>, Failed> {
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTIONS {
            if self.begun.elapsed() > super::shelf::PATIENCE {
                let what = "the server was not asked: others took too long to answer for this event";
                return Err(failed(Status::Timeout, what));
            }
            if self.requests.fetch_add(1, Ordering::Relaxed) >= MOST_REQUESTS {
                let what = format!(
                    "the server was not asked: for one event at most {MOST_REQUESTS} requests go to other servers"
                );
                return Err(failed(Status::FetchingFailed, what));
            }
            let mut headers: Vec<(Cow<'static, str>, String)> = vec![("Accept".into(), "*/*".into())];
            // Wherever it leads, the password stays with whom it is for.
            if let Some((user, password)) = &source.login
                && origin(&url) == origin(&source.url)
            {
                let login = BASE64_STANDARD.encode(format!("{user}:{password}"));
                headers.push(("Authorization".into(), format!("Basic {login}")));
            }
            let request = Request {
                method: "GET",
                url: url.clone(),
                headers,
                body: Vec::new(),
                most: LARGEST_FETCHED,
                patience: Some(PATIENCE),
                private: false,
            };
            let answer = self.symbols.outgoing.ask(&request).map_err(|e| {
                let status = if e.0.contains("did not answer") {
                    Status::Timeout
                } else {
                    Status::FetchingFailed
                };
                failed(status, e.0)
            })?;
            match answer.status {
                200 => return Ok(answer.body),
                301 | 302 | 303 | 307 | 308 => match answer.header("location") {
                    Some(to) => url = urls::join(&url, to),
                    None => {
                        let what = "the server leads elsewhere and does not say where";
                        return Err(failed(Status::FetchingFailed, what));
                    }
                },
                404 | 410 => {
                    return Err(Failed {
                        status: Status::Missing,
                        details: None,
                    });
                }
                // Some stores answer so to whatever they do not have.
                status @ (401 | 403) => {
                    let what = format!("the file may not be read: the server answers {status}");
                    return Err(failed(Status::Missing, what));
                }
                status => {
                    return Err(failed(
                        Status::FetchingFailed,
                        format!("the server answers {status}"),
                    ));
                }
            }
        }
        let what = format!("the server leads elsewhere more than {REDIRECTIONS} times");
        Err(failed(Status::FetchingFailed, what))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use symbolicate::layout::Casing;

    use super::*;

    fn source(url: &str, layout: Layout) -> Source {
        Source {
            id: "ours".into(),
            url: url.into(),
            login: None,
            layout,
            casing: Casing::Default,
            types: Vec::new(),
        }
    }

    #[test]
    fn addresses_of_files() {
        for (url, layout, path, asked, shown) in [
            (
                "https://s/x",
                Layout::Native,
                "a/b",
                "https://s/x/a/b",
                "https://s/x/a/b",
            ),
            (
                "https://s/x/?k=1",
                Layout::Native,
                "a",
                "https://s/x/a?k=1",
                "https://s/x/a",
            ),
            (
                "https://s/",
                Layout::Debuginfod,
                "buildid/a",
                "https://s/buildid/a",
                "https://s/buildid/a",
            ),
            (
                "https://s/buildid/",
                Layout::Debuginfod,
                "buildid/a",
                "https://s/buildid/a",
                "https://s/buildid/a",
            ),
        ] {
            let found = address(&source(url, layout), path);
            assert_eq!(found, (asked.to_owned(), shown.to_owned()));
        }
    }

    #[test]
    fn a_password_is_for_one_server() {
        let same = |a, b| origin(a) == origin(b);
        assert!(same("https://s/x", "https://s/y?z"));
        for other in [
            "http://s/x",
            "https://s:8443/x",
            "https://s.example/x",
            "https://t@s/x",
        ] {
            assert!(!same("https://s/x", other), "{other}");
        }
    }

    fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, CacheError> {
        let folder = std::env::temp_dir().join(format!("vedette-unpack-{}", uuid::Uuid::new_v4()));
        let result = unpack(bytes, &folder).map(|()| std::fs::read(&folder).unwrap());
        let _ = std::fs::remove_file(&folder);
        result
    }

    #[test]
    fn what_is_compressed_is_unpacked_within_bounds() {
        let plain = b"a debug file".repeat(1000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).unwrap();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zlib.write_all(&plain).unwrap();
        let zstd = zstd::encode_all(&plain[..], 1).unwrap();
        for packed in [
            gzip.finish().unwrap(),
            zlib.finish().unwrap(),
            zstd,
            plain.clone(),
        ] {
            assert_eq!(unpacked(&packed), Ok(plain.clone()));
        }
        for broken in [
            &[0x1f, 0x8b, 9][..],
            &[0x78, 0x9c, 0xff],
            &[0x28, 0xb5, 0x2f, 0xfd, 0xff],
            b"MSCF...",
        ] {
            assert!(matches!(unpacked(broken), Err(CacheError::Bad(_))), "{broken:?}");
        }
        let bomb = zstd::encode_all(std::io::repeat(0).take(LARGEST + 1), 1).unwrap();
        let Err(CacheError::Bad(why)) = unpacked(&bomb) else {
            panic!("it is too large");
        };
        assert!(why.contains("more than 512 MiB"), "{why}");
    }

    #[test]
    fn only_the_file_that_was_asked_for_is_taken() {
        let bytes = std::fs::read(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fixtures/symbols/elf/libshop.so"
        ))
        .unwrap();
        let mut module = Module {
            kind: "elf".into(),
            debug_id: Some("AD5DD93CB37E471F8FA5410B5A6B4B1C0".into()),
            ..Module::default()
        };
        let about = meant(&bytes, &module).unwrap();
        assert!(about.kind == "elf" && about.features.iter().any(|f| f == "debug"));
        module.debug_id = None;
        module.code_id = Some("3CD95DAD7EB31F478FA5410B5A6B4B1C37F3A5EE".into());
        assert!(meant(&bytes, &module).is_ok());
        module.debug_id = Some("11111111-2222-3333-4444-555555555555".into());
        assert!(matches!(meant(&bytes, &module), Err(CacheError::Bad(_))));
        assert!(meant(b"<html>not here</html>", &module).is_err());
    }
}
