//! The XML that the engine writes: elements without namespaces, of which the names and texts are wanted. Attributes,
//! comments and what is nested deeper are skipped; nothing is ever fetched or expanded.

/// Elements that are read.
const MAX_ELEMENTS: usize = 10_000;

/// The children of the sections of a document: section, name and text, in their order.
pub(super) fn sections(text: &str) -> Vec<(String, String, String)> {
    let mut out = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut content = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        if open.len() == 3 {
            content.push_str(&decoded(&rest[..at]));
        }
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("<![CDATA[") {
            let end = after.find("]]>").unwrap_or(after.len());
            if open.len() == 3 {
                content.push_str(&after[..end]);
            }
            rest = after.get(end + 3..).unwrap_or_default();
            continue;
        }
        if let Some(after) = rest.strip_prefix("<!--") {
            let end = after.find("-->").unwrap_or(after.len());
            rest = after.get(end + 3..).unwrap_or_default();
            continue;
        }
        let Some(end) = rest.find('>') else { break };
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            if open.last().is_none_or(|o| o != name.trim()) {
                break;
            }
            let name = open.pop().unwrap_or_default();
            if let [_, section] = open.as_slice() {
                out.push((
                    section.clone(),
                    name,
                    std::mem::take(&mut content).trim().to_owned(),
                ));
            }
        } else {
            let empty = tag.ends_with('/');
            let name = tag
                .trim_end_matches('/')
                .split_whitespace()
                .next()
                .unwrap_or_default();
            if empty {
                continue;
            }
            open.push(name.to_owned());
            if open.len() == 3 {
                content.clear();
            }
        }
        if out.len() >= MAX_ELEMENTS || open.len() > 100 {
            break;
        }
    }
    out
}

/// A text with its five named and its numbered entities resolved.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = rest
            .find(';')
            .filter(|end| *end <= 10)
            .and_then(|end| Some((entity(&rest[1..end])?, end)));
        match found {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
