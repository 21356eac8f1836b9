//! Asking other servers for files: redirections are followed within bounds, and how it ended is remembered, so that
//! the next event does not wait for what is not to be had.

use std::borrow::Cow;
use std::time::Duration;

use storage::outgoing::{Outgoing, Request, Response};
use symbolicate::js::urls;

use super::known::Known;

/// How long it is remembered that a server does not have a file, µs.
const MISSING: i64 = 3_600_000_000;
/// How long a server is left alone that did not answer, and a file that it failed to give, µs.
const SILENT: i64 = 300_000_000;
/// Redirections that are followed.
const REDIRECTIONS: usize = 3;
/// The bytes of an answer in which the code of an error is looked for.
const EXPLAINED: usize = 2048;

/// Headers of a request.
pub(super) type Headers = Vec<(Cow<'static, str>, String)>;

/// Why a file did not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Why {
    /// The server does not have it.
    Missing,
    /// The server does not let it be read.
    Forbidden,
    /// The server did not answer in time.
    Timeout,
    /// There was no answer.
    Unreachable,
    /// The answer is none that helps.
    Odd,
    /// This server had too much to ask, which says nothing of the other.
    NotAsked,
}

/// A file that did not come.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Unfetched {
    pub(super) why: Why,
    /// The address that was asked last.
    pub(super) url: String,
    /// What happened.
    pub(super) details: String,
}

impl Unfetched {
    pub(super) fn new(why: Why, url: &str, details: impl ToString) -> Unfetched {
        Unfetched {
            why,
            url: url.to_owned(),
            details: details.to_string(),
        }
    }
}

/// Scheme, host and port of an address.
pub(super) fn origin(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    Some((scheme, rest.split(['/', '?', '#']).next().unwrap_or_default()))
}

/// What did not come, by address, and servers that did not answer.
#[derive(Default)]
pub(super) struct Memory(Known<String, Unfetched>);

/// Servers that hold the buckets of everybody: each bucket is a server of its own.
const SHARED: &[&str] = &["storage.googleapis.com", ".amazonaws.com", ".amazonaws.com.cn"];

/// The server of an address, by which it is left alone.
fn host(url: &str) -> String {
    let (_, host) = origin(url).unwrap_or_default();
    let shared = SHARED.iter().any(|end| host.ends_with(end));
    let bucket = url.split('/').nth(3).filter(|_| shared).unwrap_or_default();
    format!("host {host} {bucket}")
}

impl Memory {
    /// How asking ended the last time, if that still counts; `key` stands for the file.
    pub(super) fn recall(&self, generation: u64, key: &str, url: &str, now: i64) -> Option<Unfetched> {
        let of_file = self.0.get(generation, &key.to_owned(), now);
        of_file.or_else(|| self.0.get(generation, &host(url), now))
    }

    /// Remembers how asking ended.
    pub(super) fn note(&self, generation: u64, key: &str, url: &str, what: &Unfetched, now: i64) {
        let (key, pause) = match what.why {
            Why::NotAsked => return,
            Why::Missing | Why::Forbidden => (key.to_owned(), MISSING),
            Why::Timeout => (host(url), SILENT),
            Why::Unreachable | Why::Odd => (key.to_owned(), SILENT),
        };
        self.0.put(generation, key, what.clone(), now + pause);
    }

    /// Remembers for some minutes that something was not given, whatever was said.
    pub(super) fn pause(&self, generation: u64, key: &str, what: &Unfetched, now: i64) {
        if what.why != Why::NotAsked {
            self.0.put(generation, key.to_owned(), what.clone(), now + SILENT);
        }
    }
}

/// Says whether one more request may be made: why not.
pub(super) type Turn<'a> = dyn Fn() -> Result<(), Unfetched> + 'a;

/// How a server is asked.
pub(super) struct Fetch<'a> {
    pub(super) outgoing: &'a dyn Outgoing,
    /// The largest file, bytes.
    pub(super) most: u64,
    /// How long a server may take.
    pub(super) patience: Duration,
    /// What goes to an address beside the request: whoever makes it decides whom a secret is for.
    pub(super) headers: &'a dyn Fn(&str) -> Headers,
    pub(super) turn: &'a Turn<'a>,
}

/// What a server says of an error, as stores of objects say it: `<Code>AccessDenied</Code>`.
fn code(answer: &Response) -> Option<&str> {
    let start = std::str::from_utf8(answer.body.get(..EXPLAINED).unwrap_or(&answer.body)).ok()?;
    let (code, _) = start.split_once("<Code>")?.1.split_once("</Code>")?;
    let fits = !code.is_empty() && code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then_some(code)
}

/// An answer in words.
fn said(answer: &Response) -> String {
    let mut text = format!("the server answers {}", answer.status);
    if let Some(code) = code(answer) {
        text.push_str(&format!(" ({code})"));
    }
    // Amazon's stores say so of a bucket that is asked for in another region.
    if let (301 | 400, Some(region)) = (answer.status, answer.header("x-amz-bucket-region")) {
        text.push_str(&format!(": the bucket is in the region {region}"));
    }
    text
}

impl Fetch<'_> {
    /// Asks for a file, wherever that leads; also says where it was in the end.
    pub(super) fn get(&self, url: &str) -> Result<(Response, String), Unfetched> {
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTIONS {
            let mut headers: Headers = vec![("Accept".into(), "*/*".into())];
            headers.extend((self.headers)(&url));
            let answer = self.ask("GET", &url, headers, Vec::new(), false)?;
            let wrong = |why| Err(Unfetched::new(why, &url, said(&answer)));
            match answer.status {
                200 => return Ok((answer, url)),
                301 | 302 | 303 | 307 | 308 => match answer.header("location") {
                    Some(to) => url = urls::join(&url, to),
                    None => {
                        let what = format!("{} and does not say where the file is", said(&answer));
                        return Err(Unfetched::new(Why::Odd, &url, what));
                    }
                },
                404 | 410 => return wrong(Why::Missing),
                401 | 403 => return wrong(Why::Forbidden),
                _ => return wrong(Why::Odd),
            }
        }
        let what = format!("the server leads elsewhere more than {REDIRECTIONS} times");
        Err(Unfetched::new(Why::Odd, &url, what))
    }

    /// Sends a form; its answer must be 200. Nobody on the way may read it.
    pub(super) fn send(&self, url: &str, form: String) -> Result<Response, Unfetched> {
        let kind = "application/x-www-form-urlencoded".to_owned();
        let answer = self.ask(
            "POST",
            url,
            vec![("Content-Type".into(), kind)],
            form.into(),
            true,
        )?;
        match answer.status {
            200 => Ok(answer),
            400 | 401 | 403 => Err(Unfetched::new(Why::Forbidden, url, said(&answer))),
            _ => Err(Unfetched::new(Why::Odd, url, said(&answer))),
        }
    }

    fn ask(
        &self,
        method: &'static str,
        url: &str,
        headers: Headers,
        body: Vec<u8>,
        private: bool,
    ) -> Result<Response, Unfetched> {
        (self.turn)()?;
        let request = Request {
            method,
            url: url.to_owned(),
            headers,
            body,
            most: self.most,
            patience: Some(self.patience),
            private,
        };
        self.outgoing.ask(&request).map_err(|e| {
            let why = if e.0.contains("did not answer") {
                Why::Timeout
            } else if e.0.contains("was not asked") {
                Why::NotAsked
            } else {
                Why::Unreachable
            };
            Unfetched::new(why, url, e.0)
        })
    }
}

/// A network of answers, for tests: address, status, headers and body of each.
#[cfg(test)]
pub(super) mod fake {
    use parking_lot::Mutex;
    use storage::outgoing::{Outgoing, OutgoingError, Request, Response};

    type Answer = (String, u16, Vec<(String, String)>, Vec<u8>);

    #[derive(Default)]
    pub struct Network {
        answers: Vec<Answer>,
        pub asked: Mutex<Vec<Request>>,
    }

    impl Network {
        pub fn with(mut self, url: &str, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Network {
            let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
            self.answers
                .push((url.into(), status, headers.collect(), body.to_vec()));
            self
        }
    }

    impl Outgoing for Network {
        fn ask(&self, request: &Request) -> Result<Response, OutgoingError> {
            self.asked.lock().push(request.clone());
            let found = self.answers.iter().find(|a| a.0 == request.url);
            let (_, status, headers, body) =
                found.ok_or_else(|| OutgoingError("it did not answer in 1 s".into()))?;
            Ok(Response {
                status: *status,
                headers: headers.clone(),
                body: body.clone(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::Network;
    use super::*;

    fn get(network: &Network, url: &str) -> Result<String, (Why, String)> {
        let fetch = Fetch {
            outgoing: network,
            most: 100,
            patience: Duration::from_secs(1),
            headers: &|_| Vec::new(),
            turn: &|| Ok(()),
        };
        fetch.get(url).map(|(_, url)| url).map_err(|e| (e.why, e.details))
    }

    #[test]
    fn redirections_are_followed_so_far() {
        let network = Network::default()
            .with("https://a/1", 302, &[("location", "/2")], b"")
            .with("https://a/2", 307, &[("location", "https://b/3")], b"")
            .with("https://b/3", 200, &[], b"here")
            .with("https://a/loop", 301, &[("location", "loop")], b"")
            .with(
                "https://a/lost",
                301,
                &[("x-amz-bucket-region", "eu-west-1")],
                b"",
            );
        assert_eq!(get(&network, "https://a/1").as_deref(), Ok("https://b/3"));
        let (why, what) = get(&network, "https://a/loop").unwrap_err();
        assert!(why == Why::Odd && what.contains("more than 3 times"), "{what}");
        let (why, what) = get(&network, "https://a/lost").unwrap_err();
        assert!(
            why == Why::Odd && what.contains("in the region eu-west-1 and does not say where"),
            "{what}"
        );
    }

    #[test]
    fn how_it_ends_is_told_apart() {
        let denied = b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>No</Message></Error>";
        let network = Network::default()
            .with("https://a/gone", 410, &[], b"")
            .with("https://a/secret", 403, &[], denied)
            .with("https://a/odd", 500, &[], b"<Code><script>1</script></Code>");
        for (url, why, details) in [
            ("https://a/gone", Why::Missing, "the server answers 410"),
            (
                "https://a/secret",
                Why::Forbidden,
                "the server answers 403 (AccessDenied)",
            ),
            ("https://a/odd", Why::Odd, "the server answers 500"),
            ("https://b/", Why::Timeout, "it did not answer in 1 s"),
        ] {
            assert_eq!(get(&network, url), Err((why, details.to_owned())));
        }
    }

    #[test]
    fn what_did_not_come_is_remembered_for_the_file_or_its_server() {
        let memory = Memory::default();
        let url = "https://a/1";
        let recall = |key: &str, now| memory.recall(0, key, url, now).map(|u| u.why);
        let note = |why| memory.note(0, "file", url, &Unfetched::new(why, url, ""), 0);
        note(Why::NotAsked);
        assert_eq!(recall("file", 1), None);
        note(Why::Odd);
        assert_eq!(
            (recall("file", SILENT - 1), recall("file", SILENT)),
            (Some(Why::Odd), None)
        );
        note(Why::Missing);
        assert_eq!(
            (recall("file", MISSING - 1), recall("other", 1)),
            (Some(Why::Missing), None)
        );
        note(Why::Timeout);
        assert_eq!(recall("other", 1), Some(Why::Timeout));
        assert_eq!(memory.recall(0, "other", "https://b/1", 1), None);
    }

    #[test]
    fn buckets_of_one_server_do_not_answer_for_each_other() {
        let memory = Memory::default();
        let (a, b) = (
            "https://storage.googleapis.com/a/1",
            "https://storage.googleapis.com/b/1",
        );
        memory.note(0, "a", a, &Unfetched::new(Why::Timeout, a, ""), 0);
        assert!(memory.recall(0, "other", a, 1).is_some());
        assert_eq!(memory.recall(0, "other", b, 1), None);
        memory.pause(0, "token", &Unfetched::new(Why::Forbidden, b, ""), 0);
        assert!(memory.recall(0, "token", b, SILENT - 1).is_some());
        assert_eq!(memory.recall(0, "token", b, SILENT), None);
    }

    #[test]
    fn origins() {
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
}
