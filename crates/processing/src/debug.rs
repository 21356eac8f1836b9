//! The stages of processing, one at a time: JSON lines in, JSON lines out.
//!
//! `normalize` and `group` leave scrubbing out (`scrub` shows it) and take the event's own time for the server's clock.

use protocol::json::{Json, Map};

use crate::context::{ProjectRules, ProjectSettings, Receipt, ScrubSettings};
use crate::geo::NoGeo;
use crate::grouping::fingerprint::{self, FingerprintRule, Source};
use crate::grouping::parameterize::parameterize;
use crate::grouping::rules::{self, Rule, RuleError, Share};
use crate::grouping::similar::{features, rank};
use crate::grouping::trim::trim_function;
use crate::grouping::{Rules, frame_for_rules, group, prepare};
use crate::meta::Notes;
use crate::normalize::normalize;
use crate::scrub::Scrubber;
use crate::symbols::NoSymbols;

/// The names of the stages.
pub const STAGES: [&str; 11] = [
    "process",
    "normalize",
    "scrub",
    "group",
    "parameterize",
    "trim-function",
    "stacktrace-rules",
    "fingerprint-rules",
    "fingerprint-parse",
    "features",
    "similar",
];

/// The clock of events without a time, µs.
const CLOCK: i64 = 1_790_000_000_000_000;

/// Runs one stage on one line.
///
/// # Errors
/// If there is no such stage, or the line is not what it reads.
pub fn stage(name: &str, line: &str) -> Result<String, String> {
    let (row, _) = protocol::json::parse_str(line).map_err(|e| e.to_string())?;
    let row = row.as_object().ok_or("expected an object")?;
    let output = match name {
        "process" => processed(row)?,
        "normalize" => Json::Object(normalized(row)?),
        "scrub" => scrubbed(row)?,
        "group" => return grouped(row),
        "parameterize" => Json::from(parameterize(text(row, "input")?).into_owned()),
        "trim-function" => Json::from(
            trim_function(text(row, "input")?, row.str("platform").unwrap_or("other")).into_owned(),
        ),
        "stacktrace-rules" => stacktrace_rules(row),
        "fingerprint-rules" => fingerprint_rules(row)?,
        "fingerprint-parse" => fingerprint_parse(text(row, "text")?),
        "features" => {
            let (stack, _) = project_rules(row)?;
            let mut event = Json::Object(normalized(row)?);
            prepare(&mut event, &[&rules::BUILT_IN, &stack]);
            let event = serde_json::from_slice(&event.to_vec()).map_err(|e| e.to_string())?;
            let numbers = features(&event);
            Json::Array(numbers.into_iter().map(|n| Json::from(i64::from(n))).collect())
        }
        "similar" => similar(row)?,
        _ => return Err(format!("no stage `{name}`; there are {}", STAGES.join(", "))),
    };
    let mut out = answer(row);
    out.set("output", output);
    Ok(Json::Object(out).to_string())
}

/// For each list of features in `queries` the places of those in `candidates` that look most like it.
fn similar(row: &Map<'_>) -> Result<Json<'static>, String> {
    let lists = |key: &str| -> Result<Vec<Vec<u32>>, String> {
        let list = row.array(key).ok_or_else(|| format!("expected a list `{key}`"))?;
        let numbers = |v: &Json<'_>| v.as_array().map(|l| l.iter().filter_map(number).collect());
        Ok(list.iter().filter_map(numbers).collect())
    };
    fn number(v: &Json<'_>) -> Option<u32> {
        v.as_i64().and_then(|n| u32::try_from(n).ok())
    }
    let candidates: Vec<(usize, Vec<u32>)> = lists("candidates")?.into_iter().enumerate().collect();
    let places = |query: Vec<u32>| {
        let ranked = rank(&query, &candidates, 10);
        Json::Array(ranked.into_iter().map(|(i, _)| Json::from(i)).collect())
    };
    Ok(Json::Array(lists("queries")?.into_iter().map(places).collect()))
}

fn answer(row: &Map<'_>) -> Map<'static> {
    let mut out = Map::new();
    if let Some(name) = row.get("name") {
        out.set("name", name.clone().into_owned());
    }
    out
}

fn text<'a>(row: &'a Map<'_>, key: &str) -> Result<&'a str, String> {
    row.str(key).ok_or_else(|| format!("expected a text `{key}`"))
}

fn failed() -> Json<'static> {
    let mut m = Map::new();
    m.set("error", true);
    m.into()
}

fn normalized(row: &Map<'_>) -> Result<Map<'static>, String> {
    let event = row.get("event").ok_or("expected an object `event`")?;
    let Json::Object(mut event) = event.clone().into_owned() else {
        return Err("expected an object `event`".to_owned());
    };
    let received = event
        .get("timestamp")
        .and_then(crate::normalize::read_time)
        .unwrap_or(1_790_000_000_000_000);
    let receipt = Receipt {
        received,
        ..Receipt::default()
    };
    let mut notes = Notes::default();
    normalize(&mut event, &receipt, &NoGeo, &mut notes);
    notes.write(&mut event);
    Ok(event)
}

/// All stages: the event as it is stored, by the rules in `project`.
fn processed(row: &Map<'_>) -> Result<Json<'static>, String> {
    let event = row.get("event").ok_or("expected an object `event`")?;
    let project = row.object("project");
    let text = |key: &str| project.and_then(|p| p.str(key)).unwrap_or_default().to_owned();
    let settings = ProjectSettings {
        stacktrace_rules: text("stacktrace_rules"),
        fingerprint_rules: text("fingerprint_rules_text"),
        ..ProjectSettings::default()
    };
    let rules = ProjectRules::compile(1, &settings).map_err(|e| e.to_string())?;
    let received = event
        .get("timestamp")
        .and_then(crate::normalize::read_time)
        .unwrap_or(CLOCK);
    let receipt = Receipt {
        received,
        project: 1,
        ..Receipt::default()
    };
    let done = crate::process_event(&event.to_vec(), &receipt, &rules, &NoGeo, &NoSymbols)
        .map_err(|e| e.explain().to_owned())?;
    let (stored, _) = protocol::json::parse(&done.json).map_err(|e| e.to_string())?;
    Ok(stored.into_owned())
}

/// Scrubs a normalized event by the settings in `datascrubbing`.
fn scrubbed(row: &Map<'_>) -> Result<Json<'static>, String> {
    let event = row.get("event").ok_or("expected an object `event`")?;
    let Json::Object(mut event) = event.clone().into_owned() else {
        return Err("expected an object `event`".to_owned());
    };
    let given = row.object("datascrubbing");
    let flag = |key: &str, none: bool| {
        given
            .and_then(|g| g.get(key))
            .and_then(Json::as_bool)
            .unwrap_or(none)
    };
    let list = |key: &str| -> Vec<String> {
        let list = given.and_then(|g| g.array(key)).unwrap_or_default();
        list.iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    };
    let settings = ScrubSettings {
        data: flag("scrubData", true),
        defaults: flag("scrubDefaults", true),
        ip_addresses: flag("scrubIpAddresses", false),
        sensitive_fields: list("sensitiveFields"),
        safe_fields: list("excludeFields"),
    };
    let mut notes = Notes::default();
    Scrubber::new(&settings).scrub(&mut event, &mut notes);
    notes.write(&mut event);
    Ok(event.into())
}

/// The project's rules as the row gives them.
fn project_rules(row: &Map<'_>) -> Result<(Vec<Rule>, Vec<FingerprintRule>), String> {
    let project = row.object("project");
    let get = |key: &str| project.and_then(|p| p.get(key)).or_else(|| row.get(key));
    let stack = get("stacktrace_rules").and_then(Json::as_str).unwrap_or_default();
    let stack = rules::parse(stack).map_err(|e| e.to_string())?;
    let text = ["fingerprint_rules_text", "rules_text", "fingerprint_rules"]
        .into_iter()
        .find_map(|key| get(key)?.as_str());
    let parsed = ["fingerprint_rules", "rules"]
        .into_iter()
        .find_map(|key| get(key)?.as_array());
    let prints = match (text, parsed) {
        (Some(text), _) => fingerprint::parse(text).map_err(|e| e.to_string())?,
        (None, Some(list)) => list.iter().filter_map(parsed_rule).collect(),
        (None, None) => Vec::new(),
    };
    Ok((stack, prints))
}

/// A fingerprint rule that comes parsed.
fn parsed_rule(rule: &Json<'_>) -> Option<FingerprintRule> {
    let matchers = rule.get("matchers")?.as_array()?.iter().filter_map(|m| {
        let (key, pattern) = (m.str_at(&["0"])?, m.str_at(&["1"])?);
        Some((key.to_owned(), pattern.to_owned()))
    });
    let entries = rule
        .get("fingerprint")?
        .as_array()?
        .iter()
        .filter_map(|e| e.as_str().map(str::to_owned));
    let title = rule.str_at(&["attributes", "title"]).map(str::to_owned);
    FingerprintRule::from_parts(matchers.collect(), entries.collect(), title)
}

fn grouped(row: &Map<'_>) -> Result<String, String> {
    let (stack, prints) = project_rules(row)?;
    let mut event = Json::Object(normalized(row)?);
    let sets: [&[Rule]; 2] = [&rules::BUILT_IN, &stack];
    prepare(&mut event, &sets);
    let grouping = group(
        &event,
        Rules {
            stack: &sets,
            fingerprint: &prints,
        },
    );
    let mut out = answer(row);
    out.set(
        "hashes",
        Json::Array(
            grouping
                .hashes
                .iter()
                .map(|h| Json::from(h.to_string()))
                .collect(),
        ),
    );
    out.set("basis", grouping.basis.name());
    out.set(
        "variants",
        grouping.to_json().remove("variants").unwrap_or_default(),
    );
    Ok(Json::Object(out).to_string())
}

fn stacktrace_rules(row: &Map<'_>) -> Json<'static> {
    let Ok(own) = rules::parse(row.str("rules").unwrap_or_default()) else {
        return failed();
    };
    let base: &[Rule] = match row.str("base") {
        Some(base) if base.contains("2023-01-11") => &rules::RULES_2023,
        Some(_) => &rules::BUILT_IN,
        None => &[],
    };
    let sets: [&[Rule]; 2] = [base, &own];
    let platform = row.str("platform").unwrap_or("other");
    let maps: Vec<&Map<'_>> = row
        .array("frames")
        .unwrap_or_default()
        .iter()
        .filter_map(Json::as_object)
        .collect();
    let error = row
        .object("exception")
        .map_or(RuleError::default(), |e| RuleError {
            kind: e.str("type"),
            value: e.str("value"),
            mechanism: e.object("mechanism").and_then(|m| m.str("type")),
        });
    let mut frames: Vec<_> = maps.iter().map(|m| frame_for_rules(m, platform)).collect();
    rules::classify(&sets, &mut frames, &error);
    let given = row.array("initial_contributes").unwrap_or_default();
    let mut shares: Vec<Share<'_>> = (0..frames.len())
        .map(|i| Share {
            contributes: given.get(i).and_then(Json::as_bool).unwrap_or(true),
            rule: None,
        })
        .collect();
    let limit = rules::contribute(&sets, &frames, &error, false, &mut shares);
    let any = limit.is_ok() && shares.iter().any(|s| s.contributes);
    let mut out = Map::new();
    out.set(
        "in_app",
        Json::Array(frames.iter().map(|f| Json::from(f.in_app)).collect()),
    );
    let category = |c: Option<&str>| Json::from(c.map(str::to_owned));
    out.set(
        "category",
        Json::Array(frames.iter().map(|f| category(f.category)).collect()),
    );
    out.set(
        "contributes",
        Json::Array(shares.iter().map(|s| Json::Bool(s.contributes)).collect()),
    );
    out.set("stacktrace_contributes", any);
    out.into()
}

fn fingerprint_rules(row: &Map<'_>) -> Result<Json<'static>, String> {
    let (_, prints) = project_rules(row)?;
    let event = Json::Object(normalized(row)?);
    let found = fingerprint::of_event(&event, &prints);
    let list = |entries: &[String]| {
        if entries.is_empty() {
            return Json::Array(vec![Json::from(fingerprint::DEFAULT)]);
        }
        Json::Array(entries.iter().map(|e| Json::from(e.clone())).collect())
    };
    let mut out = Map::new();
    out.set(
        "matched_rule",
        match found.source {
            Source::Client => Json::Null,
            Source::Project(i) => Json::from(i),
            Source::BuiltIn => Json::from("builtin"),
        },
    );
    let kind = if found.is_custom() {
        "custom"
    } else if found.is_hybrid() {
        "hybrid"
    } else {
        "default"
    };
    out.set("type", kind);
    out.set("fingerprint", list(&found.entries));
    out.set("resolved", list(&found.resolved));
    if found.is_custom() {
        out.set("hash", found.custom_hash().to_string());
    }
    if let Some(title) = found.title_template {
        out.set("title_template", title);
    }
    Ok(out.into())
}

fn fingerprint_parse(text: &str) -> Json<'static> {
    let Ok(parsed) = fingerprint::parse(text) else {
        return failed();
    };
    let rules = parsed.iter().map(|rule| {
        let mut m = Map::new();
        let matchers = rule.matchers.iter().map(|m| {
            let key = format!("{}{}", if m.negated { "!" } else { "" }, m.key);
            Json::Array(vec![Json::from(key), Json::from(m.pattern.clone())])
        });
        m.set("matchers", Json::Array(matchers.collect()));
        m.set(
            "fingerprint",
            Json::Array(rule.fingerprint.iter().map(|e| Json::from(e.clone())).collect()),
        );
        let mut attributes = Map::new();
        for (k, v) in &rule.attributes {
            attributes.set(k.clone(), v.clone());
        }
        m.set("attributes", attributes);
        Json::Object(m)
    });
    let mut out = Map::new();
    out.set("rules", Json::Array(rules.collect()));
    out.into()
}
