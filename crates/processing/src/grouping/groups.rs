//! Exception groups: which exceptions of a tree speak for the event.

use protocol::json::{Json, Map};

/// Picks the exceptions that take part, as indices into `values`. `same` says whether two of them have the same
/// components.
pub fn pick(event: &Json<'_>, values: &[&Map<'_>], same: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
    let all: Vec<usize> = (0..values.len()).collect();
    if values.len() < 2 || event.as_object().is_some_and(is_old_python) {
        return all;
    }
    let Some(tree) = Tree::read(values) else {
        return all;
    };
    let mut top = Vec::new();
    tree.top_level(tree.root, &mut top, 0);
    top.sort_by(|a, b| kind(values[*b]).cmp(kind(values[*a])));
    top.dedup_by(|later, earlier| same(*earlier, *later));
    match top.as_slice() {
        [] => all,
        [one] => {
            let mut path = vec![*one];
            let mut at = *one;
            while let Some(&child) = tree.children[at].first() {
                if path.contains(&child) {
                    break;
                }
                path.push(child);
                at = child;
            }
            path.retain(|i| !tree.is_group[*i]);
            path
        }
        many => {
            let mut out = many.to_vec();
            out.push(tree.root);
            out
        }
    }
}

/// The exception that a group comes down to, if there is one such.
pub fn main_exception(event: &Map<'_>, values: &[&Map<'_>]) -> Option<usize> {
    if values.len() < 2 || is_old_python(event) {
        return None;
    }
    let tree = Tree::read(values)?;
    let mut top = Vec::new();
    tree.top_level(tree.root, &mut top, 0);
    let first = *top.first()?;
    let same = |i: &usize| {
        ["type", "stacktrace"]
            .iter()
            .all(|key| values[*i].get(key) == values[first].get(key))
    };
    top.iter().all(same).then_some(first)
}

fn kind<'a>(exception: &'a Map<'_>) -> &'a str {
    exception.str("type").unwrap_or_default()
}

/// SDKs of version 3 send trees that cannot be read as groups.
fn is_old_python(event: &Map<'_>) -> bool {
    event.str("platform") == Some("python")
        && event
            .object("sdk")
            .and_then(|s| s.str("version"))
            .is_some_and(|v| v.starts_with('3'))
}

struct Tree {
    root: usize,
    children: Vec<Vec<usize>>,
    is_group: Vec<bool>,
}

impl Tree {
    /// Reads the tree; none if an exception has no place of its own in it.
    fn read(values: &[&Map<'_>]) -> Option<Tree> {
        let mut ids: Vec<i64> = Vec::with_capacity(values.len());
        let mut parents = Vec::with_capacity(values.len());
        let mut is_group = Vec::with_capacity(values.len());
        for exception in values {
            let mechanism = exception.object("mechanism")?;
            let id = mechanism.get("exception_id")?.as_i64()?;
            let parent = mechanism.get("parent_id").and_then(Json::as_i64);
            if parent == Some(id) || ids.contains(&id) {
                return None;
            }
            ids.push(id);
            parents.push(parent);
            is_group.push(mechanism.get("is_exception_group").and_then(Json::as_bool) == Some(true));
        }
        let root = ids.iter().position(|id| *id == 0)?;
        let mut children = vec![Vec::new(); values.len()];
        for (i, parent) in parents.iter().enumerate().rev() {
            if let Some(p) = parent.and_then(|p| ids.iter().position(|id| *id == p)) {
                children[p].push(i);
            }
        }
        Some(Tree {
            root,
            children,
            is_group,
        })
    }

    fn top_level(&self, at: usize, out: &mut Vec<usize>, depth: usize) {
        if depth > self.children.len() {
            return;
        }
        if self.is_group[at] {
            for &child in &self.children[at] {
                self.top_level(child, out, depth + 1);
            }
        } else {
            out.push(at);
        }
    }
}
