//! Who may have brought an event, by the commits of its release, and whose it is, by the rules of its project.

use serde_json::{Value, json};
use storage::ownership::{Subject, parse, parse_codeowners, winner};
use storage::relational::{commits, ownership, people, repositories};
use storage::suspects;

use super::events::by_id;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::views::event::Loaded;
use crate::views::release::{self as views, People};

fn event(call: &Call) -> Result<Loaded, ApiError> {
    by_id(call, call.project()?, call.event_id("event")?)?.ok_or_else(|| ApiError::missing("Event"))
}

/// The authors of the commits that changed files of the event's stack trace, each with those commits.
pub fn committers(call: &Call) -> Result<Answer, ApiError> {
    let loaded = event(call)?;
    let (org, project) = (call.organization()?.id, call.project()?.id);
    let release = loaded.json["release"].as_str();
    let (files, members, all) = call.api.stores.sql.reading(|c| {
        let files = commits::files_near(c, org, project, release)?;
        Ok((
            files,
            people::members(c, org)?,
            repositories::of_organization(c, org)?,
        ))
    })?;
    let people = People(&members);
    let mut committers: Vec<Value> = Vec::new();
    for (commit, score) in suspects::rank(&suspects::paths(&loaded.json), &files) {
        let mut view = views::commit(commit, &all, &people);
        view["score"] = json!(score);
        view["suspectCommitType"] = json!("via commit in release");
        let author = view["author"].clone();
        match committers.iter_mut().find(|k| k["author"] == author) {
            Some(known) => known["commits"]
                .as_array_mut()
                .into_iter()
                .for_each(|list| list.push(view.clone())),
            None => committers.push(json!({ "author": author, "commits": [view], "group_owner_id": null })),
        }
    }
    Ok(Answer::json(json!({ "committers": committers })))
}

/// The rule that is about the event, and the owners it names.
pub fn owners(call: &Call) -> Result<Answer, ApiError> {
    let loaded = event(call)?;
    let (org, project) = (call.organization()?.id, call.project()?.id);
    let (kept, members, mappings) = call.api.stores.sql.reading(|c| {
        let mappings = repositories::mappings(c, org, Some(project))?;
        Ok((
            ownership::of_project(c, project)?,
            people::members(c, org)?,
            mappings,
        ))
    })?;
    let (raw, file) = kept.map(|k| (k.raw, k.codeowners)).unwrap_or_default();
    let mut rules = parse_codeowners(&file).unwrap_or_default();
    rules.extend(parse(&raw).unwrap_or_default());
    let mut subject = Subject::of_event(&loaded.json);
    let mapped: Vec<String> = subject
        .paths
        .iter()
        .filter_map(|p| mappings.iter().find_map(|m| m.apply(p)))
        .collect();
    subject.paths.extend(mapped);
    let rule = winner(&rules, &subject).map(storage::ownership::Rule::to_json);
    let named = rule
        .as_ref()
        .and_then(|r| r["owners"].as_array().cloned())
        .unwrap_or_default();
    let owners: Vec<Value> = named
        .iter()
        .map(|o| match members.iter().find(|m| o["type"] == "user" && o["name"] == m.user.email.as_str()) {
            Some(m) => json!({ "type": "user", "id": m.user.id.to_string(), "name": m.user.name, "email": m.user.email }),
            None => json!({ "type": o["type"], "id": null, "name": o["name"] }),
        })
        .collect();
    let rules: Vec<Value> = rule
        .iter()
        .map(|r| r["matcher"].clone())
        .map(|m| json!([m["type"], m["pattern"]]))
        .collect();
    Ok(Answer::json(
        json!({ "owners": owners, "rule": rules.first(), "rules": rules }),
    ))
}
