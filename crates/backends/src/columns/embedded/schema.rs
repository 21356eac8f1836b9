//! How a row becomes a document: one field of exact terms to find it by, one of columns to compute with.
//!
//! Terms are `<where>\u{1}<value>`: `h` the hash, `c<n>` a column, `w<n>` a word of a column, `t<key>` a tag. An id
//! is two numbers: as a term it would be one more for each row, and what finds ids fast is elsewhere. Columns live in one JSON field that is not indexed: `c<n>`, and `t<key>` with dots written as `\u{2}`.
//!
//! Shared texts are in a document of their own, one for all rows of a segment that have the same: it has the term
//! `k` and belongs to no project. Its rows have its number in the column `stack` and the term `s<number>`.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use md5::{Digest as _, Md5};
use protocol::ids::EventId;
use protocol::table::{Row, Table, Type, Value};
use storage::columns::{Placed, tested, tokens};
use tantivy::TantivyDocument;
use tantivy::schema::document::{ReferenceValue, ReferenceValueLeaf};
use tantivy::schema::{
    Field, IndexRecordOption, JsonObjectOptions, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};

/// The fields of the schema, the same for every table.
#[derive(Clone)]
pub struct Fields {
    pub schema: Schema,
    pub terms: Field,
    pub columns: Field,
    pub hash: Field,
    pub id: [Field; 2],
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
    let id = ["id_high", "id_low"].map(|name| builder.add_u64_field(name, number()));
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
        id,
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

/// A value as it goes into a column, borrowed from its row.
#[derive(Clone, Copy, Debug)]
enum Shown<'a> {
    Str(&'a str),
    Int(i64),
    Float(f64),
    Texts(&'a [&'a String]),
    Columns(&'a [(&'a str, Shown<'a>)]),
}

impl<'a> tantivy::schema::Value<'a> for Shown<'a> {
    type ArrayIter = std::iter::Map<std::slice::Iter<'a, &'a String>, fn(&'a &'a String) -> Shown<'a>>;
    type ObjectIter = std::iter::Copied<std::slice::Iter<'a, (&'a str, Shown<'a>)>>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        match *self {
            Shown::Str(s) => ReferenceValue::Leaf(ReferenceValueLeaf::Str(s)),
            Shown::Int(n) => ReferenceValue::Leaf(ReferenceValueLeaf::I64(n)),
            Shown::Float(x) => ReferenceValue::Leaf(ReferenceValueLeaf::F64(x)),
            Shown::Texts(list) => {
                ReferenceValue::Array(list.iter().map(text as fn(&'a &'a String) -> Shown<'a>))
            }
            Shown::Columns(list) => ReferenceValue::Object(list.iter().copied()),
        }
    }
}

fn text<'a>(text: &&'a String) -> Shown<'a> {
    Shown::Str(text)
}

/// Makes the documents of a group of rows, and those of their shared texts.
pub struct Documents<'a> {
    fields: &'a Fields,
    table: &'static Table,
    /// The names of the table's columns.
    names: Vec<String>,
    /// Numbers of shared texts by where the lists are in memory.
    known: HashMap<Vec<(u16, usize)>, u64>,
    written: HashSet<u64>,
    /// The term that is being written.
    term: String,
}

impl<'a> Documents<'a> {
    pub fn new(fields: &'a Fields, table: &'static Table) -> Documents<'a> {
        Documents {
            fields,
            table,
            names: (0..table.columns.len()).map(|i| format!("c{i}")).collect(),
            known: HashMap::new(),
            written: HashSet::new(),
            term: String::new(),
        }
    }

    fn add_term(&mut self, doc: &mut TantivyDocument, parts: &[&str]) {
        self.term.clear();
        parts.iter().for_each(|p| self.term.push_str(p));
        doc.add_text(self.fields.terms, &self.term);
    }

    /// The number of a row's shared texts, 0 without any; and their document, if the group has none yet.
    pub fn shared(&mut self, row: &Row) -> (u64, Option<TantivyDocument>) {
        let lists: Vec<(u16, &Arc<Vec<String>>)> = row
            .values
            .iter()
            .filter_map(|(index, value)| match value {
                Value::List(l) if is_shared(self.table, *index) => Some((*index, l)),
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
        let fields = self.fields;
        doc.add_text(fields.terms, SHARED_TERM);
        doc.add_text(fields.hash, EventId::NIL.to_string());
        doc.add_i64(fields.time, row.time);
        doc.add_i64(fields.received, row.received);
        let [high, low] = fields.id;
        for field in [fields.project, high, low, fields.seq, fields.frame, fields.slot] {
            doc.add_u64(field, 0);
        }
        doc.add_u64(fields.stack, number);
        let names = std::mem::take(&mut self.names);
        let sorted: Vec<(u16, Vec<&String>)> = lists
            .into_iter()
            .map(|(index, list)| (index, self.texts(&mut doc, &names[usize::from(index)], list)))
            .collect();
        let columns: Vec<(&str, Shown<'_>)> = sorted
            .iter()
            .map(|(index, list)| (names[usize::from(*index)].as_str(), Shown::Texts(list)))
            .collect();
        doc.add_field_value(fields.columns, Shown::Columns(&columns));
        self.names = names;
        (number, Some(doc))
    }

    /// Adds the terms of a list; answers what its column holds.
    fn texts<'r>(&mut self, doc: &mut TantivyDocument, name: &str, list: &'r [String]) -> Vec<&'r String> {
        let mut sorted: Vec<&String> = list.iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        for text in &sorted {
            self.add_term(doc, &[name, "\u{1}", tested(text)]);
        }
        sorted
    }

    /// The document of a row whose shared texts have a number.
    pub fn row(&mut self, placed: &Placed, stack: u64) -> TantivyDocument {
        let (row, fields, table) = (&placed.row, self.fields, self.table);
        let mut doc = TantivyDocument::default();
        doc.add_u64(fields.stack, stack);
        if stack != 0 {
            doc.add_text(fields.terms, stack_term(stack));
        }
        let hash = EventId(row.hash).to_string();
        self.add_term(&mut doc, &["h\u{1}", &hash]);
        doc.add_text(fields.hash, hash);
        for (field, number) in fields.id.iter().zip(halves(row.id)) {
            doc.add_u64(*field, number);
        }
        doc.add_u64(fields.project, row.project);
        doc.add_i64(fields.time, row.time);
        doc.add_i64(fields.received, row.received);
        doc.add_u64(fields.seq, placed.seq);
        doc.add_u64(fields.frame, placed.locator.frame);
        doc.add_u64(fields.slot, u64::from(placed.locator.slot));
        let names = std::mem::take(&mut self.names);
        let mut lists: Vec<Vec<&String>> = Vec::new();
        let mut columns: Vec<(&str, Shown<'_>)> = Vec::with_capacity(row.values.len() + row.tags.len());
        // Lists are sorted first, so that the columns can borrow them.
        for (index, value) in &row.values {
            if let (Some(column), Value::List(l)) = (table.columns.get(usize::from(*index)), value)
                && column.kind != Type::SharedTexts
            {
                lists.push(self.texts(&mut doc, &names[usize::from(*index)], l));
            }
        }
        let mut sorted = lists.iter();
        for (index, value) in &row.values {
            let Some(column) = table.columns.get(usize::from(*index)) else {
                continue;
            };
            let name = names[usize::from(*index)].as_str();
            let shown = match value {
                Value::Str(s) if column.kind == Type::Words => {
                    let mut words: Vec<String> = tokens(s).collect();
                    words.sort_unstable();
                    words.dedup();
                    self.add_term(&mut doc, &["p\u{1}", name]);
                    for word in words {
                        self.term.clear();
                        let _ = write!(self.term, "w{index}\u{1}");
                        self.term.push_str(&word);
                        doc.add_text(fields.terms, &self.term);
                    }
                    continue;
                }
                Value::Str(s) => {
                    self.add_term(&mut doc, &[name, "\u{1}", tested(s)]);
                    Shown::Str(s)
                }
                Value::List(_) if column.kind == Type::SharedTexts => continue,
                Value::List(_) => match sorted.next() {
                    Some(list) => Shown::Texts(list),
                    None => continue,
                },
                Value::Int(n) => Shown::Int(*n),
                Value::Float(x) => Shown::Float(*x),
                Value::Bool(b) => Shown::Int(i64::from(*b)),
            };
            columns.push((name, shown));
        }
        let tags: Vec<String> = row.tags.iter().map(|(key, _)| tag_column(key)).collect();
        for ((key, value), name) in row.tags.iter().zip(&tags) {
            self.add_term(&mut doc, &["t", key, "\u{1}", tested(value)]);
            columns.push((name, Shown::Str(value)));
        }
        doc.add_field_value(fields.columns, Shown::Columns(&columns));
        self.names = names;
        doc
    }
}

/// An id as two numbers.
pub fn halves(id: [u8; 16]) -> [u64; 2] {
    let whole = u128::from_be_bytes(id);
    [(whole >> 64) as u64, whole as u64]
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
