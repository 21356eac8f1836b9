//! Rows and questions that look random and are the same in every run, for the suite of the event stores.

use std::sync::Arc;

use protocol::table::{Column, Row, Table, Type, Value};

use super::Numbers;
use crate::columns::{
    Aggregate, Field, Filter, GroupOrder, Hidden, Order, Placed, Question, RowBatch, Select, Test,
};
use crate::payloads::{Locator, Partition};

const fn column(name: &'static str, kind: Type) -> Column {
    Column { name, kind, doc: "" }
}

/// A table with a column of every type.
pub static TABLE: Table = Table {
    name: "suite",
    columns: &[
        column("text", Type::Text),
        column("texts", Type::Texts),
        column("words", Type::Words),
        column("int", Type::Int),
        column("float", Type::Float),
        column("bool", Type::Bool),
        column("at", Type::Time),
        column("other", Type::Text),
        column("shared", Type::SharedTexts),
        column("frames", Type::SharedTexts),
    ],
};

/// A moment in the middle of the rows' times, µs.
pub const NOON: i64 = 1_700_000_000_000_000;

const TAGS: &[&str] = &["a", "a.b", "ab", "level", "weird:key-1", "A"];
const HASHES: u8 = 6;

/// Texts that meet: same words in other cases, prefixes of each other, numbers, signs of the languages below.
pub fn texts() -> Vec<String> {
    let long = "long ".repeat(300);
    let mut out: Vec<String> = [
        "error",
        "Error",
        "errors",
        "err",
        "TypeError: x is not a function",
        "Cannot read property 'y' of undefined",
        "connection to 10.0.0.1:5432 refused",
        "10",
        "9.5",
        "-3",
        "1e3",
        "Ärger in der STRASSE ß",
        "ärger",
        "日本語のエラー",
        "a\u{1}b",
        "a\u{2}",
        "50% of * and \\ and \" and '",
        "/api/0/users/{id}",
        "null",
        "true",
    ]
    .iter()
    .map(|s| (*s).to_owned())
    .collect();
    out.push(format!("{long}one"));
    out.push(format!("{long}two"));
    out.push("x".repeat(100));
    out
}

/// Makes rows and questions.
pub struct Maker {
    numbers: Numbers,
    texts: Vec<String>,
    seq: u64,
}

impl Maker {
    /// A maker of its own per seed.
    pub fn new(seed: u64) -> Maker {
        Maker {
            numbers: Numbers::new(seed),
            texts: texts(),
            seq: 0,
        }
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.numbers.below(n)
    }

    fn text(&mut self) -> String {
        self.numbers.one(&self.texts).clone()
    }

    fn time(&mut self) -> i64 {
        NOON + (self.below(200) as i64 - 100) * 60_000_000
    }

    fn hash(&mut self) -> [u8; 16] {
        [self.below(usize::from(HASHES)) as u8; 16]
    }

    fn row(&mut self) -> Row {
        let mut row = Row {
            project: 1 + self.below(3) as u64,
            time: self.time(),
            received: self.time(),
            id: (u128::from(self.numbers.draw()) << 64 | u128::from(self.numbers.draw())).to_be_bytes(),
            hash: self.hash(),
            ..Row::default()
        };
        for (index, column) in TABLE.columns.iter().enumerate() {
            if self.below(3) == 0 {
                continue;
            }
            let value = match column.kind {
                Type::Text | Type::Words => Value::Str(self.text()),
                Type::Texts | Type::SharedTexts => {
                    let n = 1 + self.below(3);
                    Value::List(Arc::new((0..n).map(|_| self.text()).collect()))
                }
                Type::Int => Value::Int(*self.numbers.one(&[0, 1, -1, 10, 404, 1 << 40, -(1 << 40)])),
                Type::Float => Value::Float(*self.numbers.one(&[0.0, 0.25, -0.5, 1.0, 9.5, 1e6])),
                Type::Bool => Value::Bool(self.below(2) == 0),
                Type::Time => Value::Int(self.time()),
            };
            row.values.push((index as u16, value));
        }
        let mut tags = Vec::new();
        for key in TAGS {
            if self.below(2) == 0 {
                let value = self.text();
                tags.push(((*key).to_owned(), value));
            }
        }
        row.set_tags(tags);
        row
    }

    /// A batch of up to `most` rows for a partition.
    pub fn batch(&mut self, partition: Partition, end: u64, most: usize) -> RowBatch {
        let n = 1 + self.below(most);
        let rows = (0..n)
            .map(|slot| {
                self.seq += 1;
                Arc::new(Placed {
                    row: self.row(),
                    seq: self.seq,
                    locator: Locator {
                        partition,
                        frame: end,
                        slot: slot as u16,
                    },
                })
            })
            .collect();
        RowBatch { partition, end, rows }
    }

    fn field(&mut self) -> Field {
        match self.below(14) {
            0 => Field::Project,
            1 => Field::Time,
            2 => Field::Received,
            3 => Field::Hash,
            4..=6 => Field::Tag((*self.numbers.one(TAGS)).to_owned()),
            7 => Field::Tag("absent".into()),
            _ => Field::Column(self.below(TABLE.columns.len() + 1)),
        }
    }

    fn part_of_text(&mut self) -> String {
        let text = self.text();
        let chars: Vec<char> = text.chars().collect();
        let from = self.below(chars.len());
        let to = from + 1 + self.below((chars.len() - from).min(12));
        chars[from..to].iter().collect()
    }

    fn test(&mut self) -> Test {
        match self.below(7) {
            0 => Test::Present,
            1 | 2 => {
                let n = 1 + self.below(3);
                Test::Is((0..n).map(|_| self.text()).collect())
            }
            3 => Test::Words(self.part_of_text()),
            4 => {
                let part = self.part_of_text();
                let part = part.replace('\\', "\\\\").replace('*', "\\*");
                Test::Like(match self.below(4) {
                    0 => part,
                    1 => format!("{part}*"),
                    2 => format!("*{part}"),
                    _ => format!("*{part}*"),
                })
            }
            5 => {
                let numbers = [-3.0, 0.0, 1.0, 9.5, 10.0, NOON as f64];
                let low = *self.numbers.one(&numbers);
                let high = *self.numbers.one(&numbers);
                match self.below(3) {
                    0 => Test::Between(Some(low), None),
                    1 => Test::Between(None, Some(high)),
                    _ => Test::Between(Some(low), Some(high)),
                }
            }
            _ => Test::Is(vec![["1", "0", "404", "2"][self.below(4)].to_owned()]),
        }
    }

    fn filter(&mut self, depth: usize) -> Filter {
        let several = |maker: &mut Maker| {
            let n = maker.below(4);
            (0..n).map(|_| maker.filter(depth - 1)).collect::<Vec<_>>()
        };
        match self.below(if depth == 0 { 5 } else { 9 }) {
            0 if self.below(6) == 0 => Filter::All,
            1 if self.below(6) == 0 => Filter::None,
            5 => Filter::And(several(self)),
            6 => Filter::Or(several(self)),
            7 => Filter::Not(Box::new(self.filter(depth - 1))),
            _ => Filter::Field(self.field(), self.test()),
        }
    }

    fn aggregate(&mut self) -> Aggregate {
        match self.below(8) {
            0 => Aggregate::Distinct(self.field()),
            1 => Aggregate::Min(self.field()),
            2 => Aggregate::Max(self.field()),
            3 => Aggregate::Sum(Field::Column(3 + self.below(2))),
            4 => Aggregate::Numbers(self.field()),
            5 => Aggregate::Percentile(self.field(), *self.numbers.one(&[0.0, 0.5, 0.95, 1.0])),
            6 => Aggregate::If(self.filter(1)),
            _ => Aggregate::Count,
        }
    }

    fn question(&mut self) -> Question {
        match self.below(5) {
            4 => Question::Latest {
                limit: self.below(12),
            },
            0 | 1 => Question::Rows {
                order: *self.numbers.one(&[Order::Newest, Order::Oldest]),
                after: (self.below(2) == 0).then(|| {
                    let seq = self.below(self.seq as usize + 1) as u64;
                    (self.time(), seq)
                }),
                limit: 1 + self.below(30),
            },
            2 => {
                let by = (0..self.below(3)).map(|_| self.field()).collect();
                let aggregates: Vec<_> = (0..=self.below(3)).map(|_| self.aggregate()).collect();
                let order = if self.below(2) == 0 {
                    GroupOrder::Key
                } else {
                    GroupOrder::Aggregate(self.below(aggregates.len()))
                };
                Question::Groups {
                    by,
                    every: (self.below(2) == 0).then_some(3_600_000_000),
                    aggregates,
                    order,
                    limit: self.below(20),
                }
            }
            _ => Question::Facets {
                tags: (self.below(2) == 0).then(|| vec!["a".into(), "ab".into(), "absent".into()]),
                values: 1 + self.below(4),
                newest: *self.numbers.one(&[1, 7, 1000]),
            },
        }
    }

    /// A question over the rows made so far.
    pub fn select(&mut self) -> Select {
        let mut hidden = Hidden::default();
        if self.below(4) == 0 {
            let key = (1 + self.below(3) as u64, self.hash());
            hidden
                .deleted
                .insert(key, self.below(self.seq as usize + 1) as u64);
        }
        if self.below(4) == 0 {
            hidden.replaced.insert(self.below(self.seq as usize + 1) as u64);
        }
        let (a, b) = (self.time(), self.time());
        Select {
            table: &TABLE,
            projects: match self.below(4) {
                0 => vec![1],
                1 => vec![2, 3],
                _ => vec![1, 2, 3],
            },
            time: if self.below(3) == 0 {
                a.min(b)..a.max(b)
            } else {
                i64::MIN..i64::MAX
            },
            hashes: (self.below(4) == 0).then(|| vec![self.hash(), self.hash()]),
            filter: if self.below(4) == 0 {
                Filter::All
            } else {
                self.filter(2)
            },
            hidden: Arc::new(hidden),
            question: self.question(),
        }
    }
}
