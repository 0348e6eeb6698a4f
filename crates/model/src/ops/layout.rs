//! What changes the shape and not the values: `Reshape`, `Flatten`, `Squeeze`, `Unsqueeze`, `Transpose`, `Expand`.
#![expect(clippy::indexing_slicing, reason = "dimensions are checked when the operator is built")]

use crate::bound::{Bound, Dim, Fact, product};
use crate::limits::RANK;
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, axis_of, input, shapes, value};
use crate::ops::select::{pick, places_scratch};
use crate::tensor::{ElementType, Tensor};

/// Moves to the next position within `shape`, the last dimension first.
pub(crate) fn advance(position: &mut [usize], shape: &[usize]) {
    for (at, length) in position.iter_mut().zip(shape).rev() {
        *at += 1;
        if *at < *length {
            return;
        }
        *at = 0;
    }
}

/// Steps of going through the positions of `fact` one by one.
pub(crate) fn walk_steps(fact: &Fact) -> Bound {
    fact.elements().times(Bound::fixed(16))
}

/// How far apart neighbours in each dimension are.
pub(crate) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}

#[derive(Debug)]
struct Identity;

pub(crate) fn identity(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    Ok(Built::new(Identity, vec![build.input(0)?.clone()]))
}

impl Operator for Identity {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        Ok(vec![input(inputs, 0)?.clone()])
    }
}

/// `Dropout`, which does nothing where nobody trains.
pub(crate) fn dropout(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 3)?;
    build.attributes.ignore(&["ratio", "seed"]);
    let training = build.optional(2).map(|fact| fact.constant.as_ref().and_then(Tensor::as_bool));
    if training.is_some_and(|training| training != Some(&[false])) || build.outputs > 1 {
        return Err(NodeInvalid::Disagree { what: "training, and masks of it, are not supported" });
    }
    Ok(Built::new(Identity, vec![build.input(0)?.clone()]))
}

#[derive(Debug)]
struct Reshape {
    /// Whether a zero means zero, and not "as it was". So it always is in a shape that follows from other shapes:
    /// it is what a call without rows leaves of a dimension that was derived.
    zero_is_zero: bool,
}

/// What a `Reshape` asks for in one dimension.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Length(Dim),
    AsBefore,
    Rest,
}

pub(crate) fn reshape(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(2, 2)?;
    let (data, target) = (build.input(0)?, build.typed(1, &[ElementType::I64])?);
    let zero_is_zero = build.attributes.flag("allowzero", false)?;
    let constant = target.constant.as_ref().and_then(Tensor::as_i64);
    let asked: Vec<Asked> = match (constant, &target.values) {
        (Some(lengths), _) => {
            lengths.iter().map(|length| asked(*length, zero_is_zero)).collect::<Result<_, _>>()?
        }
        (None, Some(lengths)) => lengths.iter().map(|length| Asked::Length(*length)).collect(),
        (None, None) => return Err(NodeInvalid::NotConstant { index: 1 }),
    };
    let rest = asked.iter().filter(|asked| **asked == Asked::Rest).count();
    if asked.len() > RANK || rest > 1 {
        return Err(NodeInvalid::Disagree {
            what: "the new shape has too many dimensions, or two open ones",
        });
    }
    let as_before = |axis: usize| data.dims.get(axis).copied();
    let given: Option<Vec<Dim>> = asked
        .iter()
        .enumerate()
        .map(|(axis, asked)| match asked {
            Asked::Length(length) => Some(*length),
            Asked::AsBefore => as_before(axis),
            Asked::Rest => Some(Dim::known(1)),
        })
        .collect();
    let given =
        given.ok_or(NodeInvalid::Disagree { what: "the new shape copies a dimension that is not there" })?;
    let whole = data.count();
    let dims = asked.iter().zip(&given).map(|(asked, given_here)| match asked {
        Asked::Rest => divide(whole, &given),
        // However long it is said to be, there are no more elements than there were.
        _ if given_here.exact => *given_here,
        _ => Dim::at_most(given_here.most),
    });
    let mut output = Fact::new(data.element, dims.collect());
    if output.dims.len() <= 1 {
        output.values.clone_from(&data.values);
    }
    let zero_is_zero = zero_is_zero || constant.is_none();
    Ok(Built::new(Reshape { zero_is_zero }, vec![output]))
}

fn asked(length: i64, zero_is_zero: bool) -> Result<Asked, NodeInvalid> {
    match length {
        0 if !zero_is_zero => Ok(Asked::AsBefore),
        -1 => Ok(Asked::Rest),
        length => match usize::try_from(length) {
            Ok(length) => Ok(Asked::Length(Dim::known(length))),
            Err(_) => Err(NodeInvalid::Disagree { what: "the new shape has a negative dimension" }),
        },
    }
}

/// What is left of `whole` when it is shared out over the `given` dimensions.
fn divide(whole: Dim, given: &[Dim]) -> Dim {
    let shared = product(given);
    let by = |part: u64, by: u64| (part.checked_div(by), part.checked_rem(by) == Some(0));
    match (shared.exact, shared.most) {
        // So many rows, divided by as many.
        (true, Bound { fixed: 0, per_row }) if per_row > 0 && whole.exact && whole.most.fixed == 0 => {
            match by(whole.most.per_row, per_row) {
                (Some(length), true) => Dim { most: Bound::fixed(length), exact: true },
                _ => Dim::at_most(whole.most),
            }
        }
        (true, Bound { fixed, per_row: 0 }) if fixed > 0 => {
            let (rows, rows_exact) = by(whole.most.per_row, fixed);
            let (rest, rest_exact) = by(whole.most.fixed, fixed);
            let exact = whole.exact && rows_exact && rest_exact;
            let up = |part: Option<u64>| part.unwrap_or(u64::MAX).saturating_add(u64::from(!exact));
            let per_row = if whole.most.per_row == 0 { 0 } else { up(rows) };
            Dim { most: Bound { fixed: up(rest), per_row }, exact }
        }
        _ => Dim::at_most(whole.most),
    }
}

impl Operator for Reshape {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (data, target) = (input(inputs, 0)?, input(inputs, 1)?);
        let target = target.as_i64().ok_or(NodeFailed::Promise)?;
        let mut shape = Vec::with_capacity(target.len());
        let mut rest = None;
        for (axis, length) in target.iter().enumerate() {
            shape.push(match *length {
                0 if !self.zero_is_zero => *data
                    .shape()
                    .get(axis)
                    .ok_or(shapes("the new shape copies a dimension that is not there"))?,
                -1 => {
                    rest = Some(axis);
                    1
                }
                length => {
                    usize::try_from(length).map_err(|_| shapes("the new shape has a negative dimension"))?
                }
            });
        }
        if let Some(axis) = rest {
            let others = crate::tensor::elements(&shape).unwrap_or(0);
            shape[axis] = data.values().len().checked_div(others).unwrap_or(0);
        }
        let reshaped = data.reshaped(shape);
        Ok(vec![reshaped.ok_or(shapes("the new shape does not have as many elements"))?])
    }
}

#[derive(Debug)]
struct Flatten {
    axis: usize,
}

pub(crate) fn flatten(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let data = build.input(0)?;
    let axis = build.attributes.integer("axis")?.unwrap_or(1);
    let rank = data.dims.len();
    let axis = if axis == i64::try_from(rank).unwrap_or(i64::MAX) { rank } else { axis_of(axis, rank)? };
    let dims = vec![product(&data.dims[..axis]), product(&data.dims[axis..])];
    Ok(Built::new(Flatten { axis }, vec![Fact::new(data.element, dims)]))
}

impl Operator for Flatten {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let data = input(inputs, 0)?;
        let (before, after) = data.shape().split_at(self.axis);
        let lengths = [before, after]
            .map(|dims| dims.iter().fold(1_usize, |product, dim| product.saturating_mul(*dim)));
        Ok(vec![data.reshaped(lengths.to_vec()).ok_or(shapes("the shape cannot be flattened"))?])
    }
}

/// The axes of an attribute, or from some version on of the second of two inputs; `None` if they are left out.
pub(crate) fn axes(build: &mut Build<'_, '_>, from_input: i64) -> Result<Option<Vec<i64>>, NodeInvalid> {
    if build.version >= from_input {
        build.arity(1, 2)?;
        build.constant_integers(1)
    } else {
        build.arity(1, 1)?;
        let given = build.attributes.has("axes");
        let axes = build.attributes.integers("axes")?;
        Ok(given.then_some(axes))
    }
}

/// Which of `rank` dimensions are named.
pub(crate) fn named(axes: &[i64], rank: usize) -> Result<Vec<bool>, NodeInvalid> {
    let mut named = vec![false; rank];
    for axis in axes {
        let axis = axis_of(*axis, rank)?;
        if std::mem::replace(&mut named[axis], true) {
            return Err(value("axes", "name a dimension twice"));
        }
    }
    Ok(named)
}

/// Takes away dimensions of one, or adds some.
#[derive(Debug)]
struct Ones {
    /// For every dimension of the longer shape, whether it is only in that.
    only_longer: Vec<bool>,
    adds: bool,
}

pub(crate) fn squeeze(mut build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    let data = build.input(0)?;
    let only_longer = match axes(&mut build, 13)? {
        Some(axes) => named(&axes, data.dims.len())?,
        None if data.dims.iter().all(|dim| dim.length().is_some() || *dim == Dim::ROWS) => {
            data.dims.iter().map(|dim| dim.length() == Some(1)).collect()
        }
        None => {
            return Err(NodeInvalid::Disagree { what: "which dimensions are of length one is not known" });
        }
    };
    let kept = data.dims.iter().zip(&only_longer).filter(|(_, gone)| !**gone).map(|(dim, _)| *dim);
    let mut output = Fact::new(data.element, kept.collect());
    output.values.clone_from(&data.values);
    Ok(Built::new(Ones { only_longer, adds: false }, vec![output]))
}

pub(crate) fn unsqueeze(mut build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    let data = build.input(0)?;
    let axes = axes(&mut build, 13)?.ok_or_else(|| value("axes", "are missing"))?;
    if data.dims.len() + axes.len() > RANK {
        return Err(NodeInvalid::Disagree { what: "the output has too many dimensions" });
    }
    let only_longer = named(&axes, data.dims.len() + axes.len())?;
    let mut rest = data.dims.iter().copied();
    let longer = only_longer.iter().map(|new| if *new { Some(Dim::known(1)) } else { rest.next() });
    let dims: Option<Vec<Dim>> = longer.collect();
    let mut output = Fact::new(data.element, dims.ok_or_else(|| value("axes", "are too many"))?);
    if output.dims.len() <= 1 {
        output.values.clone_from(&data.values);
    }
    Ok(Built::new(Ones { only_longer, adds: true }, vec![output]))
}

impl Operator for Ones {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let data = input(inputs, 0)?;
        let mut rest = data.shape().iter().copied();
        let shape: Vec<usize> = if self.adds {
            self.only_longer.iter().filter_map(|new| if *new { Some(1) } else { rest.next() }).collect()
        } else {
            let kept = self.only_longer.iter().zip(rest).filter(|(gone, _)| !**gone);
            kept.map(|(_, length)| length).collect()
        };
        Ok(vec![data.reshaped(shape).ok_or(shapes("a dimension to take away is not of length one"))?])
    }
}

#[derive(Debug)]
struct Transpose {
    order: Vec<usize>,
}

pub(crate) fn transpose(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let data = build.input(0)?;
    let rank = data.dims.len();
    let order = build.attributes.integers("perm")?;
    let order: Vec<usize> = if order.is_empty() {
        (0..rank).rev().collect()
    } else {
        order.iter().filter_map(|axis| usize::try_from(*axis).ok()).collect()
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..rank) {
        return Err(value("perm", "does not name every dimension once"));
    }
    let output = Fact::new(data.element, order.iter().map(|axis| data.dims[*axis]).collect());
    let (scratch, steps) = (places_scratch(&output), walk_steps(&output));
    Ok(Built::new(Transpose { order }, vec![output]).with_scratch(scratch).with_steps(steps))
}

impl Operator for Transpose {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let data = input(inputs, 0)?;
        let from = strides(data.shape());
        let steps: Vec<usize> = self.order.iter().map(|axis| from[*axis]).collect();
        let shape: Vec<usize> = self.order.iter().map(|axis| data.shape()[*axis]).collect();
        let places = strided(&shape, &steps, data.values().len());
        Ok(vec![Tensor::new(shape, pick(data.values(), &places)?)?])
    }
}

/// The places of all `count` elements of `shape` where neighbours are `steps` apart.
fn strided(shape: &[usize], steps: &[usize], count: usize) -> Vec<usize> {
    let mut position = vec![0; shape.len()];
    let mut places = Vec::with_capacity(count);
    for _ in 0..count {
        places.push(position.iter().zip(steps).map(|(at, step)| at * step).sum());
        advance(&mut position, shape);
    }
    places
}

#[derive(Debug)]
struct Expand;

pub(crate) fn expand(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(2, 2)?;
    let (data, target) = (build.input(0)?, build.typed(1, &[ElementType::I64])?);
    let target = target.values.as_ref().ok_or(NodeInvalid::NotConstant { index: 1 })?;
    let output = Fact::new(data.element, super::arithmetic::broadcast_dims(&data.dims, target)?);
    let (scratch, steps) = (places_scratch(&output), walk_steps(&output));
    Ok(Built::new(Expand, vec![output]).with_scratch(scratch).with_steps(steps))
}

impl Operator for Expand {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (data, target) = (input(inputs, 0)?, input(inputs, 1)?);
        let target = target.as_i64().ok_or(NodeFailed::Promise)?;
        let target: Option<Vec<usize>> = target.iter().map(|length| usize::try_from(*length).ok()).collect();
        let target = target.ok_or(shapes("the new shape has a negative dimension"))?;
        let shape = super::arithmetic::broadcast_shape(data.shape(), &target)?;
        let count = crate::tensor::elements(&shape).ok_or(shapes("the new shape is too large"))?;
        let places = strided(&shape, &broadcast_steps(data.shape(), shape.len()), count);
        Ok(vec![Tensor::new(shape, pick(data.values(), &places)?)?])
    }
}

/// How far apart neighbours of a broadcast tensor are: not at all where it is one long.
pub(crate) fn broadcast_steps(shape: &[usize], rank: usize) -> Vec<usize> {
    let missing = rank.saturating_sub(shape.len());
    let own = strides(shape).into_iter().zip(shape).map(|(step, length)| if *length == 1 { 0 } else { step });
    std::iter::repeat_n(0, missing).chain(own).collect()
}
