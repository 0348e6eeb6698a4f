//! Writing ONNX files: the few messages that the trainer needs.

/// A message in the making.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

/// A node in the making.
#[derive(Debug)]
pub(crate) struct NodeWriter(Writer);

impl Writer {
    fn raw(&mut self, mut value: u64) {
        while value >= 0x80 {
            let [low, ..] = value.to_le_bytes();
            self.0.push(low | 0x80);
            value >>= 7;
        }
        let [low, ..] = value.to_le_bytes();
        self.0.push(low);
    }

    pub(crate) fn integer(&mut self, field: u64, value: i64) {
        self.raw(field << 3);
        self.raw(value.cast_unsigned());
    }

    pub(crate) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.raw(field << 3 | 2);
        self.raw(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn message(&mut self, field: u64, message: &Writer) {
        self.bytes(field, &message.0);
    }
}

impl NodeWriter {
    pub(crate) fn new(domain: &str, operator: &str, inputs: &[&str], outputs: &[&str]) -> NodeWriter {
        let mut node = Writer::default();
        for input in inputs {
            node.bytes(1, input.as_bytes());
        }
        for output in outputs {
            node.bytes(2, output.as_bytes());
        }
        node.bytes(3, outputs.first().copied().unwrap_or(operator).as_bytes());
        node.bytes(4, operator.as_bytes());
        node.bytes(7, domain.as_bytes());
        NodeWriter(node)
    }

    fn attribute(mut self, name: &str, kind: i64, fill: impl FnOnce(&mut Writer)) -> NodeWriter {
        let mut attribute = Writer::default();
        attribute.bytes(1, name.as_bytes());
        fill(&mut attribute);
        attribute.integer(20, kind);
        self.0.message(5, &attribute);
        self
    }

    pub(crate) fn integer(self, name: &str, value: i64) -> NodeWriter {
        self.attribute(name, 2, |attribute| attribute.integer(3, value))
    }

    pub(crate) fn float(self, name: &str, value: f32) -> NodeWriter {
        self.attribute(name, 1, |attribute| {
            attribute.raw(2 << 3 | 5);
            attribute.0.extend_from_slice(&value.to_le_bytes());
        })
    }

    pub(crate) fn text(self, name: &str, value: &str) -> NodeWriter {
        self.attribute(name, 3, |attribute| attribute.bytes(4, value.as_bytes()))
    }

    pub(crate) fn floats(self, name: &str, values: &[f32]) -> NodeWriter {
        let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.attribute(name, 6, |attribute| attribute.bytes(7, &packed))
    }

    pub(crate) fn integers(self, name: &str, values: &[i64]) -> NodeWriter {
        let mut packed = Writer::default();
        values.iter().for_each(|value| packed.raw(value.cast_unsigned()));
        self.attribute(name, 7, |attribute| attribute.message(8, &packed))
    }

    pub(crate) fn texts<S: AsRef<str>>(self, name: &str, values: &[S]) -> NodeWriter {
        self.attribute(name, 8, |attribute| {
            values.iter().for_each(|value| attribute.bytes(9, value.as_ref().as_bytes()));
        })
    }
}

/// A graph in the making.
#[derive(Debug, Default)]
pub(crate) struct GraphWriter(Writer);

impl GraphWriter {
    pub(crate) fn new(name: &str) -> GraphWriter {
        let mut graph = Writer::default();
        graph.bytes(2, name.as_bytes());
        GraphWriter(graph)
    }

    pub(crate) fn node(&mut self, node: &NodeWriter) {
        self.0.message(1, &node.0);
    }

    /// An input of rows of `columns` elements of an ONNX type.
    pub(crate) fn input(&mut self, name: &str, element: i64, columns: usize) {
        self.port(11, name, element, Some(columns));
    }

    /// An output of rows; of `columns` elements each, or of one without a dimension of its own.
    pub(crate) fn output(&mut self, name: &str, element: i64, columns: Option<usize>) {
        self.port(12, name, element, columns);
    }

    fn port(&mut self, field: u64, name: &str, element: i64, columns: Option<usize>) {
        let mut shape = Writer::default();
        let mut rows = Writer::default();
        rows.bytes(2, b"rows");
        shape.message(1, &rows);
        if let Some(columns) = columns {
            let mut width = Writer::default();
            width.integer(1, i64::try_from(columns).unwrap_or(i64::MAX));
            shape.message(1, &width);
        }
        let mut tensor = Writer::default();
        tensor.integer(1, element);
        tensor.message(2, &shape);
        let mut kind = Writer::default();
        kind.message(1, &tensor);
        let mut port = Writer::default();
        port.bytes(1, name.as_bytes());
        port.message(2, &kind);
        self.0.message(field, &port);
    }

    /// The file: IR version 8, version 17 of the plain operators, version 3 of those for tables.
    pub(crate) fn finish(self, producer: &str) -> Vec<u8> {
        let mut model = Writer::default();
        model.integer(1, 8);
        model.bytes(2, producer.as_bytes());
        model.message(7, &self.0);
        for (domain, version) in [("", 17), ("ai.onnx.ml", 3)] {
            let mut set = Writer::default();
            set.bytes(1, domain.as_bytes());
            set.integer(2, version);
            model.message(8, &set);
        }
        model.0
    }
}
