//! The baseline trainer: what it learns, that it is deterministic, and what it refuses.

use std::sync::Arc;

use bartizan_model::train::{Cells, Column, Learner, Options, TrainFailed, train};
use bartizan_model::{Dimension, ElementType, Labels, Model, Tensor, Values};

const BOOSTED: Learner = Learner::Boosted { rounds: 40, depth: 3, rate: 0.2, share: 0.7 };

/// A table whose label follows from a number and a text, with gaps, and a column that says nothing.
pub(crate) fn table(rows: u32) -> (Vec<Column>, Labels) {
    let noise =
        |row: u32, salt: u32| row.wrapping_mul(2_654_435_761).wrapping_add(salt.wrapping_mul(40_503)) >> 16;
    let number = |row: u32| (noise(row, 1) % 1_000) as f32 / 100.0;
    let color = |row: u32| ["red", "green", "blue"][noise(row, 2) as usize % 3];
    let gap = |row: u32| if row.is_multiple_of(17) { f32::NAN } else { number(row) };
    let columns = vec![
        Column { name: "size".to_owned(), cells: Cells::Numbers((0..rows).map(gap).collect()) },
        Column {
            name: "color".to_owned(),
            cells: Cells::Texts((0..rows).map(|row| Arc::from(color(row))).collect()),
        },
        Column { name: "flat".to_owned(), cells: Cells::Numbers(vec![3.0; rows as usize]) },
    ];
    let label = |row: u32| Arc::from(if number(row) > 5.0 || color(row) == "red" { "yes" } else { "no" });
    (columns, Labels::Texts((0..rows).map(label).collect()))
}

fn options(learner: Learner, seed: u64) -> Options {
    Options { learner, seed, ..Options::default() }
}

#[test]
fn it_learns_what_there_is_to_learn() {
    let (columns, labels) = table(4_000);
    let logistic = train(&columns, &labels, &options(Options::default().learner, 1)).unwrap();
    let boosted = train(&columns, &labels, &options(BOOSTED, 1)).unwrap();
    assert_eq!(logistic.labels, Labels::Texts(vec!["no".into(), "yes".into()]));
    let (logistic, boosted) = (logistic.measured.unwrap(), boosted.measured.unwrap());
    // Always the more frequent label would be right in about two of three rows.
    assert!(logistic.accuracy > 0.88 && logistic.log_loss < 0.3, "{logistic:?}");
    // The gaps hide the number of one row in seventeen, so nobody gets all.
    assert!(boosted.accuracy > 0.96 && boosted.log_loss < 0.15, "{boosted:?}");
    assert!(logistic.rows > 700 && logistic.rows < 900);
}

#[test]
fn three_labels_and_numbers_as_labels() {
    let (columns, _) = table(3_000);
    let Cells::Numbers(sizes) = &columns[0].cells else { panic!() };
    let labels = Labels::Integers(
        sizes
            .iter()
            .map(|size| {
                if *size > 7.0 {
                    30
                } else if *size > 3.0 {
                    10
                } else {
                    -5
                }
            })
            .collect(),
    );
    for learner in [Options::default().learner, BOOSTED] {
        let trained = train(&columns, &labels, &options(learner, 3)).unwrap();
        assert_eq!(trained.labels, Labels::Integers(vec![-5, 10, 30]));
        let measured = trained.measured.unwrap();
        assert!(measured.accuracy > 0.85, "{learner:?}: {measured:?}");
    }
}

#[test]
fn the_same_seed_makes_the_same_bytes() {
    let (columns, labels) = table(500);
    for learner in [Options::default().learner, BOOSTED] {
        let make = |seed| train(&columns, &labels, &options(learner, seed)).unwrap();
        assert_eq!(make(7), make(7));
        assert_ne!(make(7).onnx, make(8).onnx);
    }
}

/// FNV-1a, 64 bits.
fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn every_machine_makes_the_same_bytes_and_gives_the_same_answers() {
    let (columns, labels) = table(500);
    let (size, color) = ([1.0, 4.9, 5.1, f32::NAN], ["red", "blue", "green", "blue"]);
    let mut found = Vec::new();
    for learner in [Options::default().learner, BOOSTED] {
        let trained = train(&columns, &labels, &options(learner, 7)).unwrap();
        let model = Model::load(&trained.onnx).unwrap();
        let numbers = |values: &[f32]| Tensor::new(vec![4, 1], Values::F32(values.to_vec())).unwrap();
        let texts = Tensor::new(vec![4, 1], Values::Text(color.map(Arc::from).to_vec())).unwrap();
        let inputs = [("size", numbers(&size)), ("color", texts), ("flat", numbers(&[3.0; 4]))];
        let answer = model.run(&inputs).unwrap();
        let bits: Vec<u8> =
            answer[1].as_f32().unwrap().iter().flat_map(|share| share.to_le_bytes()).collect();
        found.extend([checksum(&trained.onnx), checksum(&bits)]);
    }
    // Recorded once. A machine that finds others does not do IEEE 754 arithmetic as this crate relies on.
    assert_eq!(
        found,
        [
            16_126_744_373_906_806_648,
            16_281_429_869_284_356_893,
            3_218_393_635_023_214_796,
            12_819_411_924_798_930_729
        ]
    );
}

#[test]
fn the_file_is_a_model_like_any_other() {
    let (columns, labels) = table(500);
    let trained = train(&columns, &labels, &options(BOOSTED, 0)).unwrap();
    let model = Model::load(&trained.onnx).unwrap();
    let ports = &model.signature().inputs;
    let inputs: Vec<(&str, ElementType)> =
        ports.iter().map(|port| (port.name.as_str(), port.element)).collect();
    assert_eq!(
        inputs,
        [("size", ElementType::F32), ("color", ElementType::Text), ("flat", ElementType::F32)]
    );
    let outputs = &model.signature().outputs;
    assert_eq!(outputs[0].shape, [Dimension::Rows]);
    assert_eq!(outputs[1].shape, [Dimension::Rows, Dimension::Fixed(2)]);
    let number = |value| Tensor::new(vec![1, 1], Values::F32(vec![value])).unwrap();
    let text = |value: &str| Tensor::new(vec![1, 1], Values::Text(vec![value.into()])).unwrap();
    // A gap and a color that nobody has seen still get an answer.
    let answer =
        model.run(&[("size", number(f32::NAN)), ("color", text("mauve")), ("flat", number(3.0))]).unwrap();
    let shares = answer[1].as_f32().unwrap();
    assert!((shares[0] + shares[1] - 1.0).abs() < 1e-6 && shares.iter().all(|share| *share > 0.0));
}

#[test]
fn what_nothing_can_be_learned_from_is_refused() {
    let (columns, labels) = table(50);
    let refuses =
        |columns: &[Column], labels: &Labels, options: &Options| train(columns, labels, options).unwrap_err();
    let all = Options::default();
    assert!(matches!(refuses(&[], &labels, &all), TrainFailed::Columns { got: 0 }));
    assert!(matches!(
        refuses(&columns, &Labels::Integers(vec![1; 50]), &all),
        TrainFailed::Labels { got: 1 }
    ));
    assert!(matches!(refuses(&columns, &Labels::Integers(vec![1; 49]), &all), TrainFailed::Length { .. }));
    assert!(matches!(refuses(&columns, &Labels::Integers(vec![1]), &all), TrainFailed::Rows { got: 1 }));
    for name in ["", "label", "probabilities", "bartizan:features", "color"] {
        let mut columns = columns.clone();
        columns[0].name = name.to_owned();
        assert!(matches!(refuses(&columns, &labels, &all), TrainFailed::Name { .. }), "{name}");
    }
    let mut infinite = columns.clone();
    infinite[2].cells = Cells::Numbers(vec![f32::INFINITY; 50]);
    assert!(matches!(refuses(&infinite, &labels, &all), TrainFailed::Infinite { row: 0, .. }));
    for learner in [
        Learner::Logistic { penalty: f64::NAN, steps: 10 },
        Learner::Logistic { penalty: 1.0, steps: 0 },
        Learner::Boosted { rounds: 0, depth: 3, rate: 0.1, share: 1.0 },
        Learner::Boosted { rounds: 1, depth: 99, rate: 0.1, share: 1.0 },
        Learner::Boosted { rounds: 1, depth: 3, rate: 0.0, share: 1.0 },
        Learner::Boosted { rounds: 1, depth: 3, rate: 0.1, share: 1.5 },
    ] {
        assert!(matches!(refuses(&columns, &labels, &options(learner, 0)), TrainFailed::Option { .. }));
    }
    assert!(matches!(
        refuses(&columns, &labels, &Options { held_out: 1.0, ..all }),
        TrainFailed::Option { .. }
    ));
}
