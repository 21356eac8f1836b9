//! Addresses of lines of code on the pages of a repository.

use storage::relational::repositories::{Mapping, Repository};

/// Where a page of a repository shows a file, at a line if there is one.
pub fn address(mapping: &Mapping, path: &str, line: Option<u64>) -> Option<String> {
    let base = mapping.repository.url.as_deref()?.trim_end_matches('/');
    let (branch, path) = (encode(&mapping.branch), encode(path));
    let at = |form: &str| line.map(|n| format!("{form}{n}")).unwrap_or_default();
    Some(match mapping.repository.provider.as_str() {
        "gitlab" => format!("{base}/-/blob/{branch}/{path}{}", at("#L")),
        "gitea" => format!("{base}/src/branch/{branch}/{path}{}", at("#L")),
        // Bitbucket's own service; one that somebody runs has /projects/ in its addresses.
        "bitbucket" if base.contains("/projects/") || base.contains("/scm/") => {
            format!("{base}/browse/{path}?at={branch}{}", at("#"))
        }
        "bitbucket" => format!("{base}/src/{branch}/{path}{}", at("#lines-")),
        _ => format!("{base}/blob/{branch}/{path}{}", at("#L")),
    })
}

/// Where a page of a repository shows a commit.
pub fn commit(repository: &Repository, key: &str) -> Option<String> {
    let base = repository.url.as_deref()?.trim_end_matches('/');
    let key = encode(key);
    Some(match repository.provider.as_str() {
        "gitlab" => format!("{base}/-/commit/{key}"),
        "bitbucket" => format!("{base}/commits/{key}"),
        _ => format!("{base}/commit/{key}"),
    })
}

/// A path as it stands in an address.
fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b'@' | b'+' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_its_form() {
        for (provider, url, want) in [
            (
                "github",
                "https://github.com/acme/shop",
                "/blob/main/src/a%20b.py#L7",
            ),
            (
                "gitlab",
                "https://gitlab.com/acme/shop/",
                "/-/blob/main/src/a%20b.py#L7",
            ),
            (
                "gitea",
                "https://git.example/acme/shop",
                "/src/branch/main/src/a%20b.py#L7",
            ),
            (
                "bitbucket",
                "https://bitbucket.org/acme/shop",
                "/src/main/src/a%20b.py#lines-7",
            ),
            (
                "bitbucket",
                "https://bb.example/projects/A/repos/shop",
                "/browse/src/a%20b.py?at=main#7",
            ),
            (
                "unknown",
                "https://code.example/shop",
                "/blob/main/src/a%20b.py#L7",
            ),
        ] {
            let mapping = Mapping {
                id: 1,
                project: 1,
                stack_root: "./".into(),
                source_root: "src/".into(),
                branch: "main".into(),
                date_added: 0,
                repository: Repository {
                    id: 1,
                    name: "acme/shop".into(),
                    provider: provider.into(),
                    url: Some(url.into()),
                    status: "active".into(),
                    date_added: 0,
                },
            };
            let shown = commit(&mapping.repository, "c0ffee").unwrap();
            let word = match provider {
                "gitlab" => "-/commit",
                "bitbucket" => "commits",
                _ => "commit",
            };
            assert_eq!(shown, format!("{}/{word}/c0ffee", url.trim_end_matches('/')));
            let path = mapping.apply("./a b.py").unwrap();
            let found = address(&mapping, &path, Some(7)).unwrap();
            assert_eq!(found, format!("{}{want}", url.trim_end_matches('/')));
        }
    }
}
