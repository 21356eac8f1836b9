//! Debug files from the servers that a project names. Each is asked by its layout, one after the other, for what the
//! project has not uploaded; what comes is kept on disk, and that nothing came is remembered.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use storage::cache::CacheError;
use symbolicate::bundle::debug_id;
use symbolicate::cabinet::MAGIC;
use symbolicate::files::{Candidate, Form, Module, Status};
use symbolicate::layout::{compressed, path, wanted};
use symbolicate::object::{Found, InspectError};

use super::convert::{Convert, Job, What, objects, open};
use super::debug_files::{Held, name_of, rank_of};
use super::fetch::{Fetch, Headers, Turn, Unfetched, Why, origin};
use super::gcs;
use super::shelf::hash;
use super::source::Source;
use super::{LARGEST, Symbols};

/// The largest file that is fetched, bytes.
const LARGEST_FETCHED: u64 = 256 << 20;
/// The largest answer with a token, bytes.
const LARGEST_TOKEN: u64 = 64 << 10;
/// How long a server may take for a file.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often other servers are asked for one event.
const MOST_REQUESTS: usize = 80;
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

impl From<Unfetched> for Failed {
    fn from(u: Unfetched) -> Failed {
        let status = match u.why {
            Why::Missing => {
                return Failed {
                    status: Status::Missing,
                    details: None,
                };
            }
            Why::Forbidden => Status::NoPermission,
            Why::Timeout => Status::Timeout,
            Why::Unreachable | Why::Odd | Why::NotAsked => Status::FetchingFailed,
        };
        failed(status, u.details)
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

/// Writes a file as it is once nothing is compressed. Cabinets are read where all is read that needs limits.
fn unpack(bytes: &[u8], out: &Path, convert: &dyn Convert) -> Result<(), CacheError> {
    let bad = |e: std::io::Error| CacheError::Bad(format!("it cannot be decompressed: {e}"));
    let lost = |e: std::io::Error| CacheError::Failed(format!("{}: {e}", out.display()));
    if bytes.starts_with(MAGIC) {
        let file = out.with_extension("cab");
        let job = Job {
            what: What::Cabinet { file: file.clone() },
            output: out.to_owned(),
        };
        let read = std::fs::write(&file, bytes)
            .map_err(lost)
            .and_then(|()| convert.convert(&job));
        let _ = std::fs::remove_file(&file);
        return read;
    }
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
        plain => Box::new(plain),
    };
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
fn meant(found: &[Found], module: &Module<'_>) -> Result<About, CacheError> {
    if found.is_empty() {
        return Err(CacheError::Bad(InspectError::Unknown.to_string()));
    }
    let wanted_id = module.debug_id.as_deref().and_then(debug_id);
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
        kind: one.kind.clone(),
        features: one.features.clone(),
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
        for source in self.sources.iter().filter(|s| s.fits(module)) {
            for file in wanted(&module.kind, form).iter().filter(|f| source.has(**f)) {
                let Some(plain) = path(source.layout, source.casing, module, *file) else {
                    continue;
                };
                let packed = compressed(source.layout, *file, &plain);
                for path in std::iter::once(plain).chain(packed) {
                    let there = self.attempt(source, module, (&path, form), &mut held);
                    if held.path.is_some() {
                        return held;
                    }
                    // Where it is not, it may be compressed.
                    if there {
                        break;
                    }
                }
            }
        }
        held
    }

    /// Tries one path; whether there is something, or the server cannot say.
    fn attempt(
        &self,
        source: &Source,
        module: &Module<'_>,
        (path, form): (&str, Form),
        held: &mut Held,
    ) -> bool {
        let (url, location) = source.address(path);
        let mut candidate = Candidate {
            source: source.id.clone(),
            location,
            status: Status::Found,
            details: None,
        };
        match self.form(source, module, &url, form) {
            Ok(Some(path)) => {
                held.path = Some(path);
                held.status = Status::Found;
            }
            Ok(None) => {
                candidate.details = Some("the file is there and holds nothing of what is needed".into());
            }
            Err(e) => {
                candidate.status = e.status;
                candidate.details = e.details;
            }
        }
        let missing = matches!(candidate.status, Status::Missing | Status::NoPermission);
        if !missing && candidate.status != Status::Found {
            held.status = candidate.status;
        }
        held.candidates.push(candidate);
        !missing
    }

    /// A form of what stands at an address; `None` if it is the right file and holds nothing of that form.
    fn form(
        &self,
        source: &Source,
        module: &Module<'_>,
        url: &str,
        form: Form,
    ) -> Result<Option<PathBuf>, Failed> {
        if let Some(problem) = &source.problem {
            return Err(failed(Status::FetchingFailed, problem));
        }
        let [user, secret] = source.identity();
        let key = hash(&[
            url,
            user,
            secret,
            module.debug_id.as_deref().unwrap_or_default(),
            module.code_id.as_deref().unwrap_or_default(),
        ]);
        let file = self.file(source, module, url, &key)?;
        let about = self.symbols.cache.file(&format!("about1-{key}"), &mut |out| {
            let about = meant(&objects(&*self.symbols.convert, (&file, "", None), out)?, module)?;
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
        let mut failure = None;
        let file = symbols.cache.file(&format!("source1-{key}"), &mut |out| {
            let refuse = |u: Unfetched, failure: &mut Option<Unfetched>| {
                *failure = Some(u);
                CacheError::Failed("not fetched".into())
            };
            if let Some(known) = symbols.unfetched.recall(generation, key, url, now) {
                return Err(refuse(known, &mut failure));
            }
            let bytes = self.ask(source, module, url).map_err(|u| {
                // That there is no token says nothing of the file.
                if u.url != gcs::TOKENS {
                    symbols.unfetched.note(generation, key, url, &u, now);
                }
                refuse(u, &mut failure)
            })?;
            unpack(&bytes, out, &*symbols.convert)?;
            drop(bytes);
            let answer = out.with_extension("objects");
            meant(&objects(&*symbols.convert, (out, "", None), &answer)?, module).map(|_| ())
        });
        match failure {
            Some(failure) => Err(failure.into()),
            None => Ok(file?),
        }
    }

    /// Whether one more request may be made for the event.
    fn turn(&self) -> Result<(), Unfetched> {
        if self.begun.elapsed() > super::shelf::PATIENCE {
            let what = "the server was not asked: others took too long to answer for this event";
            return Err(Unfetched::new(Why::NotAsked, "", what));
        }
        if self.requests.fetch_add(1, Ordering::Relaxed) >= MOST_REQUESTS {
            let what = format!(
                "the server was not asked: for one event at most {MOST_REQUESTS} requests go to other servers"
            );
            return Err(Unfetched::new(Why::NotAsked, "", what));
        }
        Ok(())
    }

    fn fetch<'f>(&'f self, headers: &'f dyn Fn(&str) -> Headers, turn: &'f Turn<'f>) -> Fetch<'f> {
        Fetch {
            outgoing: &*self.symbols.outgoing,
            most: LARGEST_FETCHED,
            patience: PATIENCE,
            headers,
            turn,
        }
    }

    /// Asks a server for a file.
    fn ask(&self, source: &Source, module: &Module<'_>, url: &str) -> Result<Vec<u8>, Unfetched> {
        let symbols = self.symbols;
        let now = symbols.stores.clock.now();
        let turn = || self.turn();
        let token = match source.with_token() {
            Some(bucket) => {
                let fetch = Fetch {
                    most: LARGEST_TOKEN,
                    ..self.fetch(&|_| Vec::new(), &turn)
                };
                Some(token(symbols, bucket, &fetch, now)?)
            }
            None => None,
        };
        let headers = |at: &str| {
            // Wherever it leads, what lets one in stays with whom it is for.
            if origin(at) != origin(url) {
                return Vec::new();
            }
            let mut headers = source.login(at, token.as_deref(), now);
            if let Some(sum) = module.debug_checksum.as_deref().filter(|s| fits_header(s)) {
                headers.push(("SymbolChecksum".into(), sum.to_owned()));
            }
            headers
        };
        self.fetch(&headers, &turn)
            .get(url)
            .map(|(answer, _)| answer.body)
    }
}

/// Whether a text of an event may be sent as a header.
fn fits_header(text: &str) -> bool {
    text.len() <= 200 && text.bytes().all(|b| b.is_ascii_graphic())
}

/// The token for a bucket, asked for or known.
fn token(symbols: &Symbols, bucket: &gcs::Bucket, fetch: &Fetch<'_>, now: i64) -> Result<String, Unfetched> {
    let generation = symbols.directory.generation();
    let key = format!("token {}", hash(&[&bucket.client_email, &bucket.private_key]));
    if let Some(known) = symbols.tokens.get(generation, &key, now) {
        return Ok(known);
    }
    if let Some(known) = symbols.unfetched.recall(generation, &key, gcs::TOKENS, now) {
        return Err(known);
    }
    match bucket.token(fetch, now) {
        Ok(token) => {
            let until = now + token.seconds * 1_000_000;
            symbols.tokens.put(generation, key, token.value.clone(), until);
            Ok(token.value)
        }
        Err(u) => {
            symbols.unfetched.pause(generation, &key, &u, now);
            Err(u)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use symbolicate::object::inspect;

    use super::super::convert::Here;
    use super::*;

    fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, CacheError> {
        let folder = std::env::temp_dir().join(format!("vedette-unpack-{}", uuid::Uuid::new_v4()));
        let result = unpack(bytes, &folder, &Here).map(|()| std::fs::read(&folder).unwrap());
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
        let found = inspect(&bytes, "", None).unwrap();
        let about = meant(&found, &module).unwrap();
        assert!(about.kind == "elf" && about.features.iter().any(|f| f == "debug"));
        module.debug_id = None;
        module.code_id = Some("3CD95DAD7EB31F478FA5410B5A6B4B1C37F3A5EE".into());
        assert!(meant(&found, &module).is_ok());
        module.debug_id = Some("11111111-2222-3333-4444-555555555555".into());
        assert!(matches!(meant(&found, &module), Err(CacheError::Bad(_))));
        assert!(matches!(meant(&[], &module), Err(CacheError::Bad(_))));
    }
}
