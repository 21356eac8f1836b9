//! Percentiles of numbers in bounded memory: exact while few, within one percent above.
//!
//! Above [`EXACT`] numbers only how many fall into pieces of a logarithmic scale is kept. What is answered does not
//! depend on the order in which numbers came.

use std::collections::BTreeMap;

/// Numbers that are kept as they are.
const EXACT: usize = 512;
/// The scale: each piece ends at so many times its beginning, so that its middle is within one percent of all in it.
const STEP: f64 = 1.02;
/// What is closer to zero than this is zero, and what is further from it than the other is that.
const NEAR: f64 = 1e-9;
const FAR: f64 = 1e21;

/// Numbers, of which percentiles can be asked.
#[derive(Clone, Debug)]
pub enum Spread {
    /// The numbers themselves.
    Exact(Vec<f64>),
    /// How many are in each piece of the scale; those below zero have pieces of their own, turned around.
    Pieces(BTreeMap<i32, u64>, u64),
}

impl Default for Spread {
    fn default() -> Self {
        Spread::Exact(Vec::new())
    }
}

/// Where pieces above zero begin.
const ABOVE: i32 = 1 << 16;

fn piece(x: f64) -> i32 {
    let size = x.abs();
    if size < NEAR {
        return 0;
    }
    let place = (size.min(FAR).ln() / STEP.ln()).floor() as i32;
    if x > 0.0 { ABOVE + place } else { -ABOVE - place }
}

fn middle(piece: i32) -> f64 {
    let of = |place: i32| STEP.powf(f64::from(place) + 0.5);
    match piece {
        0 => 0.0,
        p if p > 0 => of(p - ABOVE),
        p => -of(-p - ABOVE),
    }
}

impl Spread {
    /// Adds a number; what is none is left out.
    pub fn add(&mut self, x: f64) {
        if x.is_nan() {
            return;
        }
        match self {
            Spread::Exact(all) if all.len() < EXACT => all.push(x),
            Spread::Exact(all) => {
                let (mut pieces, mut count) = (BTreeMap::new(), 0);
                for x in all.iter().chain([&x]) {
                    *pieces.entry(piece(*x)).or_insert(0) += 1;
                    count += 1;
                }
                *self = Spread::Pieces(pieces, count);
            }
            Spread::Pieces(pieces, count) => {
                *pieces.entry(piece(x)).or_insert(0) += 1;
                *count += 1;
            }
        }
    }

    /// The number below which this share of the numbers lies (0 to 1); between two it is in between.
    pub fn at(&self, share: f64) -> Option<f64> {
        match self {
            Spread::Exact(all) => {
                let mut all = all.clone();
                all.sort_by(f64::total_cmp);
                let place = share.clamp(0.0, 1.0) * all.len().checked_sub(1)? as f64;
                let (low, high) = (all.get(place.floor() as usize)?, all.get(place.ceil() as usize)?);
                // Also where the numbers are endless.
                Some(if low == high {
                    *low
                } else {
                    low + (high - low) * place.fract()
                })
            }
            Spread::Pieces(pieces, count) => {
                let place = (share.clamp(0.0, 1.0) * (*count as f64 - 1.0)).round() as u64;
                let mut before = 0;
                let found = pieces.iter().find(|(_, n)| {
                    before += **n;
                    before > place
                });
                found.map(|(piece, _)| middle(*piece))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: impl IntoIterator<Item = f64>) -> Spread {
        let mut spread = Spread::default();
        numbers.into_iter().for_each(|x| spread.add(x));
        spread
    }

    #[test]
    fn few_numbers_are_exact() {
        assert_eq!(of([]).at(0.5), None);
        assert_eq!(of([f64::NAN]).at(0.5), None);
        assert_eq!(of([7.0]).at(0.95), Some(7.0));
        assert_eq!(of([3.0, 1.0, 2.0]).at(0.5), Some(2.0));
        assert_eq!(of([1.0, 2.0]).at(0.75), Some(1.75));
        assert_eq!(of([-5.0, 5.0, f64::INFINITY]).at(1.0), Some(f64::INFINITY));
    }

    #[test]
    fn many_are_within_a_percent_in_any_order() {
        let all = || (-2_000..20_000).map(|n| f64::from(n) / 8.0);
        let (up, down) = (of(all()), of(all().collect::<Vec<_>>().into_iter().rev()));
        for share in [0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0] {
            let exact = -250.0 + share * 2749.875;
            let found = up.at(share).unwrap();
            assert!(
                (found - exact).abs() <= exact.abs() * 0.0101 + 0.1,
                "{share}: {found}, not {exact}"
            );
            assert_eq!(down.at(share), Some(found));
        }
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let odd = [
            0.0,
            1e-300,
            -1e-300,
            1e300,
            -1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        let wide = (0..20_000).map(|n| 1.1f64.powi(n % 4_000 - 2_000));
        let Spread::Pieces(pieces, count) = of(odd.into_iter().chain(wide)) else {
            panic!("there are many");
        };
        assert_eq!(count, 20_007);
        assert!(pieces.len() < 8_000, "{}", pieces.len());
    }
}
