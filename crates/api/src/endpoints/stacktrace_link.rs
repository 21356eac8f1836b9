//! From a frame to its line on the page of a repository.

use serde_json::{Value, json};
use storage::relational::repositories;

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::source_links::address;
use crate::views::release::mapping as view;

/// `?file=…&lineNo=…`: the address of the line, by the mappings of the project.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let (org, project) = (call.organization()?.id, call.project()?);
    let file = call
        .value("file")
        .ok_or_else(|| ApiError::Bad("Filepath is required".into()))?;
    let line = call.value("lineNo").and_then(|n| n.parse().ok());
    let mappings = call
        .api
        .stores
        .sql
        .reading(|c| repositories::mappings(c, org, Some(project.id)))?;
    // The JVM gives the name of the file alone; its folder is the package.
    let module = call
        .value("module")
        .filter(|_| call.value("platform") == Some("java") && !file.contains('/'));
    let package = module
        .and_then(|m| m.rsplit_once('.'))
        .map(|(p, _)| format!("{}/{file}", p.replace('.', "/")));
    let mut paths: Vec<&str> = package.as_deref().into_iter().collect();
    paths.push(file);
    paths.extend(call.value("absPath"));
    let found = mappings.iter().find_map(|m| {
        let path = paths.iter().find_map(|p| m.apply(p))?;
        Some((m, address(m, &path, line)))
    });
    let mut answer = json!({
        "config": null, "sourceUrl": null, "integrations": [], "attemptedUrl": null,
    });
    match found {
        Some((m, Some(url))) => {
            answer["config"] = view(m, Some(project));
            answer["sourceUrl"] = json!(url);
        }
        Some((m, None)) => {
            answer["config"] = view(m, Some(project));
            answer["error"] = json!("file_not_found");
        }
        None if mappings.is_empty() => answer["error"] = Value::from("no_code_mappings"),
        None => answer["error"] = Value::from("stack_root_mismatch"),
    }
    Ok(Answer::json(answer))
}
