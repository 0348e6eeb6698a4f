//! Operators on one tensor, element by element.

use crate::bound::Fact;
use crate::math;
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, input, value};
use crate::tensor::{ElementType, Tensor, Values};

const FLOATS: [ElementType; 2] = [ElementType::F32, ElementType::F64];
const NUMBERS: [ElementType; 4] = [ElementType::F32, ElementType::F64, ElementType::I64, ElementType::I32];

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unary {
    Abs,
    Ceil,
    Erf,
    Exp,
    Floor,
    Gelu,
    GeluTanh,
    LeakyRelu,
    Log,
    Neg,
    Reciprocal,
    Relu,
    Sigmoid,
    Sign,
    Softplus,
    Sqrt,
    Tanh,
}

#[derive(Debug)]
struct Function {
    kind: Unary,
    alpha: f32,
}

pub(crate) fn unary(build: Build<'_, '_>, kind: Unary) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let on_integers = matches!(kind, Unary::Abs | Unary::Neg | Unary::Relu | Unary::Sign);
    let fact = build.typed(0, if on_integers { &NUMBERS } else { &FLOATS })?;
    let alpha = if kind == Unary::LeakyRelu { build.attributes.float("alpha")?.unwrap_or(0.01) } else { 0.0 };
    let output = Fact::new(fact.element, fact.dims.clone());
    // A function of the library takes the time of some dozens of additions.
    let steps = fact.elements().times(crate::bound::Bound::fixed(32));
    Ok(Built::new(Function { kind, alpha }, vec![output]).with_steps(steps))
}

/// `Gelu`, exact or approximated as its attribute asks.
pub(crate) fn gelu(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    let kind = match build.attributes.text("approximate")?.as_deref() {
        None | Some("none") => Unary::Gelu,
        Some("tanh") => Unary::GeluTanh,
        Some(_) => return Err(value("approximate", "is neither none nor tanh")),
    };
    unary(build, kind)
}

impl Function {
    fn of(&self, x: f64) -> f64 {
        match self.kind {
            Unary::Abs => x.abs(),
            Unary::Ceil => libm::ceil(x),
            Unary::Erf => libm::erf(x),
            Unary::Exp => math::exp(x),
            Unary::Floor => libm::floor(x),
            Unary::Gelu => x / 2.0 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2)),
            Unary::GeluTanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
                x / 2.0 * (1.0 + libm::tanh(inner))
            }
            Unary::LeakyRelu => {
                if x < 0.0 {
                    x * f64::from(self.alpha)
                } else {
                    x
                }
            }
            Unary::Log => libm::log(x),
            Unary::Neg => -x,
            Unary::Reciprocal => 1.0 / x,
            Unary::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Unary::Sigmoid => 1.0 / (1.0 + math::exp(-x)),
            Unary::Sign => {
                if x > 0.0 {
                    1.0
                } else if x < 0.0 {
                    -1.0
                } else {
                    x
                }
            }
            Unary::Softplus => {
                if x > 0.0 {
                    x + libm::log1p(math::exp(-x))
                } else {
                    libm::log1p(math::exp(x))
                }
            }
            Unary::Sqrt => libm::sqrt(x),
            Unary::Tanh => libm::tanh(x),
        }
    }

    fn of_integer(&self, x: i64) -> i64 {
        match self.kind {
            Unary::Abs => x.wrapping_abs(),
            Unary::Neg => x.wrapping_neg(),
            Unary::Relu => x.max(0),
            _ => x.signum(),
        }
    }
}

impl Operator for Function {
    #[expect(clippy::cast_possible_truncation, reason = "results are rounded to 32 bits once; integers wrap")]
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        let values = match tensor.values() {
            Values::F32(values) => {
                Values::F32(values.iter().map(|x| self.of(f64::from(*x)) as f32).collect())
            }
            Values::F64(values) => Values::F64(values.iter().map(|x| self.of(*x)).collect()),
            Values::I64(values) => Values::I64(values.iter().map(|x| self.of_integer(*x)).collect()),
            Values::I32(values) => {
                Values::I32(values.iter().map(|x| self.of_integer(i64::from(*x)) as i32).collect())
            }
            _ => return Err(NodeFailed::Promise),
        };
        Ok(vec![Tensor::new(tensor.shape().to_vec(), values)?])
    }
}

#[derive(Debug)]
struct Not;

pub(crate) fn not(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &[ElementType::Bool])?;
    Ok(Built::new(Not, vec![Fact::new(fact.element, fact.dims.clone())]))
}

impl Operator for Not {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        let values = tensor.as_bool().ok_or(NodeFailed::Promise)?;
        Ok(vec![Tensor::new(
            tensor.shape().to_vec(),
            Values::Bool(values.iter().map(|flag| !flag).collect()),
        )?])
    }
}

#[derive(Debug)]
struct IsNan;

pub(crate) fn is_nan(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &FLOATS)?;
    Ok(Built::new(IsNan, vec![Fact::new(ElementType::Bool, fact.dims.clone())]))
}

impl Operator for IsNan {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        let flags = match tensor.values() {
            Values::F32(values) => values.iter().map(|x| x.is_nan()).collect(),
            Values::F64(values) => values.iter().map(|x| x.is_nan()).collect(),
            _ => return Err(NodeFailed::Promise),
        };
        Ok(vec![Tensor::new(tensor.shape().to_vec(), Values::Bool(flags))?])
    }
}

/// `Clip`: nothing below the least, nothing above the most. Both may be left out, and then are the ends of the finite
/// numbers of the type.
#[derive(Debug)]
struct Clip {
    least: Option<Values>,
    most: Option<Values>,
}

pub(crate) fn clip(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    let fact;
    let clip = if build.version < 11 {
        build.arity(1, 1)?;
        fact = build.typed(0, &[ElementType::F32])?;
        let bound = |bound: Option<f32>| bound.map(|bound| Values::F32(vec![bound]));
        Clip { least: bound(build.attributes.float("min")?), most: bound(build.attributes.float("max")?) }
    } else {
        build.arity(1, 3)?;
        fact = build.typed(0, &NUMBERS)?;
        let bound = |index: usize| {
            let Some(bound) = build.optional(index) else { return Ok(None) };
            let constant = bound.constant.as_ref().ok_or(NodeInvalid::NotConstant { index })?;
            if bound.element != fact.element || constant.values().len() != 1 {
                return Err(value(
                    if index == 1 { "min" } else { "max" },
                    "is not one value of the input's type",
                ));
            }
            Ok(Some(constant.values().clone()))
        };
        Clip { least: bound(1)?, most: bound(2)? }
    };
    Ok(Built::new(clip, vec![Fact::new(fact.element, fact.dims.clone())]))
}

impl Operator for Clip {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        macro_rules! clip {
            ($kind:path, $type:ident, $values:expr) => {{
                let bound = |bound: &Option<Values>, end: $type| match bound {
                    Some($kind(bound)) => bound.first().copied().unwrap_or(end),
                    _ => end,
                };
                let (least, most) = (bound(&self.least, $type::MIN), bound(&self.most, $type::MAX));
                let clipped = $values.iter().map(|x| match *x {
                    x if x > most => most,
                    x if x < least && most < least => most,
                    x if x < least => least,
                    x => x,
                });
                $kind(clipped.collect())
            }};
        }
        let tensor = input(inputs, 0)?;
        let values = match tensor.values() {
            Values::F32(values) => clip!(Values::F32, f32, values),
            Values::F64(values) => clip!(Values::F64, f64, values),
            Values::I64(values) => clip!(Values::I64, i64, values),
            Values::I32(values) => clip!(Values::I32, i32, values),
            _ => return Err(NodeFailed::Promise),
        };
        Ok(vec![Tensor::new(tensor.shape().to_vec(), values)?])
    }
}
