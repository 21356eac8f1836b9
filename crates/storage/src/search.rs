//! The search language: text to conditions on issues (SQL) and filters on events.
//!
//! [`grammar`] reads the text, [`keys`] knows every key, [`lower`] says what each term means. Pure: what it needs
//! to know of people, projects and time is handed in.

pub mod grammar;
pub mod keys;
pub mod lower;

pub use grammar::{Expr, QueryError, parse};
pub use lower::{Context, Lowered, lower, of_hashes};
