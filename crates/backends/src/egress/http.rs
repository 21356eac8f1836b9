//! HTTP to addresses that users name. A name is looked up once, what it leads to is checked, and exactly that is
//! asked: networks of private use are refused unless the settings name them. Nothing follows a redirection, no proxy
//! of the environment is used, and size and time of an answer are bounded.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use storage::outgoing::{Outgoing, OutgoingError, Request, Response};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// How long all of a request may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest answer that is read if a request does not ask for less, bytes.
const MOST: u64 = 4 << 20;

/// Requests that are under way at the same time: who waits for an answer holds a thread.
const AT_ONCE: usize = 16;

/// Whether the settings let an address of private use be asked.
pub type Allowed = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

fn public_v4(a: Ipv4Addr) -> bool {
    let [first, second, third, _] = a.octets();
    // "This" network, shared space of providers (RFC 6598), protocol assignments, benchmarks, reserved space.
    let special = first == 0
        || (first == 100 && second & 0xc0 == 64)
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && second & 0xfe == 18)
        || first >= 240;
    !(special
        || a.is_private()
        || a.is_loopback()
        || a.is_link_local()
        || a.is_multicast()
        || a.is_documentation())
}

/// The address that an IPv6 address stands for, if it is a way to an IPv4 one: mapped, NAT64, 6to4, compatible.
fn inner(a: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = a.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(of(high, low)),
        _ => None,
    }
}

/// Whether an address is one of the public network.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => public_v4(a),
        IpAddr::V6(a) => match inner(a) {
            Some(a) => public_v4(a),
            // Global unicast is 2000::/3; of it Teredo and documentation lead nowhere that is meant.
            None => {
                let s = a.segments();
                s[0] & 0xe000 == 0x2000 && !(s[0] == 0x2001 && (s[1] == 0 || s[1] == 0xdb8))
            }
        },
    }
}

/// Looks names up, and lets only addresses through that may be asked.
struct Guard {
    allowed: Allowed,
    /// Plain HTTP goes only to networks that the settings name.
    private: bool,
    names: DefaultResolver,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard")
    }
}

fn refuse(why: String) -> ureq::Error {
    ureq::Error::Io(std::io::Error::new(std::io::ErrorKind::PermissionDenied, why))
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        let host = uri.host().unwrap_or_default();
        let plain = uri.scheme_str() != Some("https");
        let mut good = self.empty();
        for address in &found {
            let named = (self.allowed)(address.ip());
            if named || (is_public(address.ip()) && !(plain && self.private)) {
                good.push(*address);
            }
        }
        if !good.is_empty() {
            return Ok(good);
        }
        let any = found.first().map(|a| a.ip());
        Err(refuse(match any {
            Some(ip) if is_public(ip) => format!("{host} must be asked over https"),
            Some(ip) => format!(
                "{host} is the address {ip}, which is of private use: an administrator of the server can allow it \
                 with the setting outgoing-private-networks"
            ),
            None => format!("the name {host} is not known"),
        }))
    }
}

/// The client.
pub struct Http {
    any: ureq::Agent,
    private: ureq::Agent,
    under_way: AtomicUsize,
}

/// One of the [`AT_ONCE`] requests.
struct Turn<'a>(&'a AtomicUsize);

impl Turn<'_> {
    fn take(under_way: &AtomicUsize) -> Option<Turn<'_>> {
        let more = |n| (n < AT_ONCE).then_some(n + 1);
        let taken = under_way.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.ok().map(|_| Turn(under_way))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Http {
    /// A client that trusts the authorities of the system and those of a file (PEM).
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn new(ca_file: Option<&Path>, allowed: Allowed) -> Result<Http, OutgoingError> {
        let mut roots: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
            .certs
            .iter()
            .map(|c| Certificate::from_der(c).to_owned())
            .collect();
        if let Some(path) = ca_file {
            let wrong = |e: String| OutgoingError(format!("ca-file {}: {e}", path.display()));
            let pem = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
            for item in parse_pem(&pem) {
                if let PemItem::Certificate(c) = item.map_err(|e| wrong(e.to_string()))? {
                    roots.push(c);
                }
            }
        }
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = |private| {
            let config = ureq::Agent::config_builder()
                .tls_config(tls.clone())
                .proxy(None)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .http_status_as_error(false)
                .timeout_global(Some(PATIENCE))
                // A connection that is kept would be used without looking at its address again.
                .max_idle_connections(0)
                .user_agent(concat!("vedette/", env!("CARGO_PKG_VERSION")))
                .build();
            let guard = Guard {
                allowed: allowed.clone(),
                private,
                names: DefaultResolver::default(),
            };
            ureq::Agent::with_parts(config, DefaultConnector::default(), guard)
        };
        Ok(Http {
            any: agent(false),
            private: agent(true),
            under_way: AtomicUsize::new(0),
        })
    }

    fn try_ask(&self, request: &Request, most: u64) -> Result<Response, ureq::Error> {
        let agent = if request.private { &self.private } else { &self.any };
        let mut builder = ureq::http::Request::builder()
            .method(request.method)
            .uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(&**name, value);
        }
        let wrong = |e: ureq::http::Error| ureq::Error::BadUri(e.to_string());
        let patience = Some(request.patience.unwrap_or(PATIENCE));
        let mut answer = if request.method == "GET" {
            let asked = builder.body(()).map_err(wrong)?;
            agent.run(agent.configure_request(asked).timeout_global(patience).build())?
        } else {
            let asked = builder.body(request.body.as_slice()).map_err(wrong)?;
            agent.run(agent.configure_request(asked).timeout_global(patience).build())?
        };
        let headers = answer.headers().iter();
        let headers = headers
            .filter_map(|(n, v)| Some((n.as_str().to_owned(), v.to_str().ok()?.to_owned())))
            .collect();
        Ok(Response {
            headers,
            status: answer.status().as_u16(),
            body: answer.body_mut().with_config().limit(most).read_to_vec()?,
        })
    }
}

impl Outgoing for Http {
    fn ask(&self, request: &Request) -> Result<Response, OutgoingError> {
        let most = if request.most == 0 { MOST } else { request.most };
        let host = request.url.split('/').nth(2).unwrap_or(&request.url);
        let Some(_turn) = Turn::take(&self.under_way) else {
            return Err(OutgoingError(format!(
                "{host} was not asked: {AT_ONCE} requests to other servers wait for their answers"
            )));
        };
        self.try_ask(request, most).map_err(|e| {
            OutgoingError(match e {
                ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::PermissionDenied => e.to_string(),
                ureq::Error::Timeout(_) => {
                    let patience = request.patience.unwrap_or(PATIENCE);
                    format!("{host} did not answer in {} s", patience.as_secs())
                }
                ureq::Error::HostNotFound => format!("the name of {host} is not known"),
                ureq::Error::BodyExceedsLimit(_) => {
                    format!("{host} answers with more than {most} bytes")
                }
                other => format!("{host}: {other}"),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    #[test]
    fn addresses_of_private_use_are_known() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "::7f00:1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "9.9.9.9",
            "172.32.0.1",
            "100.128.0.1",
            "2620:fe::fe",
            "::ffff:9.9.9.9",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    /// A server that answers every request with this, so many times.
    fn answering(text: String, times: usize) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().take(times) {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(text.as_bytes());
            }
        });
        port
    }

    fn get(http: &Http, url: String, private: bool) -> Result<Response, OutgoingError> {
        http.ask(&Request {
            method: "GET",
            url,
            most: 100,
            private,
            ..Request::default()
        })
    }

    #[test]
    fn a_name_that_leads_inside_is_refused() {
        let port = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".into(), 1);
        let closed = Http::new(None, Arc::new(|_| false)).unwrap();
        for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"] {
            let e = get(&closed, format!("http://{host}:{port}/"), false).unwrap_err();
            assert!(e.0.contains("outgoing-private-networks"), "{host}: {e}");
        }
        let open = Http::new(None, Arc::new(|a: IpAddr| a.is_loopback())).unwrap();
        let answer = get(&open, format!("http://127.0.0.1:{port}/"), true).unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"hi"[..]));
        let e = get(&closed, "http://9.9.9.9:1/".into(), true).unwrap_err();
        assert!(e.0.contains("over https"), "{e}");
    }

    #[test]
    fn answers_are_bounded_and_redirections_stay() {
        let open = Http::new(None, Arc::new(|a: IpAddr| a.is_loopback())).unwrap();
        let long = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n{}",
            "x".repeat(101)
        );
        let port = answering(long, 1);
        let e = get(&open, format!("http://127.0.0.1:{port}/"), false).unwrap_err();
        assert!(e.0.contains("more than 100 bytes"), "{e}");
        let moved = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
        let port = answering(moved.into(), 1);
        assert_eq!(
            get(&open, format!("http://127.0.0.1:{port}/"), false)
                .unwrap()
                .status,
            302
        );
    }

    #[test]
    fn who_waits_is_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let open = Http::new(None, Arc::new(|a: IpAddr| a.is_loopback())).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| get(&open, url.clone(), false));
            }
            let waiting: Vec<_> = listener.incoming().take(AT_ONCE).map(Result::unwrap).collect();
            let e = get(&open, url.clone(), false).unwrap_err();
            assert!(e.0.contains("wait for their answers"), "{e}");
            drop(waiting);
        });
        assert_eq!(open.under_way.load(Ordering::Relaxed), 0);
    }
}
