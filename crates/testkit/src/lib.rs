//! What tests start themselves: a PostgreSQL of their own on a private port, the `vedette` binary, and a proxy that
//! records what clients send.

pub mod books;
pub mod postgres;
pub mod recorder;
pub mod server;
