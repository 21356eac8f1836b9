//! Conformance suites: what every backend of a port must do. A backend's tests call them with a fresh store.
