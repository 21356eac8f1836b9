//! The tree of values that make a hash.

use std::borrow::Cow;

use md5::{Digest, Md5};
use protocol::ids::GroupHash;
use protocol::json::{Json, Map};

/// Characters of a value that are stored with the event; hashes take all.
const MAX_STORED: usize = 1000;

/// A part of a variant: a value, or several parts.
#[derive(Clone, PartialEq, Debug)]
pub struct Component<'a> {
    /// What it is: `frame`, `function`, ...
    pub id: &'static str,
    /// Whether it takes part in the hash.
    pub contributes: bool,
    /// Why it does or does not, for people.
    pub hint: Option<Cow<'a, str>>,
    /// What it holds.
    pub content: Content<'a>,
}

/// What a component holds.
#[derive(Clone, PartialEq, Debug)]
pub enum Content<'a> {
    /// Nothing.
    Empty,
    /// A value.
    Text(Cow<'a, str>),
    /// Parts.
    Parts(Vec<Component<'a>>),
}

impl<'a> Component<'a> {
    /// A component without content, which does not contribute.
    pub fn empty(id: &'static str) -> Component<'a> {
        Component {
            id,
            contributes: false,
            hint: None,
            content: Content::Empty,
        }
    }

    /// A value that contributes.
    pub fn text(id: &'static str, text: impl Into<Cow<'a, str>>) -> Component<'a> {
        Component {
            id,
            contributes: true,
            hint: None,
            content: Content::Text(text.into()),
        }
    }

    /// Parts; contributes if any of them does.
    pub fn list(id: &'static str, parts: Vec<Component<'a>>) -> Component<'a> {
        let contributes = parts.iter().any(|p| p.contributes);
        Component {
            id,
            contributes,
            hint: None,
            content: Content::Parts(parts),
        }
    }

    /// Takes it out of the hash and says why.
    pub fn ignore(&mut self, why: impl Into<Cow<'a, str>>) {
        self.contributes = false;
        self.hint = Some(why.into());
    }

    /// The same with a hint.
    pub fn because(mut self, why: impl Into<Cow<'a, str>>) -> Component<'a> {
        self.hint = Some(why.into());
        self
    }

    /// Its parts.
    pub fn parts(&self) -> &[Component<'a>] {
        if let Content::Parts(p) = &self.content {
            p
        } else {
            &[]
        }
    }

    /// Feeds all contributing values in order.
    pub fn feed(&self, hasher: &mut Md5) {
        if !self.contributes {
            return;
        }
        match &self.content {
            Content::Empty => {}
            Content::Text(t) => hasher.update(t.as_bytes()),
            Content::Parts(parts) => parts.iter().for_each(|p| p.feed(hasher)),
        }
    }

    /// MD5 over all contributing values.
    pub fn hash(&self) -> GroupHash {
        let mut hasher = Md5::new();
        self.feed(&mut hasher);
        GroupHash(hasher.finalize().into())
    }

    /// Whether a stack trace in it contributes.
    pub fn has_contributing_stack(&self) -> bool {
        self.contributes
            && (self.id == "stacktrace" || self.parts().iter().any(Component::has_contributing_stack))
    }

    /// The stored form. `contributes` is left out where true, `values` where empty. Without `full` only the
    /// upper levels are written, as nothing below took part. Of a stack trace the frames that contribute are
    /// written with the values that do; of the others how many there are in a row, and why.
    pub fn to_json(&self, full: bool) -> Json<'static> {
        let mut m = self.head();
        let values = match &self.content {
            Content::Text(t) => {
                let end = t.char_indices().nth(MAX_STORED).map_or(t.len(), |(i, _)| i);
                vec![Json::from(t[..end].to_owned())]
            }
            Content::Parts(frames) if self.id == "stacktrace" => {
                if full && self.contributes {
                    write_frames(frames)
                } else {
                    Vec::new()
                }
            }
            Content::Parts(parts) => parts.iter().map(|p| p.to_json(full)).collect(),
            Content::Empty => Vec::new(),
        };
        if !values.is_empty() {
            m.0.push((Cow::Borrowed("values"), Json::Array(values)));
        }
        Json::Object(m)
    }

    /// Id, whether it contributes, and why.
    fn head(&self) -> Map<'static> {
        let mut m = Map::new();
        m.0.push((Cow::Borrowed("id"), Json::from(self.id)));
        if !self.contributes {
            m.0.push((Cow::Borrowed("contributes"), Json::Bool(false)));
        }
        if let Some(hint) = &self.hint {
            m.0.push((Cow::Borrowed("hint"), Json::from(hint.clone().into_owned())));
        }
        m
    }
}

fn write_frames(frames: &[Component<'_>]) -> Vec<Json<'static>> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < frames.len() {
        let frame = &frames[i];
        let mut m = frame.head();
        if frame.contributes {
            let values: Vec<_> = frame
                .parts()
                .iter()
                .filter(|p| p.contributes)
                .map(|p| p.to_json(true))
                .collect();
            m.0.push((Cow::Borrowed("values"), Json::Array(values)));
            i += 1;
        } else {
            let n = frames[i..]
                .iter()
                .take_while(|f| !f.contributes && f.hint == frame.hint)
                .count();
            if n > 1 {
                m.0.push((Cow::Borrowed("count"), Json::from(n)));
            }
            i += n;
        }
        out.push(Json::Object(m));
    }
    out
}
