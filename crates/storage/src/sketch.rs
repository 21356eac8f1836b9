//! Counting distinct values: exact while few, HyperLogLog above (Flajolet et al. 2007; the empty-register
//! correction for small counts).
//!
//! Two sketches merge into what counting both together would have given, so counts of hours, days and hashes
//! add up to counts of issues.

/// 2^12 registers: a standard error of 1.6 %.
const BITS: u32 = 12;
const REGISTERS: usize = 1 << BITS;
/// Above this many values the exact set becomes registers (then it would be the larger of the two).
const EXACT: usize = 512;

/// A set of values by their hash, of which only the size can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distinct {
    /// The hashes, sorted.
    Exact(Vec<u64>),
    /// HyperLogLog registers.
    Dense(Box<[u8; REGISTERS]>),
}

impl Default for Distinct {
    fn default() -> Self {
        Distinct::Exact(Vec::new())
    }
}

/// A 64-bit hash that stays the same between versions and machines: FNV-1a with MurmurHash3's finalizer.
pub fn stable_hash(bytes: &[u8]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    for b in bytes {
        h = (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
    }
    h ^= h >> 33;
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^= h >> 33;
    h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

impl Distinct {
    /// Adds a value.
    pub fn add(&mut self, value: &[u8]) {
        self.add_hash(stable_hash(value));
    }

    /// Adds a value by its [`stable_hash`].
    pub fn add_hash(&mut self, hash: u64) {
        match self {
            Distinct::Exact(set) => {
                if let Err(at) = set.binary_search(&hash) {
                    set.insert(at, hash);
                    if set.len() > EXACT {
                        self.densify();
                    }
                }
            }
            Distinct::Dense(registers) => put(registers, hash),
        }
    }

    fn densify(&mut self) {
        if let Distinct::Exact(set) = self {
            let mut registers = Box::new([0u8; REGISTERS]);
            for hash in set.iter() {
                put(&mut registers, *hash);
            }
            *self = Distinct::Dense(registers);
        }
    }

    /// Adds everything that another sketch has seen.
    pub fn merge(&mut self, other: &Distinct) {
        match other {
            Distinct::Exact(set) => set.iter().for_each(|h| self.add_hash(*h)),
            Distinct::Dense(theirs) => {
                self.densify();
                if let Distinct::Dense(ours) = self {
                    for (a, b) in ours.iter_mut().zip(theirs.iter()) {
                        *a = (*a).max(*b);
                    }
                }
            }
        }
    }

    /// How many distinct values were added: exact up to 512, then with an error of about 1.6 %.
    pub fn count(&self) -> u64 {
        match self {
            Distinct::Exact(set) => set.len() as u64,
            Distinct::Dense(registers) => {
                let m = REGISTERS as f64;
                let sum: f64 = registers.iter().map(|r| 2f64.powi(-i32::from(*r))).sum();
                let zeros = registers.iter().filter(|r| **r == 0).count();
                let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
                let estimate = if raw <= 2.5 * m && zeros > 0 {
                    m * (m / zeros as f64).ln()
                } else {
                    raw
                };
                estimate.round() as u64
            }
        }
    }

    /// The bytes that a database keeps.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Distinct::Exact(set) => {
                let mut out = vec![0];
                set.iter().for_each(|h| out.extend_from_slice(&h.to_le_bytes()));
                out
            }
            Distinct::Dense(registers) => {
                let mut out = vec![1];
                out.extend_from_slice(&registers[..]);
                out
            }
        }
    }

    /// Reads [`Distinct::to_bytes`]; anything else is an empty sketch.
    pub fn from_bytes(bytes: &[u8]) -> Distinct {
        match bytes.split_first() {
            Some((1, rest)) => match <[u8; REGISTERS]>::try_from(rest) {
                Ok(registers) => Distinct::Dense(Box::new(registers)),
                Err(_) => Distinct::default(),
            },
            Some((0, rest)) => {
                let mut set: Vec<u64> = rest
                    .as_chunks::<8>()
                    .0
                    .iter()
                    .map(|c| u64::from_le_bytes(*c))
                    .collect();
                set.sort_unstable();
                set.dedup();
                Distinct::Exact(set)
            }
            _ => Distinct::default(),
        }
    }
}

fn put(registers: &mut [u8; REGISTERS], hash: u64) {
    let index = (hash >> (64 - BITS)) as usize;
    let rank = ((hash << BITS) | (1 << (BITS - 1))).leading_zeros() as u8 + 1;
    registers[index] = registers[index].max(rank);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_merges() {
        let mut all = Distinct::default();
        let mut halves = [Distinct::default(), Distinct::default()];
        for n in [10u64, 400, 5_000, 200_000] {
            for i in 0..n {
                let value = i.to_le_bytes();
                all.add(&value);
                halves[(i % 2) as usize].add(&value);
            }
            let error = (all.count() as f64 - n as f64).abs() / n as f64;
            assert!(error < if n <= 512 { 1e-9 } else { 0.05 }, "{n}: {}", all.count());
            let mut merged = halves[0].clone();
            merged.merge(&halves[1]);
            assert_eq!(merged.count(), all.count(), "{n}");
            assert_eq!(Distinct::from_bytes(&all.to_bytes()), all);
        }
        let mut small = Distinct::default();
        small.add(b"x");
        small.merge(&all);
        assert!(small.count() > 190_000);
    }
}
