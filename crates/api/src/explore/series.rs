//! Figures over time.

use std::collections::BTreeMap;

use storage::columns::{Answer as Found, Cell, Field, Filter, GroupOrder, Question};
use storage::search::lower::span;

use super::{Figure, Shows, aggregates, column};
use crate::answer::ApiError;
use crate::call::Call;
use crate::scope::Scope;

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
/// Points of a series.
const POINTS: i64 = 5_000;

/// A window that is cut into pieces.
#[derive(Debug, Clone, Copy)]
pub struct Pieces {
    /// The start of the first, µs.
    pub start: i64,
    /// How many.
    pub count: usize,
    /// How long each is, µs.
    pub step: i64,
}

impl Pieces {
    /// Reads `interval`, or takes one that gives about a hundred points.
    pub fn of(call: &Call, scope: &Scope) -> Result<Pieces, ApiError> {
        let end = scope.end.min(call.now() + 1);
        let length = (end - scope.start).max(1);
        let step = match call.value("interval") {
            Some(text) => match span(text).filter(|s| *s >= MINUTE) {
                Some(step) => step,
                None => return Err(ApiError::Bad("interval is like 1m, 5m, 1h or 1d".into())),
            },
            None => [1, 5, 15, 30, 60, 4 * 60, 24 * 60, 7 * 24 * 60]
                .map(|m| m * MINUTE)
                .into_iter()
                .find(|s| length / s <= 120)
                .unwrap_or(30 * 24 * HOUR),
        };
        if length / step > POINTS {
            return Err(ApiError::Bad(
                "Your interval and date range would create too many results. Use a larger interval, or a smaller date range."
                    .into(),
            ));
        }
        let start = scope.start.div_euclid(step) * step;
        let count = usize::try_from((end - start + step - 1) / step).unwrap_or(0);
        Ok(Pieces { start, count, step })
    }

    /// The starts, in seconds.
    pub fn seconds(&self) -> impl Iterator<Item = i64> + '_ {
        (0..self.count).map(|i| (self.start + i64::try_from(i).unwrap_or(0) * self.step) / 1_000_000)
    }
}

/// A figure over time, for one group.
#[derive(Debug, Clone)]
pub struct Line {
    /// The key of the group, in the order asked.
    pub key: Vec<Cell>,
    /// A number for each piece.
    pub values: Vec<f64>,
}

/// A figure over time; for each of the `top` groups by the fields, if there are any.
pub fn lines(
    call: &Call,
    scope: &Scope,
    filter: &Filter,
    axis: &str,
    by: &[Field],
    top: usize,
    pieces: Pieces,
) -> Result<Vec<Line>, ApiError> {
    let Shows::Figure(figure) = column(call, axis)? else {
        return Err(ApiError::Bad(format!(
            "yAxis is a figure like count(), not {axis}"
        )));
    };
    let question = Question::Groups {
        by: by.to_vec(),
        every: Some(pieces.step),
        aggregates: aggregates(call, scope, &figure)?,
        order: GroupOrder::Key,
        limit: 0,
    };
    let Found::Groups(groups) = scope.select(call, filter.clone(), None, question)? else {
        return Ok(vec![]);
    };
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    if by.is_empty() {
        let values = vec![0.0; pieces.count];
        lines.insert(String::new(), Line { key: vec![], values });
    }
    for group in groups {
        let Some((Cell::Number(at), key)) = group.key.split_last() else {
            continue;
        };
        let place = usize::try_from((*at as i64 - pieces.start).div_euclid(pieces.step)).ok();
        let line = lines.entry(format!("{key:?}")).or_insert_with(|| Line {
            key: key.to_vec(),
            values: vec![0.0; pieces.count],
        });
        let number = |i: usize| match group.values.get(i) {
            Some(Cell::Number(n)) => *n,
            _ => 0.0,
        };
        let seconds = pieces.step as f64 / 1e6;
        let value = match figure {
            Figure::Mean(_) if number(1) > 0.0 => number(0) / number(1),
            Figure::PerSecond => number(0) / seconds,
            Figure::PerMinute => number(0) / seconds * 60.0,
            _ => number(0),
        };
        if let Some(slot) = place.and_then(|i| line.values.get_mut(i)) {
            *slot = value;
        }
    }
    let mut lines: Vec<Line> = lines.into_values().collect();
    let sum = |l: &Line| l.values.iter().sum::<f64>();
    lines.sort_by(|a, b| sum(b).total_cmp(&sum(a)));
    if !by.is_empty() {
        lines.truncate(top);
    }
    Ok(lines)
}
