//! Choosing elements: `Gather`, `GatherElements`, `ArrayFeatureExtractor`, `TopK`.
#![expect(
    clippy::indexing_slicing,
    reason = "dimensions are checked when the operator is built, indices before use"
)]

use crate::bound::{Bound, Dim, Fact};
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, axis_of, collect, input, shapes, value};
use crate::tensor::{ElementType, Tensor, Values, elements};

/// The elements at `places`, in this order.
pub(crate) fn pick(values: &Values, places: &[usize]) -> Result<Values, NodeFailed> {
    fn of<T: Clone>(values: &[T], places: &[usize]) -> Result<Vec<T>, NodeFailed> {
        collect(
            places.len(),
            places.iter().map(|place| values.get(*place).cloned().ok_or(NodeFailed::Promise)),
        )
    }
    Ok(match values {
        Values::F32(values) => Values::F32(of(values, places)?),
        Values::F64(values) => Values::F64(of(values, places)?),
        Values::I64(values) => Values::I64(of(values, places)?),
        Values::I32(values) => Values::I32(of(values, places)?),
        Values::Bool(values) => Values::Bool(of(values, places)?),
        Values::Text(values) => Values::Text(of(values, places)?),
    })
}

/// Bytes of the list of places that [`pick`] needs for `fact`.
pub(crate) fn places_scratch(fact: &Fact) -> Bound {
    fact.elements().times(Bound::fixed(8))
}

/// The whole numbers of a tensor of indices.
fn indices(tensor: &Tensor) -> Result<Vec<i64>, NodeFailed> {
    match tensor.values() {
        Values::I64(values) => Ok(values.clone()),
        Values::I32(values) => Ok(values.iter().map(|value| i64::from(*value)).collect()),
        _ => Err(NodeFailed::Promise),
    }
}

/// The place that an index, counted from the end if it is negative, means in a dimension.
fn place(index: i64, length: usize) -> Result<usize, NodeFailed> {
    let outside = NodeFailed::Index { index, length };
    let signed = i64::try_from(length).unwrap_or(i64::MAX);
    let from_start = if index < 0 { index.saturating_add(signed) } else { index };
    usize::try_from(from_start).ok().filter(|place| *place < length).ok_or(outside)
}

fn product(dims: &[usize]) -> usize {
    elements(dims).unwrap_or(0)
}

const INDICES: [ElementType; 2] = [ElementType::I64, ElementType::I32];

#[derive(Debug)]
struct Gather {
    axis: usize,
}

pub(crate) fn gather(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(2, 2)?;
    let (data, at) = (build.input(0)?, build.typed(1, &INDICES)?);
    let axis = axis_of(build.attributes.integer("axis")?.unwrap_or(0), data.dims.len())?;
    let dims = [&data.dims[..axis], &at.dims, &data.dims[axis + 1..]].concat();
    let mut output = Fact::new(data.element, dims);
    if let (Some(values), Some(constant), 1) = (&data.values, &at.constant, data.dims.len()) {
        let chosen = indices(constant).ok().and_then(|indices| {
            indices.iter().map(|index| values.get(place(*index, values.len()).ok()?).copied()).collect()
        });
        output.values = chosen;
    }
    let scratch = places_scratch(&output).plus(places_scratch(at).times(Bound::fixed(2)));
    Ok(Built::new(Gather { axis }, vec![output]).with_scratch(scratch))
}

impl Operator for Gather {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (data, at) = (input(inputs, 0)?, input(inputs, 1)?);
        let (before, after) = (product(&data.shape()[..self.axis]), product(&data.shape()[self.axis + 1..]));
        let length = data.shape()[self.axis];
        let at_places = collect(at.values().len(), indices(at)?.iter().map(|index| place(*index, length)))?;
        let mut places = Vec::with_capacity(before * at_places.len() * after);
        for outer in 0..before {
            for index in &at_places {
                let start = (outer * length + index) * after;
                places.extend(start..start + after);
            }
        }
        let shape = [&data.shape()[..self.axis], at.shape(), &data.shape()[self.axis + 1..]].concat();
        Ok(vec![Tensor::new(shape, pick(data.values(), &places)?)?])
    }
}

#[derive(Debug)]
struct GatherElements {
    axis: usize,
}

pub(crate) fn gather_elements(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(2, 2)?;
    let (data, at) = (build.input(0)?, build.typed(1, &INDICES)?);
    if data.dims.len() != at.dims.len() {
        return Err(NodeInvalid::Rank { index: 1, rank: at.dims.len() });
    }
    let axis = axis_of(build.attributes.integer("axis")?.unwrap_or(0), data.dims.len())?;
    let output = Fact::new(data.element, at.dims.clone());
    let scratch = places_scratch(&output).times(Bound::fixed(2));
    Ok(Built::new(GatherElements { axis }, vec![output]).with_scratch(scratch))
}

impl Operator for GatherElements {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (data, at) = (input(inputs, 0)?, input(inputs, 1)?);
        let fits = |axis: usize| axis == self.axis || at.shape()[axis] <= data.shape()[axis];
        if !(0..at.shape().len()).all(fits) {
            return Err(shapes("the indices reach outside of the data"));
        }
        let mut places = Vec::with_capacity(at.values().len());
        let mut position = vec![0_usize; at.shape().len()];
        for index in indices(at)? {
            let mut from = 0;
            for (axis, (length, step)) in data.shape().iter().zip(&position).enumerate() {
                let step = if axis == self.axis { place(index, *length)? } else { *step };
                from = from * length + step;
            }
            places.push(from);
            super::layout::advance(&mut position, at.shape());
        }
        Ok(vec![Tensor::new(at.shape().to_vec(), pick(data.values(), &places)?)?])
    }
}

#[derive(Debug)]
struct Extractor;

/// `ArrayFeatureExtractor`: columns of the last dimension.
pub(crate) fn array_feature_extractor(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(2, 2)?;
    let (data, at) = (build.input(0)?, build.typed(1, &INDICES)?);
    if data.dims.is_empty() {
        return Err(NodeInvalid::Rank { index: 0, rank: 0 });
    }
    let chosen = at.count();
    let dims = match data.dims.split_last() {
        Some((_, [])) | None => vec![Dim::known(1), chosen],
        Some((_, before)) => before.iter().copied().chain([chosen]).collect(),
    };
    let output = Fact::new(data.element, dims);
    let scratch = places_scratch(&output).plus(places_scratch(at).times(Bound::fixed(2)));
    Ok(Built::new(Extractor, vec![output]).with_scratch(scratch))
}

impl Operator for Extractor {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (data, at) = (input(inputs, 0)?, input(inputs, 1)?);
        let Some((length, before)) = data.shape().split_last() else { return Err(NodeFailed::Promise) };
        let at = collect(at.values().len(), indices(at)?.iter().map(|index| place(*index, *length)))?;
        let rows = product(before);
        let mut places = Vec::with_capacity(rows * at.len());
        for row in 0..rows {
            places.extend(at.iter().map(|place| row * length + place));
        }
        let mut shape = if before.is_empty() { vec![1] } else { before.to_vec() };
        shape.push(at.len());
        Ok(vec![Tensor::new(shape, pick(data.values(), &places)?)?])
    }
}

#[derive(Debug)]
struct TopK {
    axis: usize,
    count: usize,
    largest: bool,
}

pub(crate) fn top_k(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    let data = build.typed(0, &super::prepare::NUMBERS)?;
    let count = if build.version < 10 {
        build.arity(1, 1)?;
        build.attributes.integer("k")?
    } else {
        build.arity(2, 2)?;
        build.constant_integers(1)?.and_then(|count| count.first().copied())
    };
    let count = count.and_then(|count| usize::try_from(count).ok());
    let count = count.ok_or_else(|| value("k", "is missing or negative"))?;
    let axis = axis_of(build.attributes.integer("axis")?.unwrap_or(-1), data.dims.len())?;
    let largest = build.attributes.flag("largest", true)?;
    // Unsorted means in any order, so the sorted one will do.
    build.attributes.ignore(&["sorted"]);
    let mut dims = data.dims.clone();
    dims[axis] = Dim::known(count);
    let outputs = vec![Fact::new(data.element, dims.clone()), Fact::new(ElementType::I64, dims)];
    // Places of all elements of one line, as many again while they are sorted, and places of the chosen ones; sorting
    // takes some 64 comparisons for each.
    let scratch = places_scratch(data).times(Bound::fixed(2)).plus(places_scratch(&outputs[1]));
    let steps = data.elements().times(Bound::fixed(64));
    Ok(Built::new(TopK { axis, count, largest }, outputs).with_scratch(scratch).with_steps(steps))
}

impl TopK {
    fn places<T: Copy>(
        &self,
        values: &[T],
        shape: &[usize],
        least_first: impl Fn(&T, &T) -> std::cmp::Ordering,
    ) -> Vec<usize> {
        let (before, after) = (product(&shape[..self.axis]), product(&shape[self.axis + 1..]));
        let length = shape[self.axis];
        let mut chosen = vec![0; before * self.count * after];
        let mut line: Vec<usize> = Vec::with_capacity(length);
        for outer in 0..before {
            for inner in 0..after {
                line.clear();
                line.extend((0..length).map(|index| (outer * length + index) * after + inner));
                // Stable, so that of equal elements the first comes first.
                line.sort_by(|left, right| {
                    let order = least_first(&values[*left], &values[*right]);
                    if self.largest { order.reverse() } else { order }
                });
                for (rank, place) in line.iter().take(self.count).enumerate() {
                    chosen[(outer * self.count + rank) * after + inner] = *place;
                }
            }
        }
        chosen
    }
}

/// The order of numbers: both noughts are one, and what is not a number comes after all that are.
fn order<T: PartialOrd>(left: &T, right: &T, left_is_nan: bool, right_is_nan: bool) -> std::cmp::Ordering {
    left.partial_cmp(right).unwrap_or_else(|| left_is_nan.cmp(&right_is_nan))
}

impl Operator for TopK {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let data = input(inputs, 0)?;
        let length = data.shape()[self.axis];
        if length < self.count {
            return Err(shapes("fewer elements than are to be chosen"));
        }
        let places = match data.values() {
            Values::F32(values) => {
                self.places(values, data.shape(), |x, y| order(x, y, x.is_nan(), y.is_nan()))
            }
            Values::F64(values) => {
                self.places(values, data.shape(), |x, y| order(x, y, x.is_nan(), y.is_nan()))
            }
            Values::I64(values) => self.places(values, data.shape(), i64::cmp),
            Values::I32(values) => self.places(values, data.shape(), i32::cmp),
            _ => return Err(NodeFailed::Promise),
        };
        let after = product(&data.shape()[self.axis + 1..]);
        let index = |place: &usize| i64::try_from(place / after % length).unwrap_or(i64::MAX);
        let at = places.iter().map(index).collect();
        let mut shape = data.shape().to_vec();
        shape[self.axis] = self.count;
        Ok(vec![
            Tensor::new(shape.clone(), pick(data.values(), &places)?)?,
            Tensor::new(shape, Values::I64(at))?,
        ])
    }
}
