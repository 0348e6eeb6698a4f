//! Tests of `sandbox` through its public face, each as root, when the tests are, and as an unprivileged user.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "helpers outside #[test]; a skipped test says so; the programs that sandboxes are tested with"
)]

mod denied;
mod ends;
mod environments;
mod isolation;
mod leaves;
mod plans;
mod support;
