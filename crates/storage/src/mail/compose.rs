//! What mails say. Everything that comes from outside is one line of text, and escaped in HTML.

use super::Mail;

/// Issues that a mail about several names.
const LISTED: usize = 10;
/// Characters of a title.
const TITLE: usize = 120;

/// What happened to an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It is new.
    New,
    /// It was resolved and came back.
    Regression,
}

impl Cause {
    /// Its name in settings and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Cause::New => "new",
            Cause::Regression => "regression",
        }
    }

    /// Reads its name.
    pub fn parse(name: &str) -> Option<Cause> {
        [Cause::New, Cause::Regression]
            .into_iter()
            .find(|c| c.name() == name)
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Cause::New => ("New issue", "new issues"),
            Cause::Regression => ("Regression", "regressions"),
        }
    }
}

/// An issue as a mail names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// `SHOP-1A`.
    pub short_id: String,
    /// What it is called.
    pub title: String,
    /// Where it happens.
    pub culprit: String,
    /// Its page.
    pub url: String,
}

/// Text without line breaks and control characters, cut.
fn line(text: &str, most: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= most {
        return words;
    }
    let cut: String = words.chars().take(most - 1).collect();
    format!("{cut}…")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A part of a mail.
enum Part<'a> {
    Text(&'a str),
    Link(&'a str, &'a str),
    Issue(&'a Named),
}

fn mail(to: &str, subject: &str, parts: &[Part<'_>], foot: &str, stop: Option<&str>) -> Mail {
    let (mut plain, mut html) = (String::new(), String::new());
    for part in parts {
        match part {
            Part::Text(text) => {
                plain.push_str(text);
                html.push_str(&format!("<p>{}</p>", escape(text)));
            }
            Part::Link(label, url) => {
                plain.push_str(&format!("{label}:\n{url}"));
                html.push_str(&format!(
                    "<p><a href=\"{}\">{}</a></p>",
                    escape(url),
                    escape(label)
                ));
            }
            Part::Issue(issue) => {
                let (title, culprit) = (line(&issue.title, TITLE), line(&issue.culprit, TITLE));
                plain.push_str(&format!("{}  {title}\n{culprit}\n{}", issue.short_id, issue.url));
                html.push_str(&format!(
                    "<p><a href=\"{}\"><b>{}</b></a> {}<br><span style=\"color:#666\">{}</span></p>",
                    escape(&issue.url),
                    escape(&title),
                    escape(&issue.short_id),
                    escape(&culprit)
                ));
            }
        }
        plain.push_str("\n\n");
    }
    plain.push_str(&format!("-- \n{foot}\n"));
    html.push_str(&format!(
        "<hr><p style=\"color:#666;font-size:12px\">{}</p>",
        escape(foot)
    ));
    if let Some(stop) = stop {
        plain.push_str(&format!("No more of these: {stop}\n"));
        html.push_str(&format!(
            "<p style=\"font-size:12px\"><a href=\"{}\">No more of these</a></p>",
            escape(stop)
        ));
    }
    let head = "<!doctype html><html><body style=\"font-family:sans-serif;font-size:14px;max-width:40em\">";
    Mail {
        to: to.to_owned(),
        subject: line(subject, 200),
        plain,
        html: format!("{head}{html}</body></html>\n"),
        unsubscribe: stop.map(str::to_owned),
    }
}

/// Issues of a project to which the same happened; `more` is how many there are besides.
pub fn issues(to: &str, project: &str, cause: Cause, all: &[Named], more: usize, stop: &str) -> Mail {
    let (one, many) = cause.words();
    let count = all.len() + more;
    let subject = match all {
        [issue] if more == 0 => format!("[{project}] {one}: {} {}", issue.short_id, issue.title),
        _ => format!("[{project}] {count} {many}"),
    };
    let intro = match count {
        1 => format!("{one} in {project}"),
        _ => format!("{count} {many} in {project}"),
    };
    let mut parts = vec![Part::Text(&intro)];
    parts.extend(all.iter().take(LISTED).map(Part::Issue));
    let left = count - all.len().min(LISTED);
    let rest = format!("and {left} more");
    if left > 0 {
        parts.push(Part::Text(&rest));
    }
    let foot = format!("You get this as a member of the project {project}.");
    mail(to, &subject, &parts, &foot, Some(stop))
}

/// The first mail of an hour in which no more are sent of a project.
pub fn held_back(to: &str, project: &str, url: &str, stop: &str) -> Mail {
    let subject = format!("[{project}] Many issues: mails pause for an hour");
    let text = format!(
        "So many issues of {project} are new or came back that mails about them pause for an hour. \
         The list of issues shows them all."
    );
    let foot = format!("You get this as a member of the project {project}.");
    mail(
        to,
        &subject,
        &[Part::Text(&text), Part::Link("The issues", url)],
        &foot,
        Some(stop),
    )
}

/// An invitation to an organization.
pub fn invitation(to: &str, organization: &str, by: &str, url: &str) -> Mail {
    let by = line(by, TITLE);
    let text = format!("{by} invites you to the organization {organization} on Vedette.");
    mail(
        to,
        &format!("Join {organization} on Vedette"),
        &[Part::Text(&text), Part::Link("Accept the invitation", url)],
        "If you do not know what this is about, do nothing: the invitation ends by itself.",
        None,
    )
}

/// A way back for somebody who forgot the password.
pub fn password_reset(to: &str, url: &str) -> Mail {
    let text = "Somebody, probably you, asked for a new password for this address on Vedette. \
                The link works for one hour and once.";
    mail(
        to,
        "A new password for Vedette",
        &[Part::Text(text), Part::Link("Choose a new password", url)],
        "If it was not you, do nothing: the password stays as it is.",
        None,
    )
}

/// A link to a password that an administrator handed out.
pub fn first_password(to: &str, url: &str) -> Mail {
    let text = "An administrator asks you to choose a password for your account on Vedette. \
                The link works for three days and once.";
    mail(
        to,
        "Choose a password for Vedette",
        &[Part::Text(text), Part::Link("Choose a password", url)],
        "If you do not know what this is about, do nothing.",
        None,
    )
}

/// A link that shows whose an address is.
pub fn verification(to: &str, url: &str) -> Mail {
    let text = "Somebody, probably you, entered this address for an account on Vedette. \
                The link works for three days and once.";
    mail(
        to,
        "Confirm your address for Vedette",
        &[Part::Text(text), Part::Link("Confirm the address", url)],
        "If it was not you, do nothing.",
        None,
    )
}

/// What changed about how somebody signs in.
pub fn notice(to: &str, what: &str, url: &str) -> Mail {
    mail(
        to,
        "Your account on Vedette was changed",
        &[
            Part::Text(what),
            Part::Link("Look at your security settings", url),
        ],
        "If it was not you, change your password and sign out everywhere.",
        None,
    )
}

/// What `vedette mail test` sends.
pub fn test(to: &str, url: &str) -> Mail {
    mail(
        to,
        "A test from Vedette",
        &[
            Part::Text("Mail works: this was sent by `vedette mail test`."),
            Part::Link("Vedette", url),
        ],
        "Nothing else is asked of you.",
        None,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(n: usize) -> Named {
        Named {
            short_id: format!("SHOP-{n}"),
            title: format!("<b>Boom {n}</b>\r\nBcc: x@example.com"),
            culprit: "app in \"pay\"".into(),
            url: format!("https://e.example.com/i/{n}/"),
        }
    }

    #[test]
    fn texts_of_events_stay_texts() {
        let mail = issues(
            "a@example.com",
            "shop",
            Cause::New,
            &[named(1)],
            0,
            "https://e.example.com/stop/",
        );
        assert_eq!(
            mail.subject,
            "[shop] New issue: SHOP-1 <b>Boom 1</b> Bcc: x@example.com"
        );
        assert!(
            mail.html.contains("&lt;b&gt;Boom 1&lt;/b&gt; Bcc"),
            "{}",
            mail.html
        );
        assert!(!mail.plain.contains('\r') && mail.plain.contains("https://e.example.com/i/1/"));
        assert_eq!(mail.unsubscribe.as_deref(), Some("https://e.example.com/stop/"));
    }

    #[test]
    fn many_issues_are_one_mail() {
        let all: Vec<Named> = (1..=12).map(named).collect();
        let mail = issues(
            "a@example.com",
            "shop",
            Cause::Regression,
            &all,
            30,
            "https://e.example.com/stop/",
        );
        assert_eq!(mail.subject, "[shop] 42 regressions");
        assert!(mail.plain.contains("SHOP-10") && !mail.plain.contains("SHOP-11"));
        assert!(mail.plain.contains("and 32 more"), "{}", mail.plain);
    }
}
