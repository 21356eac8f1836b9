//! A segment of an index as a source of answers: filters become sets of documents through the term dictionary,
//! values are read from columns.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use protocol::ids::EventId;
use protocol::table::{Table, Type};
use storage::columns::accumulate::{Seen, Source, Times, store_error};
use storage::columns::{Field, Filter, Found, Pattern, Result, Select, Test, tested, tokens};
use storage::payloads::{Locator, Partition};
use tantivy::columnar::{Column, DynamicColumn, StrColumn};
use tantivy::index::InvertedIndexReader;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet as _, SegmentReader, TERMINATED};

use super::schema::{Fields, SHARED_TERM, is_shared, stack_term, tag_column};

/// A set of documents.
#[derive(Clone)]
struct Docs {
    words: Vec<u64>,
    len: u32,
}

impl Docs {
    fn none(len: u32) -> Docs {
        Docs {
            words: vec![0; (len as usize).div_ceil(64)],
            len,
        }
    }

    fn all(len: u32) -> Docs {
        let mut docs = Docs {
            words: vec![u64::MAX; (len as usize).div_ceil(64)],
            len,
        };
        if let Some(last) = docs.words.last_mut() {
            let used = len % 64;
            if used != 0 {
                *last = (1 << used) - 1;
            }
        }
        docs
    }

    fn add(&mut self, doc: u32) {
        self.words[(doc / 64) as usize] |= 1 << (doc % 64);
    }

    fn not(mut self) -> Docs {
        let all = Docs::all(self.len);
        self.words
            .iter_mut()
            .zip(&all.words)
            .for_each(|(w, a)| *w = !*w & a);
        self
    }

    fn and(mut self, other: &Docs) -> Docs {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
        self
    }

    fn or(mut self, other: &Docs) -> Docs {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
        self
    }

    fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(i, w)| {
            let mut w = *w;
            std::iter::from_fn(move || {
                (w != 0).then(|| {
                    let bit = w.trailing_zeros();
                    w &= w - 1;
                    i as u32 * 64 + bit
                })
            })
        })
    }
}

enum Values {
    Str {
        column: StrColumn,
        cache: HashMap<u64, Arc<str>>,
    },
    Number(DynamicColumn),
}

pub(super) struct Segment<'a> {
    reader: &'a SegmentReader,
    table: &'static Table,
    partition: Partition,
    terms: Arc<InvertedIndexReader>,
    id: [Column<u64>; 2],
    project: Column<u64>,
    time: Column<i64>,
    received: Column<i64>,
    seq: Column<u64>,
    frame: Column<u64>,
    slot: Column<u64>,
    stack: Column<u64>,
    /// The document of shared texts by their number.
    shared: Option<HashMap<u64, u32>>,
    hash: Option<StrColumn>,
    /// The hashes by their ordinal, as far as they were asked for.
    hashes: Vec<[u8; 16]>,
    columns: HashMap<String, Vec<Values>>,
}

fn first<T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + Default + 'static>(
    column: &Column<T>,
    doc: u32,
) -> T {
    column.first(doc).unwrap_or_default()
}

impl<'a> Segment<'a> {
    /// Opens a segment; `None` if its times lie outside the select's.
    pub(super) fn open(
        reader: &'a SegmentReader,
        fields: &'a Fields,
        table: &'static Table,
        partition: Partition,
        select: &Select,
    ) -> Result<Option<Segment<'a>>> {
        let fast = reader.fast_fields();
        let time = fast.i64("time").map_err(store_error)?;
        if time.max_value() < select.time.start || time.min_value() >= select.time.end {
            return Ok(None);
        }
        Ok(Some(Segment {
            reader,
            table,
            partition,
            terms: reader.inverted_index(fields.terms).map_err(store_error)?,
            id: [
                fast.u64("id_high").map_err(store_error)?,
                fast.u64("id_low").map_err(store_error)?,
            ],
            project: fast.u64("project").map_err(store_error)?,
            time,
            received: fast.i64("received").map_err(store_error)?,
            seq: fast.u64("seq").map_err(store_error)?,
            frame: fast.u64("frame").map_err(store_error)?,
            slot: fast.u64("slot").map_err(store_error)?,
            stack: fast.u64("stack").map_err(store_error)?,
            shared: None,
            hash: fast.str("hash").map_err(store_error)?,
            hashes: Vec::new(),
            columns: HashMap::new(),
        }))
    }

    fn len(&self) -> u32 {
        self.reader.max_doc()
    }

    /// Documents with a term under `prefix\u{1}` whose rest passes.
    fn where_term(&self, prefix: &str, mut test: impl FnMut(&str) -> bool) -> Result<Docs> {
        let mut docs = Docs::none(self.len());
        let low = format!("{prefix}\u{1}");
        let high = format!("{prefix}\u{2}");
        let terms = self.terms.terms();
        let mut stream = terms
            .range()
            .ge(low.as_bytes())
            .lt(high.as_bytes())
            .into_stream()
            .map_err(store_error)?;
        while stream.advance() {
            let Ok(value) = std::str::from_utf8(&stream.key()[low.len()..]) else {
                continue;
            };
            if test(value) {
                let info = stream.value().clone();
                self.add_postings(&info, &mut docs)?;
            }
        }
        Ok(docs)
    }

    fn add_postings(&self, info: &tantivy::postings::TermInfo, docs: &mut Docs) -> Result<()> {
        let mut postings = self
            .terms
            .read_postings_from_terminfo(info, IndexRecordOption::Basic)
            .map_err(store_error)?;
        let mut doc = postings.doc();
        while doc != TERMINATED {
            docs.add(doc);
            doc = postings.advance();
        }
        Ok(())
    }

    fn exact(&self, prefix: &str, values: &[String]) -> Result<Docs> {
        let mut docs = Docs::none(self.len());
        for value in values {
            let term = format!("{prefix}\u{1}{}", tested(value));
            if let Some(info) = self.terms.terms().get(term.as_bytes()).map_err(store_error)? {
                self.add_postings(&info, &mut docs)?;
            }
        }
        Ok(docs)
    }

    fn words(&self, index: usize, text: &str) -> Result<Docs> {
        let prefix = format!("w{index}");
        let mut docs: Option<Docs> = None;
        for word in tokens(text) {
            let with = self.where_term(&prefix, |have| have.contains(&word))?;
            docs = Some(match docs {
                Some(docs) => docs.and(&with),
                None => with,
            });
        }
        docs.map_or_else(|| self.exact("p", &[format!("c{index}")]), Ok)
    }

    fn text(&self, prefix: &str, test: &Test) -> Result<Docs> {
        match test {
            Test::Present => self.where_term(prefix, |_| true),
            Test::Is(values) => self.exact(prefix, values),
            Test::Like(pattern) => {
                let pattern = Pattern::new(pattern);
                self.where_term(prefix, |v| pattern.fits(v))
            }
            Test::Words(words) => {
                let words: Vec<_> = tokens(words).collect();
                self.where_term(prefix, |v| {
                    let have: Vec<_> = tokens(v).collect();
                    words.iter().all(|w| have.iter().any(|h| h.contains(w)))
                })
            }
            Test::Between(min, max) => self.where_term(prefix, |v| {
                v.parse()
                    .is_ok_and(|n: f64| min.is_none_or(|m| n >= m) && max.is_none_or(|m| n <= m))
            }),
        }
    }

    fn numbers(&mut self, field: &Field, test: &Test) -> Docs {
        let fits = |n: f64| match test {
            Test::Between(min, max) => min.is_none_or(|m| n >= m) && max.is_none_or(|m| n <= m),
            Test::Present => true,
            Test::Is(list) => list.iter().any(|x| x.parse() == Ok(n)),
            Test::Like(_) | Test::Words(_) => false,
        };
        let mut docs = Docs::none(self.len());
        for doc in 0..self.len() {
            let mut good = false;
            self.values(doc, field, &mut |v| {
                if let Seen::Number(n) = v {
                    good |= fits(n);
                }
            });
            if good {
                docs.add(doc);
            }
        }
        docs
    }

    fn id_of(&self, doc: u32) -> EventId {
        let [high, low] = [0, 1].map(|i| u128::from(first(&self.id[i], doc)));
        EventId((high << 64 | low).to_be_bytes())
    }

    /// Documents by id: every one is looked at.
    fn ids(&self, test: &Test) -> Docs {
        let mut docs = Docs::none(self.len());
        let wanted: Vec<EventId> = match test {
            Test::Is(list) => list.iter().filter_map(|id| id.parse().ok()).collect(),
            _ => Vec::new(),
        };
        let pattern = match test {
            Test::Like(pattern) => Some(Pattern::new(pattern)),
            _ => None,
        };
        for doc in 0..self.len() {
            let id = self.id_of(doc);
            let fits = match test {
                Test::Present => true,
                Test::Is(_) => wanted.contains(&id),
                Test::Like(_) => pattern.as_ref().is_some_and(|p| p.fits(&id.to_string())),
                Test::Words(words) => tokens(words).all(|w| id.to_string().contains(&w)),
                Test::Between(..) => false,
            };
            if fits {
                docs.add(doc);
            }
        }
        docs
    }

    fn docs(&mut self, filter: &Filter) -> Result<Docs> {
        Ok(match filter {
            Filter::All => Docs::all(self.len()),
            Filter::None => Docs::none(self.len()),
            Filter::Not(f) => self.docs(f)?.not(),
            Filter::And(list) => {
                let mut docs = Docs::all(self.len());
                for f in list {
                    docs = docs.and(&self.docs(f)?);
                }
                docs
            }
            Filter::Or(list) => {
                let mut docs = Docs::none(self.len());
                for f in list {
                    docs = docs.or(&self.docs(f)?);
                }
                docs
            }
            Filter::Field(field, test) => match field {
                Field::Project | Field::Time | Field::Received => self.numbers(field, test),
                Field::Id => self.ids(test),
                Field::Hash => self.text("h", test)?,
                Field::Tag(key) => self.text(&format!("t{key}"), test)?,
                Field::Column(i) => match self.table.columns.get(*i).map(|c| c.kind) {
                    None => Docs::none(self.len()),
                    Some(Type::Words) => match test {
                        Test::Present => self.exact("p", &[format!("c{i}")])?,
                        Test::Words(text) => self.words(*i, text)?,
                        Test::Like(text) => self.words(*i, &text.replace('*', " "))?,
                        Test::Is(list) => {
                            let mut docs = Docs::none(self.len());
                            for text in list {
                                docs = docs.or(&self.words(*i, text)?);
                            }
                            docs
                        }
                        Test::Between(..) => Docs::none(self.len()),
                    },
                    Some(Type::Text | Type::Texts) => self.text(&format!("c{i}"), test)?,
                    Some(Type::SharedTexts) => {
                        let texts = self.text(&format!("c{i}"), test)?;
                        self.rows_of(&texts)?
                    }
                    Some(Type::Int | Type::Float | Type::Bool | Type::Time) => self.numbers(field, test),
                },
            },
        })
    }

    /// The rows that have one of some documents of shared texts.
    fn rows_of(&self, texts: &Docs) -> Result<Docs> {
        let mut docs = Docs::none(self.len());
        for doc in texts.iter() {
            let term = stack_term(first(&self.stack, doc));
            if let Some(info) = self.terms.terms().get(term.as_bytes()).map_err(store_error)? {
                self.add_postings(&info, &mut docs)?;
            }
        }
        Ok(docs)
    }

    /// The document with the shared texts of a row.
    fn texts_of(&mut self, doc: u32) -> Option<u32> {
        let number = first(&self.stack, doc);
        if self.shared.is_none() {
            let mut texts = Docs::none(self.len());
            if let Ok(Some(info)) = self.terms.terms().get(SHARED_TERM.as_bytes()) {
                self.add_postings(&info, &mut texts).ok()?;
            }
            self.shared = Some(texts.iter().map(|d| (first(&self.stack, d), d)).collect());
        }
        self.shared.as_ref()?.get(&number).copied()
    }

    fn open_values(&self, name: &str) -> Vec<Values> {
        let handles = self
            .reader
            .fast_fields()
            .dynamic_column_handles(&format!("cols.{name}"))
            .unwrap_or_default();
        handles
            .iter()
            .filter_map(|h| h.open().ok())
            .map(values_of)
            .collect()
    }

    /// The keys of the tags that occur, from the term dictionary: one seek per key.
    fn tag_keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut from = "t".to_owned();
        loop {
            let stream = self
                .terms
                .terms()
                .range()
                .ge(from.as_bytes())
                .lt(b"u")
                .into_stream();
            let Ok(mut stream) = stream else { break };
            if !stream.advance() {
                break;
            }
            let Some(key) = std::str::from_utf8(&stream.key()[1..])
                .ok()
                .and_then(|t| t.split_once('\u{1}'))
            else {
                break;
            };
            from = format!("t{}\u{2}", key.0);
            keys.push(key.0.to_owned());
        }
        keys
    }

    /// Reads the hashes of these documents in the order in which they lie; one by one each would cost as much as
    /// some hundred.
    fn prepare_hashes(&mut self, docs: &[u32]) {
        let Some(column) = &self.hash else { return };
        if self.hashes.is_empty() {
            self.hashes = vec![EventId::NIL.0; column.num_terms()];
        }
        let ords = ords_of(column, docs, |ord| {
            self.hashes.get(ord as usize).is_none_or(|h| *h == EventId::NIL.0)
        });
        let mut next = ords.iter();
        let _ = column.dictionary().sorted_ords_to_term_cb(&ords, |term| {
            let hash = std::str::from_utf8(term)
                .ok()
                .and_then(|t| t.parse::<EventId>().ok());
            if let (Some(ord), Some(hash)) = (next.next(), hash)
                && let Some(place) = self.hashes.get_mut(*ord as usize)
            {
                *place = hash.0;
            }
        });
    }

    /// The hash of a document.
    fn hash_of(&mut self, doc: u32) -> [u8; 16] {
        let known = |s: &Self| {
            let ord = s.hash.as_ref()?.term_ords(doc).next()?;
            s.hashes.get(ord as usize).copied()
        };
        match known(self) {
            Some(hash) if hash != EventId::NIL.0 => hash,
            _ => {
                self.prepare_hashes(&[doc]);
                known(self).unwrap_or(EventId::NIL.0)
            }
        }
    }

    /// The name of the column of a field that is one of the table's or a tag.
    fn column_of(field: &Field) -> Option<String> {
        match field {
            Field::Column(i) => Some(format!("c{i}")),
            Field::Tag(key) => Some(tag_column(key)),
            _ => None,
        }
    }

    fn open_column(&mut self, name: &str) {
        if !self.columns.contains_key(name) {
            let opened = self.open_values(name);
            self.columns.insert(name.to_owned(), opened);
        }
    }
}

fn values_of(column: DynamicColumn) -> Values {
    match column {
        DynamicColumn::Str(column) => Values::Str {
            column,
            cache: HashMap::new(),
        },
        other => Values::Number(other),
    }
}

/// The ordinals of what documents have, in order, as far as they are wanted.
fn ords_of(column: &StrColumn, docs: &[u32], wanted: impl Fn(u64) -> bool) -> Vec<u64> {
    let mut ords: Vec<u64> = docs
        .iter()
        .flat_map(|doc| column.term_ords(*doc))
        .filter(|ord| wanted(*ord))
        .collect();
    ords.sort_unstable();
    ords.dedup();
    ords
}

impl Values {
    /// Reads the texts of these documents in the order in which they lie.
    fn prepare(&mut self, docs: &[u32]) {
        let Values::Str { column, cache } = self else {
            return;
        };
        let ords = ords_of(column, docs, |ord| !cache.contains_key(&ord));
        let mut next = ords.iter();
        let _ = column.dictionary().sorted_ords_to_term_cb(&ords, |term| {
            if let (Some(ord), Ok(text)) = (next.next(), std::str::from_utf8(term)) {
                cache.insert(*ord, text.into());
            }
        });
    }

    /// Shows each text of these documents once, with the times of the documents that have it.
    fn count(&self, docs: &[u32], time: &Column<i64>, see: &mut dyn FnMut(&str, Times)) {
        let Values::Str { column, .. } = self else { return };
        let mut counted: HashMap<u64, Times> = HashMap::new();
        for doc in docs {
            for ord in column.term_ords(*doc) {
                let once = Times::once(first(time, *doc));
                counted.entry(ord).and_modify(|t| t.add(once)).or_insert(once);
            }
        }
        let mut sorted: Vec<(u64, Times)> = counted.into_iter().collect();
        sorted.sort_unstable_by_key(|(ord, _)| *ord);
        let mut next = sorted.iter();
        let ords: Vec<u64> = sorted.iter().map(|(ord, _)| *ord).collect();
        let _ = column.dictionary().sorted_ords_to_term_cb(&ords, |term| {
            if let (Some((_, times)), Ok(text)) = (next.next(), std::str::from_utf8(term)) {
                see(text, *times);
            }
        });
    }

    fn show(&mut self, doc: u32, see: &mut dyn FnMut(Seen<'_>)) {
        match self {
            Values::Str { column, cache } => {
                for ord in column.term_ords(doc) {
                    let text = cache.entry(ord).or_insert_with(|| {
                        let mut text = String::new();
                        let _ = column.ord_to_str(ord, &mut text);
                        text.into()
                    });
                    see(Seen::Str(text));
                }
            }
            Values::Number(column) => match column {
                DynamicColumn::I64(c) => c.values_for_doc(doc).for_each(|n| see(Seen::Number(n as f64))),
                DynamicColumn::U64(c) => c.values_for_doc(doc).for_each(|n| see(Seen::Number(n as f64))),
                DynamicColumn::F64(c) => c.values_for_doc(doc).for_each(|n| see(Seen::Number(n))),
                DynamicColumn::Bool(c) => {
                    c.values_for_doc(doc)
                        .for_each(|b| see(Seen::Number(f64::from(u8::from(b)))));
                }
                _ => {}
            },
        }
    }
}

impl Source for Segment<'_> {
    fn matching(&mut self, select: &Select) -> Result<Vec<u32>> {
        let mut docs = match &select.hashes {
            Some(hashes) => {
                let hashes: Vec<_> = hashes.iter().map(|h| EventId(*h).to_string()).collect();
                self.exact("h", &hashes)?
            }
            None => Docs::all(self.len()),
        };
        if select.filter != Filter::All {
            docs = docs.and(&self.docs(&select.filter)?);
        }
        let within = select.time.start <= self.time.min_value() && self.time.max_value() < select.time.end;
        let projects: HashSet<u64> = select.projects.iter().copied().collect();
        let mut out: Vec<u32> = docs
            .iter()
            .filter(|doc| {
                projects.contains(&first(&self.project, *doc))
                    && (within || select.time.contains(&first(&self.time, *doc)))
            })
            .collect();
        if !select.hidden.is_empty() {
            self.prepare_hashes(&out);
            out.retain(|doc| {
                let (project, hash) = self.origin(*doc);
                !select.hidden.hides(project, hash, first(&self.seq, *doc))
            });
        }
        Ok(out)
    }

    fn span(&self) -> (i64, i64) {
        (self.time.min_value(), self.time.max_value())
    }

    fn prepare(&mut self, docs: &[u32], fields: &[&Field]) {
        for field in fields {
            let Some(name) = Segment::column_of(field) else {
                continue;
            };
            self.open_column(&name);
            let shared: Vec<u32>;
            let docs = match field {
                Field::Column(i) if is_shared(self.table, *i as u16) => {
                    shared = docs.iter().filter_map(|d| self.texts_of(*d)).collect();
                    &shared
                }
                _ => docs,
            };
            for values in self.columns.get_mut(&name).into_iter().flatten() {
                values.prepare(docs);
            }
        }
    }

    fn moment(&self, doc: u32) -> (i64, u64) {
        (first(&self.time, doc), first(&self.seq, doc))
    }

    fn origin(&mut self, doc: u32) -> (u64, [u8; 16]) {
        (first(&self.project, doc), self.hash_of(doc))
    }

    fn found(&self, doc: u32) -> Found {
        let slot = u16::try_from(first(&self.slot, doc)).unwrap_or(u16::MAX);
        let locator = Locator {
            partition: self.partition,
            frame: first(&self.frame, doc),
            slot,
        };
        Found {
            locator,
            time: first(&self.time, doc),
            seq: first(&self.seq, doc),
            project: first(&self.project, doc),
        }
    }

    fn values(&mut self, doc: u32, field: &Field, see: &mut dyn FnMut(Seen<'_>)) {
        let name = match field {
            Field::Project => return see(Seen::Number(first(&self.project, doc) as f64)),
            Field::Time => return see(Seen::Number(first(&self.time, doc) as f64)),
            Field::Received => return see(Seen::Number(first(&self.received, doc) as f64)),
            Field::Hash => return see(Seen::Hash(self.hash_of(doc))),
            Field::Id => return see(Seen::Str(&self.id_of(doc).to_string())),
            Field::Column(_) | Field::Tag(_) => Segment::column_of(field).unwrap_or_default(),
        };
        self.open_column(&name);
        let doc = match field {
            Field::Column(i) if is_shared(self.table, *i as u16) => match self.texts_of(doc) {
                Some(texts) => texts,
                None => return,
            },
            _ => doc,
        };
        if let Some(columns) = self.columns.get_mut(&name) {
            columns.iter_mut().for_each(|c| c.show(doc, see));
        }
    }

    fn tags(&mut self, docs: &[u32], wanted: Option<&[String]>, see: &mut dyn FnMut(&str, &str, Times)) {
        if docs.is_empty() {
            return;
        }
        let keys = match wanted {
            Some(keys) => keys.to_vec(),
            None => self.tag_keys(),
        };
        for key in keys {
            for values in self.open_values(&tag_column(&key)) {
                values.count(docs, &self.time, &mut |value, times| see(&key, value, times));
            }
        }
    }
}
