//! Tracing: every change of a request gets an origin, or the request is denied.
