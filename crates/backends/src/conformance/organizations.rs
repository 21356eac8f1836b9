//! An organization that is removed leaves nothing in any table.

use storage::relational::{dump, people, projects};
use storage::sql::Sql;

use crate::sql::migrate;
use crate::sql::postgres::Postgres;
use crate::sql::sqlite::Sqlite;

/// A row in every table that knows the organization, but for those of its projects.
const ROWS: &[&str] = &[
    "insert into invitations (member_id, email, token_hash, expires) select id, 'e', 't', 9 from members",
    "insert into organization_redirects (slug, org_id) select 'older', id from organizations",
    "insert into project_redirects (org_id, slug, project_id) select org_id, 'older', id from projects",
    "insert into org_tokens (org_id, name, token_hash, last_characters, scopes, date_added) \
     select id, 'n', 't', 'l', 's', 5 from organizations",
    "insert into audit_log (org_id, actor, date_added, event, data) select id, 'a', 5, 'e', '{}' from organizations",
    "insert into release_details (org_id, version, status) select id, '1', 'open' from organizations",
    "insert into repositories (org_id, name, provider, status, date_added) select id, 'n', 'p', 's', 5 from organizations",
    "insert into commits (repository_id, key, date_added) select id, 'k', 5 from repositories",
    "insert into commit_files (commit_id, path, kind) select id, 'p', 'M' from commits",
    "insert into release_commits (org_id, version, position, commit_id) select o.id, '1', 0, c.id from organizations o, commits c",
    "insert into deploys (org_id, version, environment, date_finished) select id, '1', 'e', 5 from organizations",
    "insert into code_mappings (project_id, repository_id, stack_root, source_root, branch, date_added) \
     select p.id, r.id, 's', 's', 'b', 5 from projects p, repositories r",
    "insert into documents (kind, org_id, slug, label, body, date_added, last_updated) \
     select 'k', id, 's', 'l', '{}', 5, 5 from organizations",
    "insert into sso_providers (org_id, issuer, client_id, client_secret, domains, required, joins, default_role, \
     date_added, last_updated) select id, 'i', 'c', 's', '', 0, 0, 'member', 5, 5 from organizations",
    "insert into sso_identities (org_id, user_id, issuer, subject, date_added, last_used) \
     select o.id, u.id, 'i', 's', 5, 5 from organizations o, users u",
    "insert into sso_logins (state_hash, org_id, browser_hash, nonce, verifier, address, created, expires) \
     select 's', id, 'b', 'n', 'v', 'a', 5, 9 from organizations",
    "insert into integration_tokens (document_id, token_hash, last_characters, date_added) \
     select id, 't', 'l', 5 from documents",
    "insert into stored_files (blob, org_id, sha1, size, date_added) select 'b', id, 's', 1, 5 from organizations",
    "insert into artifact_bundles (org_id, bundle_id, sha1, blob, size, file_count, date_uploaded, date_modified, \
     date_used) select id, 'i', 's', 'b', 1, 1, 5, 5, 5 from organizations",
    "insert into artifact_bundle_releases (bundle_id, version, dist) select id, '1', '' from artifact_bundles",
    "insert into artifact_bundle_projects (bundle_id, project_id) select b.id, p.id from artifact_bundles b, projects p",
    "insert into artifact_bundle_files (bundle_id, path, kind, size, headers) select id, 'p', 'source', 1, '{}' from artifact_bundles",
    "insert into release_files (org_id, version, project_id, dist, name, headers, sha1, size, blob, date_added, date_used) \
     select id, '1', 0, '', 'n', '{}', 's', 1, 'b', 5, 5 from organizations",
    "insert into debug_files (project_id, debug_id, code_id, kind, class, object_name, cpu, features, sha1, size, blob, \
     date_added, date_used) select id, 'd', '', 'elf', 'dbg', 'o', 'x86_64', '', 's', 1, 'b', 5, 5 from projects",
];

fn nothing_is_left(sql: &dyn Sql) {
    migrate(sql).expect("the schema");
    sql.writing(|c| {
        let user = people::add_user(c, "ann@example.com", "", "x", false, 5)?;
        let org = people::found(c, "gone", "Gone", user, 5)?;
        let project = projects::add(c, org, "web", "Web", None, 5)?;
        for row in ROWS {
            c.execute(row, &[])?;
        }
        people::retire_organization(c, org)?;
        assert_eq!(people::organization_by(c, "gone")?, None);
        assert_eq!(people::organizations(c)?, vec![]);
        assert_eq!(people::organizations_of(c, user)?, vec![]);
        assert_eq!(
            people::retired(c)?,
            Vec::<i64>::new(),
            "its project is still there"
        );
        projects::remove(c, project)?;
        assert_eq!(people::retired(c)?, vec![org]);
        people::remove_organization(c, org)?;
        for (table, _) in dump::TABLES {
            if ["users", "removed_projects"].contains(table) {
                continue;
            }
            let left = c
                .query_one(&format!("select count(*) from {table}"), &[])?
                .int(0)?;
            assert_eq!(left, 0, "{table}");
        }
        // Its slug is free.
        people::found(c, "gone", "Gone", user, 6)?;
        Ok(())
    })
    .expect("an organization goes");
}

#[test]
fn an_organization_goes_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    nothing_is_left(&Sqlite::open(&folder.path().join("sql")).expect("SQLite"));
}

#[test]
fn an_organization_goes_on_postgres() {
    let server = testkit::postgres::Postgres::start();
    nothing_is_left(&Postgres::open(&server.database()).expect("PostgreSQL"));
}
