//! From fields to messages.

use super::wire::{Field, Malformed, Message};
use super::{
    AttributeMessage, GraphMessage, KindMessage, ModelMessage, NodeMessage, TensorMessage, ValueMessage,
};
use crate::limits::{
    ATTRIBUTES, GRAPH_DEPTH, NODE_VALUES, NODES, NUMBERS, OPERATOR_SETS, PORTS, RANK, TEXTS, VALUES,
};

/// What may still be decoded, over all graphs of a file.
struct Budget {
    nodes: usize,
    values: usize,
    /// In lists.
    numbers: usize,
    texts: usize,
}

impl<'a> ModelMessage<'a> {
    /// Decodes a file.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<ModelMessage<'a>, Malformed> {
        let mut budget = Budget { nodes: NODES, values: VALUES, numbers: NUMBERS, texts: TEXTS };
        let mut model = ModelMessage::default();
        let mut message = Message::new(bytes);
        while let Some(field) = message.next()? {
            match field.number {
                7 => {
                    let graph = GraphMessage::decode(field.message()?, 1, &mut budget)?;
                    once(&field, &mut model.graph, graph)?;
                }
                8 => {
                    limit(&field, model.operator_sets.len() < OPERATOR_SETS, "too many operator sets")?;
                    model.operator_sets.push(operator_set(field.message()?)?);
                }
                25 => model.functions = true,
                _ => {}
            }
        }
        Ok(model)
    }
}

fn operator_set<'a>(mut message: Message<'a>) -> Result<(&'a str, i64), Malformed> {
    let (mut domain, mut version) = (None, None);
    while let Some(field) = message.next()? {
        match field.number {
            1 => once(&field, &mut domain, field.name()?)?,
            2 => once(&field, &mut version, field.integer()?)?,
            _ => {}
        }
    }
    Ok((domain.unwrap_or_default(), version.unwrap_or_default()))
}

impl<'a> GraphMessage<'a> {
    fn decode(
        mut message: Message<'a>,
        depth: usize,
        budget: &mut Budget,
    ) -> Result<GraphMessage<'a>, Malformed> {
        if depth > GRAPH_DEPTH {
            return Err(Malformed { at: message.at(), what: "graphs are nested too deeply" });
        }
        let mut graph = GraphMessage::default();
        while let Some(field) = message.next()? {
            match field.number {
                1 => {
                    limit(&field, budget.nodes > 0, "too many nodes")?;
                    budget.nodes -= 1;
                    graph.nodes.push(NodeMessage::decode(field.message()?, depth, budget)?);
                }
                5 => {
                    budget.value(&field)?;
                    graph.initializers.push(TensorMessage::decode(field.message()?, budget)?);
                }
                11 | 12 => {
                    budget.value(&field)?;
                    let list = if field.number == 11 { &mut graph.inputs } else { &mut graph.outputs };
                    limit(&field, list.len() < PORTS, "too many inputs or outputs")?;
                    list.push(ValueMessage::decode(field.message()?)?);
                }
                15 => graph.sparse = true,
                _ => {}
            }
        }
        Ok(graph)
    }
}

impl Budget {
    fn value(&mut self, field: &Field<'_>) -> Result<(), Malformed> {
        limit(field, self.values > 0, "too many values")?;
        self.values -= 1;
        Ok(())
    }

    /// Adds a text to a list.
    fn text<'a>(&mut self, field: &Field<'a>, to: &mut Vec<&'a [u8]>) -> Result<(), Malformed> {
        limit(field, self.texts > 0, "too many texts")?;
        self.texts -= 1;
        to.push(field.bytes()?);
        Ok(())
    }
}

impl<'a> NodeMessage<'a> {
    fn decode(mut message: Message<'a>, depth: usize, budget: &mut Budget) -> Result<Self, Malformed> {
        let mut node = NodeMessage::default();
        let (mut name, mut operator, mut domain, mut overload) = (None, None, None, None);
        while let Some(field) = message.next()? {
            match field.number {
                1 | 2 => {
                    budget.value(&field)?;
                    let list = if field.number == 1 { &mut node.inputs } else { &mut node.outputs };
                    limit(&field, list.len() < NODE_VALUES, "a node with too many inputs or outputs")?;
                    list.push(field.name()?);
                }
                3 => once(&field, &mut name, field.name()?)?,
                4 => once(&field, &mut operator, field.name()?)?,
                5 => {
                    limit(&field, node.attributes.len() < ATTRIBUTES, "a node with too many attributes")?;
                    let (name, value) = attribute(field.message()?, depth, budget)?;
                    if node.attributes.iter().any(|(other, _)| *other == name) {
                        return Err(field.malformed("a node with two attributes of one name"));
                    }
                    node.attributes.push((name, value));
                }
                7 => once(&field, &mut domain, field.name()?)?,
                8 => once(&field, &mut overload, field.name()?)?,
                _ => {}
            }
        }
        node.name = name.unwrap_or_default();
        node.operator = operator.unwrap_or_default();
        node.domain = domain.unwrap_or_default();
        node.overload = overload.unwrap_or_default();
        Ok(node)
    }
}

fn attribute<'a>(
    mut message: Message<'a>,
    depth: usize,
    budget: &mut Budget,
) -> Result<(&'a str, AttributeMessage<'a>), Malformed> {
    let at = message.at();
    let (mut name, mut kind, mut float, mut integer, mut text) = (None, None, None, None, None);
    let (mut tensor, mut graph) = (None, None);
    let (mut floats, mut integers, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    let mut reference = false;
    while let Some(field) = message.next()? {
        match field.number {
            1 => once(&field, &mut name, field.name()?)?,
            2 => once(&field, &mut float, field.float()?)?,
            3 => once(&field, &mut integer, field.integer()?)?,
            4 => once(&field, &mut text, field.bytes()?)?,
            5 => once(&field, &mut tensor, TensorMessage::decode(field.message()?, budget)?)?,
            6 => once(&field, &mut graph, GraphMessage::decode(field.message()?, depth + 1, budget)?)?,
            7 => field.floats(&mut floats, &mut budget.numbers)?,
            8 => field.integers(&mut integers, &mut budget.numbers)?,
            9 => budget.text(&field, &mut texts)?,
            20 => once(&field, &mut kind, field.integer()?)?,
            21 => reference = !field.bytes()?.is_empty(),
            _ => {}
        }
    }
    let Some(name) = name else { return Err(Malformed { at, what: "an attribute without a name" }) };
    let value = match kind {
        _ if reference => AttributeMessage::Other,
        Some(1) => AttributeMessage::Float(float.unwrap_or_default()),
        Some(2) => AttributeMessage::Integer(integer.unwrap_or_default()),
        Some(3) => AttributeMessage::Text(text.unwrap_or_default()),
        Some(4) => AttributeMessage::Tensor(Box::new(tensor.unwrap_or_default())),
        Some(5) => AttributeMessage::Graph(Box::new(graph.unwrap_or_default())),
        Some(6) => AttributeMessage::Floats(floats),
        Some(7) => AttributeMessage::Integers(integers),
        Some(8) => AttributeMessage::Texts(texts),
        _ => AttributeMessage::Other,
    };
    Ok((name, value))
}

impl<'a> TensorMessage<'a> {
    fn decode(mut message: Message<'a>, budget: &mut Budget) -> Result<TensorMessage<'a>, Malformed> {
        let mut tensor = TensorMessage::default();
        let (mut name, mut element, mut location) = (None, None, None);
        while let Some(field) = message.next()? {
            match field.number {
                1 => {
                    field.integers(&mut tensor.dims, &mut budget.numbers)?;
                    limit(&field, tensor.dims.len() <= RANK, "a tensor with too many dimensions")?;
                }
                2 => once(&field, &mut element, field.integer()?)?,
                3 => return Err(field.malformed("a tensor in segments")),
                4 => field.floats(&mut tensor.floats, &mut budget.numbers)?,
                5 => field.integers(&mut tensor.int32s, &mut budget.numbers)?,
                6 => budget.text(&field, &mut tensor.texts)?,
                7 => field.integers(&mut tensor.int64s, &mut budget.numbers)?,
                8 => once(&field, &mut name, field.name()?)?,
                9 => once(&field, &mut tensor.raw, field.bytes()?)?,
                10 => field.doubles(&mut tensor.doubles, &mut budget.numbers)?,
                13 => tensor.external = true,
                14 => once(&field, &mut location, field.integer()?)?,
                _ => {}
            }
        }
        tensor.name = name.unwrap_or_default();
        tensor.element = element.unwrap_or_default();
        tensor.external |= location.unwrap_or_default() != 0;
        Ok(tensor)
    }
}

impl<'a> ValueMessage<'a> {
    fn decode(mut message: Message<'a>) -> Result<ValueMessage<'a>, Malformed> {
        let (mut name, mut kind) = (None, None);
        while let Some(field) = message.next()? {
            match field.number {
                1 => once(&field, &mut name, field.name()?)?,
                2 => once(&field, &mut kind, KindMessage::decode(field.message()?)?)?,
                _ => {}
            }
        }
        Ok(ValueMessage { name: name.unwrap_or_default(), kind: kind.flatten() })
    }
}

impl KindMessage {
    fn decode(mut message: Message<'_>) -> Result<Option<KindMessage>, Malformed> {
        let mut kind = None;
        while let Some(field) = message.next()? {
            match field.number {
                1 => once(&field, &mut kind, tensor_kind(field.message()?)?)?,
                4 | 5 | 8 | 9 => once(&field, &mut kind, KindMessage::Other)?,
                _ => {}
            }
        }
        Ok(kind)
    }
}

fn tensor_kind(mut message: Message<'_>) -> Result<KindMessage, Malformed> {
    let (mut element, mut dims) = (None, None);
    while let Some(field) = message.next()? {
        match field.number {
            1 => once(&field, &mut element, field.integer()?)?,
            2 => once(&field, &mut dims, shape(field.message()?)?)?,
            _ => {}
        }
    }
    Ok(KindMessage::Tensor { element: element.unwrap_or_default(), dims })
}

fn shape(mut message: Message<'_>) -> Result<Vec<Option<i64>>, Malformed> {
    let mut dims = Vec::new();
    while let Some(field) = message.next()? {
        if field.number != 1 {
            continue;
        }
        limit(&field, dims.len() < RANK, "a shape with too many dimensions")?;
        let (mut value, mut dimension) = (None, field.message()?);
        while let Some(field) = dimension.next()? {
            if field.number == 1 {
                once(&field, &mut value, field.integer()?)?;
            }
        }
        dims.push(value);
    }
    Ok(dims)
}

fn once<T>(field: &Field<'_>, slot: &mut Option<T>, value: T) -> Result<(), Malformed> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(field.malformed("a field that may appear once appears twice")),
    }
}

fn limit(field: &Field<'_>, holds: bool, what: &'static str) -> Result<(), Malformed> {
    if holds { Ok(()) } else { Err(Malformed { at: field.at(), what }) }
}
