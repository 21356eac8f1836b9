//! Who a request comes from, behind reverse proxies.

use std::net::{IpAddr, SocketAddr};

/// The client's address: what the nearest proxies that are trusted say, read from the last entry of
/// `X-Forwarded-For` back to the first that is not a trusted proxy itself. What stands before that one was sent
/// by the client and proves nothing.
///
/// `peer` is the other end of the connection, if it is known, `lists` the values of the header in order.
pub fn client<'a>(
    peer: Option<IpAddr>,
    lists: impl IntoIterator<Item = &'a str>,
    trusted: &dyn Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let mut client = peer;
    if client.is_some_and(|p| !trusted(p)) {
        return client;
    }
    let entries: Vec<&str> = lists.into_iter().flat_map(|l| l.split(',')).collect();
    for entry in entries.into_iter().rev() {
        let Some(address) = address(entry.trim()) else {
            // `unknown` or worse: nothing before it can be believed.
            break;
        };
        client = Some(address);
        if !trusted(address) {
            break;
        }
    }
    client
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        match bare {
            Some(bare) => bare.parse().ok(),
            None => text.parse::<SocketAddr>().ok().map(|a| a.ip()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_say_counts() {
        let trusted = |a: IpAddr| a.is_loopback() || a.to_string().starts_with("10.");
        for (peer, lists, want) in [
            ("203.0.113.1", &["198.51.100.7"][..], "203.0.113.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("127.0.0.1", &["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            ("127.0.0.1", &["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
            ("127.0.0.1", &["198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("127.0.0.1", &["10.0.0.9, 10.0.0.2"], "10.0.0.9"),
            ("127.0.0.1", &["198.51.100.7, unknown"], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("::1", &["[2001:db8::1]:80"], "2001:db8::1"),
            ("::1", &["[2001:db8::1]"], "2001:db8::1"),
            ("::1", &["2001:db8::1"], "2001:db8::1"),
            ("::1", &["", ","], "::1"),
        ] {
            let got = client(peer.parse().ok(), lists.iter().copied(), &trusted);
            assert_eq!(got, want.parse().ok(), "{peer} {lists:?}");
        }
        assert_eq!(client(None, ["1.1.1.1"], &trusted), "1.1.1.1".parse().ok());
    }
}
