//! The tree of values that make a hash.

use std::borrow::Cow;
use std::sync::Arc;

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
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// Nothing.
    Empty,
    /// A value.
    Text(Cow<'a, str>),
    /// Parts.
    Parts(Vec<Component<'a>>),
    /// Frames that came before.
    Known(Arc<Known>),
}

/// The frames of a stack trace with all that is made of them.
#[derive(Debug)]
pub struct Known {
    parts: Vec<Component<'static>>,
    /// All contributing values in order.
    fed: Vec<u8>,
    /// Their stored form.
    stored: Arc<[u8]>,
}

impl Known {
    /// Of the frames of a stack trace.
    pub fn of(frames: Vec<Component<'static>>) -> Known {
        let mut fed = Vec::new();
        frames
            .iter()
            .for_each(|f| f.contributing(&mut |text| fed.extend_from_slice(text)));
        Known {
            fed,
            stored: Json::Array(write_frames(&frames)).to_vec().into(),
            parts: frames,
        }
    }
}

impl PartialEq for Content<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Content::Empty, Content::Empty) => true,
            (Content::Text(a), Content::Text(b)) => a == b,
            (Content::Known(a), Content::Known(b)) if Arc::ptr_eq(a, b) => true,
            (Content::Parts(_) | Content::Known(_), Content::Parts(_) | Content::Known(_)) => {
                self.parts() == other.parts()
            }
            _ => false,
        }
    }
}

impl<'a> Content<'a> {
    fn parts(&self) -> &[Component<'a>] {
        match self {
            Content::Parts(parts) => parts,
            Content::Known(known) => &known.parts,
            _ => &[],
        }
    }
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
        self.content.parts()
    }

    /// Hands on all contributing values in order.
    fn contributing(&self, take: &mut dyn FnMut(&[u8])) {
        if !self.contributes {
            return;
        }
        match &self.content {
            Content::Empty => {}
            Content::Text(t) => take(t.as_bytes()),
            Content::Parts(parts) => parts.iter().for_each(|p| p.contributing(take)),
            Content::Known(known) => take(&known.fed),
        }
    }

    /// Feeds all contributing values in order.
    pub fn feed(&self, hasher: &mut Md5) {
        self.contributing(&mut |text| hasher.update(text));
    }

    /// Whether the contributing values are the same, and so the hashes.
    pub fn contributes_same(&self, other: &Component<'_>) -> bool {
        let bytes = |c: &Component<'_>| {
            let mut all = Vec::with_capacity(1024);
            c.contributing(&mut |text| all.extend_from_slice(text));
            all
        };
        bytes(self) == bytes(other)
    }

    /// The same without borrowing from the event.
    pub fn into_owned(self) -> Component<'static> {
        Component {
            id: self.id,
            contributes: self.contributes,
            hint: self.hint.map(|h| Cow::Owned(h.into_owned())),
            content: match self.content {
                Content::Empty => Content::Empty,
                Content::Text(t) => Content::Text(Cow::Owned(t.into_owned())),
                Content::Parts(parts) => {
                    Content::Parts(parts.into_iter().map(Component::into_owned).collect())
                }
                Content::Known(known) => Content::Known(known),
            },
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
            Content::Known(known) => {
                if full && self.contributes {
                    m.0.push((Cow::Borrowed("values"), Json::Rendered(known.stored.clone())));
                }
                return Json::Object(m);
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
