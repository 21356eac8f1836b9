//! The event store in memory: rows as they came, filtered by the definition. The embedded store keeps its
//! newest rows in one of these; tests compare every other store with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::RwLock;
use protocol::table::{Table, Type, Value};

use crate::columns::accumulate::{Seen, Source, Times, answer, in_scope};
use crate::columns::{Answer, Columns, Field, Found, Placed, Result, RowBatch, Select, matches};
use crate::payloads::Partition;

/// Rows in memory as a source of answers.
pub struct Rows<'a> {
    table: &'static Table,
    rows: &'a [Arc<Placed>],
}

impl<'a> Rows<'a> {
    /// A source over these rows of a table.
    pub fn new(table: &'static Table, rows: &'a [Arc<Placed>]) -> Self {
        Rows { table, rows }
    }

    fn at(&self, doc: u32) -> &'a Placed {
        &self.rows[doc as usize]
    }
}

impl Source for Rows<'_> {
    fn matching(&mut self, select: &Select) -> Result<Vec<u32>> {
        let fits = |p: &Placed| {
            in_scope(select, p.row.project, p.row.time, p.row.hash, p.seq)
                && matches(&select.filter, self.table, &p.row)
        };
        Ok((0u32..)
            .zip(self.rows)
            .filter(|(_, p)| fits(p))
            .map(|(i, _)| i)
            .collect())
    }

    fn moment(&self, doc: u32) -> (i64, u64) {
        let p = self.at(doc);
        (p.row.time, p.seq)
    }

    fn origin(&mut self, doc: u32) -> (u64, [u8; 16]) {
        let row = &self.at(doc).row;
        (row.project, row.hash)
    }

    fn found(&self, doc: u32) -> Found {
        let p = self.at(doc);
        Found {
            locator: p.locator,
            time: p.row.time,
            seq: p.seq,
            project: p.row.project,
        }
    }

    fn values(&mut self, doc: u32, field: &Field, see: &mut dyn FnMut(Seen<'_>)) {
        let row = &self.at(doc).row;
        match field {
            Field::Project => see(Seen::Number(row.project as f64)),
            Field::Time => see(Seen::Number(row.time as f64)),
            Field::Received => see(Seen::Number(row.received as f64)),
            Field::Id => {}
            Field::Hash => see(Seen::Hash(row.hash)),
            Field::Tag(key) => row.tag(key).into_iter().for_each(|v| see(Seen::Str(v))),
            Field::Column(i) => match row.get(*i) {
                None => {}
                Some(_) if self.table.columns.get(*i).is_none_or(|c| c.kind == Type::Words) => {}
                Some(Value::Str(s)) => see(Seen::Str(s)),
                Some(Value::List(l)) => {
                    let distinct: BTreeSet<_> = l.iter().collect();
                    distinct.into_iter().for_each(|s| see(Seen::Str(s)));
                }
                Some(Value::Int(n)) => see(Seen::Number(*n as f64)),
                Some(Value::Float(x)) => see(Seen::Number(*x)),
                Some(Value::Bool(b)) => see(Seen::Number(f64::from(u8::from(*b)))),
            },
        }
    }

    fn tags(&mut self, docs: &[u32], wanted: Option<&[String]>, see: &mut dyn FnMut(&str, &str, Times)) {
        for doc in docs {
            let row = &self.at(*doc).row;
            for (key, value) in &row.tags {
                if wanted.is_none_or(|w| w.contains(key)) {
                    see(key, value, Times::once(row.time));
                }
            }
        }
    }
}

type Partitions = BTreeMap<(&'static str, Partition), (u64, Vec<Arc<Placed>>)>;

/// The port over rows in memory; nothing survives.
#[derive(Default)]
pub struct MemoryColumns {
    rows: RwLock<Partitions>,
}

impl Columns for MemoryColumns {
    fn append(&self, table: &'static Table, batches: Vec<RowBatch>) -> Result<()> {
        let mut all = self.rows.write();
        for batch in batches {
            let (end, rows) = all.entry((table.name, batch.partition)).or_default();
            if batch.end > *end {
                *end = batch.end;
                rows.extend(batch.rows);
            }
        }
        Ok(())
    }

    fn select(&self, select: &Select) -> Result<Answer> {
        let all = self.rows.read();
        let mut sources: Vec<Box<dyn Source + '_>> = all
            .iter()
            .filter(|((name, _), _)| *name == select.table.name)
            .map(|(_, (_, rows))| Box::new(Rows::new(select.table, rows)) as Box<dyn Source>)
            .collect();
        answer(select, &mut sources)
    }

    fn position(&self, _table: &'static Table, _partition: Partition) -> Result<u64> {
        Ok(0)
    }

    fn partitions(&self, table: &'static Table) -> Result<Vec<Partition>> {
        Ok(self
            .rows
            .read()
            .keys()
            .filter(|(n, _)| *n == table.name)
            .map(|(_, p)| *p)
            .collect())
    }

    fn drop_partition(&self, table: &'static Table, partition: Partition) -> Result<()> {
        self.rows.write().remove(&(table.name, partition));
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }
}
