//! What the tests start: a parent that runs a plan, and the program inside that tries to break out.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test program prints, and fails loudly")]

mod attacks;
mod drive;

use std::process::ExitCode;

fn main() -> ExitCode {
    bartizan_sandbox::init_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["drive"] => drive::drive(),
        ["attack", name, rest @ ..] => attacks::attack(name, rest),
        _ => ExitCode::from(2),
    }
}
