//! Fields of a JSON body, read one by one; what is wrong is said by field, as Sentry says it.

use protocol::time::parse_time;
use serde_json::{Map, Value};

use crate::answer::ApiError;

/// A JSON object.
pub type Body = Map<String, Value>;

/// A text that may be null; nothing if the field is not there.
pub fn text(body: &Body, name: &str, most: usize) -> Result<Option<Option<String>>, ApiError> {
    match body.get(name) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(Value::String(s)) if s.chars().count() > most => Err(ApiError::field(
            name,
            format!("Ensure this field has no more than {most} characters."),
        )),
        Some(Value::String(s)) => Ok(Some(Some(s.trim().to_owned()).filter(|s| !s.is_empty()))),
        // Versions that look like numbers are sent as such.
        Some(Value::Number(n)) => Ok(Some(Some(n.to_string()))),
        Some(_) => Err(ApiError::field(name, "Not a valid string.")),
    }
}

/// A text that must be there.
pub fn needed(body: &Body, name: &str, most: usize) -> Result<String, ApiError> {
    match text(body, name, most)? {
        Some(Some(text)) => Ok(text),
        Some(None) => Err(ApiError::field(name, "This field may not be blank.")),
        None => Err(ApiError::field(name, "This field is required.")),
    }
}

/// A time in µs that may be null; nothing if the field is not there.
pub fn time(body: &Body, name: &str) -> Result<Option<Option<i64>>, ApiError> {
    let Some(text) = text(body, name, 64)? else {
        return Ok(None);
    };
    match text {
        None => Ok(Some(None)),
        Some(text) => match parse_time(&text) {
            Some(time) => Ok(Some(Some(time))),
            None => Err(ApiError::field(
                name,
                "Datetime has wrong format. Write it like 2026-11-26T12:00:00Z.",
            )),
        },
    }
}

/// Yes or no; nothing if the field is not there.
pub fn flag(body: &Body, name: &str) -> Result<Option<bool>, ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(on)) => Ok(Some(*on)),
        Some(_) => Err(ApiError::field(name, "Must be a valid boolean.")),
    }
}

/// A list of objects; nothing if the field is not there.
pub fn objects<'a>(body: &'a Body, name: &str, most: usize) -> Result<Option<Vec<&'a Body>>, ApiError> {
    let wrong = || ApiError::field(name, "Expected a list of objects.");
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) if list.len() > most => Err(ApiError::field(
            name,
            format!("Ensure this field has no more than {most} elements."),
        )),
        Some(Value::Array(list)) => list
            .iter()
            .map(|v| v.as_object().ok_or_else(wrong))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(wrong()),
    }
}

/// A list of texts or numbers, as texts; nothing if the field is not there.
pub fn names(body: &Body, name: &str) -> Result<Option<Vec<String>>, ApiError> {
    let wrong = || ApiError::field(name, "Expected a list of items.");
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => list
            .iter()
            .map(|v| match v {
                Value::String(s) => Ok(s.clone()),
                Value::Number(n) => Ok(n.to_string()),
                _ => Err(wrong()),
            })
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(wrong()),
    }
}
