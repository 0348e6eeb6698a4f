//! Writes small ONNX files, valid and not: the tests' own encoder, which shares nothing with the crate.

/// A protocol buffers message in the making.
#[derive(Debug, Default, Clone)]
pub(crate) struct Proto(pub(crate) Vec<u8>);

impl Proto {
    fn varint(mut self, mut value: u64) -> Proto {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    pub(crate) fn int(self, field: u64, value: i64) -> Proto {
        self.varint(field << 3).varint(value.cast_unsigned())
    }

    pub(crate) fn bytes(self, field: u64, bytes: impl AsRef<[u8]>) -> Proto {
        let mut message = self.varint(field << 3 | 2).varint(bytes.as_ref().len() as u64);
        message.0.extend_from_slice(bytes.as_ref());
        message
    }

    pub(crate) fn float(self, field: u64, value: f32) -> Proto {
        let mut message = self.varint(field << 3 | 5);
        message.0.extend_from_slice(&value.to_le_bytes());
        message
    }

    pub(crate) fn message(self, field: u64, message: &Proto) -> Proto {
        self.bytes(field, &message.0)
    }

    pub(crate) fn messages<'m>(self, field: u64, messages: impl IntoIterator<Item = &'m Proto>) -> Proto {
        messages.into_iter().fold(self, |whole, message| whole.message(field, message))
    }
}

pub(crate) const FLOAT: i64 = 1;
pub(crate) const INT64: i64 = 7;
pub(crate) const TEXT: i64 = 8;

/// A value with a type and dimensions; a negative one is left open.
pub(crate) fn port(name: &str, element: i64, dims: &[i64]) -> Proto {
    let dims = dims
        .iter()
        .map(|dim| if *dim < 0 { Proto::default().bytes(2, "N") } else { Proto::default().int(1, *dim) });
    let dims: Vec<Proto> = dims.collect();
    let tensor = Proto::default().int(1, element).message(2, &Proto::default().messages(1, &dims));
    Proto::default().bytes(1, name).message(2, &Proto::default().message(1, &tensor))
}

/// A node with attributes.
pub(crate) fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[Proto]) -> Proto {
    let node = inputs.iter().fold(Proto::default(), |node, input| node.bytes(1, input));
    let node = outputs.iter().fold(node, |node, output| node.bytes(2, output));
    let (domain, operator) = operator.rsplit_once(':').unwrap_or(("", operator));
    node.bytes(3, format!("the {operator}")).bytes(4, operator).messages(5, attributes).bytes(7, domain)
}

pub(crate) fn int(name: &str, value: i64) -> Proto {
    Proto::default().bytes(1, name).int(3, value).int(20, 2)
}

pub(crate) fn text(name: &str, value: &str) -> Proto {
    Proto::default().bytes(1, name).bytes(4, value).int(20, 3)
}

pub(crate) fn floats(name: &str, values: &[f32]) -> Proto {
    let list = values.iter().fold(Proto::default().bytes(1, name), |list, value| list.float(7, *value));
    list.int(20, 6)
}

pub(crate) fn ints(name: &str, values: &[i64]) -> Proto {
    values.iter().fold(Proto::default().bytes(1, name), |list, value| list.int(8, *value)).int(20, 7)
}

pub(crate) fn texts(name: &str, values: &[&str]) -> Proto {
    values.iter().fold(Proto::default().bytes(1, name), |list, value| list.bytes(9, value)).int(20, 8)
}

pub(crate) fn graph_attribute(name: &str, graph: &Proto) -> Proto {
    Proto::default().bytes(1, name).message(6, graph).int(20, 5)
}

/// A tensor of whole numbers.
pub(crate) fn int64s(name: &str, dims: &[i64], values: &[i64]) -> Proto {
    let tensor = dims.iter().fold(Proto::default(), |tensor, dim| tensor.int(1, *dim)).int(2, INT64);
    values.iter().fold(tensor, |tensor, value| tensor.int(7, *value)).bytes(8, name)
}

/// A tensor of floats, as raw bytes.
pub(crate) fn raw_floats(name: &str, dims: &[i64], values: &[f32]) -> Proto {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let tensor = dims.iter().fold(Proto::default(), |tensor, dim| tensor.int(1, *dim));
    tensor.int(2, FLOAT).bytes(8, name).bytes(9, raw)
}

/// What a graph is made of.
#[derive(Debug, Default, Clone)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Proto>,
    pub(crate) constants: Vec<Proto>,
    pub(crate) inputs: Vec<Proto>,
    pub(crate) outputs: Vec<Proto>,
}

impl Graph {
    pub(crate) fn message(&self) -> Proto {
        let graph = Proto::default().messages(1, &self.nodes).bytes(2, "g").messages(5, &self.constants);
        graph.messages(11, &self.inputs).messages(12, &self.outputs)
    }

    /// The file, with current operator sets.
    pub(crate) fn model(&self) -> Vec<u8> {
        model(&self.message(), &[("", 17), ("ai.onnx.ml", 3)])
    }
}

pub(crate) fn model(graph: &Proto, sets: &[(&str, i64)]) -> Vec<u8> {
    let sets: Vec<Proto> =
        sets.iter().map(|(domain, version)| Proto::default().bytes(1, domain).int(2, *version)).collect();
    Proto::default().int(1, 8).message(7, graph).messages(8, &sets).0
}

/// A model of one node that takes rows of `X` and gives `Y`.
pub(crate) fn one(node: Proto, columns: i64, constants: &[Proto]) -> Vec<u8> {
    Graph {
        nodes: vec![node],
        constants: constants.to_vec(),
        inputs: vec![port("X", FLOAT, &[-1, columns])],
        outputs: vec![port("Y", FLOAT, &[-1, 1])],
    }
    .model()
}
