//! What was on the screen: the tree of views that SDKs attach as JSON, whose classes get their names back.
//!
//! `{"windows": [{"type": "a.b", "children": [{"type": …}]}]}`. Views lie deeper within each other than anything else
//! that is sent, so the text is walked from its front to its end without a call within a call, and nothing but the names
//! is written anew.

use serde::de::IgnoredAny;

/// The largest tree that is read, bytes.
pub const LARGEST: usize = 16 << 20;

/// The largest tree that is written, bytes.
pub const WRITTEN: usize = 32 << 20;

/// Lists and objects within each other; a view is one of each.
pub const DEEPEST: usize = 2_000;

/// What a list or an object is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// A list of views.
    Views,
    View,
    Other,
}

/// Which member of an object is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    /// None yet: a text is the name of the next.
    Next,
    /// The views within this one.
    Views,
    /// The class.
    Type,
    Other,
}

/// The tree with classes called by the names that `original` knows. `None` if nothing is called otherwise, and if the
/// bytes are no JSON, or more or deeper than is read.
pub fn rename(bytes: &[u8], original: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    if bytes.len() > LARGEST {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut open: Vec<(Place, Member)> = Vec::new();
    let mut out = Vec::new();
    let (mut at, mut written) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                if open.len() == DEEPEST {
                    return None;
                }
                let place = match (open.last(), byte) {
                    (None, b'{') => Place::Root,
                    (Some((Place::Root | Place::View, Member::Views)), b'[') => Place::Views,
                    (Some((Place::Views, _)), b'{') => Place::View,
                    _ => Place::Other,
                };
                open.push((place, Member::Next));
            }
            b'}' | b']' => drop(open.pop()),
            b',' => {
                if let Some((_, member)) = open.last_mut() {
                    *member = Member::Next;
                }
            }
            b'"' => {
                let end = end_of_text(bytes, at)?;
                let word = text.get(at..end)?;
                match open.last_mut() {
                    Some((place, member @ Member::Next)) => *member = named(*place, word),
                    Some((Place::View, Member::Type)) => {
                        let class: String = serde_json::from_str(word).ok()?;
                        if let Some(name) = original(&class).filter(|name| *name != class) {
                            out.extend_from_slice(bytes.get(written..at)?);
                            serde_json::to_writer(&mut out, &name).ok()?;
                            written = end;
                            if out.len() > WRITTEN {
                                return None;
                            }
                        }
                    }
                    _ => {}
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    if written == 0 {
        return None;
    }
    out.extend_from_slice(bytes.get(written..)?);
    (out.len() <= WRITTEN).then_some(out)
}

/// Behind the text that begins at a place.
fn end_of_text(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn named(place: Place, word: &str) -> Member {
    match (place, word) {
        (Place::Root, r#""windows""#) | (Place::View, r#""children""#) => Member::Views,
        (Place::View, r#""type""#) => Member::Type,
        _ => Member::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows two classes.
    fn original(class: &str) -> Option<String> {
        match class {
            "a.b" => Some("com.shop.Basket".into()),
            "o.\"c" => Some("com.shop.\"Caller".into()),
            "same" => Some("same".into()),
            _ => None,
        }
    }

    fn renamed(text: &str) -> Option<String> {
        rename(text.as_bytes(), original).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn classes_of_views_and_nothing_else() {
        let text = r#"{ "rendering_system": "android_view_system", "type": "a.b",
            "windows": [ {"type":"a.b","tag":"a.b","x":1.50,"children":[
                {"identifier":"a.b","children":[{"type":"o.\"c"},{"type":"a.b.d"}],"type":"a.b"},
                {"type":["a.b"]}, {"type":{"type":"a.b"}}, {"other":[{"type":"a.b"}]}, "type", "a.b", ["a.b"]
            ]}, {"type": "same"} ],
            "children": [{"type":"a.b"}] }"#;
        let expected = text
            .replace(r#"[ {"type":"a.b","#, r#"[ {"type":"com.shop.Basket","#)
            .replace(r#"],"type":"a.b"},"#, r#"],"type":"com.shop.Basket"},"#)
            .replace(r#"{"type":"o.\"c"}"#, r#"{"type":"com.shop.\"Caller"}"#);
        assert_eq!(renamed(text), Some(expected));
    }

    #[test]
    fn what_is_none_stays() {
        for text in [
            "",
            "[]",
            "a.b",
            r#""a.b""#,
            r#"{"windows":[{"type":"a.b"}]"#,
            r#"{"windows":[{"type":"a.b"}]} {}"#,
            r#"{"windows":[{"type":"a.b\"}]}"#,
            r#"{"windows":{"type":"a.b"}}"#,
            r#"[{"windows":[{"type":"a.b"}]}]"#,
            r#"{"windows":[{"type":"unknown"}]}"#,
            r#"{"windows":[{"type":"same"}]}"#,
        ] {
            assert_eq!(renamed(text), None, "{text}");
        }
        assert_eq!(
            rename(b"{\"windows\":[{\"type\":\"a.b\",\"tag\":\"\xff\"}]}", original),
            None
        );
    }

    /// Views within each other, `depth` of them.
    fn nested(depth: usize) -> String {
        let open = r#"{"type":"a.b","children":["#.repeat(depth);
        format!(r#"{{"windows":[{open}{}]}}"#, "]}".repeat(depth))
    }

    #[test]
    fn deep_trees_are_read_and_bottomless_ones_are_not() {
        // The object, its list, and two for each view.
        let deepest = DEEPEST / 2 - 1;
        let found = renamed(&nested(deepest)).unwrap();
        assert_eq!(found.matches("com.shop.Basket").count(), deepest);
        assert_eq!(renamed(&nested(deepest + 1)), None);
        assert_eq!(renamed(&nested(500_000)), None);
    }

    #[test]
    fn large_trees_stay_as_they_came() {
        let views = |n: usize| format!(r#"{{"windows":[{}{{}}]}}"#, r#"{"type":"a.b"},"#.repeat(n));
        assert!(renamed(&views(1_000)).is_some());
        assert_eq!(renamed(&views(LARGEST / 15 + 1)), None);
        // A name that makes a small tree a large one.
        let long = |_: &str| Some("x".repeat(1 << 20));
        assert_eq!(rename(views(40).as_bytes(), long), None);
    }
}
