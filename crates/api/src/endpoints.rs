//! The endpoints, one module per noun.

pub mod accept_invite;
pub mod auth;
pub mod discarded;
pub mod events;
pub mod grouping;
pub mod hashes;
pub mod internal;
pub mod issue;
pub mod issue_events;
pub mod issue_notes;
pub mod issues;
pub mod keys;
pub mod member_teams;
pub mod members;
pub mod organizations;
pub mod project_teams;
pub mod projects;
pub mod root;
pub mod search;
pub mod similar;
pub mod stats;
pub mod tags;
pub mod team;
pub mod teams;
pub mod tokens;
pub mod transfer;
