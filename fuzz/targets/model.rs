//! An ONNX file: loaded, and run if a call of three rows is bounded by little.
#![no_main]

use bartizan_model::{Dimension, ElementType, Model, Tensor, Values};
use libfuzzer_sys::fuzz_target;

const ROWS: usize = 3;
/// Longer calls would be found to be slow, which is what their bounds say.
const STEPS: u64 = 20_000_000;
const BYTES: u64 = 64 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = Model::load(bytes) else { return };
    let rows = ROWS.min(model.most_rows());
    if model.steps().at(rows as u64) > STEPS || model.memory().at(rows as u64) > BYTES {
        return;
    }
    // Numbers that follow from the file, odd ones among them.
    let seed = bytes.iter().fold(bytes.len(), |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let number = |index: usize| [0.0, -0.0, 1.0, -1.5, f32::NAN, f32::INFINITY, 3e38, 7.0][(seed + index) % 8];
    let mut inputs = Vec::new();
    for port in &model.signature().inputs {
        let length = |dimension: &Dimension| match dimension {
            Dimension::Rows => rows,
            Dimension::Fixed(length) => *length,
            Dimension::Open => 2,
        };
        let shape: Vec<usize> = port.shape.iter().map(length).collect();
        let count: usize = shape.iter().product();
        let numbers = (0..count).map(number);
        let values = match port.element {
            ElementType::F32 => Values::F32(numbers.collect()),
            ElementType::F64 => Values::F64(numbers.map(f64::from).collect()),
            ElementType::I64 => Values::I64(numbers.map(|x| x as i64).collect()),
            ElementType::I32 => Values::I32(numbers.map(|x| x as i32).collect()),
            ElementType::Bool => Values::Bool(numbers.map(|x| x > 0.0).collect()),
            ElementType::Text => Values::Text(numbers.map(|x| x.to_string().into()).collect()),
        };
        let Ok(tensor) = Tensor::new(shape, values) else { return };
        inputs.push((port.name.as_str(), tensor));
    }
    let answer = model.run(&inputs);
    assert!(!answer.as_ref().is_err_and(|failed| failed.is_defect()), "{answer:?}");
    let Ok(outputs) = answer else { return };
    assert_eq!(outputs.len(), model.signature().outputs.len());
    for (port, output) in model.signature().outputs.iter().zip(&outputs) {
        assert_eq!((port.element, port.shape.len()), (output.element(), output.shape().len()));
        for (dimension, length) in port.shape.iter().zip(output.shape()) {
            assert!(!matches!(dimension, Dimension::Fixed(fixed) if fixed != length), "{}", port.name);
        }
    }
    let again = model.run(&inputs).expect("the same call has an answer again");
    assert_eq!(format!("{again:?}"), format!("{outputs:?}"));
});
