//! Mail: members of a project are told of new issues and of regressions, and what waits is sent. One thread.
//!
//! What happened is read behind two positions, so that nothing is told twice and a stop loses nothing. Mails stand
//! in the database until the mail server has taken them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use storage::life::Priority;
use storage::mail::Mailer;
use storage::mail::compose::{self, Cause, Named};
use storage::mail::links::Links;
use storage::relational::mails::{self, About};
use storage::relational::{activity, instance, issues, people, projects, teams};
use storage::sql::{Connection, Result as SqlResult, SqlError};
use storage::stores::Stores;

/// How often the thread looks.
const EVERY: Duration = Duration::from_secs(2);
/// Issues and entries of activity that are looked at in one go.
const PAGE: i64 = 1_000;
/// Mails that are sent in one go.
const BATCH: i64 = 20;
/// Mails about a project that a user gets within an hour; then one that says so.
const HOURLY: i64 = 20;
/// Entries of activity may be written out of the order of their numbers for so long, µs.
const SETTLED: i64 = 5_000_000;
/// How long to wait after each try, minutes; after the last a mail is given up.
const WAITS: [i64; 7] = [1, 5, 15, 60, 240, 480, 960];
/// Mails that were dealt with are kept so long, µs.
const KEPT: i64 = 30 * 86_400_000_000;
const MINUTE: i64 = 60_000_000;

/// Up to which issue and which entry of activity has been told.
const TOLD: &str = "mail-told";

/// What the thread works with.
pub struct Mails {
    /// The stores.
    pub stores: Stores,
    /// The mail server; `None` if there is none in the settings.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// Addresses that stand in mails.
    pub links: Links,
}

/// Tells and sends until it is told to stop.
pub fn run(mails: &Mails, stop: &Arc<AtomicBool>) {
    let mut round = 0u64;
    while !stop.load(Ordering::Relaxed) {
        match &mails.mailer {
            None if round == 0 => {
                // What happens without mail is not told later.
                let forgotten = mails.stores.sql.writing(|c| instance::set(c, TOLD, ""));
                if let Err(e) = forgotten {
                    tracing::error!(error = %e, "mail could not be put aside");
                }
            }
            None => {}
            Some(mailer) => {
                if let Err(e) = tell(&mails.stores, &mails.links) {
                    tracing::error!(error = %e, "nobody could be told of new issues yet");
                }
                if let Err(e) = send(&mails.stores, mailer.as_ref()) {
                    tracing::error!(error = %e, "mails could not be read or marked");
                }
            }
        }
        if round.is_multiple_of(300) {
            let before = mails.stores.clock.now() - KEPT;
            if let Err(e) = mails.stores.sql.writing(|c| mails::forget(c, before)) {
                tracing::error!(error = %e, "old mails could not be forgotten");
            }
        }
        round += 1;
        std::thread::sleep(EVERY);
    }
}

/// Sends what waits; answers how many were taken.
///
/// # Errors
/// As the database says. What the mail server refuses is kept with its words.
pub fn send(stores: &Stores, mailer: &dyn Mailer) -> Result<usize, SqlError> {
    let now = stores.clock.now();
    let due = stores.sql.reading(|c| mails::due(c, now, BATCH))?;
    let mut taken = 0;
    for one in due {
        match mailer.send(&one.mail) {
            Ok(()) => {
                stores
                    .sql
                    .writing(|c| mails::sent(c, one.id, stores.clock.now()))?;
                taken += 1;
            }
            Err(e) => {
                let wait = usize::try_from(one.tries).ok().and_then(|n| WAITS.get(n));
                let next = wait.filter(|_| !e.permanent).map(|m| now + m * MINUTE);
                tracing::warn!(error = %e, to = one.mail.to, given_up = next.is_none(), "a mail was not taken");
                stores.sql.writing(|c| mails::failed(c, one.id, &e.text, next))?;
                if !e.permanent {
                    // The others would fare the same.
                    break;
                }
            }
        }
    }
    Ok(taken)
}

/// What happened to issues of a project: the issues, and a reason that is never the same twice.
type Happened = BTreeMap<(i64, &'static str), (Vec<i64>, String)>;

/// Puts mails about what is new in line; answers how many.
///
/// # Errors
/// As the database says.
pub fn tell(stores: &Stores, links: &Links) -> Result<usize, SqlError> {
    let now = stores.clock.now();
    let read = |c: &mut dyn Connection| -> SqlResult<(Happened, (i64, i64), bool)> {
        let told = instance::get(c, TOLD)?.and_then(|t| {
            let (issue, entry) = t.split_once(' ')?;
            Some((issue.parse().ok()?, entry.parse().ok()?))
        });
        let Some((issue, entry)) = told else {
            return Ok((Happened::new(), (issues::last(c)?, activity::last(c)?), true));
        };
        let mut happened = Happened::new();
        let mut ends: (i64, i64) = (issue, entry);
        for (id, project) in issues::after(c, issue, PAGE)? {
            let (all, reason) = happened.entry((project, Cause::New.name())).or_default();
            all.push(id);
            *reason = id.to_string();
            ends.0 = id;
        }
        for (id, issue, project, kind) in activity::after(c, entry, now - SETTLED, PAGE)? {
            if kind == "set_regression" {
                let (all, reason) = happened.entry((project, Cause::Regression.name())).or_default();
                all.push(issue);
                *reason = id.to_string();
            }
            ends.1 = id;
        }
        Ok((happened, ends, ends != (issue, entry)))
    };
    let (happened, ends, moved) = stores.sql.reading(read)?;
    if !moved {
        return Ok(0);
    }
    stores.sql.writing(|c| {
        let mut put = 0;
        for ((project, cause), (all, reason)) in &happened {
            if let Some(cause) = Cause::parse(cause) {
                put += tell_project(c, links, *project, cause, all, reason, now)?;
            }
        }
        instance::set(c, TOLD, &format!("{} {}", ends.0, ends.1))?;
        Ok(put)
    })
}

fn tell_project(
    c: &mut dyn Connection,
    links: &Links,
    project: i64,
    cause: Cause,
    all: &[i64],
    reason: &str,
    now: i64,
) -> SqlResult<usize> {
    let Some(project) = projects::by_id(c, project)?.filter(|p| p.status == "active") else {
        return Ok(0);
    };
    let Some(organization) = people::organization_by_id(c, project.org_id)? else {
        return Ok(0);
    };
    let mut found = issues::in_order(c, all)?;
    found.retain(|i| i.state.priority != Priority::Low && i.delete_after.is_none());
    if found.is_empty() {
        return Ok(0);
    }
    let named: Vec<Named> = found
        .iter()
        .map(|i| {
            let short_id = issues::short_id(&project.slug, i.short_number);
            Named {
                url: links.issue(&organization.slug, &short_id),
                short_id,
                title: i.title.clone(),
                culprit: i.culprit.clone(),
            }
        })
        .collect();
    let mut put = 0;
    for id in teams::users_of_project(c, project.id)? {
        let Some(user) = people::user(c, id)? else {
            continue;
        };
        if !user.is_active || !mails::wants(c, user.id, project.id, cause.name())? {
            continue;
        }
        let about = About {
            user: Some(user.id),
            project: Some(project.id),
        };
        let stop = links.stop(user.id, project.id, cause);
        let before = mails::count_since(c, user.id, project.id, now - 60 * MINUTE)?;
        let (reason, mail) = if before >= HOURLY {
            let list = links.issues(&organization.slug, project.id);
            (
                format!("held {} {} {}", user.id, project.id, now / (60 * MINUTE)),
                compose::held_back(&user.email, &project.slug, &list, &stop),
            )
        } else {
            (
                format!("{} {reason} {}", cause.name(), user.id),
                compose::issues(&user.email, &project.slug, cause, &named, 0, &stop),
            )
        };
        put += usize::from(mails::add(c, &reason, about, &mail, now)?);
    }
    Ok(put)
}
