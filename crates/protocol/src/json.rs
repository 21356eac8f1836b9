//! The JSON value of the hot path: a tree that borrows from the input and keeps what it holds.
//!
//! [`parse`] reads in one pass what real clients send, also where it is not quite JSON: lone surrogate escapes
//! and invalid UTF-8 become U+FFFD, `NaN`, `Infinity` and numbers out of range become null, a byte order mark is
//! skipped, raw control characters are taken as they are, the last of two equal keys wins, and what lies deeper
//! than [`MAX_DEPTH`] is replaced by null. [`Repairs`] says what was changed. Numbers keep their digits.

mod parse;
mod write;

use std::borrow::Cow;
use std::sync::Arc;

pub use parse::{JsonError, MAX_DEPTH, Repair, Repairs, parse, parse_str};

/// A JSON value that borrows what it can from the text it was read from.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Json<'a> {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it is written.
    Number(Number<'a>),
    /// A text.
    Str(Cow<'a, str>),
    /// A list.
    Array(Vec<Json<'a>>),
    /// An object, in the order of its keys in the text.
    Object(Map<'a>),
    /// Text that was written before and is valid JSON: for writing only, the reader never makes it.
    Rendered(Arc<[u8]>),
}

/// A number that keeps its digits.
#[derive(Clone, PartialEq, Debug)]
pub struct Number<'a>(Cow<'a, str>);

impl Number<'_> {
    /// The digits as they are written.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The number as a float; never infinite.
    pub fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok().filter(|x: &f64| x.is_finite())
    }

    /// The number as an integer, if it is one (also if it is written as `1.0` or `1e3`).
    pub fn as_i64(&self) -> Option<i64> {
        if let Ok(n) = self.0.parse() {
            return Some(n);
        }
        let x = self.as_f64()?;
        (x.fract() == 0.0 && x.abs() < 9.0e15).then_some(x as i64)
    }

    /// The number as an unsigned integer, if it is one.
    pub fn as_u64(&self) -> Option<u64> {
        self.0
            .parse()
            .ok()
            .or_else(|| self.as_i64().and_then(|n| u64::try_from(n).ok()))
    }

    /// Whether it is written without fraction and exponent.
    pub fn is_integer(&self) -> bool {
        !self.0.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'))
    }
}

/// The members of an object. Reading is linear, which is right for the small objects of events.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Map<'a>(pub Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Map<'a> {
    /// An empty object.
    pub fn new() -> Map<'a> {
        Map(Vec::new())
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json<'a>> {
        self.0.iter_mut().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// Whether the key is there, with whatever value.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Sets a key, in place if it is there and at the end if not.
    pub fn set(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Json<'a>>) {
        let (key, value) = (key.into(), value.into());
        match self.get_mut(&key) {
            Some(slot) => *slot = value,
            None => self.0.push((key, value)),
        }
    }

    /// Takes a key out, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Json<'a>> {
        let i = self.0.iter().position(|(k, _)| k == key)?;
        Some(self.0.remove(i).1)
    }

    /// The value of a key, which is made null if it is not there.
    pub fn entry(&mut self, key: &'a str) -> &mut Json<'a> {
        let i = match self.0.iter().position(|(k, _)| k == key) {
            Some(i) => i,
            None => {
                self.0.push((Cow::Borrowed(key), Json::Null));
                self.0.len() - 1
            }
        };
        &mut self.0[i].1
    }

    /// The text under a key.
    pub fn str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The object under a key.
    pub fn object(&self, key: &str) -> Option<&Map<'a>> {
        self.get(key)?.as_object()
    }

    /// The list under a key.
    pub fn array(&self, key: &str) -> Option<&[Json<'a>]> {
        self.get(key)?.as_array()
    }

    /// The members in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(k, v)| (&**k, v))
    }

    /// The members in order, to change the values.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&str, &mut Json<'a>)> {
        self.0.iter_mut().map(|(k, v)| (&**k, v))
    }
}

impl<'a> Json<'a> {
    /// An empty object.
    pub fn object() -> Json<'a> {
        Json::Object(Map::new())
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Json::Str(s) = self { Some(s) } else { None }
    }

    /// The list, if this is one.
    pub fn as_array(&self) -> Option<&[Json<'a>]> {
        if let Json::Array(a) = self { Some(a) } else { None }
    }

    /// The list, to change it.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Json<'a>>> {
        if let Json::Array(a) = self { Some(a) } else { None }
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Map<'a>> {
        if let Json::Object(m) = self { Some(m) } else { None }
    }

    /// The object, to change it.
    pub fn as_object_mut(&mut self) -> Option<&mut Map<'a>> {
        if let Json::Object(m) = self { Some(m) } else { None }
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Json::Bool(b) = self { Some(*b) } else { None }
    }

    /// The number as a float, if this is a number.
    pub fn as_f64(&self) -> Option<f64> {
        if let Json::Number(n) = self {
            n.as_f64()
        } else {
            None
        }
    }

    /// The number as an integer, if this is one.
    pub fn as_i64(&self) -> Option<i64> {
        if let Json::Number(n) = self {
            n.as_i64()
        } else {
            None
        }
    }

    /// The number as an unsigned integer, if this is one.
    pub fn as_u64(&self) -> Option<u64> {
        if let Json::Number(n) = self {
            n.as_u64()
        } else {
            None
        }
    }

    /// A member of an object.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.as_object()?.get(key)
    }

    /// A member of an object, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json<'a>> {
        self.as_object_mut()?.get_mut(key)
    }

    /// Sets a member of an object; does nothing on other values.
    pub fn set(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Json<'a>>) {
        if let Json::Object(m) = self {
            m.set(key, value);
        }
    }

    /// Takes a member out of an object.
    pub fn remove(&mut self, key: &str) -> Option<Json<'a>> {
        self.as_object_mut()?.remove(key)
    }

    /// A member several objects deep; a numeric part is an index into a list.
    pub fn path(&self, path: &[&str]) -> Option<&Json<'a>> {
        path.iter().try_fold(self, |v, part| match v {
            Json::Object(m) => m.get(part),
            Json::Array(a) => a.get(part.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The text several objects deep.
    pub fn str_at(&self, path: &[&str]) -> Option<&str> {
        self.path(path)?.as_str()
    }

    /// Makes this an object if it is none, and gives it.
    pub fn make_object(&mut self) -> &mut Map<'a> {
        if !matches!(self, Json::Object(_)) {
            *self = Json::object();
        }
        match self {
            Json::Object(m) => m,
            _ => unreachable!("it was made an object above"),
        }
    }

    /// The same value, independent of the text it was read from.
    pub fn into_owned(self) -> Json<'static> {
        match self {
            Json::Null => Json::Null,
            Json::Bool(b) => Json::Bool(b),
            Json::Number(n) => Json::Number(Number(Cow::Owned(n.0.into_owned()))),
            Json::Str(s) => Json::Str(Cow::Owned(s.into_owned())),
            Json::Array(a) => Json::Array(a.into_iter().map(Json::into_owned).collect()),
            Json::Object(m) => Json::Object(Map(m
                .0
                .into_iter()
                .map(|(k, v)| (Cow::Owned(k.into_owned()), v.into_owned()))
                .collect())),
            Json::Rendered(text) => Json::Rendered(text),
        }
    }
}

impl<'a> From<&'a str> for Json<'a> {
    fn from(s: &'a str) -> Self {
        Json::Str(Cow::Borrowed(s))
    }
}

impl From<String> for Json<'_> {
    fn from(s: String) -> Self {
        Json::Str(Cow::Owned(s))
    }
}

impl<'a> From<Cow<'a, str>> for Json<'a> {
    fn from(s: Cow<'a, str>) -> Self {
        Json::Str(s)
    }
}

impl From<bool> for Json<'_> {
    fn from(b: bool) -> Self {
        Json::Bool(b)
    }
}

impl From<i64> for Json<'_> {
    fn from(n: i64) -> Self {
        Json::Number(Number(Cow::Owned(n.to_string())))
    }
}

impl From<u64> for Json<'_> {
    fn from(n: u64) -> Self {
        Json::Number(Number(Cow::Owned(n.to_string())))
    }
}

impl From<usize> for Json<'_> {
    fn from(n: usize) -> Self {
        Json::from(n as u64)
    }
}

impl From<f64> for Json<'_> {
    /// Infinite values and NaN become null.
    fn from(x: f64) -> Self {
        if x.is_finite() {
            Json::Number(Number(Cow::Owned(format!("{x:?}"))))
        } else {
            Json::Null
        }
    }
}

impl<'a> From<Map<'a>> for Json<'a> {
    fn from(m: Map<'a>) -> Self {
        Json::Object(m)
    }
}

impl<'a> From<Vec<Json<'a>>> for Json<'a> {
    fn from(a: Vec<Json<'a>>) -> Self {
        Json::Array(a)
    }
}

impl<'a, T: Into<Json<'a>>> From<Option<T>> for Json<'a> {
    fn from(v: Option<T>) -> Self {
        v.map_or(Json::Null, Into::into)
    }
}

#[cfg(test)]
mod tests;
