//! Bytes that nobody sends: what somebody does send, changed at random and the same in every run. For the tests of
//! whatever reads foreign bytes; `fuzz/` looks longer and by coverage.

/// Changes bytes.
pub struct Mutator {
    state: u64,
    /// Pieces that mean something to the reader.
    pieces: &'static [&'static str],
}

impl Mutator {
    /// Changes with these pieces, a sequence of its own per seed.
    pub fn new(seed: u64, pieces: &'static [&'static str]) -> Mutator {
        Mutator {
            state: seed | 1,
            pieces,
        }
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % n.max(1) as u64) as usize
    }

    /// A few changes to a sample; now and then much of it is another one.
    pub fn bytes(&mut self, samples: &[Vec<u8>]) -> Vec<u8> {
        let mut out = samples[self.below(samples.len())].clone();
        for _ in 0..=self.below(6) {
            let at = self.below(out.len() + 1);
            let end = (at + 1 + self.below(8)).min(out.len());
            match self.below(8) {
                0 if at < out.len() => out[at] = self.below(256) as u8,
                1 if at < out.len() => out[at] ^= 1 << self.below(8),
                2 => drop(out.drain(at..end)),
                3 => out.truncate(at),
                4 => {
                    let again = out[at..end].repeat(1 + self.below(40));
                    out.splice(at..at, again);
                }
                5 => {
                    let other = &samples[self.below(samples.len())];
                    let from = self.below(other.len() + 1);
                    out.truncate(at);
                    out.extend_from_slice(&other[from..]);
                }
                _ => {
                    let piece = self.pieces[self.below(self.pieces.len())];
                    out.splice(at..at, piece.bytes());
                }
            }
        }
        out
    }

    /// The same as text.
    pub fn text(&mut self, samples: &[Vec<u8>]) -> String {
        String::from_utf8_lossy(&self.bytes(samples)).into_owned()
    }
}

/// How many changed inputs a test reads; `MUTATIONS` multiplies it.
pub fn rounds(usual: usize) -> usize {
    let times = std::env::var("MUTATIONS").ok().and_then(|n| n.parse().ok());
    usual.saturating_mul(times.unwrap_or(1))
}
