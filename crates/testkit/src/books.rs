//! What a test sent, counted apart from the server: each item must end stored or discarded with a reason.

use serde_json::Value;

/// Items that the server took or refused by a limit, and what clients reported.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Books {
    /// Items: events, attachments and all others, one each.
    pub items: u64,
    /// Quantities of client reports.
    pub reported: u64,
}

impl Books {
    /// Counts a request by its path and body. Only what was answered 200 or 429 has a fate of its own, and
    /// what a page may not send; the
    /// sender of anything else knows that nothing was taken.
    pub fn request(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8], status: u16) {
        let page = headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("origin"));
        if !(matches!(status, 200 | 429) || status == 403 && page) {
            return;
        }
        let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
        let encoded = headers
            .iter()
            .any(|(n, _)| n.eq_ignore_ascii_case("content-encoding"));
        if path.ends_with("/envelope") {
            assert!(!encoded, "an encoded envelope cannot be counted here");
            self.envelope(body);
        } else if path.ends_with("/minidump") {
            // The event, and a file for each that is named; a dump alone is one. Who encodes it counts it plain.
            let named = body.windows(10).filter(|w| w == b"filename=\"").count() as u64;
            if !encoded {
                self.items += 1 + named.max(1);
            }
        } else if path.ends_with("/store") {
            self.items += 1;
        } else if path.ends_with("/security") || path.ends_with("/csp-report") {
            let reports: Value = serde_json::from_slice(body).unwrap_or_default();
            self.items += reports.as_array().map_or(1, |a| a.len() as u64);
        }
    }

    fn envelope(&mut self, body: &[u8]) {
        let line = |from: &[u8]| from.iter().position(|b| *b == b'\n').unwrap_or(from.len());
        let mut rest = body.get(line(body) + 1..).unwrap_or_default();
        while !rest.is_empty() {
            let end = line(rest);
            let header: Value = serde_json::from_slice(&rest[..end]).unwrap_or_default();
            rest = rest.get(end + 1..).unwrap_or_default();
            let Some(kind) = header["type"].as_str() else {
                continue;
            };
            let length = header["length"].as_u64().map_or(line(rest), |n| n as usize);
            let payload = &rest[..length.min(rest.len())];
            rest = rest.get(length + 1..).unwrap_or_default();
            if kind == "client_report" {
                let report: Value = serde_json::from_slice(payload).unwrap_or_default();
                let discarded = report["discarded_events"].as_array().cloned().unwrap_or_default();
                self.reported += discarded
                    .iter()
                    .filter_map(|d| d["quantity"].as_u64())
                    .sum::<u64>();
            } else {
                self.items += 1;
            }
        }
    }

    /// What the server says became of everything, from the groups of its `stats_v2` by outcome and category.
    pub fn of_groups(groups: &Value) -> Books {
        let mut books = Books::default();
        for group in groups.as_array().into_iter().flatten() {
            let quantity = group["totals"]["sum(quantity)"].as_u64().unwrap_or_default();
            if group["by"]["outcome"] == "client_discard" {
                books.reported += quantity;
            } else if group["by"]["category"] != "attachment" {
                // Attachments are also counted in bytes; here their pieces count.
                books.items += quantity;
            }
        }
        books
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_counted_by_path() {
        let mut books = Books::default();
        let envelope = b"{}\n{\"type\":\"event\"}\n{}\n{\"type\":\"attachment\",\"length\":3}\na\nb\n\
            {\"type\":\"client_report\"}\n{\"discarded_events\":[{\"quantity\":2},{\"quantity\":3}]}\n";
        books.request("/api/1/envelope/?sentry_key=a", &[], envelope, 200);
        assert_eq!((books.items, books.reported), (2, 5));
        books.request("/api/1/envelope", &[], envelope, 413);
        books.request("/api/1/store/", &[("Content-Encoding", "gzip")], b"\x1f", 200);
        books.request("/api/1/security/", &[], b"[{},{}]", 200);
        books.request("/api/0/organizations/", &[], b"", 200);
        books.request("/api/1/minidump/", &[], b"MDMP", 200);
        books.request("/api/1/minidump/", &[], b"filename=\"a\" filename=\"b\"", 200);
        assert_eq!((books.items, books.reported), (10, 5));
    }
}
