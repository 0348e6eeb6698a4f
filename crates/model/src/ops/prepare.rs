//! What prepares numbers: `Imputer`, `Scaler`, `Normalizer`, `Binarizer`.

use std::borrow::Cow;

use crate::bound::{Bound, Dim, Fact};
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, input, shapes, table, value};
use crate::tensor::{ElementType, Tensor, Values};

/// The types that the table operators turn into floats.
pub(crate) const NUMBERS: [ElementType; 4] =
    [ElementType::F32, ElementType::F64, ElementType::I64, ElementType::I32];

/// The numbers of a tensor as floats, as the table operators take them.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "rounding to 32 bits is what the operators are defined to do"
)]
pub(crate) fn floats(tensor: &Tensor) -> Result<Cow<'_, [f32]>, NodeFailed> {
    Ok(match tensor.values() {
        Values::F32(values) => Cow::Borrowed(values),
        Values::F64(values) => values.iter().map(|value| *value as f32).collect(),
        Values::I64(values) => values.iter().map(|value| *value as f32).collect(),
        Values::I32(values) => values.iter().map(|value| *value as f32).collect(),
        _ => return Err(NodeFailed::Promise),
    })
}

/// Bytes that [`floats`] takes beside the tensor.
pub(crate) fn floats_scratch(fact: &Fact) -> Bound {
    match fact.element {
        ElementType::F32 => Bound::default(),
        _ => fact.elements().times(Bound::fixed(4)),
    }
}

/// The last dimension of a tensor, over which a list of one value for each column runs.
fn columns_of(shape: &[usize]) -> usize {
    shape.last().copied().unwrap_or(1)
}

/// Refuses a list that has neither one value nor one for each column, where the columns are known.
fn fits(fact: &Fact, length: usize, name: &str) -> Result<(), NodeInvalid> {
    let columns = fact.dims.last().map_or(Some(1), |dim| Dim::length(*dim));
    if length == 0 || length != 1 && columns.is_some_and(|columns| columns != length) {
        return Err(value(name, "has neither one value nor one for each column"));
    }
    Ok(())
}

/// For each column in turn its entry of a list of one, or of one for each column.
fn for_columns<T: Copy>(list: &[T], columns: usize) -> Result<impl Iterator<Item = T> + '_, NodeFailed> {
    if list.len() != 1 && list.len() != columns {
        return Err(shapes("there is neither one value nor one for each column"));
    }
    Ok(list.iter().copied().cycle())
}

#[derive(Debug)]
enum Imputer {
    Floats { missing: f32, instead: Vec<f32> },
    Integers { missing: i64, instead: Vec<i64> },
}

/// `Imputer`: puts a value in the place of a missing one.
pub(crate) fn imputer(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &[ElementType::F32, ElementType::I64])?;
    let floats = build.attributes.floats("imputed_value_floats")?;
    let integers = build.attributes.integers("imputed_value_int64s")?;
    let missing_float = build.attributes.float("replaced_value_float")?.unwrap_or(0.0);
    let missing_integer = build.attributes.integer("replaced_value_int64")?.unwrap_or(0);
    let imputer = if fact.element == ElementType::F32 {
        fits(fact, floats.len(), "imputed_value_floats")?;
        Imputer::Floats { missing: missing_float, instead: floats }
    } else {
        fits(fact, integers.len(), "imputed_value_int64s")?;
        Imputer::Integers { missing: missing_integer, instead: integers }
    };
    Ok(Built::new(imputer, vec![Fact::new(fact.element, fact.dims.clone())]))
}

impl Operator for Imputer {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        let columns = columns_of(tensor.shape());
        let values = match (self, tensor.values()) {
            (Imputer::Floats { missing, instead }, Values::F32(values)) => {
                let is_missing = |value: f32| value == *missing || value.is_nan() && missing.is_nan();
                let pairs = values.iter().zip(for_columns(instead, columns)?);
                Values::F32(
                    pairs.map(|(value, instead)| if is_missing(*value) { instead } else { *value }).collect(),
                )
            }
            (Imputer::Integers { missing, instead }, Values::I64(values)) => {
                let pairs = values.iter().zip(for_columns(instead, columns)?);
                Values::I64(
                    pairs.map(|(value, instead)| if value == missing { instead } else { *value }).collect(),
                )
            }
            _ => return Err(NodeFailed::Promise),
        };
        Ok(vec![Tensor::new(tensor.shape().to_vec(), values)?])
    }
}

#[derive(Debug)]
struct Scaler {
    offset: Vec<f32>,
    scale: Vec<f32>,
}

/// `Scaler`: `(x - offset) * scale`, for each column its own.
pub(crate) fn scaler(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &NUMBERS)?;
    let offset = build.attributes.floats("offset")?;
    let scale = build.attributes.floats("scale")?;
    fits(fact, offset.len(), "offset")?;
    fits(fact, scale.len(), "scale")?;
    let output = Fact::new(ElementType::F32, fact.dims.clone());
    Ok(Built::new(Scaler { offset, scale }, vec![output]).with_scratch(floats_scratch(fact)))
}

impl Operator for Scaler {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        let columns = columns_of(tensor.shape());
        let (offset, scale) = (for_columns(&self.offset, columns)?, for_columns(&self.scale, columns)?);
        let values = floats(tensor)?;
        let scaled = values.iter().zip(offset.zip(scale)).map(|(x, (offset, scale))| (x - offset) * scale);
        Ok(vec![Tensor::new(tensor.shape().to_vec(), Values::F32(scaled.collect()))?])
    }
}

#[derive(Debug, Clone, Copy)]
enum Norm {
    Max,
    L1,
    L2,
}

/// `Normalizer`: divides each row by its largest value, its sum or its length. The latter two are worked out in 64
/// bits, where the square of a float neither overflows nor vanishes.
pub(crate) fn normalizer(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &NUMBERS)?;
    table(fact, 0)?;
    let norm = match build.attributes.text("norm")?.as_deref() {
        None | Some("MAX") => Norm::Max,
        Some("L1") => Norm::L1,
        Some("L2") => Norm::L2,
        Some(_) => return Err(value("norm", "is none of MAX, L1, L2")),
    };
    let output = Fact::new(ElementType::F32, fact.dims.clone());
    Ok(Built::new(norm, vec![output]).with_scratch(floats_scratch(fact)).with_steps(fact.elements()))
}

impl Operator for Norm {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        let columns = columns_of(tensor.shape());
        let mut values = floats(tensor)?.into_owned();
        if columns > 0 {
            for row in values.chunks_mut(columns) {
                let wide = row.iter().map(|x| f64::from(*x));
                let norm = match self {
                    Norm::Max => wide.fold(f64::NEG_INFINITY, f64::max),
                    Norm::L1 => wide.map(f64::abs).sum(),
                    Norm::L2 => libm::sqrt(wide.map(|x| x * x).sum()),
                };
                if norm != 0.0 {
                    #[expect(clippy::cast_possible_truncation, reason = "rounded to 32 bits once")]
                    row.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
                }
            }
        }
        Ok(vec![Tensor::new(tensor.shape().to_vec(), Values::F32(values))?])
    }
}

#[derive(Debug)]
struct Binarizer {
    threshold: f32,
}

/// `Binarizer`: 1 for what is above a threshold, else 0.
pub(crate) fn binarizer(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &[ElementType::F32])?;
    let threshold = build.attributes.float("threshold")?.unwrap_or(0.0);
    Ok(Built::new(Binarizer { threshold }, vec![Fact::new(fact.element, fact.dims.clone())]))
}

impl Operator for Binarizer {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        let values = floats(tensor)?;
        let ones = values.iter().map(|x| if *x > self.threshold { 1.0 } else { 0.0 }).collect();
        Ok(vec![Tensor::new(tensor.shape().to_vec(), Values::F32(ones))?])
    }
}
