//! Why an event stands in its issue, and what other rules would make of recent events.

use std::collections::{BTreeMap, BTreeSet};

use protocol::ids::GroupHash;
use serde_json::{Value, json};
use storage::columns::{Answer as Found, Filter, Order, Question};
use storage::relational::hashes;
use storage::relational::issues::{self, Issue};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::scope::Scope;

/// Hashes of a preview: the newest event of each is grouped again.
const PREVIEWED: i64 = 300;
/// Issues that a preview names in each of its lists.
const NAMED: usize = 50;

/// The variants of an event's grouping, by key: hash, whether it contributes, and the tree of components.
pub fn info(call: &Call) -> Result<Answer, ApiError> {
    let project = call.project()?;
    let loaded = super::events::by_id(call, project, call.event_id("event")?)?;
    let loaded = loaded.ok_or_else(|| ApiError::missing("Event"))?;
    Ok(Answer::json((call.api.hooks.grouping)(&loaded.json)))
}

/// Where the future events of an issue would go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// An issue that is there.
    Issue(i64),
    /// A new one, which begins with the hash of this place in the list of events.
    New(usize),
}

/// What rules would make of the newest events of a project, before they are saved: `groupingEnhancements` and
/// `fingerprintingRules` as they would be. Answers which issues would become one, which would be taken apart, and
/// which would go on as a new issue.
pub fn preview(call: &Call) -> Result<Answer, ApiError> {
    let project = call.project()?.clone();
    let body = call.json()?;
    let mut settings = project.settings.as_object().cloned().unwrap_or_default();
    super::projects::grouping_rules(&body, &mut settings)?;
    let settings = Value::Object(settings);
    let newest = call
        .api
        .stores
        .sql
        .reading(|c| hashes::newest(c, project.id, PREVIEWED))?;
    let scope = Scope::all_of(call, project.clone())?;
    let (mut whose, mut locators) = (Vec::new(), Vec::new());
    for (issue, hash) in newest {
        let question = Question::Rows {
            order: Order::Newest,
            after: None,
            limit: 1,
        };
        if let Found::Rows { rows, .. } = scope.select(call, Filter::All, Some(vec![hash.0]), question)?
            && let Some(row) = rows.first()
        {
            whose.push(issue);
            locators.push(row.locator);
        }
    }
    let mut events = Vec::with_capacity(whose.len());
    for (issue, bytes) in whose.into_iter().zip(call.api.stores.payloads.get(&locators)) {
        if let Ok(event) = storage::record::StoredEvent::decode(&bytes?) {
            events.push((issue, event));
        }
    }
    let stored: Vec<&[u8]> = events.iter().map(|(_, e)| e.json.as_slice()).collect();
    let again = (call.api.hooks.regroup)(&settings, &stored)
        .map_err(|(field, what)| ApiError::field(&field, what))?;
    let project_id = u64::try_from(project.id).unwrap_or(0);
    let asked: Vec<_> = again.iter().flatten().map(|h| (project_id, *h)).collect();
    let bound: BTreeMap<GroupHash, i64> = call
        .api
        .stores
        .sql
        .reading(|c| hashes::find(c, &asked))?
        .into_iter()
        .filter_map(|h| Some((h.hash, h.issue?)))
        .collect();
    let before: Vec<i64> = events.iter().map(|(issue, _)| *issue).collect();
    let mut changed = 0;
    for ((_, event), new) in events.iter().zip(&again) {
        changed += usize::from(event.hashes != *new);
    }
    let targets = targets(&again, &bound);
    answer(call, &project, changed, &before, &targets)
}

/// Where each event goes, as the worker decides: the issue of its first hash that has one, else a new issue that
/// its hashes belong to from then on.
fn targets(events: &[Vec<GroupHash>], bound: &BTreeMap<GroupHash, i64>) -> Vec<Target> {
    let mut known: BTreeMap<GroupHash, Target> = bound.iter().map(|(h, i)| (*h, Target::Issue(*i))).collect();
    let mut out = Vec::with_capacity(events.len());
    for (i, hashes) in events.iter().enumerate() {
        let found = hashes.iter().find_map(|h| known.get(h).copied());
        let target = found.unwrap_or(Target::New(i));
        for hash in hashes {
            known.entry(*hash).or_insert(target);
        }
        out.push(target);
    }
    out
}

fn answer(
    call: &Call,
    project: &storage::relational::projects::Project,
    changed: usize,
    before: &[i64],
    targets: &[Target],
) -> Result<Answer, ApiError> {
    let mut from: BTreeMap<Target, BTreeSet<i64>> = BTreeMap::new();
    let mut to: BTreeMap<i64, BTreeSet<Target>> = BTreeMap::new();
    for (issue, target) in before.iter().zip(targets) {
        from.entry(*target).or_default().insert(*issue);
        to.entry(*issue).or_default().insert(*target);
        if let Target::Issue(other) = target {
            from.entry(*target).or_default().insert(*other);
        }
    }
    let ids: Vec<i64> = before
        .iter()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let known: BTreeMap<i64, Issue> = call
        .api
        .stores
        .sql
        .reading(|c| issues::by_ids(c, &ids))?
        .into_iter()
        .filter(|i| i.delete_after.is_none())
        .map(|i| (i.id, i))
        .collect();
    let view = |id: &i64| {
        known.get(id).map(|i| {
            json!({
                "id": id.to_string(), "shortId": issues::short_id(&project.slug, i.short_number),
                "title": i.title, "culprit": i.culprit, "count": i.times_seen.to_string(),
            })
        })
    };
    let merges: Vec<Value> = from
        .values()
        .filter(|issues| issues.len() > 1)
        .map(|issues| json!({ "issues": issues.iter().filter_map(view).collect::<Vec<_>>() }))
        .take(NAMED)
        .collect();
    let splits: Vec<Value> = to
        .iter()
        .filter(|(_, targets)| targets.len() > 1)
        .filter_map(|(issue, targets)| Some(json!({ "issue": view(issue)?, "into": targets.len() })))
        .take(NAMED)
        .collect();
    let alone = |issue: &i64, targets: &BTreeSet<Target>| {
        matches!(targets.first(), Some(t @ Target::New(_)) if targets.len() == 1 && from[t].len() == 1)
            .then(|| view(issue))
            .flatten()
    };
    let renewed: Vec<Value> = to.iter().filter_map(|(i, t)| alone(i, t)).take(NAMED).collect();
    Ok(Answer::json(json!({
        "events": before.len(), "changedEvents": changed, "issues": to.len(),
        "merges": merges, "splits": splits, "renewed": renewed,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_go_where_their_first_known_hash_is() {
        let h = |n: u8| GroupHash([n; 16]);
        let bound = BTreeMap::from([(h(1), 10), (h(9), 20)]);
        let events = vec![
            vec![h(1), h(2)],
            vec![h(3)],
            vec![h(4), h(3)],
            vec![h(2)],
            vec![h(5), h(9)],
        ];
        let want = [
            Target::Issue(10),
            Target::New(1),
            Target::New(1),
            Target::Issue(10),
            Target::Issue(20),
        ];
        assert!(targets(&events, &bound) == want);
    }
}
