//! Joining and dividing along a dimension: `Concat`, `Split`, `FeatureVectorizer`.
#![expect(
    clippy::indexing_slicing,
    reason = "dimensions are checked when the operator is built, lengths before use"
)]

use crate::bound::{Bound, Dim, Fact};
use crate::limits::NODE_VALUES;
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, axis_of, input, shapes, table, value};
use crate::ops::prepare::{NUMBERS, floats, floats_scratch};
use crate::tensor::{ElementType, Tensor, Values};

#[derive(Debug)]
struct Concat {
    axis: usize,
}

pub(crate) fn concat(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, NODE_VALUES)?;
    let first = build.input(0)?;
    let axis = build.attributes.integer("axis")?.ok_or_else(|| value("axis", "is missing"))?;
    let axis = axis_of(axis, first.dims.len())?;
    let mut dims = first.dims.clone();
    let mut values = first.values.clone();
    for index in 1..build.inputs.len() {
        let other = build.input(index)?;
        if other.element != first.element {
            return Err(NodeInvalid::Element { index, element: other.element });
        }
        if other.dims.len() != dims.len() {
            return Err(NodeInvalid::Rank { index, rank: other.dims.len() });
        }
        for (at, (dim, other)) in dims.iter_mut().zip(&other.dims).enumerate() {
            *dim = match (dim.length(), other.length()) {
                _ if at == axis => dim.plus(*other),
                (Some(one), Some(two)) if one != two => {
                    return Err(NodeInvalid::Disagree { what: "the shapes do not go together" });
                }
                _ if other.exact => *other,
                _ => *dim,
            };
        }
        values = values.zip(other.values.clone()).map(|(values, more)| [values, more].concat());
    }
    let mut output = Fact::new(first.element, dims);
    output.values =
        values.filter(|values| output.dims.len() == 1 && values.len() <= crate::limits::SHAPE_VALUES);
    Ok(Built::new(Concat { axis }, vec![output]))
}

/// Elements that lie together in one turn of everything before `axis`.
fn run_length(shape: &[usize], axis: usize) -> usize {
    shape[axis..].iter().fold(1_usize, |product, dim| product.saturating_mul(*dim))
}

impl Operator for Concat {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let first = input(inputs, 0)?;
        let tensors: Option<Vec<&Tensor>> = inputs.iter().copied().collect();
        let tensors = tensors.ok_or(NodeFailed::Promise)?;
        let mut shape = first.shape().to_vec();
        for tensor in tensors.iter().skip(1) {
            for (axis, (length, other)) in shape.iter_mut().zip(tensor.shape()).enumerate() {
                if axis == self.axis {
                    *length += other;
                } else if length != other {
                    return Err(shapes("the shapes do not go together"));
                }
            }
        }
        let outer = shape[..self.axis].iter().product::<usize>();
        macro_rules! join {
            ($kind:path) => {{
                let mut parts = Vec::with_capacity(tensors.len());
                for tensor in &tensors {
                    let $kind(values) = tensor.values() else { return Err(NodeFailed::Promise) };
                    parts.push((values.as_slice(), run_length(tensor.shape(), self.axis)));
                }
                let mut joined = Vec::with_capacity(parts.iter().map(|(values, _)| values.len()).sum());
                for turn in 0..outer {
                    for (values, length) in &parts {
                        joined.extend_from_slice(&values[turn * length..(turn + 1) * length]);
                    }
                }
                $kind(joined)
            }};
        }
        let values = match first.values() {
            Values::F32(_) => join!(Values::F32),
            Values::F64(_) => join!(Values::F64),
            Values::I64(_) => join!(Values::I64),
            Values::I32(_) => join!(Values::I32),
            Values::Bool(_) => join!(Values::Bool),
            Values::Text(_) => join!(Values::Text),
        };
        Ok(vec![Tensor::new(shape, values)?])
    }
}

#[derive(Debug)]
struct Split {
    axis: usize,
    lengths: Vec<usize>,
}

pub(crate) fn split(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    let data = build.input(0)?;
    let axis = axis_of(build.attributes.integer("axis")?.unwrap_or(0), data.dims.len())?;
    let given = if build.version >= 13 {
        build.arity(1, 2)?;
        build.constant_integers(1)?
    } else {
        build.arity(1, 1)?;
        Some(build.attributes.integers("split")?).filter(|lengths| !lengths.is_empty())
    };
    let parts = build.attributes.integer("num_outputs")?.and_then(|parts| usize::try_from(parts).ok());
    let parts = parts.unwrap_or(build.outputs);
    if parts == 0 || parts != build.outputs {
        return Err(NodeInvalid::Outputs);
    }
    let lengths: Vec<usize> = match (given, data.dims[axis].length()) {
        (Some(lengths), _) => {
            let lengths = lengths.iter().map(|length| usize::try_from(*length).ok());
            lengths.collect::<Option<_>>().ok_or_else(|| value("split", "has a negative length"))?
        }
        (None, Some(whole)) => {
            let part = whole.div_ceil(parts);
            (0..parts).map(|index| whole.saturating_sub(index * part).min(part)).collect()
        }
        (None, None) => return Err(NodeInvalid::Disagree { what: "the length of the parts is not known" }),
    };
    let sum = lengths.iter().fold(0_usize, |sum, length| sum.saturating_add(*length));
    if lengths.len() != parts || data.dims[axis].length().is_some_and(|whole| whole != sum) {
        return Err(value("split", "does not go with the input"));
    }
    let output = |length: &usize| {
        let mut dims = data.dims.clone();
        dims[axis] = Dim::known(*length);
        Fact::new(data.element, dims)
    };
    let outputs = lengths.iter().map(output).collect();
    Ok(Built::new(Split { axis, lengths }, outputs))
}

impl Operator for Split {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let data = input(inputs, 0)?;
        let whole: usize = self.lengths.iter().sum();
        if data.shape()[self.axis] != whole {
            return Err(shapes("the parts are not as long as the whole"));
        }
        let outer = data.shape()[..self.axis].iter().product::<usize>();
        let turn = run_length(data.shape(), self.axis);
        let one = run_length(data.shape(), self.axis + 1);
        let mut start = 0;
        let mut outputs = Vec::with_capacity(self.lengths.len());
        for length in &self.lengths {
            macro_rules! part {
                ($kind:path, $values:expr) => {{
                    let mut part = Vec::with_capacity(outer * length * one);
                    for at in 0..outer {
                        let from = at * turn + start * one;
                        part.extend_from_slice(&$values[from..from + length * one]);
                    }
                    $kind(part)
                }};
            }
            let values = match data.values() {
                Values::F32(values) => part!(Values::F32, values),
                Values::F64(values) => part!(Values::F64, values),
                Values::I64(values) => part!(Values::I64, values),
                Values::I32(values) => part!(Values::I32, values),
                Values::Bool(values) => part!(Values::Bool, values),
                Values::Text(values) => part!(Values::Text, values),
            };
            start += length;
            let mut shape = data.shape().to_vec();
            shape[self.axis] = *length;
            outputs.push(Tensor::new(shape, values)?);
        }
        Ok(outputs)
    }
}

#[derive(Debug)]
struct Vectorizer {
    lengths: Vec<usize>,
}

/// `FeatureVectorizer`: the columns of all inputs beside each other, as floats.
pub(crate) fn feature_vectorizer(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, NODE_VALUES)?;
    let given = build.attributes.integers("inputdimensions")?;
    let lengths: Vec<usize> = given.iter().filter_map(|length| usize::try_from(*length).ok()).collect();
    if lengths.len() != build.inputs.len() || given.len() != lengths.len() {
        return Err(value("inputdimensions", "does not have one length for each input"));
    }
    let (rows, _) = table(build.typed(0, &NUMBERS)?, 0)?;
    let mut scratch = Bound::default();
    for (index, length) in lengths.iter().enumerate() {
        let fact = build.typed(index, &NUMBERS)?;
        let (_, columns) = table(fact, index)?;
        if columns.length().is_some_and(|columns| columns != *length) {
            return Err(value("inputdimensions", "does not go with the inputs"));
        }
        scratch = scratch.plus(floats_scratch(fact));
    }
    let columns = lengths.iter().fold(0_usize, |sum, length| sum.saturating_add(*length));
    let output = Fact::new(ElementType::F32, vec![rows, Dim::known(columns)]);
    Ok(Built::new(Vectorizer { lengths }, vec![output]).with_scratch(scratch))
}

impl Operator for Vectorizer {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (rows, _) = crate::node::table_shape(input(inputs, 0)?)?;
        let mut parts = Vec::with_capacity(inputs.len());
        for (index, length) in self.lengths.iter().enumerate() {
            let tensor = input(inputs, index)?;
            if crate::node::table_shape(tensor)? != (rows, *length) {
                return Err(shapes("the inputs differ in rows, or not in columns as they should"));
            }
            parts.push((floats(tensor)?, *length));
        }
        let columns: usize = self.lengths.iter().sum();
        let mut joined = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            for (values, length) in &parts {
                joined.extend_from_slice(&values[row * length..(row + 1) * length]);
            }
        }
        Ok(vec![Tensor::new(vec![rows, columns], Values::F32(joined))?])
    }
}
