//! Training runs: what is recorded before and after, and what becomes of the output.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use bartizan_policy::Role;
use bartizan_registry::limits::ENVIRONMENT_PARTS;
use bartizan_registry::proof::{VerifyOptions, verify};
use bartizan_registry::statement::{Isolation, Resources, RunEnd, VersionState};
use bartizan_registry::{Caller, Failed, NewRun, RunOutput, RunReport, StartedRun};

use crate::data::{CLEAN, add};
use crate::world::World;

fn report(world: &World, end: RunEnd) -> RunReport {
    RunReport {
        end,
        status: Some(i32::from(end != RunEnd::Succeeded)),
        resources: Resources { wall_millis: 1200, cpu_millis: 900, memory_bytes: 1 << 20 },
        environment: serde_json::json!({ "variables": { "HOME": "/home" }, "metrics": [{ "loss": 0.25 }] }),
        installed: Vec::new(),
        log: b"epoch 1\n".to_vec(),
        started: world.registry.now(),
        ended: world.registry.now().plus_millis(1200),
    }
}

fn output(files: &[(&str, &'static str)]) -> Vec<RunOutput> {
    let one = |(path, content): &(&str, &'static str)| RunOutput {
        path: (*path).to_owned(),
        content: Box::new(Cursor::new(content.as_bytes())),
    };
    files.iter().map(one).collect()
}

async fn start(world: &World, caller: &Caller) -> Result<StartedRun, Failed> {
    let new = NewRun {
        model: "fraud".parse().unwrap(),
        inputs: vec!["feed:1".parse().unwrap()],
        code: Vec::new(),
        command: vec!["python3".to_owned(), "train.py".to_owned(), "--customer=Jane".to_owned()],
        isolation: Isolation::Full,
    };
    world.registry.start_run(caller, new).await
}

#[tokio::test]
async fn a_run_finds_each_data_set_under_its_name_so_it_takes_one_version_of_each() {
    let world = World::new().await;
    let eve = world.person("eve", &[Role::DataScientist]).await;
    add(&world, &eve, ("feed", CLEAN), None, false).await.unwrap();
    let entries = world.registry.state().next_index();
    let new = NewRun {
        model: "fraud".parse().unwrap(),
        inputs: vec!["feed:1".parse().unwrap(), "feed:2".parse().unwrap()],
        code: Vec::new(),
        command: vec!["true".to_owned()],
        isolation: Isolation::Full,
    };
    let twice = world.registry.start_run(&eve, new).await.unwrap_err();
    assert!(twice.to_string().contains("`feed` is named twice"), "{twice}");
    assert_eq!(world.registry.state().next_index(), entries, "nothing is stated");
}

#[tokio::test]
async fn what_a_run_made_is_a_version_with_its_provenance() {
    let world = World::new().await;
    let trust = world.trust();
    let eve = world.person("eve", &[Role::DataScientist]).await;
    let adam = world.person("adam", &[Role::Approver]).await;
    add(&world, &eve, ("feed", CLEAN), None, false).await.unwrap();
    world.release().await;
    let run = start(&world, &eve).await.unwrap();
    let mut content = String::new();
    world.registry.open_part(&run.inputs()[0].parts[0]).unwrap().read_to_string(&mut content).unwrap();
    assert_eq!(content, CLEAN, "the job reads what was delivered");

    let mut done = report(&world, RunEnd::Succeeded);
    done.installed = vec![bartizan_base::sha256(b"venv"), bartizan_base::sha256(b"lib")];
    let files = output(&[("model.onnx", "weights")]);
    let version = world.registry.push_run(&eve, &run, &done, files).await.unwrap();
    assert_eq!(version.to_string(), "fraud:1");
    let own = world.registry.approve(&eve, &version).await;
    assert!(matches!(own, Err(Failed::Refused { .. })), "{own:?}");
    assert_eq!(world.registry.approve(&adam, &version).await.unwrap(), VersionState::Approved);

    let since = BTreeSet::from([trust.minimum_size]);
    let proof = world.registry.prove_model(&adam, &version, since).await.unwrap();
    let verdict = verify(&proof.bytes, &trust, None, VerifyOptions { allow_development: true }).unwrap();
    let environment = format!(
        "was environment with digest {}, environment-base-1 with digest {}, the same before it ran and after",
        done.installed[0], done.installed[1]
    );
    let said = [verdict.proven, verdict.asserted, verdict.not_covered].concat().join("\n");
    for expected in [
        environment.as_str(),
        "ran on: the system's programs and libraries, as in /usr; no digest binds them",
        "SLSA provenance says that this manifest came out of run_",
        "was given feed:1 with digest",
        "by the server: that it ran the command in full isolation",
        "data set feed:1 has root",
    ] {
        assert!(said.contains(expected), "`{expected}` is missing in:\n{said}");
    }
    let ledger = world.ledger_bytes();
    assert!(!ledger.windows(4).any(|window| window == b"Jane"), "the command is private");
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn an_environment_has_a_bounded_number_of_parts() {
    let world = World::new().await;
    let eve = world.person("eve", &[Role::MlEngineer, Role::DataScientist]).await;
    add(&world, &eve, ("feed", CLEAN), None, false).await.unwrap();
    let run = start(&world, &eve).await.unwrap();
    let mut done = report(&world, RunEnd::Succeeded);
    done.installed = vec![bartizan_base::sha256(b"lib"); ENVIRONMENT_PARTS + 1];
    let many = world.registry.push_run(&eve, &run, &done, output(&[("m", "w")])).await;
    assert!(matches!(many, Err(Failed::Entry(_))), "{many:?}");
    done.installed.pop();
    let version = world.registry.push_run(&eve, &run, &done, output(&[("m", "w")])).await.unwrap();
    assert_eq!(version.to_string(), "fraud:1");
}

#[tokio::test]
async fn a_run_ends_once_and_a_failed_one_makes_nothing() {
    let world = World::new().await;
    let eve = world.person("eve", &[Role::MlEngineer, Role::DataScientist]).await;
    add(&world, &eve, ("feed", CLEAN), None, false).await.unwrap();
    let run = start(&world, &eve).await.unwrap();
    let failed = report(&world, RunEnd::Failed);
    let pushed = world.registry.push_run(&eve, &run, &failed, output(&[("m", "w")])).await;
    assert!(matches!(pushed, Err(Failed::Invalid { .. })), "{pushed:?}");
    let other =
        world.registry.push_run(&world.admin, &run, &report(&world, RunEnd::Succeeded), output(&[])).await;
    assert!(matches!(other, Err(Failed::Invalid { .. })), "only who started it takes its output: {other:?}");
    world.registry.end_run(&run, &failed).await.unwrap();
    let twice = world.registry.end_run(&run, &failed).await;
    assert!(matches!(twice, Err(Failed::Entry(_))), "{twice:?}");
    let state = world.registry.state();
    assert!(state.models().is_empty());
    assert_eq!(state.runs().get(&run.id()).unwrap().ended.unwrap().1, RunEnd::Failed);

    let run = start(&world, &eve).await.unwrap();
    let bad = output(&[("../escape", "w")]);
    let refused = world.registry.push_run(&eve, &run, &report(&world, RunEnd::Succeeded), bad).await;
    assert!(matches!(refused, Err(Failed::Manifest(_))), "{refused:?}");
    world.registry.end_run(&run, &report(&world, RunEnd::Refused)).await.unwrap();
    let under_way = start(&world, &eve).await.unwrap().id();
    let again = world.reopen(false).await.unwrap();
    let ended = again.state().runs().get(&under_way).unwrap().ended.unwrap().1;
    assert_eq!(ended, RunEnd::Interrupted, "who opens the project next says so");
}

#[tokio::test]
async fn a_run_reads_what_exists_and_is_started_by_who_may() {
    let world = World::new().await;
    let vera = world.person("vera", &[Role::Viewer]).await;
    let refused = start(&world, &vera).await;
    assert!(matches!(refused, Err(Failed::Refused { .. })), "{refused:?}");
    let unknown = start(&world, &world.admin).await;
    assert!(matches!(unknown, Err(Failed::NotFound { .. })), "{unknown:?}");
    assert!(world.registry.state().runs().is_empty());
}
