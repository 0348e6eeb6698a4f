//! From the lists of a tree ensemble's attributes to trees that are checked: whole, without cycles, small enough.

use std::collections::HashMap;

use crate::node::{Attributes, NodeInvalid, value};
use crate::tensor::{Tensor, Values};

/// How a branch decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    LessOrEqual,
    Less,
    GreaterOrEqual,
    Greater,
    Equal,
    NotEqual,
}

/// A node of a tree; children are indices of other nodes.
#[derive(Debug, Clone)]
pub(crate) enum Node<T> {
    Branch { mode: Mode, feature: u32, threshold: T, yes: usize, no: usize, missing_is_yes: bool },
    Leaf { weights: Vec<(u32, T)> },
}

/// The trees of an ensemble.
#[derive(Debug)]
pub(crate) struct Forest<T> {
    pub(crate) nodes: Vec<Node<T>>,
    /// The root of each tree, in the order of the file.
    pub(crate) roots: Vec<usize>,
    /// The largest feature that is asked for.
    pub(crate) most_feature: u32,
}

/// The type of thresholds and weights.
pub(crate) trait Number: Copy + PartialOrd + std::fmt::Debug + Send + Sync + 'static {
    /// The list in the attribute `name`, or in the tensor attribute `name_as_tensor`.
    fn take(attributes: &mut Attributes<'_>, name: &str) -> Result<Vec<Self>, NodeInvalid>;
    /// The largest number below this one.
    fn next_down(self) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn over(self, count: u32) -> Self;
    fn is_nan(self) -> bool;
    fn to_f32(self) -> f32;
    fn from_f32(value: f32) -> Self;
    fn from_f64(value: f64) -> Self;
    fn from_i64(value: i64) -> Self;
    const ZERO: Self;
    const NAN: Self;
}

impl Number for f32 {
    fn take(attributes: &mut Attributes<'_>, name: &str) -> Result<Vec<f32>, NodeInvalid> {
        match attributes.tensor(&format!("{name}_as_tensor"))?.as_ref().map(Tensor::values) {
            None => attributes.floats(name),
            Some(Values::F32(values)) if !attributes.has(name) => Ok(values.clone()),
            Some(_) => Err(value(name, "is given as doubles, and the input is not")),
        }
    }
    fn next_down(self) -> f32 {
        f32::next_down(self)
    }
    fn plus(self, other: f32) -> f32 {
        self + other
    }
    fn minus(self, other: f32) -> f32 {
        self - other
    }
    fn over(self, count: u32) -> f32 {
        self / count as f32
    }
    fn is_nan(self) -> bool {
        f32::is_nan(self)
    }
    fn to_f32(self) -> f32 {
        self
    }
    fn from_f32(value: f32) -> f32 {
        value
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "doubles are compared with thresholds that are floats"
    )]
    fn from_f64(value: f64) -> f32 {
        value as f32
    }
    fn from_i64(value: i64) -> f32 {
        value as f32
    }
    const ZERO: f32 = 0.0;
    const NAN: f32 = f32::NAN;
}

impl Number for f64 {
    fn take(attributes: &mut Attributes<'_>, name: &str) -> Result<Vec<f64>, NodeInvalid> {
        match attributes.tensor(&format!("{name}_as_tensor"))?.as_ref().map(Tensor::values) {
            None => Ok(attributes.floats(name)?.into_iter().map(f64::from).collect()),
            Some(Values::F64(values)) if !attributes.has(name) => Ok(values.clone()),
            Some(_) => Err(value(name, "is given as floats in a tensor, or twice")),
        }
    }
    fn next_down(self) -> f64 {
        f64::next_down(self)
    }
    fn plus(self, other: f64) -> f64 {
        self + other
    }
    fn minus(self, other: f64) -> f64 {
        self - other
    }
    fn over(self, count: u32) -> f64 {
        self / f64::from(count)
    }
    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }
    #[expect(clippy::cast_possible_truncation, reason = "scores are rounded to 32 bits once")]
    fn to_f32(self) -> f32 {
        self as f32
    }
    fn from_f32(value: f32) -> f64 {
        f64::from(value)
    }
    fn from_f64(value: f64) -> f64 {
        value
    }
    fn from_i64(value: i64) -> f64 {
        value as f64
    }
    const ZERO: f64 = 0.0;
    const NAN: f64 = f64::NAN;
}

/// Reads the trees; `weights` is `class` or `target`, and its ids are below `outputs`.
pub(crate) fn forest<T: Number>(
    attributes: &mut Attributes<'_>,
    weights: &str,
    outputs: usize,
) -> Result<Forest<T>, NodeInvalid> {
    attributes.ignore(&["nodes_hitrates", "nodes_hitrates_as_tensor"]);
    let trees = attributes.integers("nodes_treeids")?;
    let ids = attributes.integers("nodes_nodeids")?;
    let features = attributes.integers("nodes_featureids")?;
    let modes = attributes.byte_strings("nodes_modes")?;
    let thresholds = T::take(attributes, "nodes_values")?;
    let yes = attributes.integers("nodes_truenodeids")?;
    let no = attributes.integers("nodes_falsenodeids")?;
    let missing = attributes.integers("nodes_missing_value_tracks_true")?;
    let count = trees.len();
    let lengths = [ids.len(), features.len(), modes.len(), thresholds.len(), yes.len(), no.len()];
    if count == 0
        || lengths.iter().any(|length| *length != count)
        || !matches!(missing.len(), 0) && missing.len() != count
    {
        return Err(NodeInvalid::Disagree { what: "the lists of nodes are empty or differ in length" });
    }
    let mut places = HashMap::with_capacity(count);
    for (index, key) in trees.iter().zip(&ids).enumerate() {
        if places.insert((*key.0, *key.1), index).is_some() {
            return Err(value("nodes_nodeids", "has a node twice"));
        }
    }
    let mut nodes = Vec::with_capacity(count);
    let mut most_feature = 0;
    let rows = trees.iter().zip(&features).zip(&modes).zip(&thresholds).zip(yes.iter().zip(&no));
    for (index, ((((tree, feature), mode), threshold), (yes, no))) in rows.enumerate() {
        let Some(mode) = mode_of(mode)? else {
            nodes.push(Node::Leaf { weights: Vec::new() });
            continue;
        };
        let child = |id: &i64| {
            let place = places.get(&(*tree, *id)).copied();
            place.ok_or_else(|| value("nodes_truenodeids", "or its sibling names a node that is not there"))
        };
        let feature = u32::try_from(*feature).ok().filter(|feature| *feature < 1 << 30);
        let feature = feature.ok_or_else(|| value("nodes_featureids", "has a feature out of range"))?;
        most_feature = most_feature.max(feature);
        nodes.push(Node::Branch {
            mode,
            feature,
            threshold: *threshold,
            yes: child(yes)?,
            no: child(no)?,
            missing_is_yes: missing.get(index).is_some_and(|missing| *missing != 0),
        });
    }
    add_weights(attributes, weights, outputs, &places, &mut nodes)?;
    let roots = roots(&nodes, &trees)?;
    Ok(Forest { nodes, roots, most_feature })
}

fn mode_of(mode: &[u8]) -> Result<Option<Mode>, NodeInvalid> {
    Ok(Some(match mode {
        b"LEAF" => return Ok(None),
        b"BRANCH_LEQ" => Mode::LessOrEqual,
        b"BRANCH_LT" => Mode::Less,
        b"BRANCH_GTE" => Mode::GreaterOrEqual,
        b"BRANCH_GT" => Mode::Greater,
        b"BRANCH_EQ" => Mode::Equal,
        b"BRANCH_NEQ" => Mode::NotEqual,
        _ => return Err(value("nodes_modes", "has a mode that does not exist")),
    }))
}

fn add_weights<T: Number>(
    attributes: &mut Attributes<'_>,
    prefix: &str,
    outputs: usize,
    places: &HashMap<(i64, i64), usize>,
    nodes: &mut [Node<T>],
) -> Result<(), NodeInvalid> {
    let trees = attributes.integers(&format!("{prefix}_treeids"))?;
    let ids = attributes.integers(&format!("{prefix}_nodeids"))?;
    let outs = attributes.integers(&format!("{prefix}_ids"))?;
    let weights = T::take(attributes, &format!("{prefix}_weights"))?;
    if trees.is_empty() || [ids.len(), outs.len(), weights.len()].iter().any(|length| *length != trees.len())
    {
        return Err(NodeInvalid::Disagree { what: "the lists of weights are empty or differ in length" });
    }
    for (((tree, id), out), weight) in trees.iter().zip(&ids).zip(&outs).zip(&weights) {
        let out = u32::try_from(*out).ok().filter(|out| (*out as usize) < outputs);
        let out = out.ok_or_else(|| value(&format!("{prefix}_ids"), "has an output that does not exist"))?;
        match places.get(&(*tree, *id)).and_then(|place| nodes.get_mut(*place)) {
            Some(Node::Leaf { weights }) => weights.push((out, *weight)),
            _ => return Err(value(&format!("{prefix}_nodeids"), "has a node that is no leaf")),
        }
    }
    Ok(())
}

/// The root of each tree. Refuses nodes with two parents, trees with two roots, and cycles.
fn roots<T>(nodes: &[Node<T>], trees: &[i64]) -> Result<Vec<usize>, NodeInvalid> {
    const WRONG: NodeInvalid = NodeInvalid::Disagree { what: "the nodes do not form trees" };
    let mut is_child = vec![false; nodes.len()];
    for node in nodes {
        if let Node::Branch { yes, no, .. } = node {
            for child in [yes, no] {
                match is_child.get_mut(*child) {
                    Some(seen) if !*seen => *seen = true,
                    _ => return Err(WRONG),
                }
            }
        }
    }
    let roots: Vec<usize> =
        is_child.iter().enumerate().filter(|(_, child)| !**child).map(|(index, _)| index).collect();
    let mut seen = std::collections::HashSet::new();
    if !roots.iter().all(|root| trees.get(*root).is_some_and(|tree| seen.insert(*tree))) {
        return Err(WRONG);
    }
    // Every node has at most one parent, so what is not below a root lies on a cycle.
    let mut reached = 0_usize;
    let mut stack = roots.clone();
    while let Some(index) = stack.pop() {
        reached += 1;
        if let Some(Node::Branch { yes, no, .. }) = nodes.get(index) {
            stack.extend([*yes, *no]);
        }
    }
    if reached == nodes.len() { Ok(roots) } else { Err(WRONG) }
}
