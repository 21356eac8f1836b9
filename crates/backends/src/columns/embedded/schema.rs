//! How a row becomes a document: one field of exact terms to find it by, one of columns to compute with.
//!
//! Terms are `<where>\u{1}<value>`: `h` the hash, `i` the id, `c<n>` a column, `w<n>` a word of a column, `t<key>` a
//! tag. Columns live in one JSON field that is not indexed: `c<n>`, and `t<key>` with dots written as `\u{2}`.
//!
//! Shared texts are in a document of their own, one for all rows of a segment that have the same: it has the term
//! `k` and belongs to no project. Its rows have its number in the column `stack` and the term `s<number>`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use md5::{Digest as _, Md5};
use protocol::ids::EventId;
use protocol::table::{Row, Table, Type, Value};
use storage::columns::{Placed, tested, tokens};
use tantivy::TantivyDocument;
use tantivy::schema::{
    Field, IndexRecordOption, JsonObjectOptions, NumericOptions, OwnedValue, Schema, TextFieldIndexing,
    TextOptions,
};

/// The fields of the schema, the same for every table.
#[derive(Clone)]
pub struct Fields {
    pub schema: Schema,
    pub terms: Field,
    pub columns: Field,
    pub hash: Field,
    pub project: Field,
    pub time: Field,
    pub received: Field,
    pub seq: Field,
    pub frame: Field,
    pub slot: Field,
    pub stack: Field,
}

pub fn fields() -> Fields {
    let mut builder = Schema::builder();
    let number = || NumericOptions::default().set_fast();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::Basic);
    let terms = builder.add_text_field("terms", TextOptions::default().set_indexing_options(indexing));
    let columns = builder.add_json_field("cols", JsonObjectOptions::default().set_fast("raw"));
    let hash = builder.add_text_field("hash", TextOptions::default().set_fast("raw"));
    let project = builder.add_u64_field("project", number());
    let time = builder.add_i64_field("time", number());
    let received = builder.add_i64_field("received", number());
    let seq = builder.add_u64_field("seq", number());
    let frame = builder.add_u64_field("frame", number());
    let slot = builder.add_u64_field("slot", number());
    let stack = builder.add_u64_field("stack", number());
    Fields {
        schema: builder.build(),
        terms,
        columns,
        hash,
        project,
        time,
        received,
        seq,
        frame,
        slot,
        stack,
    }
}

/// The name of a tag's column.
pub fn tag_column(key: &str) -> String {
    format!("t{}", key.replace('.', "\u{2}"))
}

/// The documents of shared texts that a group of rows has so far.
#[derive(Default)]
pub struct Stacks {
    /// Numbers by where the lists are in memory.
    known: HashMap<Vec<(u16, usize)>, u64>,
    written: HashSet<u64>,
}

impl Stacks {
    /// The number of a row's shared texts, 0 without any; and their document, if the group has none yet.
    pub fn of(&mut self, fields: &Fields, table: &Table, row: &Row) -> (u64, Option<TantivyDocument>) {
        let lists: Vec<(u16, &Arc<Vec<String>>)> = row
            .values
            .iter()
            .filter_map(|(index, value)| match value {
                Value::List(l) if is_shared(table, *index) => Some((*index, l)),
                _ => None,
            })
            .collect();
        if lists.is_empty() {
            return (0, None);
        }
        let place = |(index, list): &(u16, &Arc<Vec<String>>)| (*index, Arc::as_ptr(list) as usize);
        let number = *self
            .known
            .entry(lists.iter().map(place).collect())
            .or_insert_with(|| number_of(&lists));
        if !self.written.insert(number) {
            return (number, None);
        }
        let mut doc = TantivyDocument::default();
        doc.add_text(fields.terms, SHARED_TERM);
        doc.add_text(fields.hash, EventId::NIL.to_string());
        doc.add_u64(fields.project, 0);
        doc.add_i64(fields.time, row.time);
        doc.add_i64(fields.received, row.received);
        for field in [fields.seq, fields.frame, fields.slot] {
            doc.add_u64(field, 0);
        }
        doc.add_u64(fields.stack, number);
        let mut object = Vec::with_capacity(lists.len());
        for (index, list) in lists {
            let name = format!("c{index}");
            object.push((name.clone(), texts(fields, &mut doc, &name, list)));
        }
        doc.add_object(fields.columns, object.into_iter().collect());
        (number, Some(doc))
    }
}

/// The term of every document of shared texts.
pub const SHARED_TERM: &str = "k\u{1}";

/// The term of the rows with shared texts of a number.
pub fn stack_term(number: u64) -> String {
    format!("s\u{1}{number:016x}")
}

pub fn is_shared(table: &Table, index: u16) -> bool {
    table
        .columns
        .get(usize::from(index))
        .is_some_and(|c| c.kind == Type::SharedTexts)
}

/// A number that follows from the lists; never 0.
fn number_of(lists: &[(u16, &Arc<Vec<String>>)]) -> u64 {
    let mut hasher = Md5::new();
    for (index, list) in lists {
        hasher.update(index.to_le_bytes());
        hasher.update((list.len() as u64).to_le_bytes());
        for text in list.iter() {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
    let sum: [u8; 16] = hasher.finalize().into();
    (u128::from_le_bytes(sum) as u64).max(1)
}

/// Adds the terms of a list; answers its column.
fn texts(fields: &Fields, doc: &mut TantivyDocument, name: &str, list: &[String]) -> OwnedValue {
    let mut sorted: Vec<&String> = list.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    for text in &sorted {
        doc.add_text(fields.terms, format!("{name}\u{1}{}", tested(text)));
    }
    OwnedValue::Array(sorted.into_iter().map(|t| OwnedValue::Str(t.clone())).collect())
}

/// The document of a row whose shared texts have a number.
pub fn document(fields: &Fields, table: &Table, placed: &Placed, stack: u64) -> TantivyDocument {
    let row = &placed.row;
    let mut doc = TantivyDocument::default();
    doc.add_u64(fields.stack, stack);
    if stack != 0 {
        doc.add_text(fields.terms, stack_term(stack));
    }
    let hash = EventId(row.hash).to_string();
    doc.add_text(fields.terms, format!("h\u{1}{hash}"));
    doc.add_text(fields.terms, format!("i\u{1}{}", EventId(row.id)));
    doc.add_text(fields.hash, hash);
    doc.add_u64(fields.project, row.project);
    doc.add_i64(fields.time, row.time);
    doc.add_i64(fields.received, row.received);
    doc.add_u64(fields.seq, placed.seq);
    doc.add_u64(fields.frame, placed.locator.frame);
    doc.add_u64(fields.slot, u64::from(placed.locator.slot));
    let mut object: Vec<(String, OwnedValue)> = Vec::with_capacity(row.values.len() + row.tags.len());
    for (index, value) in &row.values {
        let Some(column) = table.columns.get(usize::from(*index)) else {
            continue;
        };
        let name = format!("c{index}");
        let shown = match value {
            Value::Str(s) if column.kind == Type::Words => {
                let mut words: Vec<String> = tokens(s).collect();
                words.sort_unstable();
                words.dedup();
                for word in words {
                    doc.add_text(fields.terms, format!("w{index}\u{1}{word}"));
                }
                doc.add_text(fields.terms, format!("p\u{1}{name}"));
                continue;
            }
            Value::Str(s) => {
                doc.add_text(fields.terms, format!("{name}\u{1}{}", tested(s)));
                OwnedValue::Str(s.clone())
            }
            Value::List(_) if column.kind == Type::SharedTexts => continue,
            Value::List(l) => texts(fields, &mut doc, &name, l),
            Value::Int(n) => OwnedValue::I64(*n),
            Value::Float(x) => OwnedValue::F64(*x),
            Value::Bool(b) => OwnedValue::I64(i64::from(*b)),
        };
        object.push((name, shown));
    }
    for (key, value) in &row.tags {
        doc.add_text(fields.terms, format!("t{key}\u{1}{}", tested(value)));
        object.push((tag_column(key), OwnedValue::Str(value.clone())));
    }
    doc.add_object(fields.columns, object.into_iter().collect());
    doc
}
