//! A question to the event store, as a value: the only way to ask. Each store compiles it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use protocol::table::Table;

use crate::payloads::Locator;

/// What a filter or an aggregate looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The project's number.
    Project,
    /// The event's id, as 32 hex digits. It is tested only: nothing is grouped by it or computed of it.
    Id,
    /// The primary grouping hash, as 32 hex digits.
    Hash,
    /// When it happened.
    Time,
    /// When it was received.
    Received,
    /// A column of the table, by index. One of [`protocol::table::Type::Words`] is tested only, as an id.
    Column(usize),
    /// A tag, by key.
    Tag(String),
}

/// A condition on one field. On a field of several values it holds if it holds for any of them; on an absent
/// field it does not hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The field is there.
    Present,
    /// The text is one of these, to the letter.
    Is(Vec<String>),
    /// The whole text fits the pattern (`*` any run), in any case.
    Like(String),
    /// Every word of the text is part of one of the field's words, in any case. The test for
    /// [`protocol::table::Type::Words`].
    Words(String),
    /// The number lies between, both ends included; `None` is open. Time counts in µs, a boolean as 0 or 1, and
    /// a text that reads as a number as that number.
    Between(Option<f64>, Option<f64>),
}

/// Which rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Every row.
    All,
    /// No row.
    None,
    /// All of these hold.
    And(Vec<Filter>),
    /// Any of these holds.
    Or(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
    /// A condition on a field.
    Field(Field, Test),
}

impl Filter {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: Filter) -> Filter {
        match (self, other) {
            (Filter::All, x) | (x, Filter::All) => x,
            (Filter::And(mut a), Filter::And(b)) => {
                a.extend(b);
                Filter::And(a)
            }
            (Filter::And(mut a), x) => {
                a.push(x);
                Filter::And(a)
            }
            (a, b) => Filter::And(vec![a, b]),
        }
    }
}

/// The direction of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}

/// What to compute over the rows of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum Aggregate {
    /// How many rows.
    Count,
    /// How many distinct values.
    Distinct(Field),
    /// The smallest number.
    Min(Field),
    /// The largest number.
    Max(Field),
    /// The sum of numbers.
    Sum(Field),
    /// How many numbers there are.
    Numbers(Field),
    /// The number below which this share of the numbers lies, 0 to 1.
    Percentile(Field, f64),
    /// How many rows also fulfil this.
    If(Filter),
}

/// By what groups are ordered, largest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupOrder {
    /// By their key.
    Key,
    /// By an aggregate, by its index.
    Aggregate(usize),
}

/// What is wanted of the rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// The rows themselves, a page of them.
    Rows {
        /// The direction.
        order: Order,
        /// Only rows after this (time, seq) in that direction.
        after: Option<(i64, u64)>,
        /// At most so many.
        limit: usize,
    },
    /// Groups of rows and what is computed over each.
    Groups {
        /// What makes a group.
        by: Vec<Field>,
        /// If given, time is cut into pieces of so many µs, and the piece's start is the last part of the key.
        every: Option<i64>,
        /// What to compute.
        aggregates: Vec<Aggregate>,
        /// The order.
        order: GroupOrder,
        /// At most so many groups; 0 means all.
        limit: usize,
    },
    /// Projects and hashes of the rows, each with its newest row, the newest first; of the same moment by number
    /// and hash. It looks at no more rows than it must.
    Latest {
        /// At most so many.
        limit: usize,
    },
    /// The top values of many fields over the newest rows.
    Facets {
        /// Which tags; `None` means every tag that occurs.
        tags: Option<Vec<String>>,
        /// Values per tag.
        values: usize,
        /// Look at so many of the newest rows.
        newest: usize,
    },
}

/// Rows that do not count any more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hidden {
    /// What somebody deleted: of a project and hash, all up to a place in the order of application.
    pub deleted: HashMap<(u64, [u8; 16]), u64>,
    /// What was processed again: places of records that a later one of the same event stands for.
    pub replaced: HashSet<u64>,
}

impl Hidden {
    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.deleted.is_empty() && self.replaced.is_empty()
    }

    /// Whether a row is hidden.
    pub fn hides(&self, project: u64, hash: [u8; 16], seq: u64) -> bool {
        self.deleted
            .get(&(project, hash))
            .is_some_and(|upto| seq <= *upto)
            || self.replaced.contains(&seq)
    }
}

/// A question.
#[derive(Clone, Debug)]
pub struct Select {
    /// The table.
    pub table: &'static Table,
    /// Which projects; empty means none.
    pub projects: Vec<u64>,
    /// Which time, µs.
    pub time: Range<i64>,
    /// Only these primary hashes, if given: how an issue is asked for.
    pub hashes: Option<Vec<[u8; 16]>>,
    /// Which rows.
    pub filter: Filter,
    /// What was deleted.
    pub hidden: Arc<Hidden>,
    /// What is wanted.
    pub question: Question,
}

/// A row that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where its record lies.
    pub locator: Locator,
    /// When it happened.
    pub time: i64,
    /// Its place in the order of application; with `time` the cursor of a page.
    pub seq: u64,
    /// The project.
    pub project: u64,
}

/// A part of a group's key, or a computed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Absent.
    Null,
    /// A text.
    Str(String),
    /// A number.
    Number(f64),
}

/// A group.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its key, in the order asked.
    pub key: Vec<Cell>,
    /// What was computed, in the order asked.
    pub values: Vec<Cell>,
}

/// One value of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// Rows with it.
    pub count: u64,
    /// The first time, µs.
    pub first: i64,
    /// The last time, µs.
    pub last: i64,
}

/// The top values of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// The tag.
    pub key: String,
    /// Rows that have it.
    pub total: u64,
    /// Distinct values.
    pub distinct: u64,
    /// The top ones, most first.
    pub values: Vec<FacetValue>,
}

/// A project and hash, and when its newest row was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latest {
    /// The project.
    pub project: u64,
    /// The hash.
    pub hash: [u8; 16],
    /// The time, µs.
    pub time: i64,
}

/// The answer, in the form of the question.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Rows in order, and whether more follow.
    Rows {
        /// The rows.
        rows: Vec<Found>,
        /// Whether there are more.
        more: bool,
    },
    /// Groups in order.
    Groups(Vec<Group>),
    /// Projects and hashes in order, and whether there are more.
    Latest {
        /// Those asked for.
        found: Vec<Latest>,
        /// Whether there are more.
        more: bool,
    },
    /// Top values per tag, the most frequent tag first.
    Facets {
        /// The tags.
        facets: Vec<Facet>,
        /// Rows looked at.
        seen: u64,
        /// Rows that match in all.
        total: u64,
    },
}
