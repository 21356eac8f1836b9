//! What every event store must do: answer as the rows in memory would, by [`crate::columns::matches`] and
//! [`crate::columns::accumulate`], in whatever state its rows are.

use std::sync::Arc;

use protocol::table::{Row, Value};

use super::rows::{Maker, NOON, TABLE};
use super::{Case, Open};
use crate::columns::{
    Aggregate, Answer, Cell, Columns, Field, Filter, GroupOrder, Hidden, Order, Placed, Question, RowBatch,
    Select, Test,
};
use crate::memory::MemoryColumns;
use crate::payloads::{Locator, Partition};

/// Every case; the store must know [`TABLE`].
pub const CASES: &[Case<dyn Columns>] = &[
    ("a row is visible when append has answered", visible),
    ("a batch that was appended before is not appended again", repeated),
    (
        "rows behind the position are appended again after a restart",
        replay,
    ),
    ("pages follow each other without gap or repeat", pages),
    ("deleted rows are hidden up to where they were deleted", hidden),
    ("a dropped partition forgets its rows", drop_partition),
    (
        "answers are those of the rows in memory, whatever happens in between",
        as_in_memory,
    ),
];

const A: Partition = Partition {
    retention: 90,
    day: 19_000,
};
const B: Partition = Partition {
    retention: 30,
    day: 19_000,
};
const C: Partition = Partition {
    retention: 90,
    day: 19_001,
};

fn row(seq: u64, text: &str) -> Placed {
    let mut row = Row {
        project: 1,
        time: NOON + seq as i64,
        received: NOON,
        id: [seq as u8; 16],
        hash: [7; 16],
        ..Row::default()
    };
    row.set(&TABLE, "text", Value::Str(text.into()));
    Placed {
        row,
        seq,
        locator: Locator {
            partition: A,
            frame: 0,
            slot: seq as u16,
        },
    }
}

fn batch(partition: Partition, end: u64, rows: Vec<Placed>) -> RowBatch {
    RowBatch {
        partition,
        end,
        rows: rows.into_iter().map(Arc::new).collect(),
    }
}

fn ask(filter: Filter, question: Question) -> Select {
    Select {
        table: &TABLE,
        projects: vec![1],
        time: i64::MIN..i64::MAX,
        hashes: None,
        filter,
        hidden: Arc::default(),
        question,
    }
}

fn newest(limit: usize, after: Option<(i64, u64)>) -> Question {
    Question::Rows {
        order: Order::Newest,
        after,
        limit,
    }
}

fn seqs(store: &dyn Columns, select: &Select) -> Vec<u64> {
    match store.select(select).expect("answered") {
        Answer::Rows { rows, .. } => rows.into_iter().map(|r| r.seq).collect(),
        other => panic!("asked for rows, got {other:?}"),
    }
}

fn count(store: &dyn Columns) -> f64 {
    let select = ask(
        Filter::All,
        Question::Groups {
            by: vec![],
            every: None,
            aggregates: vec![Aggregate::Count],
            order: GroupOrder::Key,
            limit: 0,
        },
    );
    match store.select(&select).expect("answered") {
        Answer::Groups(groups) => groups.first().map_or(0.0, |g| match &g.values[0] {
            Cell::Number(n) => *n,
            other => panic!("asked for a count, got {other:?}"),
        }),
        other => panic!("asked for groups, got {other:?}"),
    }
}

fn visible(open: Open<'_, dyn Columns>) {
    let store = open();
    let is = |text: &str| {
        let test = Test::Is(vec![text.to_owned()]);
        ask(Filter::Field(Field::Column(0), test), newest(10, None))
    };
    for seq in 1..=20 {
        let text = format!("t{seq}");
        store
            .append(&TABLE, vec![batch(A, seq * 10, vec![row(seq, &text)])])
            .expect("appended");
        assert_eq!(seqs(&*store, &is(&text)), [seq]);
        if seq == 10 {
            store.flush().expect("flushed");
            assert_eq!(seqs(&*store, &is("t1")), [1]);
            assert_eq!(count(&*store), 10.0);
        }
    }
    assert_eq!(count(&*store), 20.0);
    drop(store);
    assert_eq!(store_at(open, A, 200), "all");
}

/// Opens again and says what is there: after a restart a store may have lost what is behind its position.
fn store_at(open: Open<'_, dyn Columns>, partition: Partition, end: u64) -> &'static str {
    let store = open();
    let position = store.position(&TABLE, partition).expect("asked");
    let all = count(&*store) == 20.0;
    if all || position < end {
        "all"
    } else {
        "rows are missing in front of its position"
    }
}

fn repeated(open: Open<'_, dyn Columns>) {
    let store = open();
    let first = || vec![batch(A, 10, vec![row(1, "x"), row(2, "y")])];
    store.append(&TABLE, first()).expect("appended");
    store.append(&TABLE, first()).expect("ignored");
    assert_eq!(count(&*store), 2.0);
    store.flush().expect("flushed");
    store.append(&TABLE, first()).expect("ignored");
    assert_eq!(count(&*store), 2.0);
    store
        .append(&TABLE, vec![batch(A, 20, vec![row(3, "z")])])
        .expect("appended");
    assert_eq!(count(&*store), 3.0);
}

fn replay(open: Open<'_, dyn Columns>) {
    let batches: Vec<RowBatch> = (1..=5).map(|n| batch(A, n * 10, vec![row(n, "x")])).collect();
    let store = open();
    store.append(&TABLE, batches[..3].to_vec()).expect("appended");
    store.flush().expect("flushed");
    assert_eq!(store.position(&TABLE, A).expect("asked"), 30);
    assert_eq!(store.partitions(&TABLE).expect("listed"), [A]);
    store.append(&TABLE, batches[3..].to_vec()).expect("appended");
    drop(store);
    let store = open();
    let position = store.position(&TABLE, A).expect("asked");
    assert!(position >= 30, "{position}: what was flushed is gone");
    assert_eq!(count(&*store), (position / 10) as f64);
    store.append(&TABLE, batches).expect("appended");
    assert_eq!(count(&*store), 5.0);
}

fn pages(open: Open<'_, dyn Columns>) {
    let store = open();
    // Rows of the same moment, some flushed, some not, in two partitions.
    for seq in 1..=40u64 {
        let mut placed = row(seq, "x");
        placed.row.time = NOON + (seq / 7) as i64;
        let partition = if seq % 2 == 0 { A } else { B };
        placed.locator.partition = partition;
        store
            .append(&TABLE, vec![batch(partition, seq, vec![placed])])
            .expect("appended");
        if seq == 25 {
            store.flush().expect("flushed");
        }
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let answer = store
            .select(&ask(Filter::All, newest(6, after)))
            .expect("answered");
        let Answer::Rows { rows, more } = answer else {
            panic!("asked for rows");
        };
        seen.extend(rows.iter().map(|r| r.seq));
        after = rows.last().map(|r| (r.time, r.seq));
        if !more {
            break;
        }
        assert_eq!(rows.len(), 6);
    }
    assert_eq!(seen, (1..=40).rev().collect::<Vec<u64>>());
}

fn hidden(open: Open<'_, dyn Columns>) {
    let store = open();
    let rows = (1..=4).map(|n| row(n, "x")).collect();
    store.append(&TABLE, vec![batch(A, 10, rows)]).expect("appended");
    let mut select = ask(Filter::All, newest(10, None));
    for flushed in [false, true] {
        if flushed {
            store.flush().expect("flushed");
        }
        select.hidden = Arc::new(Hidden {
            deleted: [((1, [7; 16]), 2)].into(),
            ..Hidden::default()
        });
        assert_eq!(seqs(&*store, &select), [4, 3]);
        select.hidden = Arc::new(Hidden {
            deleted: [((2, [7; 16]), 9), ((1, [8; 16]), 9)].into(),
            ..Hidden::default()
        });
        assert_eq!(seqs(&*store, &select), [4, 3, 2, 1], "others' deletions");
    }
}

fn drop_partition(open: Open<'_, dyn Columns>) {
    let store = open();
    for flushed in [false, true] {
        store
            .append(
                &TABLE,
                vec![batch(A, 10, vec![row(1, "x")]), batch(B, 10, vec![row(2, "y")])],
            )
            .expect("appended");
        if flushed {
            store.flush().expect("flushed");
        }
        store.drop_partition(&TABLE, A).expect("dropped");
        store.drop_partition(&TABLE, A).expect("nothing to drop");
        assert_eq!(seqs(&*store, &ask(Filter::All, newest(10, None))), [2]);
        assert_eq!(store.partitions(&TABLE).expect("listed"), [B]);
        assert_eq!(store.position(&TABLE, A).expect("asked"), 0);
    }
    store
        .append(&TABLE, vec![batch(A, 5, vec![row(3, "z")])])
        .expect("appended");
    store.flush().expect("flushed");
    drop(store);
    let store = open();
    store
        .append(
            &TABLE,
            vec![batch(A, 5, vec![row(3, "z")]), batch(B, 10, vec![row(2, "y")])],
        )
        .expect("appended");
    assert_eq!(seqs(&*store, &ask(Filter::All, newest(10, None))), [3, 2]);
}

fn as_in_memory(open: Open<'_, dyn Columns>) {
    let mut make = Maker::new(1);
    let model = MemoryColumns::default();
    let mut store = open();
    let mut appended: Vec<RowBatch> = Vec::new();
    let (mut end, mut asked, mut told) = (0, 0, 0);
    for step in 0..40 {
        match make.below(8) {
            0 => store.flush().expect("flushed"),
            1 => {
                drop(store);
                store = open();
                // What is not known to be safe comes again, from the packs; what is known is ignored.
                store.append(&TABLE, appended.clone()).expect("appended");
            }
            2 if step > 10 => {
                let gone = [A, B, C][make.below(3)];
                store.drop_partition(&TABLE, gone).expect("dropped");
                model.drop_partition(&TABLE, gone).expect("dropped");
                appended.retain(|b| b.partition != gone);
            }
            _ => {
                let mut batches = Vec::new();
                for partition in [A, B, C] {
                    if make.below(2) == 0 {
                        end += 100;
                        batches.push(make.batch(partition, end, 60));
                    }
                }
                appended.extend(batches.iter().cloned());
                store.append(&TABLE, batches.clone()).expect("appended");
                model.append(&TABLE, batches).expect("appended");
            }
        }
        for _ in 0..60 {
            let select = make.select();
            let want = model.select(&select).expect("answered");
            let got = store.select(&select).expect("answered");
            assert!(
                got == want,
                "step {step}\nasked {:?} {:?}\nof {:?} in {:?} hidden {:?}\nwant {want:?}\ngot  {got:?}",
                select.filter,
                select.question,
                select.hashes,
                select.time,
                select.hidden
            );
            asked += 1;
            told += usize::from(match want {
                Answer::Rows { rows, .. } => !rows.is_empty(),
                Answer::Groups(groups) => !groups.is_empty(),
                Answer::Facets { seen, .. } => seen > 0,
                Answer::Latest { found, .. } => !found.is_empty(),
            });
        }
    }
    assert!(told * 2 > asked, "{told} of {asked} answers say something");
}
