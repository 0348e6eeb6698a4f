//! The operators: which there are, and how a node becomes one.

mod arithmetic;
mod cast;
mod constants;
mod elementwise;
mod encode;
mod join;
mod labels;
mod layout;
mod linear;
mod matrix;
mod prepare;
mod reduce;
mod scan;
mod scores;
mod select;
mod slice;
mod svm;
mod trees;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::bound::Fact;
use crate::node::{Build, Built, NodeInvalid};

/// Versions of the plain operators that are understood.
const PLAIN: (i64, i64) = (7, 25);
/// Versions of the operators for tables that are understood.
const TABLES: (i64, i64) = (1, 5);

/// The operator sets that a model names, by domain.
#[derive(Debug)]
pub(crate) struct OperatorSets {
    versions: BTreeMap<String, i64>,
}

impl OperatorSets {
    /// Takes what the model names, and adds what there is no support for to `unsupported`.
    pub(crate) fn new(named: &[(&str, i64)], unsupported: &mut BTreeSet<String>) -> OperatorSets {
        let mut versions = BTreeMap::new();
        for (domain, version) in named {
            let domain = if *domain == "ai.onnx" { "" } else { domain };
            let shown = if domain.is_empty() { "ai.onnx" } else { domain };
            let known = match domain {
                "" => Some(PLAIN),
                "ai.onnx.ml" => Some(TABLES),
                // A set of which no operator is used does no harm; each operator of one that is, is named.
                _ => None,
            };
            if known.is_some_and(|(oldest, newest)| !(oldest..=newest).contains(version)) {
                unsupported.insert(format!("operator set `{shown}` in version {version}"));
            }
            if versions.insert(domain.to_owned(), *version).is_some_and(|other| other != *version) {
                unsupported.insert(format!("operator set `{shown}` in two versions at once"));
            }
        }
        OperatorSets { versions }
    }

    /// The version of a domain's operators; 0 if the model does not name the set.
    pub(crate) fn version(&self, domain: &str) -> i64 {
        let domain = if domain == "ai.onnx" { "" } else { domain };
        self.versions.get(domain).copied().unwrap_or(0)
    }
}

/// Builds an operator of a plain or table kind.
type Builder = fn(Build<'_, '_>) -> Result<Built, NodeInvalid>;

/// Whether there is an operator of this name in a set that the model names.
pub(crate) fn supports(domain: &str, operator: &str, sets: &OperatorSets) -> bool {
    let version = sets.version(domain);
    version > 0 && (is_scan(domain, operator) || builder(domain, operator, version).is_some())
}

/// Builds the operator of a node. `around` has the constants that a graph inside it may use.
pub(crate) fn build(
    domain: &str,
    operator: &str,
    build: Build<'_, '_>,
    sets: &OperatorSets,
    around: &HashMap<&str, Fact>,
) -> Result<Built, NodeInvalid> {
    if is_scan(domain, operator) {
        return scan::scan(build, sets, around);
    }
    match builder(domain, operator, build.version) {
        Some(builder) => builder(build),
        None => Err(NodeInvalid::Disagree { what: "the operator is not supported" }),
    }
}

fn is_scan(domain: &str, operator: &str) -> bool {
    matches!(domain, "" | "ai.onnx") && operator == "Scan"
}

fn builder(domain: &str, operator: &str, version: i64) -> Option<Builder> {
    match domain {
        "" | "ai.onnx" => plain(operator, version),
        "ai.onnx.ml" => for_tables(operator, version),
        _ => None,
    }
}

fn plain(operator: &str, version: i64) -> Option<Builder> {
    use crate::ops::{
        arithmetic as a, cast, constants as c, elementwise as e, join, layout as l, matrix as m, reduce as r,
        select as s, slice,
    };
    Some(match operator {
        "Abs" => |build| e::unary(build, e::Unary::Abs),
        "Add" => |build| a::arithmetic(build, a::Arithmetic::Add),
        "And" => |build| a::logic(build, a::Logic::And),
        "ArgMax" => |build| r::arg(build, true),
        "ArgMin" => |build| r::arg(build, false),
        "Cast" => cast::cast,
        "Ceil" => |build| e::unary(build, e::Unary::Ceil),
        "Clip" => e::clip,
        "Concat" => join::concat,
        "Constant" => c::constant,
        "ConstantOfShape" if version >= 9 => c::constant_of_shape,
        "Div" => |build| a::arithmetic(build, a::Arithmetic::Div),
        "Dropout" => l::dropout,
        "Equal" => |build| a::compare(build, a::Compare::Equal),
        "Erf" if version >= 9 => |build| e::unary(build, e::Unary::Erf),
        "Exp" => |build| e::unary(build, e::Unary::Exp),
        "Expand" if version >= 8 => l::expand,
        "Flatten" => l::flatten,
        "Floor" => |build| e::unary(build, e::Unary::Floor),
        "Gather" => s::gather,
        "GatherElements" if version >= 11 => s::gather_elements,
        "Gelu" if version >= 20 => e::gelu,
        "Gemm" => m::gemm,
        "Greater" => |build| a::compare(build, a::Compare::Greater),
        "GreaterOrEqual" if version >= 12 => |build| a::compare(build, a::Compare::GreaterOrEqual),
        "Identity" => l::identity,
        "IsNaN" if version >= 9 => e::is_nan,
        "LeakyRelu" => |build| e::unary(build, e::Unary::LeakyRelu),
        "Less" => |build| a::compare(build, a::Compare::Less),
        "LessOrEqual" if version >= 12 => |build| a::compare(build, a::Compare::LessOrEqual),
        "Log" => |build| e::unary(build, e::Unary::Log),
        "MatMul" => m::matmul,
        "Max" if version >= 8 => |build| a::variadic(build, a::Variadic::Max),
        "Mean" if version >= 8 => |build| a::variadic(build, a::Variadic::Mean),
        "Min" if version >= 8 => |build| a::variadic(build, a::Variadic::Min),
        "Mul" => |build| a::arithmetic(build, a::Arithmetic::Mul),
        "Neg" => |build| e::unary(build, e::Unary::Neg),
        "Not" => e::not,
        "Or" => |build| a::logic(build, a::Logic::Or),
        "Pow" => |build| a::arithmetic(build, a::Arithmetic::Pow),
        "Reciprocal" => |build| e::unary(build, e::Unary::Reciprocal),
        "ReduceL1" => |build| r::reduce(build, r::Reduction::L1),
        "ReduceL2" => |build| r::reduce(build, r::Reduction::L2),
        "ReduceLogSumExp" => |build| r::reduce(build, r::Reduction::LogSumExp),
        "ReduceMax" => |build| r::reduce(build, r::Reduction::Max),
        "ReduceMean" => |build| r::reduce(build, r::Reduction::Mean),
        "ReduceMin" => |build| r::reduce(build, r::Reduction::Min),
        "ReduceProd" => |build| r::reduce(build, r::Reduction::Prod),
        "ReduceSum" => |build| r::reduce(build, r::Reduction::Sum),
        "ReduceSumSquare" => |build| r::reduce(build, r::Reduction::SumSquare),
        "Relu" => |build| e::unary(build, e::Unary::Relu),
        "Reshape" => l::reshape,
        "Shape" => c::shape,
        "Sigmoid" => |build| e::unary(build, e::Unary::Sigmoid),
        "Sign" if version >= 9 => |build| e::unary(build, e::Unary::Sign),
        "Slice" if version >= 10 => slice::slice,
        "Softmax" => r::softmax,
        "Softplus" => |build| e::unary(build, e::Unary::Softplus),
        "Split" => join::split,
        "Sqrt" => |build| e::unary(build, e::Unary::Sqrt),
        "Squeeze" => l::squeeze,
        "Sub" => |build| a::arithmetic(build, a::Arithmetic::Sub),
        "Sum" if version >= 8 => |build| a::variadic(build, a::Variadic::Sum),
        "Tanh" => |build| e::unary(build, e::Unary::Tanh),
        "TopK" => s::top_k,
        "Transpose" => l::transpose,
        "Unsqueeze" => l::unsqueeze,
        "Where" if version >= 9 => a::choose,
        "Xor" => |build| a::logic(build, a::Logic::Xor),
        _ => return None,
    })
}

fn for_tables(operator: &str, version: i64) -> Option<Builder> {
    Some(match operator {
        "ArrayFeatureExtractor" => select::array_feature_extractor,
        "Binarizer" => prepare::binarizer,
        "CategoryMapper" => labels::category_mapper,
        "FeatureVectorizer" => join::feature_vectorizer,
        "Imputer" => prepare::imputer,
        "LabelEncoder" if version >= 2 => labels::label_encoder,
        "LabelEncoder" => labels::label_encoder_1,
        "LinearClassifier" => linear::classifier,
        "LinearRegressor" => linear::regressor,
        "Normalizer" => prepare::normalizer,
        "OneHotEncoder" => encode::one_hot,
        "SVMClassifier" => svm::classifier,
        "SVMRegressor" => svm::regressor,
        "Scaler" => prepare::scaler,
        "TreeEnsembleClassifier" => trees::classifier,
        "TreeEnsembleRegressor" => trees::regressor,
        "ZipMap" => labels::zip_map,
        _ => return None,
    })
}
