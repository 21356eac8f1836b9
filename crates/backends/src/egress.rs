//! Everything that asks another server. Addresses that users give are checked here before they are asked; those of
//! the installation's own settings are its administrator's word.

pub mod http;
pub mod smtp;
