//! Addresses of scripts and sources: how they are joined, found again in uploads, and made readable.

/// Where an address that stands in a source map or behind `sourceMappingURL` leads, seen from `base`.
///
/// Follows RFC 3986 where both are addresses; paths without a scheme (`/srv/app/a.js`, `C:\app\a.js`) are joined
/// as paths. Dots are resolved, queries and fragments of the base are dropped.
pub fn join(base: &str, other: &str) -> String {
    if other.is_empty() {
        return base.to_owned();
    }
    if scheme_of(other).is_some() {
        return clean(other);
    }
    let base = base.split(['?', '#']).next().unwrap_or(base);
    let root = root_of(base);
    if let Some(rest) = other.strip_prefix("//") {
        return match scheme_of(base) {
            Some(scheme) => clean(&format!("{scheme}://{rest}")),
            None => other.to_owned(),
        };
    }
    if other.starts_with('/') {
        return clean(&format!("{}{other}", root.trim_end_matches('/')));
    }
    let folder = match base.rfind('/') {
        Some(at) if at + 1 >= root.len() => &base[..=at],
        _ if base.is_empty() => "",
        _ if root.is_empty() => "",
        _ => return clean(&format!("{root}/{other}")),
    };
    clean(&format!("{folder}{other}"))
}

/// The scheme of an address, such as `https`; one letter is a drive.
fn scheme_of(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once(':')?;
    let mut letters = scheme.bytes();
    let first = letters.next()?;
    let fits = first.is_ascii_alphabetic()
        && scheme.len() > 1
        && letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    fits.then_some(scheme)
}

/// Scheme and host of an address, with nothing after it: `https://x.y`, `app://`; empty for paths.
fn root_of(url: &str) -> &str {
    match url.find("://") {
        Some(at) => {
            let from = at + 3;
            let end = url[from..].find('/').map_or(url.len(), |n| from + n);
            &url[..end]
        }
        None => "",
    }
}

/// Resolves `.` and `..`; what would climb over the root stays where it is.
fn clean(url: &str) -> String {
    let root = root_of(url);
    let path = &url[root.len()..];
    let (path, rest) = match path.find(['?', '#']) {
        Some(at) => path.split_at(at),
        None => (path, ""),
    };
    if !path.split('/').any(|p| p == "." || p == "..") {
        return url.to_owned();
    }
    let absolute = path.starts_with('/');
    // `webpack:///./src/a.js` keeps its dot: it says that the file is of the program itself.
    let keeps_dot = root.starts_with("webpack://");
    let mut parts: Vec<&str> = Vec::new();
    for (i, part) in path.split('/').enumerate() {
        match part {
            "" if i == 0 => {}
            "." if keeps_dot && i <= 1 => parts.push("."),
            "." => {}
            ".." => match parts.last() {
                None if !absolute && root.is_empty() => parts.push(".."),
                Some(&"..") => parts.push(".."),
                Some(&".") => {}
                _ => {
                    parts.pop();
                }
            },
            other => parts.push(other),
        }
    }
    let slash = if absolute { "/" } else { "" };
    format!("{root}{slash}{}{rest}", parts.join("/"))
}

/// The names under which an upload of a release may hold the file at `url`, the most exact first: the address
/// itself, without its query, and both with `~` in place of scheme and host.
pub fn candidates(url: &str) -> Vec<String> {
    let url = url.split('#').next().unwrap_or(url);
    let plain = url.split('?').next().unwrap_or(url);
    let root = root_of(url);
    let mut out = vec![url.to_owned()];
    let mut add = |name: String| {
        if !out.contains(&name) {
            out.push(name);
        }
    };
    add(plain.to_owned());
    for whole in [url, plain] {
        let path = &whole[root.len().min(whole.len())..];
        if path.starts_with('/') {
            add(format!("~{path}"));
        } else if root.is_empty() && scheme_of(whole).is_none() && !path.starts_with('~') {
            add(format!("~/{}", path.trim_start_matches("./")));
        }
    }
    out
}

/// Whether a frame may be looked up at all: not what engines and runtimes bring along.
pub fn is_mappable(abs_path: &str) -> bool {
    const NEVER: [&str; 11] = [
        "node:",
        "internal/",
        "native",
        "[native",
        "<anonymous>",
        "blob:",
        "data:",
        "webpack-internal:",
        "chrome-extension:",
        "moz-extension:",
        "safari-web-extension:",
    ];
    !abs_path.is_empty()
        && !NEVER.iter().any(|p| abs_path.starts_with(p))
        && abs_path.contains(['/', '\\', '.'])
}

/// What a mapped frame is called: its file name, whether it is of the program itself (if its place says so), and
/// its module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    /// What is shown.
    pub filename: String,
    /// Whether the file is of the program itself.
    pub in_app: Option<bool>,
    /// The module that grouping and people see, if the address gives one.
    pub module: Option<String>,
}

/// Names a source by its full address and by what the map calls it.
pub fn name(abs_path: &str, source: &str) -> Names {
    if abs_path.starts_with("webpack:") {
        let filename = webpack_name(abs_path);
        // `~/` is a package, and so is what lies in node_modules; what does not start with `./` is webpack's own.
        let in_app = filename.starts_with("./") && !filename.contains("/node_modules/");
        let module = module(&filename);
        return Names {
            filename,
            in_app: Some(in_app),
            module: Some(module),
        };
    }
    let of_package = in_node_modules(abs_path) || in_node_modules(source);
    let in_app = if abs_path.starts_with("app:") {
        Some(!of_package)
    } else {
        of_package.then_some(false)
    };
    let named = ["http:", "https:", "app:"]
        .iter()
        .any(|p| abs_path.starts_with(p));
    Names {
        filename: if source.is_empty() {
            abs_path.to_owned()
        } else {
            source.to_owned()
        },
        in_app,
        module: named.then(|| module(abs_path)),
    }
}

fn in_node_modules(path: &str) -> bool {
    path.starts_with("node_modules/") || path.contains("/node_modules/")
}

/// `webpack:///./src/a.js` and `webpack://shop/./src/a.js` are `./src/a.js`, `webpack:///~/lib/b.js` is `~/lib/b.js`.
fn webpack_name(abs_path: &str) -> String {
    if let Some((_, rest)) = abs_path.split_once("/~/") {
        return format!("~/{rest}");
    }
    if let Some(rest) = abs_path.strip_prefix("webpack://")
        && let Some((space, rest)) = rest.split_once("/./")
        && space
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_@.".contains(&b))
    {
        return format!("./{rest}");
    }
    abs_path
        .strip_prefix("webpack:///")
        .unwrap_or(abs_path)
        .to_owned()
}

/// A name for the module of a script that has none: its path without what changes from build to build and without
/// folders that say nothing. `https://x.y/js/v1.0/shop/cart.min.js` is `shop/cart`.
pub fn module(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let path = match scheme_of(path) {
        Some(scheme) if path[scheme.len()..].starts_with("://") => &path[root_of(path).len()..],
        _ => path,
    };
    let file = path.rfind('/').map_or(0, |n| n + 1);
    let end = path[file..]
        .rfind('.')
        .filter(|n| *n > 0)
        .map_or(path.len(), |n| file + n);
    let path = path[..end].strip_suffix(".min").unwrap_or(&path[..end]);
    let hex = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
    let mut parts: Vec<&str> = path.split('/').collect();
    if let Some(at) = parts
        .iter()
        .position(|p| (p.len() >= 32 && p.is_char_boundary(32) && hex(&p[..32])) || (p.len() == 40 && hex(p)))
    {
        parts.drain(..=at);
        return parts.join("/");
    }
    let file = parts.pop().unwrap_or_default();
    let says_nothing = |p: &str| {
        matches!(
            p,
            "" | "javascript"
                | "javascripts"
                | "script"
                | "scripts"
                | "js"
                | "build"
                | "static"
                | "node_modules"
                | "bower_components"
        ) || p.starts_with(['_', '.', '~'])
            || is_version(p)
            || (matches!(p.len(), 7 | 8 | 32 | 40) && hex(p))
    };
    let kept = parts.iter().skip_while(|p| says_nothing(p));
    let mut out: Vec<&str> = kept.copied().collect();
    let file = match file.rfind(['-', '.']) {
        // A commit or a hash at the end.
        Some(at) if file.len() - at > 7 && hex(&file[at + 1..]) => &file[..at],
        _ => file,
    };
    out.push(file);
    let name = out.join("/");
    if name.is_empty() {
        "<unknown module>".to_owned()
    } else {
        name
    }
}

fn is_version(part: &str) -> bool {
    let digits = part.strip_prefix('v').unwrap_or(part);
    !digits.is_empty()
        && digits
            .split('.')
            .all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined() {
        for (base, other, expected) in [
            (
                "https://x.y/static/app.js.map",
                "../../src/cart.js",
                "https://x.y/src/cart.js",
            ),
            (
                "https://x.y/static/app.js?v=1",
                "app.js.map",
                "https://x.y/static/app.js.map",
            ),
            ("https://x.y", "a.js", "https://x.y/a.js"),
            ("https://x.y/a/b.js", "/c.js", "https://x.y/c.js"),
            ("https://x.y/a/b.js", "//cdn.z/c.js", "https://cdn.z/c.js"),
            (
                "https://x.y/a/b.js.map",
                "webpack:///./src/a.ts",
                "webpack:///./src/a.ts",
            ),
            (
                "https://x.y/b.js.map",
                "webpack://shop/./src/../a.ts",
                "webpack://shop/./a.ts",
            ),
            ("app:///dist/main.js", "../src/main.ts", "app:///src/main.ts"),
            ("app:///main.js", "main.js.map", "app:///main.js.map"),
            ("~/static/app.js", "app.js.map", "~/static/app.js.map"),
            ("/srv/app/dist/a.js", "../src/a.ts", "/srv/app/src/a.ts"),
            ("a.js", "../b.js", "../b.js"),
            ("https://x.y/a.js", "", "https://x.y/a.js"),
        ] {
            assert_eq!(join(base, other), expected, "{base} + {other}");
        }
    }

    #[test]
    fn uploads_are_found_by_four_names() {
        assert_eq!(
            candidates("https://x.y/a/app.js?v=1#z"),
            [
                "https://x.y/a/app.js?v=1",
                "https://x.y/a/app.js",
                "~/a/app.js?v=1",
                "~/a/app.js"
            ]
        );
        assert_eq!(candidates("app:///main.js"), ["app:///main.js", "~/main.js"]);
        assert_eq!(candidates("/srv/app/a.js"), ["/srv/app/a.js", "~/srv/app/a.js"]);
        assert_eq!(candidates("~/a.js"), ["~/a.js"]);
        assert_eq!(candidates("https://x.y"), ["https://x.y"]);
    }

    #[test]
    fn modules() {
        for (url, expected) in [
            ("https://google.com/js/v1.0/foo/bar/baz.js", "foo/bar/baz"),
            ("https://x.y/static/app.min.js", "app"),
            ("https://x.y/app-8a8c2f1d.js", "app"),
            ("https://x.y/5d41402abc4b2a76b9719d911017c592/a/b.js", "a/b"),
            ("./src/cart.ts", "src/cart"),
            ("app:///dist/index.js?x", "dist/index"),
            ("https://x.y/", "<unknown module>"),
        ] {
            assert_eq!(module(url), expected, "{url}");
        }
    }

    #[test]
    fn what_a_file_is_called() {
        let names = |a: &str, s: &str| {
            let n = name(a, s);
            (n.filename, n.in_app, n.module)
        };
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(
            names("webpack://shop/./src/a.ts", "webpack://shop/./src/a.ts"),
            ("./src/a.ts".into(), Some(true), some("src/a"))
        );
        assert_eq!(
            names("webpack:///~/lib/b.js", ""),
            ("~/lib/b.js".into(), Some(false), some("lib/b"))
        );
        assert_eq!(
            names("webpack:///webpack/bootstrap", ""),
            ("webpack/bootstrap".into(), Some(false), some("webpack/bootstrap"))
        );
        assert_eq!(
            names("https://x.y/node_modules/r/i.js", "../node_modules/r/i.js").1,
            Some(false)
        );
        assert_eq!(
            names("https://x.y/src/a.js", "../src/a.js"),
            ("../src/a.js".into(), None, some("src/a"))
        );
        assert_eq!(names("app:///src/a.ts", "src/a.ts").1, Some(true));
    }

    #[test]
    fn what_engines_bring_is_left_alone() {
        for path in [
            "node:internal/fs",
            "<anonymous>",
            "[native code]",
            "",
            "native",
            "index",
            "blob:https://x/1",
        ] {
            assert!(!is_mappable(path), "{path}");
        }
        for path in [
            "https://x.y/a.js",
            "/srv/a.js",
            "app:///a.js",
            "C:\\a.js",
            "main.js",
        ] {
            assert!(is_mappable(path), "{path}");
        }
    }
}
