//! kill -9 at random moments of an import loop: nothing acknowledged is lost, and everything opens again.

use std::time::Duration;

use crate::bench::{Bench, finish};

/// Rounds of the loop: every tenth may finish, 200 are killed.
const ROUNDS: u64 = 223;

#[test]
fn an_import_loop_survives_being_killed() {
    let bench = Bench::with_project();
    let mut acknowledged = Vec::new();
    let mut moment = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..ROUNDS {
        bench.write("model/model.onnx", format!("weights {round}").as_bytes());
        let mut child =
            bench.command(&["model", "import", "model", "--name", "m", "--origin", "loop"]).spawn().unwrap();
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // One in ten may finish, so that there is something acknowledged to lose, on slow machines too.
        if round % 10 != 0 {
            std::thread::sleep(Duration::from_micros((moment >> 33) % 250_000));
            // A child that ended before is not there to be killed.
            child.kill().ok();
        }
        let ran = finish(child);
        if ran.code == 0 {
            let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
            acknowledged.push(answer["version"].as_str().unwrap().to_owned());
        }
        if round % 20 == 0 {
            assert_eq!(bench.run(&["ledger", "fsck"]).code, 0, "round {round}");
        }
    }
    assert_eq!(bench.json(&["ledger", "fsck"])["clean"], true);
    assert!(!acknowledged.is_empty(), "no import was quick enough to be acknowledged");
    for version in [acknowledged.first(), acknowledged.last()].into_iter().flatten() {
        assert_eq!(bench.json(&["model", "verify", version])["state"], "candidate");
    }
    for version in &acknowledged {
        assert_eq!(bench.json(&["model", "show", version])["version"], version.as_str());
    }
}
