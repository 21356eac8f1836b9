//! Other systems: integrations, applications, who is who there, and issues that are linked there.

use http::StatusCode;
use serde_json::{Value, json};
use storage::relational::activity;
use storage::relational::documents::{self, Document, Wanted};
use storage::relational::integration_tokens::{self, IntegrationToken};
use storage::relational::issues::Issue;
use storage::relational::org_tokens::OrgToken;
use storage::sql::Connection;

use super::shape::{Shape, may, must, or};
use super::shown::put;
use super::{Kept, Kind, Naming, Shown, keep, of_call};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::endpoints::issue;
use crate::fields::{self, Body};
use crate::links::{offset, paged};

const TEXTS: Shape = Shape::List(&Shape::Text(1024), 200);
const PROVIDERS: &[&str] = &[
    "github",
    "github_enterprise",
    "gitlab",
    "bitbucket",
    "bitbucket_server",
    "gitea",
    "jira",
    "jira_server",
    "azure_devops",
    "slack",
    "slack_staging",
    "msteams",
    "discord",
    "pagerduty",
    "opsgenie",
    "perforce",
    "custom_scm",
];

/// Systems that an organization says it uses.
pub struct Integrations;

impl Kept for Integrations {
    const KIND: &'static Kind = &Kind {
        name: "integration",
        noun: "Integration",
        fields: &[
            must("provider", Shape::OneOf(PROVIDERS)),
            must("name", Shape::Text(200)),
            or("domainName", Shape::Text(255), "null"),
            or("externalId", Shape::Text(64), "\"\""),
        ],
        view: integration,
        ..Kind::PLAIN
    };
}

fn integration(shown: &Shown<'_>, out: &mut Body) {
    let key = out["provider"].as_str().unwrap_or("").to_owned();
    let rest = json!({
        "icon": null, "accountType": null, "scopes": [], "outOfDate": false, "status": "active",
        "provider": {
            "key": key, "slug": key, "name": key, "canAdd": true, "canDisable": false, "features": [], "aspects": {},
        },
        "configOrganization": [], "configData": {}, "organizationId": shown.document.org,
        "organizationIntegrationStatus": "active", "gracePeriodEnd": null,
    });
    put(out, rest);
}

/// What an organization may say it uses.
pub fn providers(_: &Call) -> Result<Answer, ApiError> {
    let all: Vec<Value> = PROVIDERS
        .iter()
        .map(|key| {
            json!({
                "key": key, "slug": key, "name": key, "canAdd": true, "canDisable": false, "features": [],
                "metadata": { "description": "Kept, not connected.", "features": [], "author": "", "aspects": {} },
            })
        })
        .collect();
    Ok(Answer::json(json!({ "providers": all })))
}

/// Whom an action tells.
pub struct Actions;

impl Kept for Actions {
    const KIND: &'static Kind = &Kind {
        name: "notification_action",
        noun: "Notification action",
        fields: &[
            must("triggerType", Shape::Text(64)),
            must(
                "serviceType",
                Shape::OneOf(&[
                    "email",
                    "slack",
                    "msteams",
                    "pagerduty",
                    "opsgenie",
                    "discord",
                    "sentry_notification",
                ]),
            ),
            or("integrationId", Shape::Whole(1, i64::MAX), "null"),
            or("sentryAppId", Shape::Whole(1, i64::MAX), "null"),
            or("targetType", Shape::Text(64), "\"specific\""),
            or("targetIdentifier", Shape::Text(255), "null"),
            or("targetDisplay", Shape::Text(255), "null"),
            or("projects", Shape::List(&Shape::Text(100), 1000), "[]"),
        ],
        view: action,
        statuses: (201, 202, 204),
        ..Kind::PLAIN
    };
}

fn action(shown: &Shown<'_>, out: &mut Body) {
    let named = out["projects"].as_array().cloned().unwrap_or_default();
    let fits = |p: &&storage::relational::projects::Project| {
        named
            .iter()
            .any(|n| *n == p.slug.as_str() || n.as_str() == Some(&p.id.to_string()))
    };
    let ids: Vec<i64> = shown.projects.iter().filter(fits).map(|p| p.id).collect();
    put(
        out,
        json!({ "id": shown.document.id, "organizationId": shown.document.org, "projects": ids }),
    );
}

/// Who a user is in another system.
pub struct Users;

impl Kept for Users {
    const KIND: &'static Kind = &Kind {
        name: "external_user",
        noun: "External user",
        fields: &[
            must("userId", Shape::Whole(1, i64::MAX)),
            must("externalName", Shape::Text(255)),
            must("provider", Shape::OneOf(PROVIDERS)),
            must("integrationId", Shape::Whole(1, i64::MAX)),
            may("externalId", Shape::Text(255)),
        ],
        check: |call, body| {
            let known = super::members(call)?
                .iter()
                .any(|m| json!(m.user.id) == body["userId"]);
            if known {
                Ok(())
            } else {
                Err(ApiError::field(
                    "userId",
                    "Nobody in this organization has this number.",
                ))
            }
        },
        view: |_, out| as_texts(out, &["userId", "integrationId"]),
        ..Kind::PLAIN
    };
}

/// What a team is called in another system.
pub struct Teams;

impl Kept for Teams {
    const KIND: &'static Kind = &Kind {
        name: "external_team",
        noun: "External team",
        fields: &[
            must("externalName", Shape::Text(255)),
            must("provider", Shape::OneOf(PROVIDERS)),
            must("integrationId", Shape::Whole(1, i64::MAX)),
            may("externalId", Shape::Text(255)),
            may("teamId", Shape::Text(100)),
        ],
        own: &["teamId"],
        view: |_, out| as_texts(out, &["integrationId"]),
        ..Kind::PLAIN
    };
}

fn as_texts(out: &mut Body, names: &[&str]) {
    for name in names {
        let text = out.get(*name).map(|n| n.to_string());
        out.insert((*name).into(), json!(text.unwrap_or_default()));
    }
}

/// Keeps what the team of the path is called in another system.
pub fn add_team(call: &Call) -> Result<Answer, ApiError> {
    let mut body = call.json()?;
    body.insert("teamId".into(), json!(call.param("team")));
    let document = keep(call, Teams::KIND, &body)?;
    Ok(Answer::created(super::view(call, Teams::KIND, &document)?))
}

/// Applications of an organization.
pub struct Apps;

impl Kept for Apps {
    const KIND: &'static Kind = &Kind {
        name: "app",
        noun: "Application",
        fields: &[
            must("name", Shape::Text(57)),
            or("scopes", TEXTS, "[]"),
            or("author", Shape::Text(255), "null"),
            or("events", TEXTS, "[]"),
            or("schema", Shape::Free, "{}"),
            or("webhookUrl", Shape::Address, "null"),
            or("redirectUrl", Shape::Address, "null"),
            or("isInternal", Shape::Flag, "true"),
            or("isAlertable", Shape::Flag, "false"),
            or("overview", Shape::Text(4096), "null"),
            or("verifyInstall", Shape::Flag, "true"),
            or("allowedOrigins", TEXTS, "[]"),
            or("webhookHeaders", TEXTS, "[]"),
            may("uuid", Shape::Text(36)),
            may("installation", Shape::Text(36)),
        ],
        naming: Naming::Slug("name"),
        check: |_, body| {
            let unknown = body["scopes"].as_array().into_iter().flatten();
            let mut unknown =
                unknown.filter(|s| !s.as_str().is_some_and(|s| crate::access::SCOPES.contains(&s)));
            match unknown.next() {
                Some(scope) => Err(ApiError::field("scopes", format!("{scope} not a valid scope"))),
                None => Ok(()),
            }
        },
        own: &["uuid", "installation"],
        view: app,
        acting: true,
        quiet: true,
        ..Kind::PLAIN
    };
}

fn app(shown: &Shown<'_>, out: &mut Body) {
    out.remove("installation");
    let internal = is_internal(&shown.document.body);
    out.remove("isInternal");
    if !internal {
        out.insert("acting".into(), json!(false));
    }
    let rest = json!({
        // Tokens act; these are kept for what comes later.
        "isInternal": internal, "notActing": ["webhookUrl", "events", "schema", "allowedOrigins", "webhookHeaders"],
        "slug": shown.document.slug, "avatars": [], "webhookEvents": [], "featureData": [], "metadata": {},
        "status": if internal { "internal" } else { "unpublished" }, "isDisabled": false,
        "owner": { "id": shown.document.org, "slug": shown.call.organization.as_ref().map(|o| &o.slug) },
    });
    put(out, rest);
}

/// Whether an application is one of its organization alone, whose tokens act.
pub fn is_internal(body: &Value) -> bool {
    body.get("isInternal") != Some(&json!(false))
}

/// What a token of an internal integration may do: what the integration may, as it is now.
pub fn acting_token(app: &Document, token: &IntegrationToken) -> OrgToken {
    let scopes = app.body.get("scopes").and_then(Value::as_array);
    let scopes = scopes.filter(|_| is_internal(&app.body)).into_iter().flatten();
    OrgToken {
        id: token.id,
        org_id: app.org,
        name: app.label.clone(),
        last_characters: token.last_characters.clone(),
        scopes: scopes.filter_map(|s| s.as_str().map(str::to_owned)).collect(),
        creator_id: token.creator_id,
        date_added: token.date_added,
        last_used: token.last_used,
    }
}

/// Nobody lets an integration do more than they may.
pub fn demand_scopes(call: &Call, body: &Value) -> Result<(), ApiError> {
    let scopes = body.get("scopes").and_then(Value::as_array).into_iter().flatten();
    let mut beyond = scopes.filter_map(Value::as_str).filter(|s| !call.may(s));
    match beyond.next() {
        Some(scope) => Err(ApiError::field(
            "scopes",
            format!("You do not have the scope {scope} yourself."),
        )),
        None => Ok(()),
    }
}

fn note(call: &Call, c: &mut dyn Connection, event: &str, app: &Document) -> Result<(), ApiError> {
    let data = json!({ "name": app.label, "scopes": app.body["scopes"] });
    call.audit(c, event, Some(app.id), &data)
}

/// Changes an application.
pub fn update_app(call: &Call) -> Result<Answer, ApiError> {
    let mut app = super::find(call, Apps::KIND)?;
    let mut given = super::sent(call, Apps::KIND)?;
    let internal = is_internal(&app.body);
    if given.get("isInternal").is_some_and(|v| *v != json!(internal)) {
        return Err(ApiError::field(
            "isInternal",
            "This cannot be changed afterwards.",
        ));
    }
    given.remove("isInternal");
    // An unknown scope is a mistake before it is one that somebody may not give.
    if given.contains_key("scopes") {
        let body = super::shape::read(Apps::KIND.fields, &given, app.body.as_object())?;
        (Apps::KIND.check)(call, &body)?;
        demand_scopes(call, &Value::Object(body))?;
    }
    super::change(call, Apps::KIND, &mut app, &given)?;
    call.change(|c| note(call, c, "internal-integration.edit", &app))?;
    Ok(Answer::json(super::view(call, Apps::KIND, &app)?))
}

/// Forgets an application; its tokens end.
pub fn remove_app(call: &Call) -> Result<Answer, ApiError> {
    let app = super::find(call, Apps::KIND)?;
    call.change(|c| {
        integration_tokens::remove_all(c, app.id)?;
        documents::remove(c, app.id)?;
        note(call, c, "internal-integration.remove", &app)
    })?;
    Ok(Answer::nothing())
}

/// Keeps an application; it is installed in its organization at once.
pub fn add_app(call: &Call) -> Result<Answer, ApiError> {
    let mut body = call.json()?;
    let read = super::shape::read(Apps::KIND.fields, &body, None)?;
    (Apps::KIND.check)(call, &read)?;
    demand_scopes(call, &Value::Object(read))?;
    for name in ["uuid", "installation"] {
        body.insert(name.into(), json!(uuid::Uuid::new_v4().to_string()));
    }
    let document = keep(call, Apps::KIND, &body)?;
    call.change(|c| note(call, c, "internal-integration.create", &document))?;
    Ok(Answer::created(super::view(call, Apps::KIND, &document)?))
}

/// Where applications are installed.
pub fn installations(call: &Call) -> Result<Answer, ApiError> {
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let all = of_call(call, Apps::KIND)?;
    let org = call.organization()?;
    let more = all.len() > start.saturating_add(limit);
    let one = |d: &Document| {
        json!({
            "app": { "uuid": d.body["uuid"], "slug": d.slug, "sentryAppId": d.id },
            "organization": { "slug": org.slug, "id": org.id }, "uuid": d.body["installation"], "status": "installed",
            "acting": false,
        })
    };
    let page: Vec<Value> = all.iter().skip(start).take(limit).map(one).collect();
    Ok(paged(Answer::json(page), call, start, limit, more))
}

/// Issues of other systems that an issue is linked to.
pub struct Links;

impl Kept for Links {
    const KIND: &'static Kind = &Kind {
        name: "external_issue",
        noun: "External issue",
        fields: &[
            must("issueId", Shape::Whole(1, i64::MAX)),
            must("serviceType", Shape::Text(64)),
            must("displayName", Shape::Text(255)),
            or("webUrl", Shape::Address, "null"),
            may("key", Shape::Text(255)),
            may("title", Shape::Text(255)),
            may("description", Shape::Text(10_000)),
            may("integrationId", Shape::Whole(1, i64::MAX)),
        ],
        view: |_, out| {
            let issue = out["issueId"].to_string();
            let url = out["webUrl"].as_str().unwrap_or("").to_owned();
            put(out, json!({ "issueId": issue, "webUrl": url }));
        },
        label: "issueId",
        most: 1_000_000,
        acting: true,
        quiet: true,
        ..Kind::PLAIN
    };
}

/// The issues of other systems that an issue is linked to.
pub fn issue_links(call: &Call) -> Result<Answer, ApiError> {
    super::of_issue(call, Links::KIND, issue::find(call)?.0.id)
}

/// The links of an issue: those that integrations made, and the others.
pub fn links_of(call: &Call, issue: i64) -> Result<(Vec<Value>, Vec<Value>), ApiError> {
    let (org, label) = (call.organization()?.id, issue.to_string());
    // The query of the call is about issues, not about links.
    let wanted = Wanted {
        label: &label,
        ..Wanted::default()
    };
    let sql = &call.api.stores.sql;
    let all = sql.reading(|c| documents::page(c, Links::KIND.name, org, &wanted, 0, LINKS))?;
    let (mut of_integrations, mut others) = (Vec::new(), Vec::new());
    for document in &all {
        if document.body["integrationId"].is_null() {
            others.push(super::view(call, Links::KIND, document)?);
            continue;
        }
        let mut view = link_view(call, document);
        for name in ["title", "description"] {
            view[name] = document.body[name].clone();
        }
        of_integrations.push(view);
    }
    Ok((of_integrations, others))
}

/// The link of the path, if it is one of the issue of the path.
fn of_path(call: &Call) -> Result<(Issue, Document), ApiError> {
    let (found, _) = issue::find(call)?;
    let document = super::find(call, Links::KIND)?;
    if document.body["issueId"] != json!(found.id) {
        return Err(ApiError::missing(Links::KIND.noun));
    }
    Ok((found, document))
}

/// What a link is called if nobody says it: `acme/shop#7`, `SHOP-7`, or the host.
fn name_of(url: &str) -> String {
    let (host, path) = {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let rest = rest.split(['?', '#']).next().unwrap_or("");
        rest.split_once('/').unwrap_or((rest, ""))
    };
    let parts: Vec<&str> = path.split('/').filter(|s| !s.is_empty() && *s != "-").collect();
    const NUMBERED: &[&str] = &["issues", "pull", "pulls", "merge_requests", "work_items"];
    let name = match parts.as_slice() {
        [owner @ .., kind, number] if NUMBERED.contains(kind) && !owner.is_empty() => {
            format!("{}#{number}", owner.join("/"))
        }
        [.., "browse" | "issue", key] | [.., "issue", key, _] => (*key).to_owned(),
        _ => host.to_owned(),
    };
    name.chars().take(255).collect()
}

/// Links of an issue, at most.
const LINKS: usize = 100;

/// Links an issue to any page: `{"webUrl", "displayName"?}`.
pub fn add_address(call: &Call) -> Result<Answer, ApiError> {
    let (found, _) = issue::find(call)?;
    let mut given = call.json()?;
    given.retain(|name, _| {
        matches!(
            name.as_str(),
            "webUrl" | "web_url" | "displayName" | "display_name"
        )
    });
    let url = match given.get("webUrl").or_else(|| given.get("web_url")) {
        None | Some(Value::Null) => return Err(ApiError::field("webUrl", "This field is required.")),
        Some(url) => url.as_str().unwrap_or("").trim().to_owned(),
    };
    let name = fields::text(&given, "displayName", 255)?.flatten();
    let more = json!({
        "issueId": found.id, "serviceType": "link", "webUrl": url,
        "displayName": name.unwrap_or_else(|| name_of(&url)),
    });
    put(&mut given, more);
    let org = call.organization()?.id;
    let label = found.id.to_string();
    let wanted = Wanted {
        label: &label,
        ..Wanted::default()
    };
    let sql = &call.api.stores.sql;
    let known = sql.reading(|c| documents::page(c, Links::KIND.name, org, &wanted, 0, LINKS))?;
    if known.iter().any(|d| d.body["webUrl"] == url.as_str()) {
        return Err(ApiError::field("webUrl", "The issue is linked there already."));
    }
    if known.len() >= LINKS {
        return Err(ApiError::Bad(format!("An issue has at most {LINKS} links.")));
    }
    let document = keep(call, Links::KIND, &given)?;
    history(call, &found, "link_added", &document)?;
    Ok(Answer::created(super::view(call, Links::KIND, &document)?))
}

/// Forgets a link of an issue.
pub fn remove_address(call: &Call) -> Result<Answer, ApiError> {
    let (found, document) = of_path(call)?;
    call.api
        .stores
        .sql
        .writing(|c| documents::remove(c, document.id))?;
    history(call, &found, "link_removed", &document)?;
    Ok(Answer::nothing())
}

/// Writes into the history of an issue what became of a link.
fn history(call: &Call, found: &Issue, kind: &str, document: &Document) -> Result<(), ApiError> {
    let body = &document.body;
    let data = json!({ "label": body["displayName"], "location": body["webUrl"] });
    let (user, now) = (call.user_id().ok(), call.now());
    call.api
        .stores
        .sql
        .writing(|c| activity::add(c, found.id, found.project, user, kind, &data, now))?;
    Ok(())
}

/// An application links an issue: `{"issueId", "webUrl", "project", "identifier"}`.
pub fn link_by_app(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let (project, identifier) = (
        fields::needed(&body, "project", 128)?,
        fields::needed(&body, "identifier", 128)?,
    );
    let id = fields::needed(&body, "issueId", 32)?;
    let (found, _) = issue::find_named(call, &id)?;
    let name = call.param("installation").to_owned();
    let mut apps = of_call(call, Apps::KIND)?;
    apps.retain(|d| d.body["installation"] == name.as_str());
    let app = apps.pop().ok_or_else(|| ApiError::missing("Installation"))?;
    let mut given = Body::new();
    let web = body
        .get("webUrl")
        .or_else(|| body.get("web_url"))
        .cloned()
        .unwrap_or_default();
    let all = json!({
        "issueId": found.id, "serviceType": app.slug, "displayName": format!("{project}#{identifier}"), "webUrl": web,
    });
    put(&mut given, all);
    let document = keep(call, Links::KIND, &given)?;
    Ok(Answer::json(super::view(call, Links::KIND, &document)?))
}

fn integration_of(call: &Call) -> Result<Document, ApiError> {
    super::named(call, Integrations::KIND, call.param("integration"))
}

/// How an issue can be linked with an integration: `action` is `link` or `create`.
pub fn link_form(call: &Call) -> Result<Answer, ApiError> {
    issue::find(call)?;
    let mut view = super::view(call, Integrations::KIND, &integration_of(call)?)?;
    let form = |name: &str, label: &str| json!([{ "name": name, "label": label, "type": "string", "required": true }]);
    match call.value("action") {
        Some("link") => view["linkIssueConfig"] = form("externalIssue", "Issue"),
        Some("create") => view["createIssueConfig"] = form("title", "Title"),
        _ => {
            return Err(ApiError::Bad(
                "Action is required and should be either link or create".into(),
            ));
        }
    }
    Ok(Answer::json(view))
}

fn link_view(call: &Call, document: &Document) -> Value {
    let (_, body) = (call, &document.body);
    json!({
        "id": document.id, "key": body["key"], "url": body["webUrl"].as_str().unwrap_or(""),
        "integrationId": body["integrationId"], "displayName": body["displayName"],
    })
}

fn link(call: &Call, key: &str, more: Value) -> Result<Answer, ApiError> {
    let (found, _) = issue::find(call)?;
    let integration = integration_of(call)?;
    let domain = integration.body["domainName"].as_str().unwrap_or("");
    let url = (!domain.is_empty()).then(|| {
        let base = if domain.contains("://") {
            domain.to_owned()
        } else {
            format!("https://{domain}")
        };
        format!("{base}/{}", key.replace('#', "/issues/"))
    });
    let mut given = Body::new();
    put(&mut given, more);
    let rest = json!({
        "issueId": found.id, "serviceType": integration.body["provider"], "displayName": key, "key": key,
        "webUrl": url, "integrationId": integration.id,
    });
    put(&mut given, rest);
    let document = keep(call, Links::KIND, &given)?;
    Ok(Answer {
        status: StatusCode::CREATED,
        ..Answer::json(link_view(call, &document))
    })
}

/// Keeps that an issue of another system is wanted: `{"title", "description"}`. It is not made there.
pub fn create_link(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let title = fields::needed(&body, "title", 255)?;
    let description = fields::text(&body, "description", 10_000)?.flatten();
    let mut answer = link(
        call,
        &title,
        json!({ "title": title, "description": description }),
    )?;
    if let crate::answer::Content::Json(view) = &mut answer.body {
        view["acting"] = json!(false);
    }
    Ok(answer)
}

/// Links an issue of another system: `{"externalIssue"}`.
pub fn add_link(call: &Call) -> Result<Answer, ApiError> {
    let key = fields::needed(&call.json()?, "externalIssue", 255)?;
    link(call, &key, json!({}))
}

/// Forgets the link that `externalIssue` names by its number.
pub fn remove_link(call: &Call) -> Result<Answer, ApiError> {
    let (found, _) = issue::find(call)?;
    let name = call
        .value("externalIssue")
        .ok_or_else(|| ApiError::Bad("External ID required".into()))?;
    let document = super::named(call, Links::KIND, name)?;
    if document.body["issueId"] != json!(found.id) {
        return Err(ApiError::missing(Links::KIND.noun));
    }
    call.api
        .stores
        .sql
        .writing(|c| documents::remove(c, document.id))?;
    Ok(Answer::nothing())
}
