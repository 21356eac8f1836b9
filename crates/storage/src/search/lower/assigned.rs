//! To whom an issue is assigned: users by name, teams by `#slug` or `team:number`.

use super::{Context, Text, error, one_of, person};
use crate::relational::issues::Condition;
use crate::search::QueryError;

/// Nobody takes care.
pub(super) const NOBODY: &str = "i.assigned_user is null and i.assigned_team is null";
/// Somebody or a team takes care.
pub(super) const SOMEBODY: &str = "(i.assigned_user is not null or i.assigned_team is not null)";

/// The condition of a value of `assigned`.
pub(super) fn assigned(text: &str, value: &Text, context: &Context<'_>) -> Result<Condition, QueryError> {
    if text == "my_teams" {
        return one_of("i.assigned_team", context.my_teams);
    }
    let slug = text.strip_prefix('#');
    let number = text.strip_prefix("team:");
    if slug.is_some() || number.is_some() {
        let found: Vec<i64> = context
            .teams
            .iter()
            .filter(|(id, name)| slug == Some(name) || number.is_some_and(|n| n == id.to_string()))
            .map(|(id, _)| *id)
            .collect();
        if found.is_empty() {
            return error(value.span, format!("there is no team '{text}' here"));
        }
        return one_of("i.assigned_team", &found);
    }
    match person(text, value, context)? {
        None => Ok(Condition::new(NOBODY, vec![])),
        Some(ids) => one_of("i.assigned_user", &ids),
    }
}
