//! Values that come from the model or from a shape: `Constant`, `ConstantOfShape`, `Shape`.

use std::sync::Arc;

use crate::bound::{Dim, Fact};
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, input, shapes, value};
use crate::tensor::{ElementType, Tensor, Values, elements};

#[derive(Debug)]
struct Constant(Tensor);

pub(crate) fn constant(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(0, 0)?;
    let attributes = build.attributes;
    let wrong = |source| NodeInvalid::Tensor { name: "value".to_owned(), source };
    let list = |values: Values| Tensor::new(vec![values.len()], values).map_err(wrong);
    let one = |values: Values| Tensor::new(Vec::new(), values).map_err(wrong);
    let tensor = if let Some(tensor) = attributes.tensor("value")? {
        tensor
    } else if let Some(x) = attributes.float("value_float")? {
        one(Values::F32(vec![x]))?
    } else if let Some(x) = attributes.integer("value_int")? {
        one(Values::I64(vec![x]))?
    } else if let Some(x) = attributes.text("value_string")? {
        one(Values::Text(vec![x]))?
    } else if attributes.has("value_floats") {
        list(Values::F32(attributes.floats("value_floats")?))?
    } else if attributes.has("value_ints") {
        list(Values::I64(attributes.integers("value_ints")?))?
    } else if attributes.has("value_strings") {
        list(Values::Text(attributes.texts("value_strings")?))?
    } else {
        return Err(value("value", "is missing or of a kind that is not supported"));
    };
    let mut fact = Fact::constant(tensor.clone());
    fact.constant = None;
    Ok(Built::new(Constant(tensor), vec![fact]))
}

impl Operator for Constant {
    fn run(&self, _: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        Ok(vec![self.0.clone()])
    }
}

/// `ConstantOfShape`: one value, as often as a shape has elements.
#[derive(Debug)]
struct Fill(Values);

pub(crate) fn constant_of_shape(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let target = build.typed(0, &[ElementType::I64])?;
    let dims: Vec<Dim> = target.values.clone().ok_or(NodeInvalid::NotConstant { index: 0 })?;
    let fill = match build.attributes.tensor("value")? {
        None => Values::F32(vec![0.0]),
        Some(tensor) if tensor.values().len() == 1 => tensor.values().clone(),
        Some(_) => return Err(value("value", "is not one value")),
    };
    let output = Fact::new(fill.element(), dims);
    Ok(Built::new(Fill(fill), vec![output]))
}

impl Operator for Fill {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let lengths = input(inputs, 0)?.as_i64().ok_or(NodeFailed::Promise)?;
        let shape: Option<Vec<usize>> = lengths.iter().map(|length| usize::try_from(*length).ok()).collect();
        let shape = shape.ok_or(shapes("the shape has a negative dimension"))?;
        let count = elements(&shape).ok_or(shapes("the shape is too large"))?;
        fn repeat<T: Clone>(values: &[T], count: usize) -> Vec<T> {
            values.iter().cycle().take(count).cloned().collect()
        }
        let values = match &self.0 {
            Values::F32(value) => Values::F32(repeat(value, count)),
            Values::F64(value) => Values::F64(repeat(value, count)),
            Values::I64(value) => Values::I64(repeat(value, count)),
            Values::I32(value) => Values::I32(repeat(value, count)),
            Values::Bool(value) => Values::Bool(repeat(value, count)),
            Values::Text(value) => Values::Text(repeat::<Arc<str>>(value, count)),
        };
        Ok(vec![Tensor::new(shape, values)?])
    }
}

#[derive(Debug)]
struct Shape {
    start: usize,
    end: usize,
}

pub(crate) fn shape(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let data = build.input(0)?;
    let rank = i64::try_from(data.dims.len()).unwrap_or(i64::MAX);
    let clamp = |at: i64| {
        let from_start = if at < 0 { at.saturating_add(rank) } else { at };
        usize::try_from(from_start.clamp(0, rank)).unwrap_or(0)
    };
    let start = clamp(build.attributes.integer("start")?.unwrap_or(0));
    let end = clamp(build.attributes.integer("end")?.unwrap_or(rank)).max(start);
    let asked = data.dims.get(start..end).unwrap_or_default();
    let mut output = Fact::new(ElementType::I64, vec![Dim::known(asked.len())]);
    output.values = Some(asked.to_vec());
    Ok(Built::new(Shape { start, end }, vec![output]))
}

impl Operator for Shape {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let asked = input(inputs, 0)?.shape().get(self.start..self.end).ok_or(NodeFailed::Promise)?;
        let lengths = asked.iter().map(|length| i64::try_from(*length).unwrap_or(i64::MAX)).collect();
        Ok(vec![Tensor::new(vec![asked.len()], Values::I64(lengths))?])
    }
}
