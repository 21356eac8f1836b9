//! What an installation from before teams has after the upgrade.

use storage::params;
use storage::relational::{members, people, teams};
use storage::sql::Sql;

use crate::sql::postgres::Postgres;
use crate::sql::sqlite::Sqlite;
use crate::sql::{migrate, migrate_before};

fn everybody_is_in_one_team(sql: &dyn Sql) {
    migrate_before(sql, "0006_people").expect("the old schema");
    sql.writing(|c| {
        for (id, slug) in [(1, "acme"), (2, "empty")] {
            c.execute(
                "insert into organizations (id, slug, name, date_added, settings) values ($1, $2, 'O', 5, '{}')",
                params![id, slug],
            )?;
        }
        for (id, email) in [(1, "ann@example.com"), (2, "bob@example.com")] {
            people::add_user(c, email, "", "x", false, 5)?;
            // A gap in the numbers: somebody was there and is not.
            c.execute(
                "insert into members (id, org_id, user_id, role, date_added) values ($1, 1, $2, 'owner', 5)",
                params![id * 3, id],
            )?;
        }
        c.execute(
            "insert into projects (id, org_id, slug, name, status, date_added, next_short_id, settings) \
             values (4, 1, 'shop', 'Shop', 'active', 5, 1, '{}')",
            &[],
        )?;
        Ok(())
    })
    .expect("old rows");
    migrate(sql).expect("the new schema");
    migrate(sql).expect("again");
    sql.writing(|c| {
        let roster = teams::roster(c, 1)?;
        let all = members::list(c, 1)?;
        assert_eq!(roster.teams.len(), 1);
        assert_eq!(roster.teams[0].slug, "acme");
        assert_eq!(roster.of_project(4).len(), 1);
        assert_eq!(all.len(), 2);
        for m in &all {
            assert_eq!(roster.of_member(m.id).len(), 1, "{m:?}");
            assert_eq!(m.date_added, 5);
        }
        assert_eq!(teams::roster(c, 2)?.members, vec![]);
        // New rows get numbers behind the old ones.
        let invited = members::invite(c, 1, "eve@example.com", "member", 6)?;
        assert!(all.iter().all(|m| m.id != invited));
        teams::add(c, 1, "web", "Web", 6)?;
        Ok(())
    })
    .expect("new rows");
}

#[test]
fn teams_of_an_old_installation_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    everybody_is_in_one_team(&Sqlite::open(&folder.path().join("db")).expect("opened"));
}

#[test]
fn teams_of_an_old_installation_on_postgres() {
    let server = testkit::postgres::Postgres::start();
    everybody_is_in_one_team(&Postgres::open(&server.database()).expect("opened"));
}
