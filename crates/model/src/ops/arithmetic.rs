//! Operators on two or more tensors, each stretched to the shape of all: arithmetic, comparison, logic, choice.
#![expect(clippy::indexing_slicing, reason = "places lie within the tensors that the steps are made for")]

use crate::bound::{Bound, Dim, Fact};
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, collect, input, shapes};
use crate::ops::layout::{advance, broadcast_steps, walk_steps};
use crate::tensor::{ElementType, Tensor, Values, elements};

const NUMBERS: [ElementType; 4] = [ElementType::F32, ElementType::F64, ElementType::I64, ElementType::I32];

/// Dimensions of two tensors stretched to each other, at most.
pub(crate) fn broadcast_dims(left: &[Dim], right: &[Dim]) -> Result<Vec<Dim>, NodeInvalid> {
    let rank = left.len().max(right.len());
    let at = |dims: &[Dim], axis: usize| match (axis + dims.len()).checked_sub(rank) {
        Some(axis) => dims[axis],
        None => Dim::known(1),
    };
    (0..rank)
        .map(|axis| match (at(left, axis), at(right, axis)) {
            (left, right) if left == right => Ok(left),
            (left, right) if left.length() == Some(1) => Ok(right),
            (left, right) if right.length() == Some(1) => Ok(left),
            (left, right) => match (left.length(), right.length()) {
                (Some(_), Some(_)) => Err(NodeInvalid::Disagree { what: "the shapes do not go together" }),
                _ => Ok(Dim::at_most(left.most.max(right.most))),
            },
        })
        .collect()
}

/// The shape of two tensors stretched to each other.
pub(crate) fn broadcast_shape(left: &[usize], right: &[usize]) -> Result<Vec<usize>, NodeFailed> {
    let rank = left.len().max(right.len());
    let at = |dims: &[usize], axis: usize| match (axis + dims.len()).checked_sub(rank) {
        Some(axis) => dims[axis],
        None => 1,
    };
    (0..rank)
        .map(|axis| match (at(left, axis), at(right, axis)) {
            (left, right) if left == right => Ok(left),
            (1, right) => Ok(right),
            (left, 1) => Ok(left),
            _ => Err(shapes("the shapes do not go together")),
        })
        .collect()
}

/// Calls `make` for all pairs of elements, and collects.
fn zip<T: Clone, R>(
    left: (&[T], &[usize]),
    right: (&[T], &[usize]),
    shape: &[usize],
    mut make: impl FnMut(&T, &T) -> Result<R, NodeFailed>,
) -> Result<Vec<R>, NodeFailed> {
    if left.1 == right.1 {
        return collect(left.0.len(), left.0.iter().zip(right.0).map(|(left, right)| make(left, right)));
    }
    let suffix = |short: &[usize]| {
        let ones = short.iter().take_while(|length| **length == 1).count();
        shape.ends_with(&short[ones..])
    };
    if left.1 == shape && suffix(right.1) {
        return collect(
            left.0.len(),
            left.0.iter().zip(right.0.iter().cycle()).map(|(left, right)| make(left, right)),
        );
    }
    if right.1 == shape && suffix(left.1) {
        return collect(
            right.0.len(),
            left.0.iter().cycle().zip(right.0).map(|(left, right)| make(left, right)),
        );
    }
    let count = elements(shape).ok_or(shapes("the result is too large"))?;
    let (left_steps, right_steps) =
        (broadcast_steps(left.1, shape.len()), broadcast_steps(right.1, shape.len()));
    let mut position = vec![0; shape.len()];
    let place =
        |position: &[usize], steps: &[usize]| position.iter().zip(steps).map(|(at, step)| at * step).sum();
    let mut made = Vec::with_capacity(count);
    for _ in 0..count {
        let (at_left, at_right): (usize, usize) =
            (place(&position, &left_steps), place(&position, &right_steps));
        made.push(make(&left.0[at_left], &right.0[at_right])?);
        advance(&mut position, shape);
    }
    Ok(made)
}

/// The fact of the result of two inputs of one type.
fn pair(build: &Build<'_, '_>, allowed: &[ElementType]) -> Result<Fact, NodeInvalid> {
    build.arity(2, 2)?;
    let (left, right) = (build.typed(0, allowed)?, build.typed(1, allowed)?);
    if left.element != right.element {
        return Err(NodeInvalid::Element { index: 1, element: right.element });
    }
    Ok(Fact::new(left.element, broadcast_dims(&left.dims, &right.dims)?))
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
}

pub(crate) fn arithmetic(build: Build<'_, '_>, kind: Arithmetic) -> Result<Built, NodeInvalid> {
    let fact = pair(&build, &NUMBERS)?;
    let mut steps = walk_steps(&fact);
    if matches!(kind, Arithmetic::Pow) {
        // A function of the library takes the time of some dozens of additions.
        steps = steps.plus(fact.elements().times(Bound::fixed(64)));
    }
    Ok(Built::new(kind, vec![fact]).with_steps(steps))
}

macro_rules! on_floats {
    ($kind:expr, $left:expr, $right:expr, $pow:expr) => {
        Ok(match $kind {
            Arithmetic::Add => $left + $right,
            Arithmetic::Sub => $left - $right,
            Arithmetic::Mul => $left * $right,
            Arithmetic::Div => $left / $right,
            Arithmetic::Pow => $pow,
        })
    };
}

macro_rules! on_integers {
    ($kind:expr, $left:expr, $right:expr) => {
        Ok(match $kind {
            Arithmetic::Add => $left.wrapping_add($right),
            Arithmetic::Sub => $left.wrapping_sub($right),
            Arithmetic::Mul => $left.wrapping_mul($right),
            Arithmetic::Div if $right == 0 => return Err(NodeFailed::DivisionByZero),
            Arithmetic::Div => $left.wrapping_div($right),
            Arithmetic::Pow => match u32::try_from($right) {
                Ok(exponent) => $left.wrapping_pow(exponent),
                Err(_) => return Err(shapes("a whole number cannot be raised to this power")),
            },
        })
    };
}

impl Operator for Arithmetic {
    #[expect(clippy::cast_possible_truncation, reason = "powers are rounded to 32 bits once")]
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (left, right) = (input(inputs, 0)?, input(inputs, 1)?);
        let shape = broadcast_shape(left.shape(), right.shape())?;
        let (ls, rs) = (left.shape(), right.shape());
        let values = match (left.values(), right.values()) {
            (Values::F32(l), Values::F32(r)) => Values::F32(zip((l, ls), (r, rs), &shape, |l, r| {
                on_floats!(self, l, r, libm::pow(f64::from(*l), f64::from(*r)) as f32)
            })?),
            (Values::F64(l), Values::F64(r)) => {
                Values::F64(zip((l, ls), (r, rs), &shape, |l, r| on_floats!(self, l, r, libm::pow(*l, *r)))?)
            }
            (Values::I64(l), Values::I64(r)) => {
                Values::I64(zip((l, ls), (r, rs), &shape, |l, r| on_integers!(self, l, *r))?)
            }
            (Values::I32(l), Values::I32(r)) => {
                Values::I32(zip((l, ls), (r, rs), &shape, |l, r| on_integers!(self, l, *r))?)
            }
            _ => return Err(NodeFailed::Promise),
        };
        Ok(vec![Tensor::new(shape, values)?])
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Compare {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

pub(crate) fn compare(build: Build<'_, '_>, kind: Compare) -> Result<Built, NodeInvalid> {
    let all = [NUMBERS.as_slice(), &[ElementType::Bool, ElementType::Text]].concat();
    let fact = pair(&build, if matches!(kind, Compare::Equal) { &all } else { &NUMBERS })?;
    let steps = walk_steps(&fact).plus(fact.text_steps());
    Ok(Built::new(kind, vec![Fact::new(ElementType::Bool, fact.dims)]).with_steps(steps))
}

impl Compare {
    #[expect(clippy::unnecessary_wraps, reason = "the shape of a function that `zip` calls")]
    fn holds<T: PartialOrd>(self, left: &T, right: &T) -> Result<bool, NodeFailed> {
        Ok(match self {
            Compare::Equal => left == right,
            Compare::Greater => left > right,
            Compare::GreaterOrEqual => left >= right,
            Compare::Less => left < right,
            Compare::LessOrEqual => left <= right,
        })
    }
}

impl Operator for Compare {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (left, right) = (input(inputs, 0)?, input(inputs, 1)?);
        let shape = broadcast_shape(left.shape(), right.shape())?;
        let (ls, rs) = (left.shape(), right.shape());
        let values = match (left.values(), right.values()) {
            (Values::F32(l), Values::F32(r)) => zip((l, ls), (r, rs), &shape, |l, r| self.holds(l, r))?,
            (Values::F64(l), Values::F64(r)) => zip((l, ls), (r, rs), &shape, |l, r| self.holds(l, r))?,
            (Values::I64(l), Values::I64(r)) => zip((l, ls), (r, rs), &shape, |l, r| self.holds(l, r))?,
            (Values::I32(l), Values::I32(r)) => zip((l, ls), (r, rs), &shape, |l, r| self.holds(l, r))?,
            (Values::Bool(l), Values::Bool(r)) => zip((l, ls), (r, rs), &shape, |l, r| self.holds(l, r))?,
            (Values::Text(l), Values::Text(r)) => zip((l, ls), (r, rs), &shape, |l, r| self.holds(l, r))?,
            _ => return Err(NodeFailed::Promise),
        };
        Ok(vec![Tensor::new(shape, Values::Bool(values))?])
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Logic {
    And,
    Or,
    Xor,
}

pub(crate) fn logic(build: Build<'_, '_>, kind: Logic) -> Result<Built, NodeInvalid> {
    let fact = pair(&build, &[ElementType::Bool])?;
    let steps = walk_steps(&fact);
    Ok(Built::new(kind, vec![fact]).with_steps(steps))
}

impl Operator for Logic {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (left, right) = (input(inputs, 0)?, input(inputs, 1)?);
        let shape = broadcast_shape(left.shape(), right.shape())?;
        let (Some(l), Some(r)) = (left.as_bool(), right.as_bool()) else { return Err(NodeFailed::Promise) };
        let values = zip((l, left.shape()), (r, right.shape()), &shape, |l, r| {
            Ok(match self {
                Logic::And => *l && *r,
                Logic::Or => *l || *r,
                Logic::Xor => l != r,
            })
        })?;
        Ok(vec![Tensor::new(shape, Values::Bool(values))?])
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Variadic {
    Sum,
    Mean,
    Min,
    Max,
}

pub(crate) fn variadic(build: Build<'_, '_>, kind: Variadic) -> Result<Built, NodeInvalid> {
    build.arity(1, crate::limits::NODE_VALUES)?;
    let floats = [ElementType::F32, ElementType::F64];
    let allowed = if matches!(kind, Variadic::Min | Variadic::Max) { NUMBERS.as_slice() } else { &floats };
    let first = build.typed(0, allowed)?;
    let mut dims = first.dims.clone();
    let mut steps = Bound::default();
    for index in 1..build.inputs.len() {
        let other = build.typed(index, allowed)?;
        if other.element != first.element {
            return Err(NodeInvalid::Element { index, element: other.element });
        }
        dims = broadcast_dims(&dims, &other.dims)?;
        steps = steps.plus(walk_steps(&Fact::new(first.element, dims.clone())));
    }
    let output = Fact::new(first.element, dims);
    // Each step makes a new tensor from the last one.
    let scratch = output.bytes();
    Ok(Built::new(kind, vec![output]).with_steps(steps).with_scratch(scratch))
}

macro_rules! merge {
    ($kind:expr, $left:expr, $right:expr) => {
        // What is not a number stays so.
        match $kind {
            Variadic::Sum | Variadic::Mean => $left + $right,
            Variadic::Min if $left.is_nan() || $left < $right => *$left,
            Variadic::Max if $left.is_nan() || $left > $right => *$left,
            Variadic::Min | Variadic::Max => *$right,
        }
    };
}

impl Variadic {
    fn merge(self, left: &Tensor, right: &Tensor) -> Result<Tensor, NodeFailed> {
        let shape = broadcast_shape(left.shape(), right.shape())?;
        let (ls, rs) = (left.shape(), right.shape());
        let least = matches!(self, Variadic::Min);
        let values = match (left.values(), right.values()) {
            (Values::F32(l), Values::F32(r)) => {
                Values::F32(zip((l, ls), (r, rs), &shape, |l, r| Ok(merge!(self, l, r)))?)
            }
            (Values::F64(l), Values::F64(r)) => {
                Values::F64(zip((l, ls), (r, rs), &shape, |l, r| Ok(merge!(self, l, r)))?)
            }
            (Values::I64(l), Values::I64(r)) => Values::I64(zip((l, ls), (r, rs), &shape, |l, r| {
                Ok(*if least { l.min(r) } else { l.max(r) })
            })?),
            (Values::I32(l), Values::I32(r)) => Values::I32(zip((l, ls), (r, rs), &shape, |l, r| {
                Ok(*if least { l.min(r) } else { l.max(r) })
            })?),
            _ => return Err(NodeFailed::Promise),
        };
        Ok(Tensor::new(shape, values)?)
    }
}

impl Operator for Variadic {
    #[expect(clippy::cast_precision_loss, reason = "a node has few inputs")]
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let mut merged = input(inputs, 0)?.clone();
        for index in 1..inputs.len() {
            merged = self.merge(&merged, input(inputs, index)?)?;
        }
        if matches!(self, Variadic::Mean) {
            let values = match merged.values() {
                Values::F32(sums) => Values::F32(sums.iter().map(|sum| sum / inputs.len() as f32).collect()),
                Values::F64(sums) => Values::F64(sums.iter().map(|sum| sum / inputs.len() as f64).collect()),
                _ => return Err(NodeFailed::Promise),
            };
            merged = Tensor::new(merged.shape().to_vec(), values)?;
        }
        Ok(vec![merged])
    }
}

#[derive(Debug)]
struct Choose;

/// `Where`: from one tensor or another, as a third one says.
pub(crate) fn choose(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(3, 3)?;
    let condition = build.typed(0, &[ElementType::Bool])?;
    let (yes, no) = (build.input(1)?, build.input(2)?);
    if yes.element != no.element {
        return Err(NodeInvalid::Element { index: 2, element: no.element });
    }
    let both = broadcast_dims(&yes.dims, &no.dims)?;
    let output = Fact::new(yes.element, broadcast_dims(&condition.dims, &both)?);
    let steps = walk_steps(&output);
    Ok(Built::new(Choose, vec![output]).with_steps(steps))
}

impl Operator for Choose {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (condition, yes, no) = (input(inputs, 0)?, input(inputs, 1)?, input(inputs, 2)?);
        let flags = condition.as_bool().ok_or(NodeFailed::Promise)?;
        let shape = broadcast_shape(condition.shape(), &broadcast_shape(yes.shape(), no.shape())?)?;
        let steps = [condition, yes, no].map(|tensor| broadcast_steps(tensor.shape(), shape.len()));
        let count = elements(&shape).ok_or(shapes("the result is too large"))?;
        let mut position = vec![0; shape.len()];
        let mut next = || {
            let places = [0, 1, 2].map(|which: usize| {
                position.iter().zip(&steps[which]).map(|(at, step)| at * step).sum::<usize>()
            });
            advance(&mut position, &shape);
            places
        };
        macro_rules! choose {
            ($kind:path, $yes:expr, $no:expr) => {
                $kind(
                    (0..count)
                        .map(|_| {
                            let [flag, yes, no] = next();
                            if flags[flag] { $yes[yes].clone() } else { $no[no].clone() }
                        })
                        .collect(),
                )
            };
        }
        let values = match (yes.values(), no.values()) {
            (Values::F32(yes), Values::F32(no)) => choose!(Values::F32, yes, no),
            (Values::F64(yes), Values::F64(no)) => choose!(Values::F64, yes, no),
            (Values::I64(yes), Values::I64(no)) => choose!(Values::I64, yes, no),
            (Values::I32(yes), Values::I32(no)) => choose!(Values::I32, yes, no),
            (Values::Bool(yes), Values::Bool(no)) => choose!(Values::Bool, yes, no),
            (Values::Text(yes), Values::Text(no)) => choose!(Values::Text, yes, no),
            _ => return Err(NodeFailed::Promise),
        };
        Ok(vec![Tensor::new(shape, values)?])
    }
}
