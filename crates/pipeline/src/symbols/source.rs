//! A server that a project names: where its files are, who asks, and for what.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use processing::grouping::rules::glob::Glob;
use serde_json::Value;
use symbolicate::files::Module;
use symbolicate::layout::{Casing, FileType, Layout, encoded};
use symbolicate::servers;

use super::fetch::{Headers, origin};
use super::{gcs, s3};

/// The files that public servers may have: nobody publishes bundles of sources.
const PUBLIC_TYPES: &[FileType] = &[
    FileType::Pe,
    FileType::Pdb,
    FileType::PortablePdb,
    FileType::ElfCode,
    FileType::ElfDebug,
    FileType::MachCode,
    FileType::MachDebug,
    FileType::Breakpad,
];

/// Opens a secret that was sealed for a purpose.
pub type Opens = Arc<dyn Fn(&str, &str) -> Option<String> + Send + Sync>;

/// For what the secrets of sources are sealed.
const PURPOSE: &str = "symbol_source";
/// Patterns of paths of a source, at most.
const PATTERNS: usize = 100;

/// Where the files of a source are.
#[derive(Debug, Clone)]
enum Place {
    /// Below an address.
    Http {
        url: String,
        login: Option<(String, String)>,
    },
    /// In a bucket, below a prefix.
    S3(s3::Bucket, String),
    Gcs(gcs::Bucket, String),
}

/// A server that is asked for debug files.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its id: candidates of images are told by it.
    pub id: String,
    place: Place,
    /// How it sorts its files.
    pub layout: Layout,
    /// Its letters.
    pub casing: Casing,
    /// It is asked for files of these types alone, if there are any.
    pub types: Vec<String>,
    /// It is asked for files of modules with such paths alone, if there are any.
    paths: Vec<Glob>,
    /// It is asked for files alone whose checksum it can be told.
    pub checksum: bool,
    /// Why it cannot be asked.
    pub problem: Option<String>,
}

/// What is wrong with a source: its field, and a sentence.
type Wrong = (String, String);

fn wrong<T>(field: &str, what: impl Into<String>) -> Result<T, Wrong> {
    Err((field.to_owned(), what.into()))
}

/// A path as patterns see it.
fn path_key(path: &str) -> String {
    path.replace('\\', "/").to_lowercase()
}

/// A key of a bucket as people write it.
fn decoded(key: &str) -> String {
    let mut out = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |at: usize| tail.get(at).and_then(|b| char::from(*b).to_digit(16));
        rest = match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                &tail[2..]
            }
            _ => {
                out.push(*first);
                tail
            }
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The texts of a source as the API keeps it.
struct Texts<'v>(&'v Value, Option<&'v Opens>, Option<String>);

impl Texts<'_> {
    fn get(&self, name: &str) -> Option<String> {
        self.0[name].as_str().filter(|t| !t.is_empty()).map(str::to_owned)
    }

    /// A field that addresses and headers are made of.
    fn visible(&self, name: &str) -> Result<String, Wrong> {
        match self.get(name) {
            Some(text) if text.chars().any(|c| c.is_control() || c.is_whitespace()) => {
                wrong(name, "This field may not have blanks.")
            }
            Some(text) => Ok(text),
            None => wrong(name, "This field is required."),
        }
    }

    /// A secret, sealed or as it was given.
    fn secret(&mut self, name: &str) -> Option<String> {
        let Some(sealed) = self.0[name]["sealed"].as_str() else {
            return self.get(name);
        };
        let opened = self.1.and_then(|open| open(PURPOSE, sealed));
        if opened.is_none() {
            self.2 = Some(format!(
                "its {name} cannot be opened: the secret key of this installation is another than before, and the \
                 {name} has to be entered again"
            ));
        }
        opened
    }

    /// The name of a bucket.
    fn bucket(&self) -> Result<String, Wrong> {
        let name = self.visible("bucket")?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if !name.bytes().all(fits) || name.starts_with('.') {
            return wrong("bucket", "This is no name of a bucket.");
        }
        Ok(name)
    }

    fn prefix(&self) -> String {
        let prefix = self.get("prefix").unwrap_or_default();
        encoded(prefix.trim_matches('/'))
    }

    fn s3(&mut self) -> Result<s3::Bucket, Wrong> {
        let region = self.visible("region")?;
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !region.bytes().all(fits) {
            return wrong("region", "This is no region: it is written like us-east-1.");
        }
        let endpoint = match self.get("url") {
            None => None,
            Some(url) => match origin(&url) {
                Some((_, host)) if host.is_empty() || host.contains('@') || url.contains(['?', '#']) => {
                    return wrong(
                        "url",
                        "Enter the address of the server alone, like https://minio.example:9000.",
                    );
                }
                Some((scheme, host)) => {
                    // Signatures are over the host as it is sent, which leaves the usual port out.
                    let port = if scheme == "https" { ":443" } else { ":80" };
                    let path = &url[scheme.len() + 3 + host.len()..];
                    let host = host.strip_suffix(port).unwrap_or(host).to_lowercase();
                    Some(format!("{scheme}://{host}{}", path.trim_end_matches('/')))
                }
                None => return wrong("url", "Enter a valid URL."),
            },
        };
        Ok(s3::Bucket {
            endpoint,
            name: self.bucket()?,
            region,
            access_key: self.visible("access_key")?,
            secret_key: self.secret("secret_key").unwrap_or_default(),
        })
    }

    fn place(&mut self) -> Result<Place, Wrong> {
        Ok(match self.0["type"].as_str() {
            Some("http") => {
                let user = self.get("username");
                let password = self.secret("password");
                let login = (user.is_some() || password.is_some())
                    .then(|| (user.unwrap_or_default(), password.unwrap_or_default()));
                let url = self.visible("url")?;
                if origin(&url).is_none_or(|(_, host)| host.is_empty()) {
                    return wrong("url", "Enter a valid URL.");
                }
                if origin(&url).is_some_and(|(_, host)| host.contains('@')) {
                    return wrong(
                        "url",
                        "Enter name and password in their own fields, not in the URL.",
                    );
                }
                Place::Http { url, login }
            }
            Some("s3") => Place::S3(self.s3()?, self.prefix()),
            Some("gcs") => Place::Gcs(
                gcs::Bucket {
                    name: self.bucket()?,
                    client_email: self.visible("client_email")?,
                    private_key: self.secret("private_key").unwrap_or_default(),
                },
                self.prefix(),
            ),
            _ => return wrong("type", "This is no type of a source: it is one of http, s3, gcs."),
        })
    }
}

/// Checks a source as the API keeps it: which of its fields is wrong, and why.
///
/// # Errors
/// The field and a sentence.
pub fn check_source(kept: &Value) -> Result<(), (String, String)> {
    let source = Source::of("", kept, None)?;
    if source.paths.len() > PATTERNS {
        return wrong(
            "filters",
            format!("path_patterns: These are more than {PATTERNS} patterns."),
        );
    }
    match (&source.place, kept["private_key"].as_str()) {
        (Place::Gcs(..), Some(pem)) => gcs::key(pem)
            .map(|_| ())
            .or_else(|what| wrong("private_key", what)),
        _ => Ok(()),
    }
}

impl Source {
    /// From a source as the API keeps it.
    ///
    /// # Errors
    /// The field that is wrong, and a sentence.
    pub fn of(id: &str, kept: &Value, open: Option<&Opens>) -> Result<Source, (String, String)> {
        let mut texts = Texts(kept, open, None);
        let place = texts.place()?;
        let list = |name: &str| {
            let list = kept["filters"][name].as_array().into_iter().flatten();
            list.filter_map(Value::as_str).filter(|t| !t.is_empty())
        };
        Ok(Source {
            id: id.to_owned(),
            place,
            layout: kept["layout"]["type"]
                .as_str()
                .and_then(Layout::of)
                .unwrap_or_default(),
            casing: kept["layout"]["casing"]
                .as_str()
                .and_then(Casing::of)
                .unwrap_or_default(),
            types: list("filetypes").map(str::to_owned).collect(),
            paths: list("path_patterns").map(|p| Glob::lower(&path_key(p))).collect(),
            checksum: kept["filters"]["requires_checksum"] == true,
            problem: texts.2,
        })
    }

    /// One of the public servers.
    pub(super) fn public(server: &servers::Server) -> Source {
        Source {
            id: server.id.to_owned(),
            place: Place::Http {
                url: server.url.to_owned(),
                login: None,
            },
            layout: server.layout,
            casing: server.casing,
            types: PUBLIC_TYPES.iter().map(|t| t.name().to_owned()).collect(),
            paths: Vec::new(),
            checksum: server.checksum,
            problem: None,
        }
    }

    /// Whether it is asked for files of a module.
    pub fn fits(&self, module: &Module<'_>) -> bool {
        let paths = [&module.code_file, &module.debug_file];
        let named = || {
            let mut keys = paths.into_iter().flatten().map(|p| path_key(p));
            keys.any(|key| self.paths.iter().any(|glob| glob.matches(&key)))
        };
        (!self.checksum || module.debug_checksum.is_some()) && (self.paths.is_empty() || named())
    }

    /// The address of a path of its layout, and how it is shown.
    pub(super) fn address(&self, path: &str) -> (String, String) {
        let below = |prefix: &str| match prefix {
            "" => path.to_owned(),
            prefix => format!("{prefix}/{path}"),
        };
        match &self.place {
            Place::S3(bucket, prefix) => {
                let key = below(prefix);
                (
                    bucket.address(&key),
                    format!("s3://{}/{}", bucket.name, decoded(&key)),
                )
            }
            Place::Gcs(bucket, prefix) => {
                let key = below(prefix);
                (
                    bucket.address(&key),
                    format!("gs://{}/{}", bucket.name, decoded(&key)),
                )
            }
            Place::Http { url, .. } => {
                let (base, query) = url.split_once('?').unwrap_or((url, ""));
                let base = base.trim_end_matches('/');
                // Both ways are in use to name such a server.
                let path = match path.strip_prefix("buildid/") {
                    Some(rest) if self.layout == Layout::Debuginfod && base.ends_with("/buildid") => rest,
                    _ => path,
                };
                let shown = format!("{base}/{path}");
                // What stands after `?` there stays at the end.
                let asked = match query {
                    "" => shown.clone(),
                    query => format!("{shown}?{query}"),
                };
                (asked, shown)
            }
        }
    }

    /// Who asks: what a secret lets one see is for those alone who have it.
    pub(super) fn identity(&self) -> [&str; 2] {
        match &self.place {
            Place::Http { login, .. } => login
                .as_ref()
                .map_or(["", ""], |(user, password)| [user, password]),
            Place::S3(bucket, _) => [&bucket.access_key, &bucket.secret_key],
            Place::Gcs(bucket, _) => [&bucket.client_email, &bucket.private_key],
        }
    }

    /// The bucket that is asked with a token.
    pub(super) fn with_token(&self) -> Option<&gcs::Bucket> {
        match &self.place {
            Place::Gcs(bucket, _) => Some(bucket),
            _ => None,
        }
    }

    /// The headers by which it knows who asks for an address at a time, µs.
    pub(super) fn login(&self, url: &str, token: Option<&str>, now: i64) -> Headers {
        let login = match &self.place {
            Place::S3(bucket, _) => return bucket.signed(url, now),
            Place::Gcs(..) => token.map(|token| format!("Bearer {token}")),
            Place::Http { login, .. } => login.as_ref().map(|(user, password)| {
                format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
            }),
        };
        login.map(|l| ("Authorization".into(), l)).into_iter().collect()
    }

    /// Whether it is asked for files of a type.
    pub fn has(&self, file: FileType) -> bool {
        self.types.is_empty() || self.types.iter().any(|t| t == file.name())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::gcs::tests::pem;
    use super::*;

    fn of(kept: Value) -> Source {
        Source::of("ours", &kept, None).expect("a source")
    }

    fn s3(more: Value) -> Value {
        let mut kept = json!({ "type": "s3", "bucket": "symbols", "region": "us-east-1", "access_key": "a" });
        kept.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        kept
    }

    #[test]
    fn what_is_wrong_with_a_source_is_said() {
        let gcs =
            |key: &str| json!({ "type": "gcs", "bucket": "b", "client_email": "a@b", "private_key": key });
        for (kept, field) in [
            (json!({ "type": "ftp" }), "type"),
            (json!({ "type": "http" }), "url"),
            (json!({ "type": "http", "url": "https://a b/" }), "url"),
            (json!({ "type": "http", "url": "https:///x" }), "url"),
            (s3(json!({ "bucket": "" })), "bucket"),
            (s3(json!({ "bucket": "a/b" })), "bucket"),
            (s3(json!({ "region": "example.com/" })), "region"),
            (s3(json!({ "access_key": "a\r\nb" })), "access_key"),
            (s3(json!({ "url": "https://a@b" })), "url"),
            (s3(json!({ "url": "https://b/?x" })), "url"),
            (gcs("hunter2"), "private_key"),
            (
                s3(json!({ "filters": { "path_patterns": vec!["*"; PATTERNS + 1] } })),
                "filters",
            ),
        ] {
            assert_eq!(check_source(&kept).unwrap_err().0, field, "{kept}");
        }
        assert_eq!(check_source(&s3(json!({ "url": "http://minio:9000/" }))), Ok(()));
        assert_eq!(check_source(&gcs(pem())), Ok(()));
    }

    #[test]
    fn addresses_of_files() {
        for (url, layout, path, asked, shown) in [
            (
                "https://s/x",
                "native",
                "a/b",
                "https://s/x/a/b",
                "https://s/x/a/b",
            ),
            (
                "https://s/x/?k=1",
                "native",
                "a",
                "https://s/x/a?k=1",
                "https://s/x/a",
            ),
            (
                "https://s/",
                "debuginfod",
                "buildid/a",
                "https://s/buildid/a",
                "https://s/buildid/a",
            ),
            (
                "https://s/buildid/",
                "debuginfod",
                "buildid/a",
                "https://s/buildid/a",
                "https://s/buildid/a",
            ),
        ] {
            let source = of(json!({ "type": "http", "url": url, "layout": { "type": layout } }));
            assert_eq!(source.address(path), (asked.to_owned(), shown.to_owned()));
        }
        for (more, asked, shown) in [
            (
                json!({}),
                "https://symbols.s3.us-east-1.amazonaws.com/a%20b",
                "s3://symbols/a b",
            ),
            (
                json!({ "prefix": "/a%/b+/", "url": "http://Minio:80/s3/" }),
                "http://minio/s3/symbols/a%25/b%2B/a%20b",
                "s3://symbols/a%/b+/a b",
            ),
            (
                json!({ "type": "gcs", "client_email": "a@b", "prefix": "x" }),
                "https://storage.googleapis.com/symbols/x/a%20b",
                "gs://symbols/x/a b",
            ),
        ] {
            assert_eq!(
                of(s3(more)).address("a%20b"),
                (asked.to_owned(), shown.to_owned())
            );
        }
    }

    #[test]
    fn secrets_are_opened_or_missed() {
        let open: Opens = Arc::new(|purpose, sealed| {
            (purpose == "symbol_source" && sealed == "xyz").then(|| "secret".to_owned())
        });
        let kept = |sealed: &str| s3(json!({ "secret_key": { "sealed": sealed } }));
        let opened = Source::of("ours", &kept("xyz"), Some(&open)).unwrap();
        assert_eq!(
            (opened.identity(), opened.problem.as_ref()),
            (["a", "secret"], None)
        );
        let closed = Source::of("ours", &kept("other"), Some(&open)).unwrap();
        assert!(
            closed
                .problem
                .unwrap()
                .contains("secret_key has to be entered again")
        );
        assert_eq!(
            of(s3(json!({ "secret_key": "plain" }))).identity(),
            ["a", "plain"]
        );
    }

    #[test]
    fn sources_are_asked_for_modules_that_fit() {
        let module = |code: &'static str, debug: &'static str| Module {
            code_file: Some(code.into()),
            debug_file: Some(debug.into()).filter(|d: &std::borrow::Cow<'_, str>| !d.is_empty()),
            ..Module::default()
        };
        let source = |filters: Value| of(s3(json!({ "filters": filters })));
        let patterns = source(json!({ "path_patterns": ["*\\Windows\\*", "/usr/lib/lib?oo.so"] }));
        for (code, debug, fits) in [
            ("C:\\WINDOWS\\System32\\ntdll.dll", "", true),
            ("c:/windows/system32/ntdll.dll", "", true),
            ("/usr/lib/libfoo.so", "", true),
            ("/usr/lib/libfoo.so.1", "", false),
            ("ntdll.dll", "d:\\windows\\ntdll.pdb", true),
        ] {
            assert_eq!(patterns.fits(&module(code, debug)), fits, "{code} {debug}");
        }
        assert!(!patterns.fits(&Module::default()) && source(json!({})).fits(&Module::default()));
        let strict = source(json!({ "requires_checksum": true }));
        let mut module = module("a", "b");
        assert!(!strict.fits(&module));
        module.debug_checksum = Some("SHA256:00".into());
        assert!(strict.fits(&module));
    }
}
