//! Which commits may have brought an error: those that changed a file of its stack trace. Pure.

use serde_json::Value;

use crate::ownership::frames;
use crate::relational::commits::Commit;

/// Frames that are looked at, from the innermost.
const FRAMES: usize = 25;
/// Commits that are named.
const SUSPECTS: usize = 10;

/// The paths of an event's frames, those of the program's own code alone if there are any.
pub fn paths(event: &Value) -> Vec<String> {
    let all = frames(event);
    let own: Vec<&Value> = all.iter().filter(|f| f["in_app"] == true).copied().collect();
    let looked_at = if own.is_empty() { all } else { own };
    let mut out: Vec<String> = Vec::new();
    for frame in looked_at.into_iter().take(FRAMES) {
        if let Some(path) = path(frame, event["platform"].as_str().unwrap_or(""))
            && !out.contains(&path)
        {
            out.push(path);
        }
    }
    out
}

fn path(frame: &Value, platform: &str) -> Option<String> {
    let text = |key: &str| frame[key].as_str().filter(|s| !s.is_empty());
    let name = text("filename").or(text("abs_path"))?.replace('\\', "/");
    // The JVM gives the name of the file alone; its folder is the package.
    match text("module") {
        Some(module) if platform == "java" && !name.contains('/') => {
            let package = module.rsplit_once('.').map_or("", |(p, _)| p).replace('.', "/");
            Some(format!("{package}/{name}"))
        }
        _ => Some(name),
    }
}

/// How many segments at their ends two paths share; those of one that is the whole other count.
fn shared(a: &str, b: &str) -> usize {
    let parts = |p: &str| {
        let mut all: Vec<String> = p
            .split('/')
            .filter(|s| !s.is_empty() && *s != ".")
            .map(str::to_owned)
            .collect();
        all.reverse();
        all
    };
    parts(a)
        .iter()
        .zip(parts(b).iter())
        .take_while(|(x, y)| x == y)
        .count()
}

/// The commits that changed a file of these paths, those whose file is most like one first, with how alike.
pub fn rank<'a>(paths: &[String], files: &'a [(Commit, String, String)]) -> Vec<(&'a Commit, usize)> {
    let mut found: Vec<(&Commit, usize)> = Vec::new();
    for (commit, file, _) in files {
        let depth = |p: &str| p.split('/').filter(|s| !s.is_empty() && *s != ".").count();
        let score = |path: &String| {
            let n = shared(path, file);
            // A name alone is shared by many files, unless there is nothing else to compare.
            (n >= 2 || n == 1 && (depth(path) == 1 || depth(file) == 1)).then_some(n)
        };
        let Some(best) = paths.iter().filter_map(score).max() else {
            continue;
        };
        match found.iter_mut().find(|(c, _)| c.id == commit.id) {
            Some((_, score)) => *score = best.max(*score),
            None => found.push((commit, best)),
        }
    }
    found.sort_by_key(|(c, score)| std::cmp::Reverse((*score, c.date_added, c.id)));
    found.truncate(SUSPECTS);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn commit(id: i64) -> Commit {
        Commit {
            id,
            key: format!("{id:040x}"),
            repository: 1,
            message: None,
            author_name: None,
            author_email: None,
            date_added: id,
        }
    }

    #[test]
    fn commits_are_found_by_the_files_of_frames() {
        let event = json!({ "platform": "python", "exception": { "values": [{ "stacktrace": { "frames": [
            { "filename": "lib/http.py", "in_app": false }, { "filename": "shop/cart.py", "in_app": true },
        ] } }] } });
        let paths = paths(&event);
        assert_eq!(paths, ["shop/cart.py"]);
        let file = |id: i64, path: &str| (commit(id), path.to_owned(), "M".to_owned());
        let files = [
            file(1, "src/shop/cart.py"),
            file(2, "other/cart.py"),
            file(3, "src/lib/http.py"),
            file(4, "shop/cart.py"),
        ];
        let ids: Vec<i64> = rank(&paths, &files).iter().map(|(c, _)| c.id).collect();
        assert_eq!(ids, [4, 1]);
    }

    #[test]
    fn java_frames_have_a_folder() {
        let frame = json!({ "filename": "Cart.java", "module": "com.acme.Cart" });
        assert_eq!(path(&frame, "java").as_deref(), Some("com/acme/Cart.java"));
        assert_eq!(path(&frame, "other").as_deref(), Some("Cart.java"));
    }
}
