//! Along dimensions: `Reduce*`, `ArgMax`, `ArgMin`, `Softmax`. Sums are added in 64 bits, in order.
#![expect(clippy::indexing_slicing, reason = "dimensions are checked when the operator is built")]

use crate::bound::{Bound, Dim, Fact};
use crate::math;
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, axis_of, input, shapes};
use crate::ops::layout::{advance, axes, named, strides};
use crate::ops::select::places_scratch;
use crate::tensor::{ElementType, Tensor, Values, elements};

const FLOATS: [ElementType; 2] = [ElementType::F32, ElementType::F64];
const NUMBERS: [ElementType; 4] = [ElementType::F32, ElementType::F64, ElementType::I64, ElementType::I32];

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reduction {
    L1,
    L2,
    LogSumExp,
    Max,
    Mean,
    Min,
    Prod,
    Sum,
    SumSquare,
}

#[derive(Debug)]
struct Reduce {
    kind: Reduction,
    gone: Vec<bool>,
    keep: bool,
}

pub(crate) fn reduce(mut build: Build<'_, '_>, kind: Reduction) -> Result<Built, NodeInvalid> {
    let on_integers = matches!(kind, Reduction::Sum | Reduction::Max | Reduction::Min | Reduction::Prod);
    let data = build.typed(0, if on_integers { &NUMBERS } else { &FLOATS })?;
    let keep = build.attributes.flag("keepdims", true)?;
    let nothing = build.attributes.flag("noop_with_empty_axes", false)?;
    let axes = axes(&mut build, if kind == Reduction::Sum { 13 } else { 18 })?.unwrap_or_default();
    let rank = data.dims.len();
    let gone = if axes.is_empty() { vec![!nothing; rank] } else { named(&axes, rank)? };
    let dims = data.dims.iter().zip(&gone).filter_map(|(dim, gone)| match (gone, keep) {
        (false, _) => Some(*dim),
        (true, true) => Some(Dim::known(1)),
        (true, false) => None,
    });
    let output = Fact::new(data.element, dims.collect());
    // Where each element goes, and two sums for each result.
    let scratch = places_scratch(data).plus(output.elements().times(Bound::fixed(16)));
    let steps = data.elements().times(Bound::fixed(32));
    Ok(Built::new(Reduce { kind, gone, keep }, vec![output]).with_scratch(scratch).with_steps(steps))
}

impl Reduce {
    /// The shape with and without the dimensions that go, and for each element the place of its result.
    fn targets(&self, data: &Tensor) -> Result<(Vec<usize>, Vec<usize>, usize), NodeFailed> {
        let ones = |length: usize| {
            data.shape().iter().zip(&self.gone).map(move |(dim, gone)| if *gone { length } else { *dim })
        };
        let kept: Vec<usize> = ones(1).collect();
        let count = elements(&kept).ok_or(shapes("the result is too large"))?;
        let steps: Vec<usize> = strides(&kept)
            .into_iter()
            .zip(&self.gone)
            .map(|(step, gone)| if *gone { 0 } else { step })
            .collect();
        let mut position = vec![0; kept.len()];
        let mut targets = Vec::with_capacity(data.values().len());
        for _ in 0..data.values().len() {
            targets.push(position.iter().zip(&steps).map(|(at, step)| at * step).sum());
            advance(&mut position, data.shape());
        }
        let shape = if self.keep {
            kept
        } else {
            kept.into_iter().zip(&self.gone).filter(|(_, gone)| !**gone).map(|(dim, _)| dim).collect()
        };
        Ok((shape, targets, count))
    }

    fn floats(
        &self,
        values: impl ExactSizeIterator<Item = f64> + Clone,
        targets: &[usize],
        count: usize,
    ) -> Vec<f64> {
        let start = match self.kind {
            Reduction::Max | Reduction::LogSumExp => f64::NEG_INFINITY,
            Reduction::Min => f64::INFINITY,
            Reduction::Prod => 1.0,
            _ => 0.0,
        };
        let mut results = vec![start; count];
        let each = values.len().checked_div(count).unwrap_or(0);
        for (x, target) in values.clone().zip(targets) {
            let result = &mut results[*target];
            *result = match self.kind {
                Reduction::L1 => *result + x.abs(),
                Reduction::L2 | Reduction::SumSquare => *result + x * x,
                Reduction::Mean | Reduction::Sum => *result + x,
                Reduction::Prod => *result * x,
                // What is not a number stays so.
                Reduction::Max | Reduction::LogSumExp if result.is_nan() || *result > x => *result,
                Reduction::Min if result.is_nan() || *result < x => *result,
                Reduction::Max | Reduction::Min | Reduction::LogSumExp => x,
            };
        }
        match self.kind {
            Reduction::L2 => results.iter_mut().for_each(|result| *result = libm::sqrt(*result)),
            #[expect(clippy::cast_precision_loss, reason = "a tensor has far fewer than 2^53 elements")]
            Reduction::Mean => results.iter_mut().for_each(|result| *result /= each as f64),
            Reduction::LogSumExp => {
                let mut sums = vec![0.0; count];
                for (x, target) in values.zip(targets) {
                    let most = if results[*target].is_finite() { results[*target] } else { 0.0 };
                    sums[*target] += math::exp(x - most);
                }
                for (result, sum) in results.iter_mut().zip(sums) {
                    *result = libm::log(sum) + if result.is_finite() { *result } else { 0.0 };
                }
            }
            _ => {}
        }
        results
    }

    /// `range` is that of the type, whose ends are the least and the most of nothing.
    fn integers(
        &self,
        values: impl Iterator<Item = i64>,
        range: (i64, i64),
        targets: &[usize],
        count: usize,
    ) -> Vec<i64> {
        let start = match self.kind {
            Reduction::Max => range.0,
            Reduction::Min => range.1,
            Reduction::Prod => 1,
            _ => 0,
        };
        let mut results = vec![start; count];
        for (x, target) in values.zip(targets) {
            let result = &mut results[*target];
            *result = match self.kind {
                Reduction::Max => x.max(*result),
                Reduction::Min => x.min(*result),
                Reduction::Prod => result.wrapping_mul(x),
                _ => result.wrapping_add(x),
            };
        }
        results
    }
}

impl Operator for Reduce {
    #[expect(clippy::cast_possible_truncation, reason = "results are rounded once; whole numbers wrap")]
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let data = input(inputs, 0)?;
        let (shape, targets, count) = self.targets(data)?;
        let values = match data.values() {
            Values::F32(values) => {
                let results = self.floats(values.iter().map(|x| f64::from(*x)), &targets, count);
                Values::F32(results.into_iter().map(|result| result as f32).collect())
            }
            Values::F64(values) => Values::F64(self.floats(values.iter().copied(), &targets, count)),
            Values::I64(values) => {
                let range = (i64::MIN, i64::MAX);
                Values::I64(self.integers(values.iter().copied(), range, &targets, count))
            }
            Values::I32(values) => {
                let range = (i64::from(i32::MIN), i64::from(i32::MAX));
                let results = self.integers(values.iter().map(|x| i64::from(*x)), range, &targets, count);
                Values::I32(results.into_iter().map(|result| result as i32).collect())
            }
            _ => return Err(NodeFailed::Promise),
        };
        Ok(vec![Tensor::new(shape, values)?])
    }
}

/// `ArgMax` and `ArgMin`.
#[derive(Debug)]
struct Arg {
    axis: usize,
    keep: bool,
    largest: bool,
    last: bool,
}

pub(crate) fn arg(build: Build<'_, '_>, largest: bool) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let data = build.typed(0, &NUMBERS)?;
    let axis = axis_of(build.attributes.integer("axis")?.unwrap_or(0), data.dims.len())?;
    let keep = build.attributes.flag("keepdims", true)?;
    let last = build.attributes.flag("select_last_index", false)?;
    let mut dims = data.dims.clone();
    if keep {
        dims[axis] = Dim::known(1);
    } else {
        dims.remove(axis);
    }
    Ok(Built::new(Arg { axis, keep, largest, last }, vec![Fact::new(ElementType::I64, dims)]))
}

impl Arg {
    fn of<T: PartialOrd + Copy>(&self, values: &[T], before: usize, length: usize, after: usize) -> Vec<i64> {
        let mut results = Vec::with_capacity(before * after);
        for outer in 0..before {
            for inner in 0..after {
                let at = |index: usize| values[(outer * length + index) * after + inner];
                let mut best = 0;
                for index in 1..length {
                    let (x, most) = (at(index), at(best));
                    let better = if self.largest { x > most } else { x < most };
                    if better || self.last && x == most {
                        best = index;
                    }
                }
                results.push(i64::try_from(best).unwrap_or(i64::MAX));
            }
        }
        results
    }
}

impl Operator for Arg {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let data = input(inputs, 0)?;
        let mut shape = data.shape().to_vec();
        let length = shape[self.axis];
        let (before, after) = (shape[..self.axis].iter().product(), shape[self.axis + 1..].iter().product());
        if length == 0 {
            return Err(shapes("there is nothing to choose from"));
        }
        let results = match data.values() {
            Values::F32(values) => self.of(values, before, length, after),
            Values::F64(values) => self.of(values, before, length, after),
            Values::I64(values) => self.of(values, before, length, after),
            Values::I32(values) => self.of(values, before, length, after),
            _ => return Err(NodeFailed::Promise),
        };
        if self.keep {
            shape[self.axis] = 1;
        } else {
            shape.remove(self.axis);
        }
        Ok(vec![Tensor::new(shape, Values::I64(results))?])
    }
}

#[derive(Debug)]
struct Softmax {
    axis: usize,
    /// Before version 13 all dimensions from the axis on counted as one.
    all_after: bool,
}

pub(crate) fn softmax(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let data = build.typed(0, &FLOATS)?;
    let all_after = build.version < 13;
    let default = if all_after { 1 } else { -1 };
    let axis = axis_of(build.attributes.integer("axis")?.unwrap_or(default), data.dims.len())?;
    let output = Fact::new(data.element, data.dims.clone());
    let (steps, scratch) = (data.elements().times(Bound::fixed(32)), places_scratch(data));
    Ok(Built::new(Softmax { axis, all_after }, vec![output]).with_steps(steps).with_scratch(scratch))
}

impl Softmax {
    fn of(&self, values: impl Iterator<Item = f64>, shape: &[usize]) -> Vec<f64> {
        let mut values: Vec<f64> = values.collect();
        let end = if self.all_after { shape.len() } else { self.axis + 1 };
        let length: usize = shape[self.axis..end].iter().product();
        let after: usize = shape[end..].iter().product();
        if values.is_empty() {
            return values;
        }
        for block in values.chunks_mut(length * after) {
            for inner in 0..after {
                let lane = |index: usize| index * after + inner;
                let most = (0..length).map(|index| block[lane(index)]).fold(f64::NEG_INFINITY, f64::max);
                let mut sum = 0.0;
                for index in 0..length {
                    let x = &mut block[lane(index)];
                    *x = math::exp(*x - most);
                    sum += *x;
                }
                (0..length).for_each(|index| block[lane(index)] /= sum);
            }
        }
        values
    }
}

impl Operator for Softmax {
    #[expect(clippy::cast_possible_truncation, reason = "shares are rounded to 32 bits once")]
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let data = input(inputs, 0)?;
        let values = match data.values() {
            Values::F32(values) => {
                let shares = self.of(values.iter().map(|x| f64::from(*x)), data.shape());
                Values::F32(shares.into_iter().map(|share| share as f32).collect())
            }
            Values::F64(values) => Values::F64(self.of(values.iter().copied(), data.shape())),
            _ => return Err(NodeFailed::Promise),
        };
        Ok(vec![Tensor::new(data.shape().to_vec(), values)?])
    }
}
