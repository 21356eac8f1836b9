//! Filters of a project: events that it does not want, whoever sends them. They are left out before anything is
//! stored, and counted by the filter that knew them.

use std::net::IpAddr;

use protocol::category::Discard;
use protocol::json::{Json, Map};
use serde::{Deserialize, Serialize};

use crate::context::Receipt;

/// Which filters are on.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterSettings {
    /// Events of a developer's own machine.
    pub localhost: bool,
    /// Events that search engines and other robots bring about.
    pub crawlers: bool,
    /// Errors of extensions of browsers.
    pub extensions: bool,
    /// Errors of React where the server made another page than the browser.
    pub hydration: bool,
    /// Parts of an application that did not load, as after a deploy.
    pub chunk_load: bool,
    /// Browsers that are too old, by the names of [`BROWSERS`].
    pub browsers: Vec<String>,
    /// Addresses and networks of clients.
    pub addresses: Vec<String>,
    /// Patterns of releases.
    pub releases: Vec<String>,
    /// Patterns of messages.
    pub messages: Vec<String>,
}

/// A group of old browsers: its name, the names of the browsers, and the first version that is not of it any more and
/// the first that is.
type Group = (&'static str, &'static [&'static str], u64, u64);

/// The groups that can be left out.
pub const BROWSERS: &[Group] = &[
    ("ie", &["IE", "IE Mobile"], 12, 0),
    ("edge", &["Edge", "Edge Mobile"], 79, 0),
    (
        "safari",
        &["Safari", "Mobile Safari", "Mobile Safari UI/WKWebView"],
        12,
        0,
    ),
    ("firefox", &["Firefox", "Firefox Mobile"], 67, 0),
    (
        "chrome",
        &["Chrome", "Chrome Mobile", "Chrome Mobile WebView"],
        63,
        0,
    ),
    ("opera", &["Opera", "Opera Mobile"], 50, 0),
    ("android", &["Android"], 4, 0),
    ("opera_mini", &["Opera Mini"], 35, 0),
    ("ie_pre_9", &["IE", "IE Mobile"], 9, 0),
    ("ie9", &["IE", "IE Mobile"], 10, 9),
    ("ie10", &["IE", "IE Mobile"], 11, 10),
    ("ie11", &["IE", "IE Mobile"], 12, 11),
    ("opera_pre_15", &["Opera", "Opera Mobile"], 15, 0),
    ("android_pre_4", &["Android"], 4, 0),
    ("safari_pre_6", &["Safari", "Mobile Safari"], 6, 0),
    ("opera_mini_pre_8", &["Opera Mini"], 8, 0),
    ("edge_pre_79", &["Edge", "Edge Mobile"], 79, 0),
];

/// Parts of the names of robots, in small letters.
const ROBOTS: &[&str] = &[
    "googlebot",
    "mediapartners-google",
    "adsbot-google",
    "google-inspectiontool",
    "storebot-google",
    "bingbot",
    "bingpreview",
    "baiduspider",
    "yandexbot",
    "yandeximages",
    "facebookexternalhit",
    "facebookbot",
    "twitterbot",
    "linkedinbot",
    "slackbot-linkexpanding",
    "discordbot",
    "telegrambot",
    "whatsapp/",
    "slurp",
    "duckduckbot",
    "applebot",
    "pinterestbot",
    "semrushbot",
    "ahrefsbot",
    "mj12bot",
    "dotbot",
    "petalbot",
    "bytespider",
    "gptbot",
    "claudebot",
    "ccbot",
    "perplexitybot",
    "amazonbot",
    "sogou",
    "exabot",
    "ia_archiver",
    "archive.org_bot",
    "uptimerobot",
    "pingdom",
    "chrome-lighthouse",
    "crawler",
    "spider/",
    "headlesschrome",
];

/// How the address of an extension's script begins.
const EXTENSIONS: &[&str] = &[
    "chrome-extension://",
    "chrome://",
    "moz-extension://",
    "safari-extension://",
    "safari-web-extension://",
    "ms-browser-extension://",
    "webkit-masked-url://",
    "resource://",
];

/// What extensions and scripts that they bring are known to say.
const EXTENSION_WORDS: &[&str] = &[
    "Extension context invalidated",
    "chrome-extension://",
    "moz-extension://",
    "safari-extension://",
    "safari-web-extension://",
    "Could not establish connection. Receiving end does not exist",
    "A listener indicated an asynchronous response by returning true",
    "Can't find variable: ZiteReader",
    "jigsaw is not defined",
    "ComboSearch is not defined",
    "atomicFindClose",
    "fb_xd_fragment",
    "EBCallBackMessageReceived",
    "conduitPage",
    "vid_mate_check is not defined",
    "Object Not Found Matching Id:",
];

/// What React says when pages differ; its short errors have numbers.
const HYDRATION: &[&str] = &[
    "Hydration failed because",
    "There was an error while hydrating",
    "Text content does not match server-rendered HTML",
    "error while hydrating this Suspense boundary",
];
const HYDRATION_NUMBERS: &[&str] = &["418", "419", "422", "423", "425"];

/// An address or a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Net {
    base: IpAddr,
    bits: u8,
}

fn number(ip: IpAddr) -> (u128, u8) {
    match ip.to_canonical() {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

impl Net {
    fn parse(text: &str) -> Option<Net> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base.trim(), Some(bits.trim())),
            None => (text.trim(), None),
        };
        let base: IpAddr = base.parse::<IpAddr>().ok()?.to_canonical();
        let (_, all) = number(base);
        let bits = match bits {
            Some(bits) => bits.parse::<u8>().ok().filter(|b| *b <= all)?,
            None => all,
        };
        Some(Net { base, bits })
    }

    fn has(&self, ip: IpAddr) -> bool {
        let ((a, all), (b, other)) = (number(self.base), number(ip));
        let shift = u32::from(all - self.bits);
        all == other && (shift >= 128 || a.checked_shr(shift) == b.checked_shr(shift))
    }
}

/// Whether a text is an address or a network, as the filter of addresses takes them.
pub fn is_network(text: &str) -> bool {
    Net::parse(text).is_some()
}

/// The filters of a project, ready to use.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    on: FilterSettings,
    nets: Vec<Net>,
    idle: bool,
}

impl Filters {
    pub(crate) fn new(settings: &FilterSettings) -> Filters {
        Filters {
            on: settings.clone(),
            nets: settings.addresses.iter().filter_map(|a| Net::parse(a)).collect(),
            idle: *settings == FilterSettings::default(),
        }
    }

    /// The filter that leaves a normalized event out, if one does.
    pub(crate) fn verdict(&self, event: &Map<'_>, receipt: &Receipt<'_>) -> Option<Discard> {
        if self.idle {
            return None;
        }
        let on = &self.on;
        let user = event.object("user").and_then(|u| u.str("ip_address"));
        if !self.nets.is_empty() {
            let both = [receipt.client_ip, user].into_iter().flatten();
            let mut both = both.filter_map(|ip| ip.parse::<IpAddr>().ok());
            if both.any(|ip| self.nets.iter().any(|net| net.has(ip))) {
                return Some(Discard::FilterAddress);
            }
        }
        if let Some(release) = event.str("release")
            && on.releases.iter().any(|pattern| glob(pattern, release))
        {
            return Some(Discard::FilterRelease);
        }
        if !on.messages.is_empty() {
            let said = said(event);
            if said
                .iter()
                .any(|text| on.messages.iter().any(|pattern| glob(pattern, text)))
            {
                return Some(Discard::FilterMessage);
            }
        }
        if on.extensions && by_extension(event) {
            return Some(Discard::FilterExtension);
        }
        if on.localhost && (user.is_some_and(is_loopback) || on_localhost(event)) {
            return Some(Discard::FilterLocalhost);
        }
        if on.crawlers && agent(event, receipt).is_some_and(is_robot) {
            return Some(Discard::FilterCrawler);
        }
        if !on.browsers.is_empty() && is_old(event, &on.browsers) {
            return Some(Discard::FilterBrowser);
        }
        if on.hydration && said(event).iter().any(|text| differs(text)) {
            return Some(Discard::FilterHydration);
        }
        if on.chunk_load
            && said(event)
                .iter()
                .any(|text| text.contains("ChunkLoadError: Loading "))
        {
            return Some(Discard::FilterChunkLoad);
        }
        None
    }
}

fn exceptions<'a>(event: &'a Map<'_>) -> impl DoubleEndedIterator<Item = &'a Json<'a>> {
    let values = event.object("exception").and_then(|e| e.array("values"));
    values.unwrap_or_default().iter()
}

/// The message of an event, and of each exception its value and `Type: value`.
fn said(event: &Map<'_>) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(entry) = event.object("logentry") {
        out.extend(entry.str("formatted").or(entry.str("message")).map(str::to_owned));
    }
    for exception in exceptions(event) {
        let (kind, value) = (exception.str_at(&["type"]), exception.str_at(&["value"]));
        match (kind, value) {
            (Some(kind), Some(value)) => {
                out.push(format!("{kind}: {value}"));
                out.push(value.to_owned());
            }
            (Some(one), None) | (None, Some(one)) => out.push(one.to_owned()),
            (None, None) => {}
        }
    }
    out
}

/// Whether the innermost frame of the newest exception lies in an extension, or what it says is known of one.
fn by_extension(event: &Map<'_>) -> bool {
    if event.str("platform") != Some("javascript") {
        return false;
    }
    let place = exceptions(event).next_back().and_then(|e| {
        let frames = e.path(&["stacktrace", "frames"])?.as_array()?;
        let mut places = frames
            .iter()
            .rev()
            .filter_map(|f| f.str_at(&["abs_path"]).or_else(|| f.str_at(&["filename"])));
        places.find(|p| !matches!(*p, "" | "<anonymous>" | "[native code]"))
    });
    let lies = place.is_some_and(|p| EXTENSIONS.iter().any(|e| p.starts_with(e)));
    lies || exceptions(event)
        .filter_map(|e| e.str_at(&["value"]))
        .any(|v| EXTENSION_WORDS.iter().any(|w| v.contains(w)))
}

fn is_loopback(ip: &str) -> bool {
    ip.parse::<IpAddr>()
        .is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Whether the page or request was one of the own machine.
fn on_localhost(event: &Map<'_>) -> bool {
    let Some(url) = event.object("request").and_then(|r| r.str("url")) else {
        return false;
    };
    if url.starts_with("file://") {
        return true;
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") || is_loopback(&host)
}

/// The user agent: that of the event's request, or for events of browsers that of the sender.
fn agent<'a>(event: &'a Map<'_>, receipt: &Receipt<'a>) -> Option<&'a str> {
    let headers = event.get("request").and_then(|r| r.get("headers")?.as_array());
    let named = headers.into_iter().flatten().find(|pair| {
        let name = pair.path(&["0"]).and_then(Json::as_str);
        name.is_some_and(|name| name.eq_ignore_ascii_case("user-agent"))
    });
    let own = named.and_then(|pair| pair.path(&["1"])).and_then(Json::as_str);
    let at_user = event.str("platform") == Some("javascript") || event.contains("csp");
    own.or(receipt.user_agent.filter(|_| at_user))
}

fn is_robot(agent: &str) -> bool {
    let agent = agent.to_ascii_lowercase();
    ROBOTS.iter().any(|robot| agent.contains(robot))
}

/// Whether the browser is of one of the groups.
fn is_old(event: &Map<'_>, groups: &[String]) -> bool {
    let Some(browser) = event.object("contexts").and_then(|c| c.object("browser")) else {
        return false;
    };
    let (Some(name), Some(version)) = (browser.str("name"), browser.str("version")) else {
        return false;
    };
    let Ok(major) = version.split('.').next().unwrap_or("").parse::<u64>() else {
        return false;
    };
    let mut wanted = BROWSERS
        .iter()
        .filter(|(group, ..)| groups.iter().any(|g| g == group));
    wanted.any(|(_, names, until, from)| names.contains(&name) && (*from..*until).contains(&major))
}

/// Whether a message is one of React about pages that differ.
fn differs(text: &str) -> bool {
    if HYDRATION.iter().any(|words| text.contains(words)) {
        return true;
    }
    let Some(at) = text.find("Minified React error #") else {
        return false;
    };
    let rest = &text[at + "Minified React error #".len()..];
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
    HYDRATION_NUMBERS.contains(&digits)
}

/// `*` stands for any text, `?` for one character; case does not matter.
fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoGeo, NoSymbols, ProjectRules, ProjectSettings, process_event};

    /// What becomes of an event with one filter on.
    fn verdict(filters: FilterSettings, client: Option<&str>, event: &str) -> Option<Discard> {
        let settings = ProjectSettings {
            filters,
            ..ProjectSettings::default()
        };
        let rules = ProjectRules::compile(1, &settings).expect("no rules");
        let receipt = Receipt {
            received: 1_790_000_000_000_000,
            client_ip: client,
            project: 1,
            ..Receipt::default()
        };
        process_event(event.as_bytes(), &receipt, &rules, &NoGeo, &NoSymbols).err()
    }

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn addresses_and_networks() {
        let filters = || FilterSettings {
            addresses: texts(&["203.0.113.7", "10.0.0.0/8", "2001:db8::/32", "nonsense"]),
            ..FilterSettings::default()
        };
        let plain = r#"{"message":"x"}"#;
        for (client, left_out) in [
            ("203.0.113.7", true),
            ("203.0.113.8", false),
            ("10.9.9.9", true),
            ("11.0.0.1", false),
            ("::ffff:10.1.1.1", true),
            ("2001:db8:1::5", true),
            ("2001:db9::5", false),
        ] {
            let want = left_out.then_some(Discard::FilterAddress);
            assert_eq!(verdict(filters(), Some(client), plain), want, "{client}");
        }
        let of_user = r#"{"message":"x","user":{"ip_address":"203.0.113.7"}}"#;
        assert_eq!(verdict(filters(), None, of_user), Some(Discard::FilterAddress));
        for (text, good) in [
            ("0.0.0.0/0", true),
            ("::/0", true),
            ("1.2.3.4/33", false),
            ("1.2.3", false),
            ("", false),
        ] {
            assert_eq!(is_network(text), good, "{text}");
        }
        let all = FilterSettings {
            addresses: texts(&["::/0"]),
            ..FilterSettings::default()
        };
        assert_eq!(
            verdict(all, Some("2001:db8::1"), plain),
            Some(Discard::FilterAddress)
        );
    }

    #[test]
    fn releases_and_messages_by_patterns() {
        let releases = || FilterSettings {
            releases: texts(&["shop@1.*", "Beta-?"]),
            ..FilterSettings::default()
        };
        for (release, left_out) in [
            ("shop@1.2.3", true),
            ("shop@2.0", false),
            ("beta-7", true),
            ("beta-77", false),
        ] {
            let event = format!(r#"{{"message":"x","release":"{release}"}}"#);
            let want = left_out.then_some(Discard::FilterRelease);
            assert_eq!(verdict(releases(), None, &event), want, "{release}");
        }
        let messages = || FilterSettings {
            messages: texts(&["ResizeObserver*", "*connection reset*", "TypeError: null*"]),
            ..FilterSettings::default()
        };
        for (event, left_out) in [
            (r#"{"message":"resizeobserver loop"}"#, true),
            (
                r#"{"logentry":{"message":"the %s","params":["connection reset by peer"]}}"#,
                true,
            ),
            (
                r#"{"exception":{"values":[{"type":"TypeError","value":"null has no x"}]}}"#,
                true,
            ),
            (
                r#"{"exception":{"values":[{"type":"E","value":"a connection reset"},{"type":"F","value":"x"}]}}"#,
                true,
            ),
            (
                r#"{"exception":{"values":[{"type":"TypeError","value":"it is null"}]}}"#,
                false,
            ),
        ] {
            let want = left_out.then_some(Discard::FilterMessage);
            assert_eq!(verdict(messages(), None, event), want, "{event}");
        }
    }

    #[test]
    fn the_own_machine() {
        let on = || FilterSettings {
            localhost: true,
            ..FilterSettings::default()
        };
        for (url, left_out) in [
            ("http://localhost:3000/a", true),
            ("http://app.localhost/", true),
            ("http://user@127.0.0.1/", true),
            ("http://[::1]:80/", true),
            ("file:///home/index.html", true),
            ("https://localhost.example/", false),
            ("https://shop.example/?from=localhost", false),
        ] {
            let event = format!(r#"{{"message":"x","request":{{"url":"{url}"}}}}"#);
            let want = left_out.then_some(Discard::FilterLocalhost);
            assert_eq!(verdict(on(), None, &event), want, "{url}");
        }
        let at_home = r#"{"message":"x","user":{"ip_address":"::1"}}"#;
        assert_eq!(verdict(on(), None, at_home), Some(Discard::FilterLocalhost));
        // Where the event comes from is not where the page is.
        assert_eq!(verdict(on(), Some("127.0.0.1"), r#"{"message":"x"}"#), None);
    }

    #[test]
    fn robots_and_old_browsers() {
        let by = |agent: &str| {
            format!(
                r#"{{"message":"x","request":{{"url":"https://a.example/","headers":[["User-Agent","{agent}"]]}}}}"#
            )
        };
        let robot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        let old = "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)";
        let ie = "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko";
        let new = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
        let crawlers = || FilterSettings {
            crawlers: true,
            ..FilterSettings::default()
        };
        assert_eq!(
            verdict(crawlers(), None, &by(robot)),
            Some(Discard::FilterCrawler)
        );
        assert_eq!(verdict(crawlers(), None, &by(new)), None);
        let browsers = |list: &[&str]| FilterSettings {
            browsers: texts(list),
            ..FilterSettings::default()
        };
        for (groups, agent, left_out) in [
            (&["ie"][..], old, true),
            (&["ie"], ie, true),
            (&["ie_pre_9"], old, false),
            (&["ie9"], old, true),
            (&["ie9"], ie, false),
            (&["ie10", "ie11"], ie, true),
            (&["ie", "chrome", "safari"], new, false),
        ] {
            let want = left_out.then_some(Discard::FilterBrowser);
            assert_eq!(
                verdict(browsers(groups), None, &by(agent)),
                want,
                "{groups:?} {agent}"
            );
        }
    }

    #[test]
    fn extensions_hydration_and_chunks() {
        let error = |kind: &str, value: &str, path: &str| {
            format!(
                r#"{{"platform":"javascript","exception":{{"values":[{{"type":"{kind}","value":"{value}","stacktrace":
                {{"frames":[{{"abs_path":"{path}","filename":"a.js"}},{{"abs_path":"<anonymous>"}}]}}}}]}}}}"#
            )
        };
        let page = "https://shop.example/a.js";
        let extensions = || FilterSettings {
            extensions: true,
            ..FilterSettings::default()
        };
        for (value, path, left_out) in [
            ("x is null", "chrome-extension://abc/a.js", true),
            ("x is null", "safari-web-extension://abc/a.js", true),
            ("Extension context invalidated.", page, true),
            ("x is null", page, false),
        ] {
            let want = left_out.then_some(Discard::FilterExtension);
            assert_eq!(
                verdict(extensions(), None, &error("TypeError", value, path)),
                want,
                "{value} {path}"
            );
        }
        let hydration = || FilterSettings {
            hydration: true,
            ..FilterSettings::default()
        };
        for (value, left_out) in [
            ("Hydration failed because the initial UI does not match", true),
            (
                "Minified React error #418; visit https://react.dev/errors/418",
                true,
            ),
            ("Minified React error #4180; visit", false),
            ("Minified React error #31; visit", false),
        ] {
            let want = left_out.then_some(Discard::FilterHydration);
            assert_eq!(
                verdict(hydration(), None, &error("Error", value, page)),
                want,
                "{value}"
            );
        }
        let chunks = || FilterSettings {
            chunk_load: true,
            ..FilterSettings::default()
        };
        let lost = error("ChunkLoadError", "Loading chunk 7 failed.", page);
        assert_eq!(verdict(chunks(), None, &lost), Some(Discard::FilterChunkLoad));
        assert_eq!(
            verdict(chunks(), None, &error("Error", "Loading chunk 7 failed.", page)),
            None
        );
    }
}
