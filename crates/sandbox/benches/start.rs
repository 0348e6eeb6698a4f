//! How long it takes to start and end a sandbox with nothing to do in it.
fn main() {}
