//! Models of tabular data: an interpreter for ONNX files that nobody has to trust, and a trainer that writes them.
//!
//! A model file is hostile until proven otherwise. It is decoded by hand within limits, its nodes are put in order,
//! every operator checks its attributes and types, and a bound on memory and work for each row is derived from the
//! graph; what the file itself says about shapes in between is not read. A call with more rows than fit into the
//! limits is refused before anything is allocated. There is no unsafe code, no file is ever opened, and texts are
//! compared as bytes, independent of the machine's locale.
//!
//! ```text
//!   bytes --decode--> messages --order, build, bound--> Model --signature--> what to bring, what comes back
//!                                                         |
//!                               tensors --run(rows <= most_rows)--> tensors
//!
//!   table, labels, seed --train--> bytes of an ONNX file that this crate and others run
//! ```
//!
//! **The same answer everywhere.** Sums run in a fixed order on one thread; nothing depends on the number of
//! cores. Additions, products, quotients and square roots are IEEE 754 and the same on every machine. Exponentials,
//! logarithms and their kin come from the `libm` package, which is compiled with this crate, and not from the
//! machine's C library, whose last digits differ from system to system. For 32-bit floats they are worked out in
//! 64 bits and rounded once. So an answer can be replayed bit by bit on another machine. NaN is the exception: that
//! an answer is not a number is reproducible, the payload bits of it are not.
//!
//! **Agreement with ONNX Runtime** is to 1e-5 relative, and the label is the same except in ties. Its own answers
//! differ in the last digits with the number of its threads. A small score of two is one minus the large one, in 32
//! bits, so a small score agrees to two units in the last place of the large one. Where the specification is silent,
//! its behaviour is followed; `docs/onnx.md` lists the operators and the places where this crate differs on purpose.
//!
//! It deliberately does **not** open external data, run control flow other than a bounded `Scan`, take models with
//! functions or sparse tensors, use threads, or guess: an attribute that an operator does not know is refused.
//!
//! Modules in reading order: `onnx` (the file), `tensor` and `constant`, `bound` (what is known before a call),
//! `node` (what an operator is), `ops` (the operators), `plan` (a graph in order), `model`, `signature`, `train`.

mod bound;
mod constant;
pub mod limits;
mod math;
mod model;
mod node;
mod onnx;
mod ops;
mod plan;
mod signature;
mod tensor;
pub mod train;

pub use crate::bound::Bound;
pub use crate::constant::ConstantInvalid;
pub use crate::model::{LoadFailed, Model, RunFailed};
pub use crate::node::{NodeFailed, NodeInvalid};
pub use crate::onnx::Malformed;
pub use crate::plan::GraphInvalid;
pub use crate::signature::{Dimension, Labels, Port, Signature};
pub use crate::tensor::{ElementType, Tensor, TensorInvalid, Values};
