//! A stack trace and its part in grouping.

use std::cell::RefCell;

use protocol::json::{Json, Map};

use super::Family;
use super::component::{Component, Content, Known};
use super::frame::Frame;
use super::rules::{self, BUILT_IN, Rule, RuleError, RuleFrame, Share};
use crate::memo::{self, Memo};

/// Which frames a variant looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum View {
    /// The application's own.
    App,
    /// All.
    System,
}

/// The frames of a stack trace, read once for both views.
struct Stack<'a> {
    frames: Vec<Frame<'a>>,
    components: Vec<Component<'a>>,
    rule_frames: Vec<RuleFrame<'a>>,
}

/// The frames under `stacktrace` of an exception, thread or event.
pub fn frames<'a, 'b>(stack: &'a Json<'b>) -> impl DoubleEndedIterator<Item = &'a Map<'b>> {
    stack
        .get("frames")
        .and_then(Json::as_array)
        .unwrap_or_default()
        .iter()
        .filter_map(Json::as_object)
}

thread_local! {
    static KNOWN: RefCell<Memo<[Component<'static>; 2]>> = RefCell::default();
}

/// The components of a stack trace in both views, the application's own first.
pub fn views<'a>(
    stack: &'a Json<'_>,
    platform: &'a str,
    rules: &[&'a [Rule]],
    error: &RuleError<'_>,
) -> [Component<'a>; 2] {
    let frames: Vec<Frame<'a>> = frames(stack).map(|f| Frame::read(f, platform)).collect();
    let mut key = Vec::with_capacity(4096);
    write_key(&frames, rules, error, &mut key);
    let known = KNOWN.with_borrow_mut(|memo| {
        memo.get(&key, || {
            let stack = Stack::of(frames.clone());
            [View::App, View::System].map(|view| known(stack.component(rules, error, view)))
        })
    });
    match known {
        Some(known) => (*known).clone(),
        None => {
            let stack = Stack::of(frames);
            [View::App, View::System].map(|view| stack.component(rules, error, view))
        }
    }
}

/// Writes a key: the rules, what they may ask about the exception, and all that grouping reads of the frames.
pub(super) fn write_key(frames: &[Frame<'_>], rules: &[&[Rule]], error: &RuleError<'_>, key: &mut Vec<u8>) {
    key.clear();
    let mut value_counts = false;
    for set in rules {
        if std::ptr::eq(*set, &**BUILT_IN) {
            key.push(1);
            value_counts |= *rules::BUILT_IN_ASKS_VALUE;
            continue;
        }
        key.push(2);
        for rule in *set {
            memo::text(key, Some(&rule.text));
        }
        value_counts |= rules::asks_value(set);
    }
    memo::text(key, error.kind);
    memo::text(key, error.mechanism);
    memo::text(key, error.value.filter(|_| value_counts));
    for frame in frames {
        frame.write_key(key);
    }
}

/// The component with its frames in the form that is kept.
fn known(component: Component<'_>) -> Component<'static> {
    let mut component = component.into_owned();
    if let Content::Parts(frames) = component.content {
        component.content = Content::Known(Known::of(frames).into());
    }
    component
}

impl<'a> Stack<'a> {
    fn of(frames: Vec<Frame<'a>>) -> Stack<'a> {
        let mut components: Vec<_> = frames.iter().map(Frame::component).collect();
        for i in 1..frames.len() {
            if frames[i].repeats(&frames[i - 1]) {
                components[i].ignore("ignored as it repeats the frame before");
            }
        }
        if let ([frame], [component]) = (frames.as_slice(), components.as_mut_slice())
            && frame.family == Family::JavaScript
            && frame.function.is_none()
            && !frame.at_url(true)
        {
            component.ignore("ignored as a single frame without function says nothing");
        }
        let rule_frames = frames.iter().map(Frame::for_rules).collect();
        Stack {
            frames,
            components,
            rule_frames,
        }
    }

    /// Its component in one view.
    fn component(&self, rules: &[&'a [Rule]], error: &RuleError<'_>, view: View) -> Component<'a> {
        let app = |f: &Frame<'_>| f.in_app == Some(true);
        let mut shares: Vec<Share<'a>> = self
            .frames
            .iter()
            .zip(&self.components)
            .map(|(f, c)| Share {
                contributes: c.contributes && (view == View::System || app(f)),
                rule: None,
            })
            .collect();
        let limit = rules::contribute(rules, &self.rule_frames, error, view == View::App, &mut shares);
        let any = shares.iter().any(|s| s.contributes);
        let parts = self
            .frames
            .iter()
            .zip(&self.components)
            .zip(&shares)
            .map(|((frame, c), share)| {
                let mut c = c.clone();
                c.contributes = share.contributes;
                if view == View::App && !app(frame) {
                    c.hint = Some("not in app".into());
                } else if let Some(rule) = share.rule {
                    let how = if share.contributes { "included" } else { "ignored" };
                    c.hint = Some(format!("{how} by the rule `{rule}`").into());
                }
                c
            });
        let content = Content::Parts(parts.collect());
        let mut out = Component {
            id: "stacktrace",
            contributes: any,
            hint: None,
            content,
        };
        if self.frames.is_empty() {
            out.hint = Some("it has no frames".into());
        } else if let Err(rule) = limit {
            out.ignore(format!(
                "ignored as too few frames are left for the rule `{rule}`"
            ));
        } else if !any {
            out.hint = Some(
                if view == View::App && !self.frames.iter().any(app) {
                    "no frame is in app"
                } else {
                    "no frame contributes"
                }
                .into(),
            );
        }
        out
    }
}
