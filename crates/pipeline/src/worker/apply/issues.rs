//! Events to issues, within the transaction of a batch: which issue an event belongs to, what its life makes of
//! it, and the counts.

use std::collections::{BTreeMap, HashMap};

use protocol::ids::GroupHash;
use protocol::time::{day_of, hour_of};
use storage::life::{self, Change, Sighting, Status};
use storage::relational::hashes::{self, HashRow, Tally, WHOLE_LIFE};
use storage::relational::issues::{self, Issue};
use storage::relational::releases::{self, Release};
use storage::relational::{activity, projects};
use storage::sketch::Distinct;
use storage::sql::{Connection, Result};

use super::super::prepare::Event;

/// Applies events in order; answers how many issues began, by project and release. Events that are not fresh were
/// counted before, and change no state of an issue.
pub fn apply(
    c: &mut dyn Connection,
    events: &[&Event],
    now: i64,
    fresh: bool,
) -> Result<HashMap<(u64, String), i64>> {
    if events.is_empty() {
        return Ok(HashMap::new());
    }
    let mut extent = Extent::load(c, events)?;
    let begun = extent.begin_issues(c, events, now)?;
    extent.bind(c, events, now)?;
    let mut book = Book::load(c, &extent, events)?;
    book.fold(c, &extent, events, now, fresh)?;
    book.write(c, &extent, events, now)?;
    Ok(begun)
}

/// A hash with its project.
pub type Hash = (u64, GroupHash);

/// Which hash belongs to which issue.
struct Extent {
    rows: HashMap<Hash, HashRow>,
    issue: HashMap<Hash, i64>,
}

/// The hashes of an event, the primary one first.
pub fn hashes_of(event: &Event) -> impl Iterator<Item = Hash> + '_ {
    event
        .processed
        .hashes
        .iter()
        .map(|h| (event.processed.row.project, *h))
}

fn primary(event: &Event) -> Hash {
    (event.processed.row.project, GroupHash(event.processed.row.hash))
}

impl Extent {
    fn load(c: &mut dyn Connection, events: &[&Event]) -> Result<Extent> {
        let mut wanted: Vec<Hash> = events.iter().flat_map(|e| hashes_of(e)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut extent = Extent {
            rows: HashMap::new(),
            issue: HashMap::new(),
        };
        extent.read(c, &wanted)?;
        Ok(extent)
    }

    fn read(&mut self, c: &mut dyn Connection, wanted: &[Hash]) -> Result<()> {
        for row in hashes::find(c, wanted)? {
            let hash = (row.project, row.hash);
            if let Some(issue) = row.issue {
                self.issue.insert(hash, issue);
            }
            self.rows.insert(hash, row);
        }
        Ok(())
    }

    /// Makes an issue for every event none of whose hashes has one.
    fn begin_issues(
        &mut self,
        c: &mut dyn Connection,
        events: &[&Event],
        now: i64,
    ) -> Result<HashMap<(u64, String), i64>> {
        // Negative numbers stand for issues that are not written yet.
        let mut starters: Vec<&Event> = Vec::new();
        for event in events {
            let found = hashes_of(event).find_map(|h| self.issue.get(&h).copied());
            let issue = found.unwrap_or_else(|| {
                starters.push(event);
                -i64::try_from(starters.len()).unwrap_or(i64::MAX)
            });
            for hash in hashes_of(event) {
                self.issue.entry(hash).or_insert(issue);
            }
        }
        if starters.is_empty() {
            return Ok(HashMap::new());
        }
        let mut per_project: BTreeMap<i64, i64> = BTreeMap::new();
        for event in &starters {
            *per_project.entry(event.processed.row.project as i64).or_default() += 1;
        }
        for (project, n) in &mut per_project {
            *n = projects::take_numbers(c, *project, *n)?;
        }
        let mut fresh = Vec::with_capacity(starters.len());
        let mut begun: HashMap<(u64, String), i64> = HashMap::new();
        for event in &starters {
            let p = &event.processed;
            let project = p.row.project as i64;
            let number = per_project.entry(project).or_default();
            fresh.push(Issue {
                id: 0,
                project,
                short_number: *number,
                state: life::begin(&p.level, p.handled, now),
                level: p.level.clone(),
                platform: p.platform.clone(),
                kind: p.kind.clone(),
                logger: p.logger.clone(),
                title: p.title.clone(),
                culprit: p.culprit.clone(),
                metadata: p.metadata.clone(),
                handled: p.handled,
                first_seen: p.time,
                last_seen: p.time,
                times_seen: 0,
                users_seen: 0,
                first_release: p.release.clone(),
                last_release: p.release.clone(),
                assigned_user: None,
                assigned_team: None,
                num_comments: 0,
                delete_after: None,
            });
            *number += 1;
            if let Some(release) = &p.release {
                *begun.entry((p.row.project, release.clone())).or_default() += 1;
            }
        }
        let ids: HashMap<(i64, i64), i64> = issues::add(c, &fresh)?
            .into_iter()
            .map(|(p, n, id)| ((p, n), id))
            .collect();
        let real: Vec<i64> = fresh
            .iter()
            .map(|i| ids.get(&(i.project, i.short_number)).copied().unwrap_or(0))
            .collect();
        for issue in self.issue.values_mut().filter(|i| **i < 0) {
            *issue = real[usize::try_from(-*issue - 1).unwrap_or(0)];
        }
        Ok(begun)
    }

    /// Writes which issue each hash of the batch belongs to.
    fn bind(&mut self, c: &mut dyn Connection, events: &[&Event], now: i64) -> Result<()> {
        let mut loose: Vec<Hash> = events
            .iter()
            .flat_map(|e| hashes_of(e))
            .filter(|h| self.rows.get(h).is_none_or(|r| r.issue.is_none()))
            .collect();
        loose.sort_unstable();
        loose.dedup();
        if loose.is_empty() {
            return Ok(());
        }
        let bound: Vec<_> = loose
            .iter()
            .map(|h| (h.0, h.1, self.issue.get(h).copied().unwrap_or(0)))
            .collect();
        hashes::add(c, &bound, now)?;
        self.read(c, &loose)
    }

    fn issue(&self, event: &Event) -> i64 {
        self.issue.get(&primary(event)).copied().unwrap_or(0)
    }

    fn hash_id(&self, event: &Event) -> i64 {
        self.rows.get(&primary(event)).map_or(0, |r| r.id)
    }
}

/// What the batch knows of the issues it touches.
struct Book {
    issues: HashMap<i64, Issue>,
    /// Users of an issue's whole life.
    users: HashMap<i64, Distinct>,
    /// Sketches by (hash, day), also [`WHOLE_LIFE`].
    sketches: HashMap<(i64, i64), Distinct>,
    /// Releases by project, where an issue waits for one.
    releases: HashMap<i64, Vec<Release>>,
    /// Events in the current hour, of issues that may escalate.
    hours: HashMap<i64, i64>,
    changes: Vec<(i64, i64, Change)>,
}

impl Book {
    fn load(c: &mut dyn Connection, extent: &Extent, events: &[&Event]) -> Result<Book> {
        let mut ids: Vec<i64> = events.iter().map(|e| extent.issue(e)).collect();
        ids.sort_unstable();
        ids.dedup();
        let issues: HashMap<i64, Issue> = issues::by_ids(c, &ids)?.into_iter().map(|i| (i.id, i)).collect();
        let mut keys: Vec<(i64, i64)> = Vec::new();
        let mut with_users: Vec<i64> = Vec::new();
        for event in events.iter().filter(|e| e.processed.user.is_some()) {
            let hash = extent.hash_id(event);
            keys.extend([
                (hash, WHOLE_LIFE),
                (hash, i64::from(day_of(event.processed.time))),
            ]);
            with_users.push(extent.issue(event));
        }
        keys.sort_unstable();
        keys.dedup();
        with_users.sort_unstable();
        with_users.dedup();
        let sketches = if keys.is_empty() {
            HashMap::new()
        } else {
            hashes::sketches(c, &keys)?
        };
        let users = if with_users.is_empty() {
            HashMap::new()
        } else {
            hashes::whole_life(c, &with_users)?
        };
        let mut releases: HashMap<i64, Vec<Release>> = HashMap::new();
        let mut hours = HashMap::new();
        for issue in issues.values() {
            let d = &issue.state.details;
            let waits = d.after_release.is_some() || d.in_release.is_some();
            if issue.state.status == Status::Resolved && waits && !releases.contains_key(&issue.project) {
                releases.insert(issue.project, releases::of_project(c, issue.project)?);
            }
            if d.awaits_escalation() {
                hours.insert(issue.id, 0);
            }
        }
        Ok(Book {
            issues,
            users,
            sketches,
            releases,
            hours,
            changes: Vec::new(),
        })
    }

    fn fold(
        &mut self,
        c: &mut dyn Connection,
        extent: &Extent,
        events: &[&Event],
        now: i64,
        fresh: bool,
    ) -> Result<()> {
        let this_hour = hour_of(now);
        for (issue, n) in &mut self.hours {
            *n = hashes::events_in_hour(c, *issue, this_hour)?;
        }
        for event in events {
            let p = &event.processed;
            let id = extent.issue(event);
            if let Some(user) = &p.user {
                let hash = extent.hash_id(event);
                for day in [WHOLE_LIFE, i64::from(day_of(p.time))] {
                    self.sketches.entry((hash, day)).or_default().add(user.as_bytes());
                }
                self.users.entry(id).or_default().add(user.as_bytes());
            }
            let Some(issue) = self.issues.get_mut(&id) else {
                continue;
            };
            issue.times_seen += 1;
            if let Some(users) = self.users.get(&id) {
                issue.users_seen = i64::try_from(users.count()).unwrap_or(i64::MAX);
            }
            issue.first_seen = issue.first_seen.min(p.time);
            if p.time >= issue.last_seen {
                issue.last_seen = p.time;
                issue.level.clone_from(&p.level);
                issue.platform.clone_from(&p.platform);
                issue.kind.clone_from(&p.kind);
                issue.logger.clone_from(&p.logger);
                issue.title.clone_from(&p.title);
                issue.culprit.clone_from(&p.culprit);
                issue.metadata.clone_from(&p.metadata);
                issue.handled = p.handled;
                if p.release.is_some() {
                    issue.last_release.clone_from(&p.release);
                }
            }
            if !fresh {
                continue;
            }
            let hour = self.hours.get_mut(&id);
            let events_this_hour = hour.map_or(0, |n| {
                *n += i64::from(hour_of(p.time) == this_hour);
                *n
            });
            let seen = Sighting {
                now,
                release: p.release.as_deref(),
                events: issue.times_seen,
                users: issue.users_seen,
                events_this_hour,
            };
            let known = self.releases.get(&issue.project).map_or(&[][..], Vec::as_slice);
            let change = life::on_event(&mut issue.state, &seen, &mut |a, b| {
                releases::came_later(known, a, b)
            });
            if let Some(change) = change {
                self.changes.push((id, issue.project, change));
            }
        }
        Ok(())
    }

    fn write(&self, c: &mut dyn Connection, extent: &Extent, events: &[&Event], now: i64) -> Result<()> {
        issues::save(c, &self.issues.values().collect::<Vec<_>>())?;
        let mut tallies: BTreeMap<i64, Tally> = BTreeMap::new();
        let mut hours: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        for event in events {
            let (hash, time) = (extent.hash_id(event), event.processed.time);
            let tally = tallies.entry(hash).or_insert(Tally {
                hash,
                events: 0,
                span: (time, time),
            });
            tally.events += 1;
            tally.span = (tally.span.0.min(time), tally.span.1.max(time));
            *hours.entry((hash, hour_of(time))).or_default() += 1;
        }
        hashes::tally(c, &tallies.into_values().collect::<Vec<_>>())?;
        hashes::add_hours(
            c,
            &hours.into_iter().map(|((h, t), n)| (h, t, n)).collect::<Vec<_>>(),
        )?;
        for ((hash, day), sketch) in &self.sketches {
            hashes::put_sketch(c, *hash, *day, sketch)?;
        }
        for (issue, project, change) in &self.changes {
            let data = serde_json::json!({});
            activity::add(c, *issue, *project, None, change.kind(), &data, now)?;
        }
        Ok(())
    }
}
