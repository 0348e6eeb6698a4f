//! How many predictions one thread makes in a second of its own time, and where that time goes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench prints, and one that meets the unexpected must fail"
)]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bartizan_base::{PrincipalId, Timestamp, sha256};
use bartizan_gateway::oip::Request;
use bartizan_gateway::{
    Caller, Endpoint, Fallback, Made, Placement, PredictRequest, Prediction, Serving, Settings, predict,
};
use bartizan_keys::OsRandom;
use bartizan_keys::subjects::SubjectTag;
use bartizan_model::{Model, Tensor};
use bartizan_store::records::{GatewayId, Log};
use serde_json::{Value, json};

#[path = "../tests/it/shelf.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod shelf;

use crate::shelf::Shelf;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);
const GATEWAY: GatewayId = GatewayId::from_bytes([9; 16]);

fn main() {
    let Some(folder) = models() else {
        println!("SKIPPED: there is no folder shared/models beside the repository");
        return;
    };
    for (name, rows) in
        [("adult_logistic", 1), ("taxi_fare_ridge", 1), ("adult_logistic", 64), ("adult_forest", 1)]
    {
        measure(&folder, name, rows);
    }
}

/// The folder `shared/models` beside the repository or beside a folder that it is in.
fn models() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().skip(3).map(|above| above.join("shared/models")).find(|folder| folder.is_dir())
}

fn measure(folder: &Path, name: &str, rows: usize) {
    let shelf = Shelf::new();
    let bytes = std::fs::read(folder.join(format!("{name}.onnx"))).unwrap();
    let loaded = shelf.load("bench", &bytes);
    let settings = Settings { name: "bench".parse().unwrap(), error_id: |_| "none" };
    let endpoint = Endpoint::new(settings, Serving::new(loaded, Fallback::Unavailable, None).unwrap());
    let body = body(folder, name, rows);
    println!("{name}, {rows} rows, {} bytes of request; best of {ROUNDS} rounds of {ROUND:?}", body.len());

    let model = Model::load(&bytes).unwrap();
    let request = Request::parse(&body).unwrap();
    let inputs: Vec<(&str, Tensor)> =
        request.inputs.iter().map(|(name, tensor)| (&**name, tensor.clone())).collect();
    rate("the model alone", || drop(black_box(model.run(&inputs).unwrap())));
    rate("parsing alone", || drop(black_box(Request::parse(&body).unwrap())));
    rate("predict", || drop(black_box(ask(&endpoint, &body))));
    rate("predict and place", || {
        let place = Placement { gateway: GATEWAY, epoch: 1, sequence: 1 };
        drop(black_box(ask(&endpoint, &body).place(&place).unwrap()));
    });
    recorded(&shelf, &endpoint, &body);
    phases(&endpoint, &body);
}

/// Predictions per second that this thread spends on a processor.
fn rate(what: &str, mut once: impl FnMut()) {
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let (begun, spent, mut count) = (Instant::now(), on_processor(), 0_u64);
        while begun.elapsed() < ROUND {
            (0..64).for_each(|_| once());
            count += 64;
        }
        best = best.max(count as f64 / (on_processor() - spent).as_secs_f64());
    }
    println!("  {what:<22} {best:>10.0} per CPU-second, {:>8.2} us each", 1e6 / best);
}

/// What this thread has spent on a processor, by Linux's own count.
fn on_processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// With the record hashed, encrypted and handed to a log that writes to a disk; its flushes are not waited for.
fn recorded(shelf: &Shelf, endpoint: &Endpoint, body: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    Log::create(directory.path(), GATEWAY).unwrap();
    let now = now();
    let log = Log::open(directory.path(), shelf.subjects(), GATEWAY, Box::new(OsRandom), now).unwrap();
    let mut count = 0_u64;
    let (mut spent, begun) = (Duration::ZERO, Instant::now());
    while begun.elapsed() < ROUND && count < 60_000 {
        let before = on_processor();
        let mut last = 0;
        for _ in 0..256 {
            last = ask(endpoint, body).record(&log, None).unwrap().0.sequence;
        }
        spent += on_processor() - before;
        count += 256;
        log.durable(last).unwrap();
    }
    let each = spent.as_secs_f64() / count as f64;
    println!(
        "  {:<22} {:>10.0} per CPU-second, {:>8.2} us each",
        "predict and record",
        1.0 / each,
        each * 1e6
    );
}

/// The mean time of each phase.
fn phases(endpoint: &Endpoint, body: &[u8]) {
    const COUNT: u32 = 20_000;
    let mut totals = BTreeMap::new();
    for _ in 0..COUNT {
        for (phase, time) in ask(endpoint, body).timings.phases() {
            *totals.entry(*phase).or_insert(Duration::ZERO) += *time;
        }
    }
    let shown = totals
        .iter()
        .map(|(phase, total)| format!("{} {:.2}", phase.as_str(), (*total / COUNT).as_nanos() as f64 / 1e3));
    println!("  phases in us: {}", shown.collect::<Vec<_>>().join(", "));
}

fn now() -> Timestamp {
    "2026-03-01T12:00:01Z".parse().unwrap()
}

fn ask(endpoint: &Endpoint, body: &[u8]) -> Made {
    let origin = Instant::now();
    let request = PredictRequest {
        body,
        version: None,
        caller: Caller {
            principal: PrincipalId::from_random([3; 16]),
            decision: DECISION.with(|digest| *digest),
            policy: DECISION.with(|digest| *digest),
            request: None,
            subject: None,
            subject_tag: &|value| SubjectTag::from_bytes(*sha256(value).as_bytes()),
            slices: &[],
        },
        now: now_once(),
        elapsed: &|| origin.elapsed(),
        random: &mut OsRandom,
    };
    match predict(endpoint, request) {
        Prediction::Made(made) if made.status == 200 => *made,
        other => panic!("{other:?}"),
    }
}

thread_local! {
    static DECISION: bartizan_base::Digest = sha256(b"decision");
    static NOW: Timestamp = now();
}

fn now_once() -> Timestamp {
    NOW.with(|now| *now)
}

/// The first rows of a model's cases, as numpy would write them.
fn body(folder: &Path, name: &str, rows: usize) -> Vec<u8> {
    let cases = std::fs::read_to_string(folder.join(format!("{name}.cases.json"))).unwrap();
    let cases: Value = serde_json::from_str(&cases).unwrap();
    let inputs = cases["inputs"].as_object().unwrap().iter().map(|(name, tensor)| {
        let shape = tensor["shape"].as_array().unwrap();
        let columns = usize::try_from(shape[1].as_u64().unwrap()).unwrap();
        let data: Vec<&Value> = tensor["data"].as_array().unwrap().iter().take(rows * columns).collect();
        json!({"name": name, "datatype": tensor["datatype"], "shape": [rows, columns], "data": data})
    });
    serde_json::to_vec(&json!({"inputs": inputs.collect::<Vec<_>>()})).unwrap()
}
