//! How a row becomes a document: one field of exact terms to find it by, one of columns to compute with.
//!
//! Terms are `<where>\u{1}<value>`: `h` the hash, `i` the id, `c<n>` a column, `w<n>` a word of a column, `t<key>` a
//! tag. Columns live in one JSON field that is not indexed: `c<n>`, and `t<key>` with dots written as `\u{2}`.

use protocol::ids::EventId;
use protocol::table::{Table, Type, Value};
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
    }
}

/// The name of a tag's column.
pub fn tag_column(key: &str) -> String {
    format!("t{}", key.replace('.', "\u{2}"))
}

/// The document of a row.
pub fn document(fields: &Fields, table: &Table, placed: &Placed) -> TantivyDocument {
    let row = &placed.row;
    let mut doc = TantivyDocument::default();
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
            Value::List(l) => {
                let mut l = Vec::clone(l);
                l.sort_unstable();
                l.dedup();
                for s in &l {
                    doc.add_text(fields.terms, format!("{name}\u{1}{}", tested(s)));
                }
                OwnedValue::Array(l.into_iter().map(OwnedValue::Str).collect())
            }
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
