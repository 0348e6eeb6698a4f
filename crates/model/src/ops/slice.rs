//! `Slice`: parts of dimensions, forwards or backwards.
#![expect(clippy::indexing_slicing, reason = "dimensions are checked when the operator is built")]

use crate::bound::{Dim, Fact};
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, axis_of, input, value};
use crate::ops::layout::{advance, strides, walk_steps};
use crate::ops::select::{pick, places_scratch};
use crate::tensor::Tensor;

#[derive(Debug)]
struct Slice {
    /// Dimension, start, end, step.
    cuts: Vec<(usize, i64, i64, i64)>,
}

pub(crate) fn slice(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(3, 5)?;
    let data = build.input(0)?;
    let rank = data.dims.len();
    let (starts, ends) = (build.constant_integers(1)?, build.constant_integers(2)?);
    let (starts, ends) = starts.zip(ends).ok_or(NodeInvalid::Input { index: 1 })?;
    let axes = match build.constant_integers(3)? {
        Some(axes) => axes,
        None => (0..).take(starts.len()).collect(),
    };
    let steps = build.constant_integers(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()].iter().any(|length| *length != starts.len())
        || steps.contains(&0)
    {
        return Err(value("steps", "are zero, or the lists differ in length"));
    }
    super::layout::named(&axes, rank)?;
    let mut cuts = Vec::with_capacity(axes.len());
    let mut dims = data.dims.clone();
    for (((axis, start), end), step) in axes.iter().zip(starts).zip(ends).zip(steps) {
        let axis = axis_of(*axis, rank)?;
        let dim = &mut dims[axis];
        *dim = match dim.length() {
            Some(length) => Dim::known(taken(length, start, end, step).count),
            None => Dim::at_most(dim.most),
        };
        cuts.push((axis, start, end, step));
    }
    let mut output = Fact::new(data.element, dims);
    if let (Some(values), [(0, start, end, step)], 1) = (&data.values, cuts.as_slice(), rank) {
        let taken = taken(values.len(), *start, *end, *step);
        output.values = (0..taken.count).map(|index| values.get(taken.place(index)).copied()).collect();
    }
    let (scratch, steps) = (places_scratch(&output), walk_steps(&output));
    Ok(Built::new(Slice { cuts }, vec![output]).with_scratch(scratch).with_steps(steps))
}

/// Elements of a dimension: the first one, how far apart they are, and how many.
#[derive(Clone, Copy)]
struct Taken {
    first: i128,
    step: i128,
    count: usize,
}

impl Taken {
    fn place(self, index: usize) -> usize {
        usize::try_from(self.first + self.step * index as i128).unwrap_or(usize::MAX)
    }
}

/// Which of `length` elements are taken. `step` is not zero.
fn taken(length: usize, start: i64, end: i64, step: i64) -> Taken {
    let (whole, step) = (length as i128, i128::from(step));
    let from_start = |at: i64| if at < 0 { i128::from(at) + whole } else { i128::from(at) };
    // Backwards one starts at the last element, and ends before the first.
    let back = i128::from(step < 0);
    // "To the end" is to the first element then. The specification has another number for that, and exporters this.
    let to_the_end = end == i64::MAX || end == i64::from(i32::MAX);
    let end = if back == 1 && to_the_end { i64::MIN } else { end };
    let (first, end) =
        (from_start(start).clamp(0, (whole - back).max(0)), from_start(end).clamp(-back, whole));
    let distance = if step > 0 { end - first } else { first - end };
    let count = (distance.max(0) + step.abs() - 1) / step.abs();
    Taken { first, step, count: usize::try_from(count).unwrap_or(0).min(length) }
}

impl Operator for Slice {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let data = input(inputs, 0)?;
        let mut kept: Vec<Taken> =
            data.shape().iter().map(|length| Taken { first: 0, step: 1, count: *length }).collect();
        for (axis, start, end, step) in &self.cuts {
            kept[*axis] = taken(data.shape()[*axis], *start, *end, *step);
        }
        let shape: Vec<usize> = kept.iter().map(|kept| kept.count).collect();
        let steps = strides(data.shape());
        let count = crate::tensor::elements(&shape).ok_or(NodeFailed::Promise)?;
        let mut position = vec![0; shape.len()];
        let mut places = Vec::with_capacity(count);
        for _ in 0..count {
            places.push(
                position.iter().enumerate().map(|(axis, at)| kept[axis].place(*at) * steps[axis]).sum(),
            );
            advance(&mut position, &shape);
        }
        Ok(vec![Tensor::new(shape, pick(data.values(), &places)?)?])
    }
}
