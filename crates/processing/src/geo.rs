//! Where an address is: asked of a database that the caller hands in.

use std::net::IpAddr;

/// A place, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Two letters of ISO 3166.
    pub country_code: Option<String>,
    /// The country's name.
    pub region: Option<String>,
    /// A part of the country.
    pub subdivision: Option<String>,
    /// The city.
    pub city: Option<String>,
}

/// Something that knows where addresses are.
pub trait Geo: Send + Sync {
    /// The place of an address.
    fn find(&self, ip: IpAddr) -> Option<Place>;
}

/// Knows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoGeo;

impl Geo for NoGeo {
    fn find(&self, _: IpAddr) -> Option<Place> {
        None
    }
}

/// A database in MaxMind's format: the countries in the program, or a file of somebody's own.
#[derive(Debug)]
pub struct Database<S: AsRef<[u8]>>(maxminddb::Reader<S>);

impl Database<&'static [u8]> {
    /// The countries in the program.
    ///
    /// # Panics
    /// Never: the data is part of the program, and a test reads it.
    pub fn countries() -> Database<&'static [u8]> {
        let bytes: &'static [u8] = include_bytes!("../data/countries.mmdb");
        Database(maxminddb::Reader::from_source(bytes).expect("the data in the program is whole"))
    }
}

impl Database<Vec<u8>> {
    /// Reads the bytes of a `.mmdb` file.
    ///
    /// # Errors
    /// If they are none; the text says what is wrong.
    pub fn read(bytes: Vec<u8>) -> Result<Database<Vec<u8>>, String> {
        maxminddb::Reader::from_source(bytes)
            .map(Database)
            .map_err(|e| e.to_string())
    }
}

/// What records hold, in the formats of GeoIP2 and of plain country lists.
#[derive(serde::Deserialize)]
struct Record {
    #[serde(default)]
    country_code: Option<String>,
    #[serde(default)]
    country: Option<Named>,
    #[serde(default)]
    city: Option<Named>,
    #[serde(default)]
    subdivisions: Option<Vec<Named>>,
}

#[derive(serde::Deserialize)]
struct Named {
    #[serde(default)]
    iso_code: Option<String>,
    #[serde(default)]
    names: std::collections::BTreeMap<String, String>,
}

/// The English name of a country by its two letters.
fn country_name(code: &str) -> Option<&'static str> {
    let names = include_str!("../data/country-names.txt");
    names
        .lines()
        .find_map(|line| line.strip_prefix(code)?.strip_prefix(' '))
}

impl<S: AsRef<[u8]> + Send + Sync> Geo for Database<S> {
    fn find(&self, ip: IpAddr) -> Option<Place> {
        let record: Record = self.0.lookup(ip).ok()?.decode().ok()??;
        let english = |n: Named| n.names.get("en").cloned();
        let (code, region) = match record.country {
            Some(country) => (country.iso_code.clone(), english(country)),
            None => (None, None),
        };
        let code = code.or(record.country_code);
        Some(Place {
            region: region.or_else(|| code.as_deref().and_then(country_name).map(str::to_owned)),
            country_code: code,
            subdivision: record
                .subdivisions
                .and_then(|s| s.into_iter().next())
                .and_then(english),
            city: record.city.and_then(english),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries() {
        let db = Database::countries();
        let code = |ip: &str| db.find(ip.parse().unwrap()).and_then(|p| p.country_code);
        assert_eq!(code("8.8.8.8").as_deref(), Some("US"));
        assert!(code("2a00:1450:4001:80b::200e").is_some());
        assert_eq!(code("10.0.0.1"), None);
        let place = db.find("8.8.8.8".parse().unwrap());
        assert_eq!(place.and_then(|p| p.region).as_deref(), Some("United States"));
        assert_eq!(country_name("DE"), Some("Germany"));
        assert_eq!(country_name("D"), None);
        assert!(Database::read(vec![1, 2, 3]).is_err());
    }
}
