//! Debug files from buckets that a project names: of S3, against a real server, and of Google Cloud Storage, whose
//! addresses are fixed, against answers at the port that asks other servers.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use pipeline::directory::Directory;
use pipeline::symbols::Symbols;
use pipeline::symbols::convert::Here;
use processing::Symbolicate as _;
use serde_json::{Value, json};
use storage::outgoing::{Outgoing, OutgoingError, Request, Response};
use storage::relational::documents::{self, Document};
use storage::relational::{people, projects};

use crate::clients::{fetched, install_python, sources};
use crate::inside::{Ahead, stores};
use crate::on_one;
use crate::sources::{BUILD_ID, SOURCES, fixture, functions, image, read, send, tries};

/// Stores of objects by moto, which checks signatures.
struct Store {
    child: Child,
    port: String,
    access_key: String,
    secret_key: String,
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Store {
    /// With a file under these keys.
    fn start(file: &str, keys: &[String]) -> Store {
        let lock = "requirements.txt";
        let packages = fetched("s3", &[lock], |folder| {
            install_python(folder, &sources("s3").join(lock));
        });
        let mut child = Command::new(packages.join("bin/python"))
            .arg(sources("s3").join("server.py"))
            .arg(fixture(file))
            .args(keys)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        Store {
            port: line(),
            access_key: line(),
            secret_key: line(),
            child,
        }
    }
}

/// Whether a file below a folder holds a text.
fn holds(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, text);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(text.len()).any(|w| w == text.as_bytes())
    })
}

#[test]
fn debug_files_from_a_bucket() {
    on_one(
        &["--set", "outgoing-private-networks=127.0.0.1"],
        |server, folder| {
            let place = |id: &str| format!("{}/{}.debug", &id[..2], &id[2..]);
            let key = |id: &str| format!("de bug+/{}", place(id));
            let store = Store::start("elf/libshop.so", &[key(BUILD_ID)]);
            let endpoint = format!("http://127.0.0.1:{}", store.port);
            let source = json!({
                "type": "s3", "id": "bucket", "name": "Bucket", "bucket": "symbols", "region": "eu-central-1",
                "url": endpoint, "access_key": store.access_key, "secret_key": store.secret_key, "prefix": "de bug+",
                "layout": { "type": "native" },
            });
            let added = server.api("POST", SOURCES, Some(&source));
            assert_eq!(added.status, 201, "{}", added.json());
            assert_eq!(added.json()["secret_key"], json!({ "hidden-secret": true }));
            assert!(added.json()["acting"].is_null());
            let tried = |id: &str, how: &str| {
                let location = format!("s3://symbols/{}", key(id));
                ("bucket".to_owned(), location, how.to_owned())
            };
            let found = send(server, 1, BUILD_ID);
            assert!(
                functions(&found).contains(&"shop_checkout".to_owned()),
                "{}",
                image(&found)["candidates"]
            );
            assert!(tries(&found).contains(&tried(BUILD_ID, "ok")));
            let none = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
            assert!(tries(&send(server, 2, none)).contains(&tried(none, "notfound")));

            // The secret is sealed where it lies, and stays when it is sent back as it is shown.
            assert!(!holds(folder, &store.secret_key));
            let update = format!("{SOURCES}?id=bucket");
            let put = |body: Value| server.api("PUT", &update, Some(&body));
            let mut renamed = added.json();
            renamed["name"] = json!("Renamed");
            // A tool that names the server with the region.
            renamed["region"] = json!(["eu-central-1", endpoint]);
            let renamed = put(renamed);
            assert_eq!(
                (renamed.status, &renamed.json()["region"], &renamed.json()["url"]),
                (200, &json!("eu-central-1"), &json!(endpoint))
            );
            assert_eq!(functions(&send(server, 3, BUILD_ID)), functions(&found));

            // Whoever has another secret sees nothing, also not what others fetched.
            assert_eq!(put(json!({ "secret_key": "wrong" })).status, 200);
            let refused = send(server, 4, BUILD_ID);
            assert!(functions(&refused).is_empty());
            assert!(
                tries(&refused).contains(&tried(BUILD_ID, "noperm")),
                "{:?}",
                tries(&refused)
            );
            let candidates = image(&refused)["candidates"].to_string();
            assert!(
                candidates.contains("the server answers 403 (SignatureDoesNotMatch)"),
                "{candidates}"
            );
            assert_eq!(image(&refused)["debug_status"], "missing");
        },
    );
}

/// Google's servers: who has the token may read one file.
#[derive(Default)]
struct Google {
    file: Vec<u8>,
    refuses: AtomicBool,
    asked: Mutex<Vec<String>>,
}

const TOKENS: &str = "https://oauth2.googleapis.com/token";

impl Outgoing for Google {
    fn ask(&self, request: &Request) -> Result<Response, OutgoingError> {
        self.asked.lock().push(request.url.clone());
        let header = |name: &str| request.headers.iter().find(|(n, _)| n == name).map(|(_, v)| &**v);
        let refuses = self.refuses.load(Ordering::Relaxed);
        let place = format!("/builds/{}/{}.debug", &BUILD_ID[..2], &BUILD_ID[2..]);
        let (status, body) = match request.url.as_str() {
            TOKENS if refuses => (400, br#"{"error":"invalid_grant"}"#.to_vec()),
            TOKENS => {
                assert!(request.private && request.method == "POST");
                let token = json!({ "access_token": "ya29.abc", "expires_in": 3599, "token_type": "Bearer" });
                (200, token.to_string().into_bytes())
            }
            _ if header("Authorization") != Some("Bearer ya29.abc") => (401, Vec::new()),
            url if url == format!("https://storage.googleapis.com/symbols{place}") => {
                (200, self.file.clone())
            }
            _ => (404, b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
        };
        Ok(Response {
            status,
            headers: Vec::new(),
            body,
        })
    }
}

#[test]
fn debug_files_from_google() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Ahead::default());
    let stores = stores(folder.path(), clock.clone());
    let key = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output()
        .unwrap();
    let key = String::from_utf8(key.stdout).unwrap();
    let project = stores
        .sql
        .writing(|c| {
            let org = people::add_organization(c, "acme", "Acme", 0)?;
            let id = projects::add(c, org, "shop", "Shop", None, 0)?;
            let source = json!({
                "type": "gcs", "bucket": "symbols", "client_email": "reader@acme.iam.gserviceaccount.com",
                "private_key": { "sealed": "the key" }, "prefix": "builds", "layout": { "type": "native" },
            });
            let document = Document {
                id: 0,
                kind: "symbol_source".into(),
                org,
                project: Some(id),
                slug: "google".into(),
                label: "Google".into(),
                body: source,
                user: None,
                date_added: 0,
                last_updated: 0,
            };
            documents::add(c, &document)?;
            Ok(id)
        })
        .unwrap();
    let project = u64::try_from(project).unwrap();
    let opens = Arc::new(move |purpose: &str, sealed: &str| {
        (purpose == "symbol_source" && sealed == "the key").then(|| key.clone())
    });
    let google = Arc::new(Google {
        file: read("elf/libshop.so"),
        ..Google::default()
    });
    let cache = backends::cache::Folder::open(&folder.path().join("cache"), 1 << 30, clock.clone()).unwrap();
    let symbols = Symbols::new(
        stores.clone(),
        Arc::new(Directory::open(stores.sql.clone(), 90, opens).unwrap()),
        Arc::new(cache),
        Arc::new(Here),
        google.clone(),
    );
    // The event of the fixture with another build of the library, as it is afterwards.
    let event = |code_id: &str| -> Value {
        let input: Value = serde_json::from_slice(&read("elf/input.json")).unwrap();
        let mut event = input["event"].clone();
        event["debug_meta"]["images"][1]["code_id"] = json!(code_id);
        let text = event.to_string();
        let (parsed, _) = protocol::json::parse_str(&text).unwrap();
        let mut parsed = parsed.into_owned();
        symbols.symbolicate(parsed.as_object_mut().unwrap(), project);
        serde_json::from_str(&parsed.to_string()).unwrap()
    };
    let candidates = |event: &Value| event["debug_meta"]["images"][1]["candidates"].to_string();
    let asked_for_tokens = || google.asked.lock().iter().filter(|url| *url == TOKENS).count();

    let found = event(BUILD_ID);
    assert!(
        found.to_string().contains("shop_checkout"),
        "{}",
        candidates(&found)
    );
    let location = format!("gs://symbols/builds/{}/{}.debug", &BUILD_ID[..2], &BUILD_ID[2..]);
    assert!(candidates(&found).contains(&location), "{}", candidates(&found));
    // A token serves until it ends.
    let none = event("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
    assert!(candidates(&none).contains("notfound"), "{}", candidates(&none));
    assert_eq!(asked_for_tokens(), 1);
    clock.days(1);
    google.refuses.store(true, Ordering::Relaxed);
    for id in [
        "cccccccccccccccccccccccccccccccccccccccc",
        "dddddddddddddddddddddddddddddddddddddddd",
    ] {
        let refused = candidates(&event(id));
        assert!(
            refused.contains("noperm") && refused.contains("no token for the service account"),
            "{refused}"
        );
    }
    // That there is none is remembered, too.
    assert_eq!(asked_for_tokens(), 2);
}
