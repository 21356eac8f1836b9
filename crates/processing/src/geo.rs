//! Where an address is. The database is the caller's; processing only asks.

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
