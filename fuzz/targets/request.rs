//! The body of an inference request: what is taken is JSON to others too, and fits a model or is told why not.
#![no_main]

use bartizan_gateway::oip::Request;
use bartizan_gateway::validate::fit;
use bartizan_model::{Dimension, ElementType, Port, Signature};
use libfuzzer_sys::fuzz_target;

fn port(name: &str, element: ElementType, columns: Dimension) -> Port {
    Port { name: name.to_owned(), element, shape: vec![Dimension::Rows, columns], columns: None }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(request) = Request::parse(bytes) else { return };
    let json: serde_json::Value = serde_json::from_slice(bytes).expect("what is taken is JSON");
    assert_eq!(json["inputs"].as_array().map(Vec::len), Some(request.inputs.len()));
    let elements: usize = request.inputs.iter().map(|(_, tensor)| tensor.values().len()).sum();
    assert!(elements <= bartizan_gateway::limits::ELEMENTS);
    let signature = Signature {
        inputs: vec![
            port("a", ElementType::F32, Dimension::Fixed(1)),
            port("b", ElementType::Text, Dimension::Open),
        ],
        outputs: vec![port("y", ElementType::F32, Dimension::Fixed(1))],
    };
    if let Ok(fitted) = fit(request, &signature, 100) {
        assert!((1..=100).contains(&fitted.rows));
        assert_eq!(fitted.inputs.len(), 2);
        assert!(fitted.inputs.iter().all(|tensor| tensor.shape()[0] == fitted.rows));
    }
});
