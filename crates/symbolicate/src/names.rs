//! Names as people wrote them.

use symbolic::common::{Language, Name, NameMangling};
use symbolic::demangle::{Demangle, DemangleOptions};

use crate::guard::guarded;

/// Longer names stay as they are: demangling can take time that grows faster than the name.
const MAX_NAME: usize = 16 << 10;

/// The demangled name with its parameters and without its return type; `None` if it is not mangled.
pub(crate) fn demangle(name: &Name<'_>) -> Option<String> {
    if name.as_str().len() > MAX_NAME {
        return None;
    }
    let options = DemangleOptions::complete().return_type(false);
    guarded(|| name.demangle(options))
        .flatten()
        .filter(|plain| plain != name.as_str())
}

/// The same for a name of which nothing else is known, as crash reports carry them.
pub fn readable(name: &str) -> Option<String> {
    demangle(&Name::new(name, NameMangling::Unknown, Language::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_compilers() {
        for (mangled, expected) in [
            (
                "_ZN4shop4Cart5totalEiRKSs",
                Some("shop::Cart::total(int, std::string const&)"),
            ),
            ("_Z3maxIiET_S0_S0_", Some("max<int>(int, int)")),
            ("_ZN4shop3addI3FooEEvT_", Some("shop::add<Foo>(Foo)")),
            ("_RNvCs1234_7mycrate3foo", Some("mycrate::foo")),
            ("_ZN7mycrate3foo17h0123456789abcdefE", Some("mycrate::foo")),
            ("?total@Cart@shop@@QEAAHH@Z", Some("shop::Cart::total(int)")),
            (
                "$s8mangling12GenericUnionO3FooyACyxGSicAEmlF",
                Some("GenericUnion.Foo<A>(GenericUnion<A>.Type)"),
            ),
            ("-[Cart total:]", None),
            ("main", None),
            ("", None),
        ] {
            assert_eq!(readable(mangled).as_deref(), expected, "{mangled}");
        }
        assert_eq!(readable(&format!("_Z{}", "3abc".repeat(5_000))), None);
    }
}
