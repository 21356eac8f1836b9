//! symbolicate
