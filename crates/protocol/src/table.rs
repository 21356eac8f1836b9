//! How an item kind says which columns it keeps, and the rows it makes of an item.
//!
//! A [`Table`] is described once, beside the item kind (`processing/src/items/<kind>/table.rs`); the event
//! stores make their schema of it, the search language takes its fields from it. A [`Row`] is sparse: a column
//! that is absent is null. Free `key = value` pairs (tags) stand beside the columns.

use std::sync::Arc;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// Text, found by its whole value, by wildcards and by parts.
    Text,
    /// Several texts in one row (all exception types of an event); a filter matches if any of them does.
    Texts,
    /// As [`Type::Texts`], for what repeats in many rows, in all columns of this type together: the frames of a
    /// stack trace. A store may keep them once for all rows that have the same.
    SharedTexts,
    /// Text that is also found by words and parts of words, like a message.
    Words,
    /// A signed integer.
    Int,
    /// A floating point number.
    Float,
    /// True or false.
    Bool,
    /// Microseconds since the Unix epoch.
    Time,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name, which is also the name in the search language: `user.email`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Type,
    /// One line for people.
    pub doc: &'static str,
}

/// A table of an item kind. Every table also has the fixed facts of [`Row`]: project, time, received, id.
#[derive(Debug)]
pub struct Table {
    /// Its name: `errors`. Also the name of its folder and of its dataset in the API.
    pub name: &'static str,
    /// Its columns; a [`Row`] refers to them by index. New ones are added at the end only.
    pub columns: &'static [Column],
}

impl Table {
    /// The index of a column by name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}

/// A value in a row.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// For [`Type::Text`] and [`Type::Words`].
    Str(String),
    /// For [`Type::Texts`] and [`Type::SharedTexts`]; shared, as the lists of an application repeat.
    List(Arc<Vec<String>>),
    /// For [`Type::Int`] and [`Type::Time`].
    Int(i64),
    /// For [`Type::Float`].
    Float(f64),
    /// For [`Type::Bool`].
    Bool(bool),
}

/// One stored item as the event store sees it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Row {
    /// The project.
    pub project: u64,
    /// When it happened, µs since the epoch (the client's clock, corrected).
    pub time: i64,
    /// When the server took it, µs since the epoch.
    pub received: i64,
    /// The item's id, unique within its project: an event id.
    pub id: [u8; 16],
    /// The primary grouping hash of an error; zeroes where a kind has none.
    pub hash: [u8; 16],
    /// The columns that hold something, in order of their index in the table.
    pub values: Vec<(u16, Value)>,
    /// Tags, sorted by key, each key once.
    pub tags: Vec<(String, String)>,
}

impl Row {
    /// The value of a column by its index.
    pub fn get(&self, column: usize) -> Option<&Value> {
        let column = u16::try_from(column).ok()?;
        self.values
            .binary_search_by_key(&column, |(c, _)| *c)
            .ok()
            .map(|i| &self.values[i].1)
    }

    /// The value of a tag.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags
            .binary_search_by(|(k, _)| k.as_str().cmp(key))
            .ok()
            .map(|i| self.tags[i].1.as_str())
    }

    /// Sets a column by name; empty texts and lists are left out, as absent is how null is written.
    ///
    /// # Panics
    /// If the table has no such column: the name is written in the code beside the table.
    pub fn set(&mut self, table: &Table, name: &str, value: Value) {
        match &value {
            Value::Str(s) if s.is_empty() => return,
            Value::List(l) if l.is_empty() => return,
            _ => {}
        }
        let index = table
            .column(name)
            .unwrap_or_else(|| panic!("table {} has no column {name}", table.name));
        let index = u16::try_from(index).expect("a table has fewer than 65,536 columns");
        match self.values.binary_search_by_key(&index, |(c, _)| *c) {
            Ok(i) => self.values[i].1 = value,
            Err(i) => self.values.insert(i, (index, value)),
        }
    }

    /// Sorts the tags and keeps the last value of a repeated key.
    pub fn set_tags(&mut self, mut tags: Vec<(String, String)>) {
        tags.reverse();
        tags.sort_by(|a, b| a.0.cmp(&b.0));
        tags.dedup_by(|a, b| a.0 == b.0);
        self.tags = tags;
    }
}

/// The bytes were not a row of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadRow;

impl std::fmt::Display for BadRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a row that this version can read")
    }
}

impl std::error::Error for BadRow {}

/// The version byte in front of an encoded row.
const ROW_VERSION: u8 = 1;

impl Row {
    /// Appends the row to `out` in the form that pack records keep: a version byte, the fixed facts, then the
    /// columns and tags, lengths as LEB128.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(ROW_VERSION);
        put_uint(out, self.project);
        out.extend_from_slice(&self.time.to_le_bytes());
        out.extend_from_slice(&self.received.to_le_bytes());
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.hash);
        put_uint(out, self.values.len() as u64);
        for (column, value) in &self.values {
            put_uint(out, u64::from(*column));
            match value {
                Value::Str(s) => {
                    out.push(0);
                    put_str(out, s);
                }
                Value::List(l) => {
                    out.push(1);
                    put_uint(out, l.len() as u64);
                    for s in &**l {
                        put_str(out, s);
                    }
                }
                Value::Int(i) => {
                    out.push(2);
                    out.extend_from_slice(&i.to_le_bytes());
                }
                Value::Float(x) => {
                    out.push(3);
                    out.extend_from_slice(&x.to_le_bytes());
                }
                Value::Bool(b) => {
                    out.push(4);
                    out.push(u8::from(*b));
                }
            }
        }
        put_uint(out, self.tags.len() as u64);
        for (k, v) in &self.tags {
            put_str(out, k);
            put_str(out, v);
        }
    }

    /// Reads a row that [`Row::encode`] wrote.
    ///
    /// # Errors
    /// [`BadRow`] if the bytes are cut, of another version or not a row.
    pub fn decode(bytes: &[u8]) -> Result<Row, BadRow> {
        let mut r = Reader { bytes };
        if r.byte()? != ROW_VERSION {
            return Err(BadRow);
        }
        let mut row = Row {
            project: r.uint()?,
            time: r.int()?,
            received: r.int()?,
            ..Row::default()
        };
        row.id.copy_from_slice(r.take(16)?);
        row.hash.copy_from_slice(r.take(16)?);
        for _ in 0..r.uint()? {
            let column = u16::try_from(r.uint()?).map_err(|_| BadRow)?;
            let value = match r.byte()? {
                0 => Value::Str(r.string()?),
                1 => {
                    let n = r.uint()?;
                    let mut list = Vec::new();
                    for _ in 0..n {
                        list.push(r.string()?);
                    }
                    Value::List(list.into())
                }
                2 => Value::Int(r.int()?),
                3 => Value::Float(f64::from_le_bytes(r.take(8)?.try_into().map_err(|_| BadRow)?)),
                4 => Value::Bool(r.byte()? != 0),
                _ => return Err(BadRow),
            };
            row.values.push((column, value));
        }
        for _ in 0..r.uint()? {
            let k = r.string()?;
            let v = r.string()?;
            row.tags.push((k, v));
        }
        Ok(row)
    }

    /// Roughly how much memory the row takes, bytes.
    pub fn weight(&self) -> usize {
        let values: usize = self
            .values
            .iter()
            .map(|(_, v)| match v {
                Value::Str(s) => 40 + s.len(),
                Value::List(l) => 40 + l.iter().map(|s| 24 + s.len()).sum::<usize>(),
                _ => 40,
            })
            .sum();
        160 + values
            + self
                .tags
                .iter()
                .map(|(k, v)| 48 + k.len() + v.len())
                .sum::<usize>()
    }
}

fn put_uint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n as u8) | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn put_str(out: &mut Vec<u8>, s: &str) {
    put_uint(out, s.len() as u64);
    out.extend_from_slice(s.as_bytes());
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], BadRow> {
        let (head, rest) = self.bytes.split_at_checked(n).ok_or(BadRow)?;
        self.bytes = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, BadRow> {
        Ok(self.take(1)?[0])
    }

    fn int(&mut self) -> Result<i64, BadRow> {
        Ok(i64::from_le_bytes(self.take(8)?.try_into().map_err(|_| BadRow)?))
    }

    fn uint(&mut self) -> Result<u64, BadRow> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let b = self.byte()?;
            n |= u64::from(b & 0x7f) << shift;
            if b & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(BadRow)
    }

    fn string(&mut self) -> Result<String, BadRow> {
        let n = usize::try_from(self.uint()?).map_err(|_| BadRow)?;
        let bytes = self.take(n)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| BadRow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static T: Table = Table {
        name: "t",
        columns: &[
            Column {
                name: "a",
                kind: Type::Text,
                doc: "",
            },
            Column {
                name: "b",
                kind: Type::Texts,
                doc: "",
            },
            Column {
                name: "n",
                kind: Type::Int,
                doc: "",
            },
        ],
    };

    #[test]
    fn a_row_survives_encoding() {
        let mut row = Row {
            project: 300,
            time: -5,
            received: 7,
            id: [1; 16],
            hash: [2; 16],
            ..Row::default()
        };
        row.set(&T, "n", Value::Int(-9));
        row.set(&T, "a", Value::Str("ä".into()));
        row.set(&T, "b", Value::List(vec!["x".into(), "y".into()].into()));
        row.set_tags(vec![
            ("k".into(), "1".into()),
            ("a".into(), "b".into()),
            ("k".into(), "2".into()),
        ]);
        let mut bytes = Vec::new();
        row.encode(&mut bytes);
        assert_eq!(Row::decode(&bytes), Ok(row.clone()));
        assert_eq!(row.tag("k"), Some("2"));
        assert_eq!(row.get(2), Some(&Value::Int(-9)));
        for cut in 0..bytes.len() {
            assert_eq!(Row::decode(&bytes[..cut]), Err(BadRow));
        }
    }
}
