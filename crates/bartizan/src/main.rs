//! The Bartizan binary.

fn main() {}
