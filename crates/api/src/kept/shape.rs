//! What the fields of a document may hold, and how a body is read by that.

use protocol::time::parse_time;
use serde_json::{Map, Value};

use crate::answer::ApiError;
use crate::fields::Body;

/// What a value may be.
pub enum Shape {
    /// A text of at most so many characters.
    Text(usize),
    /// An address, http or https.
    Address,
    /// A time.
    Time,
    /// Yes or no.
    Flag,
    /// A whole number in a range.
    Whole(i64, i64),
    /// Any number.
    Number,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A list of at most so many.
    List(&'static Shape, usize),
    /// An object with these fields.
    Object(&'static [Field]),
    /// An object with any fields.
    Free,
    /// Anything.
    Any,
    /// One of several shapes.
    Either(&'static [Shape]),
}

/// Whether a field must be there.
pub enum Need {
    /// It must.
    Must,
    /// It may; if it is not, this JSON stands in its place.
    Else(&'static str),
    /// It may; if it is not, it is not kept.
    May,
}

/// A field.
pub struct Field {
    /// Its name, as it is kept and answered. A body may also write it with underscores.
    pub name: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// Whether it must be there.
    pub need: Need,
    /// Whether null is a value.
    pub null: bool,
}

/// A field that must be there.
pub const fn must(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        need: Need::Must,
        null: false,
    }
}

/// A field that may be there.
pub const fn may(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        need: Need::May,
        null: false,
    }
}

/// A field in whose place JSON stands if it is not there. It may be null if that is.
pub const fn or(name: &'static str, shape: Shape, json: &'static str) -> Field {
    Field {
        name,
        shape,
        need: Need::Else(json),
        null: matches!(json.as_bytes(), b"null"),
    }
}

/// `dateCreated` as `date_created`.
fn underscored(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Reads a body; `before` is what is kept of fields that it does not name.
pub fn read(fields: &[Field], body: &Body, before: Option<&Body>) -> Result<Body, ApiError> {
    let mut wrong = Vec::new();
    let out = object(fields, body, before, "", &mut wrong);
    if wrong.is_empty() {
        Ok(out)
    } else {
        Err(ApiError::Fields(wrong))
    }
}

type Wrong = Vec<(String, String)>;

fn object(fields: &[Field], body: &Body, before: Option<&Body>, at: &str, wrong: &mut Wrong) -> Body {
    let mut out = Map::new();
    for field in fields {
        let place = if at.is_empty() {
            field.name.to_owned()
        } else {
            at.to_owned()
        };
        let say = |what: String| {
            if at.is_empty() {
                what
            } else {
                format!("{}: {what}", field.name)
            }
        };
        let given = body
            .get(field.name)
            .or_else(|| body.get(&underscored(field.name)));
        let value = match given {
            None => match (before.and_then(|b| b.get(field.name)), &field.need) {
                (Some(kept), _) => Some(kept.clone()),
                (None, Need::Must) => {
                    wrong.push((place, say("This field is required.".into())));
                    None
                }
                (None, Need::Else(json)) => Some(serde_json::from_str(json).unwrap_or_default()),
                (None, Need::May) => None,
            },
            Some(Value::Null) if field.null => Some(Value::Null),
            Some(Value::Null) => match &field.need {
                Need::Must => {
                    wrong.push((place, say("This field may not be null.".into())));
                    None
                }
                Need::Else(json) => Some(serde_json::from_str(json).unwrap_or_default()),
                Need::May => None,
            },
            Some(value) => match check(&field.shape, value, &place, wrong) {
                Ok(value) => Some(value),
                Err(what) => {
                    wrong.push((place, say(what)));
                    None
                }
            },
        };
        if let Some(value) = value {
            out.insert(field.name.to_owned(), value);
        }
    }
    out
}

fn check(shape: &Shape, value: &Value, place: &str, wrong: &mut Wrong) -> Result<Value, String> {
    let same = Ok(value.clone());
    match shape {
        Shape::Any => same,
        Shape::Text(most) => match value {
            Value::String(s) if s.chars().count() > *most => {
                Err(format!("Ensure this field has no more than {most} characters."))
            }
            Value::String(_) => same,
            Value::Number(n) => Ok(Value::String(n.to_string())),
            _ => Err("Not a valid string.".into()),
        },
        Shape::Address => match value.as_str() {
            Some(s) if s.len() <= 2048 && (s.starts_with("https://") || s.starts_with("http://")) => same,
            _ => Err("Enter a valid URL.".into()),
        },
        Shape::Time => match value.as_str().and_then(parse_time) {
            Some(time) => Ok(crate::views::time(time)),
            None => Err("Datetime has wrong format. Write it like 2026-11-26T12:00:00Z.".into()),
        },
        Shape::Flag => match value {
            Value::Bool(_) => same,
            _ => Err("Must be a valid boolean.".into()),
        },
        Shape::Whole(least, most) => {
            let number = value
                .as_i64()
                .or_else(|| value.as_str().and_then(|s| s.parse().ok()));
            match number {
                Some(n) if (*least..=*most).contains(&n) => Ok(n.into()),
                Some(_) => Err(format!("Ensure this value is between {least} and {most}.")),
                None => Err("A valid integer is required.".into()),
            }
        }
        Shape::Number => match value {
            Value::Number(_) => same,
            _ => Err("A valid number is required.".into()),
        },
        Shape::OneOf(words) => match value.as_str() {
            Some(s) if words.contains(&s) => same,
            Some(s) => Err(format!(
                "\"{s}\" is not a valid choice: it is one of {}.",
                words.join(", ")
            )),
            None => Err("Not a valid string.".into()),
        },
        Shape::List(inner, most) => {
            let list = value.as_array().ok_or("Expected a list of items.")?;
            if list.len() > *most {
                return Err(format!("Ensure this field has no more than {most} elements."));
            }
            list.iter()
                .map(|v| check(inner, v, place, wrong))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array)
        }
        Shape::Object(fields) => match value {
            Value::Object(map) => Ok(Value::Object(object(fields, map, None, place, wrong))),
            _ => Err("Expected an object.".into()),
        },
        Shape::Free => match value {
            Value::Object(_) => same,
            _ => Err("Expected an object.".into()),
        },
        Shape::Either(shapes) => {
            let mut last = Err("Not a valid value.".to_owned());
            for shape in *shapes {
                let mut inner = Vec::new();
                last = check(shape, value, place, &mut inner);
                if last.is_ok() && inner.is_empty() {
                    return last;
                }
            }
            last
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FIELDS: &[Field] = &[
        must("name", Shape::Text(5)),
        or("isMuted", Shape::Flag, "false"),
        or("limit", Shape::Whole(1, 10), "null"),
        may(
            "queries",
            Shape::List(&Shape::Object(&[must("field", Shape::OneOf(&["a", "b"]))]), 2),
        ),
    ];

    fn of(value: Value, before: Option<Value>) -> Result<Value, Vec<(String, String)>> {
        let before = before.and_then(|b| b.as_object().cloned());
        match read(FIELDS, value.as_object().unwrap(), before.as_ref()) {
            Ok(body) => Ok(Value::Object(body)),
            Err(ApiError::Fields(wrong)) => Err(wrong),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn bodies_are_read_by_their_fields() {
        let read = of(json!({ "name": "x", "is_muted": true, "more": 1 }), None).unwrap();
        assert_eq!(read, json!({ "name": "x", "isMuted": true, "limit": null }));
        let changed = of(json!({ "limit": 3 }), Some(read)).unwrap();
        assert_eq!(changed, json!({ "name": "x", "isMuted": true, "limit": 3 }));
        let wrong = of(
            json!({ "name": "too long", "limit": 11, "queries": [{ "field": "c" }, {}] }),
            None,
        )
        .unwrap_err();
        let names: Vec<&str> = wrong.iter().map(|w| w.0.as_str()).collect();
        assert_eq!(names, ["name", "limit", "queries", "queries"]);
        assert!(wrong[2].1.starts_with("field: \"c\""), "{wrong:?}");
    }
}
