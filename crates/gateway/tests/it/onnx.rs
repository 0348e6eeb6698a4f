//! Small ONNX files, written by hand.

/// Element types of ONNX.
pub(crate) const FLOAT: u64 = 1;
pub(crate) const STRING: u64 = 8;

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
    out
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

/// Rows of one column.
fn port(name: &str, element: u64) -> Vec<u8> {
    let open = bytes(1, &bytes(2, b"N"));
    let one = bytes(1, &number(1, 1));
    let shape = bytes(2, &[open, one].concat());
    let tensor = bytes(1, &[number(1, element), shape].concat());
    [bytes(1, name.as_bytes()), bytes(2, &tensor)].concat()
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|input| bytes(1, input.as_bytes()));
    let rest = [bytes(2, output.as_bytes()), bytes(3, output.as_bytes()), bytes(4, operator.as_bytes())];
    inputs.chain(rest.concat()).collect()
}

/// A model with float columns `age` and `income`, a text column `city`, and outputs `score` and `where`: the score is
/// made of both numbers by the operator, then by what is applied to that; `where` is the city.
pub(crate) fn model(operator: &str, then: &str) -> Vec<u8> {
    let graph = [
        bytes(1, &node(operator, &["age", "income"], "sum")),
        bytes(1, &node(then, &["sum"], "score")),
        bytes(1, &node("Identity", &["city"], "where")),
        bytes(2, b"test"),
        bytes(11, &port("age", FLOAT)),
        bytes(11, &port("income", FLOAT)),
        bytes(11, &port("city", STRING)),
        bytes(12, &port("score", FLOAT)),
        bytes(12, &port("where", STRING)),
    ];
    file(&graph.concat())
}

/// A model with one float input `x` and output `y = -x`, both rows of one column.
pub(crate) fn other() -> Vec<u8> {
    let graph = [
        bytes(1, &node("Neg", &["x"], "y")),
        bytes(2, b"other"),
        bytes(11, &port("x", FLOAT)),
        bytes(12, &port("y", FLOAT)),
    ];
    file(&graph.concat())
}

/// A model with one float input `x` of one column, and an output `y` that holds it `columns` times.
pub(crate) fn wide(columns: u64) -> Vec<u8> {
    let target = [number(1, 2), number(2, 7), number(7, 1), number(7, columns), bytes(8, b"to")];
    let graph = [
        bytes(1, &node("Expand", &["x", "to"], "y")),
        bytes(2, b"wide"),
        bytes(5, &target.concat()),
        bytes(11, &port("x", FLOAT)),
        bytes(12, &port("y", FLOAT)),
    ];
    file(&graph.concat())
}

fn file(graph: &[u8]) -> Vec<u8> {
    let operators = [bytes(1, b""), number(2, 17)].concat();
    [number(1, 8), bytes(7, graph), bytes(8, &operators)].concat()
}
