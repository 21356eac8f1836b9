//! What tests start themselves: a PostgreSQL of their own on a private port, and the `vedette` binary.

pub mod books;
pub mod postgres;
pub mod server;
