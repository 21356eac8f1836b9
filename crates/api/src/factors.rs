//! Second factors: apps that show codes, recovery codes, passkeys. Pure: what is kept is handed in and answered.

pub mod codes;
pub mod passkeys;
