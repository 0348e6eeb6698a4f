//! From what was learned to an ONNX file.

use super::boosted::{Forest, Node};
use super::encode::Encoder;
use super::logistic::Weights;
use super::{Cells, Column};
use crate::onnx::write::{GraphWriter, NodeWriter};
use crate::signature::Labels;

const TABLES: &str = "ai.onnx.ml";
/// The names of the values between inputs and outputs begin with this.
const INNER: &str = "bartizan:";
/// The outputs.
const LABEL: &str = "label";
const PROBABILITIES: &str = "probabilities";

const FLOAT: i64 = 1;
const INT64: i64 = 7;
const STRING: i64 = 8;

/// Whether a column must not be called that.
pub(crate) fn is_reserved(name: &str) -> bool {
    name == LABEL || name == PROBABILITIES || name.starts_with(INNER)
}

/// A logistic regression: prepare, scale, weigh, softmax.
#[expect(clippy::cast_possible_truncation, reason = "a model's constants are 32-bit floats")]
pub(crate) fn logistic(columns: &[Column], encoder: &Encoder, labels: &Labels, weights: &Weights) -> Vec<u8> {
    let mut graph = GraphWriter::new("logistic");
    let features = prepare(&mut graph, columns, encoder, true);
    let coefficients: Vec<f32> = weights.coefficients.iter().map(|weight| *weight as f32).collect();
    let intercepts: Vec<f32> = weights.intercepts.iter().map(|weight| *weight as f32).collect();
    let node = NodeWriter::new(TABLES, "LinearClassifier", &[&features], &[LABEL, PROBABILITIES])
        .floats("coefficients", &coefficients)
        .floats("intercepts", &intercepts)
        .integer("multi_class", 0)
        .text("post_transform", "SOFTMAX");
    graph.node(&with_labels(node, labels, "classlabels_ints"));
    finish(graph, labels)
}

/// Boosted trees: prepare, walk, transform. Base values are a tree of one leaf, because tools disagree about the
/// attribute `base_values` with two classes.
#[expect(clippy::cast_possible_truncation, reason = "a model's constants are 32-bit floats")]
pub(crate) fn boosted(columns: &[Column], encoder: &Encoder, labels: &Labels, forest: &Forest) -> Vec<u8> {
    let mut graph = GraphWriter::new("boosted");
    let features = prepare(&mut graph, columns, encoder, false);
    let two = forest.base.len() == 2;
    let mut lists = Lists::default();
    let base = forest.base.iter().enumerate();
    lists.leaf(0, 0);
    if two {
        lists.pair(0, 0, forest.base.get(1).copied().unwrap_or(0.0) as f32);
    } else {
        base.for_each(|(class, weight)| lists.weight(0, 0, class, *weight as f32));
    }
    for (index, (class, nodes)) in forest.trees.iter().enumerate() {
        for (id, node) in nodes.iter().enumerate() {
            match node {
                Node::Branch { feature, threshold, yes } => {
                    lists.branch(index + 1, id, *feature, *threshold, *yes)
                }
                Node::Leaf { weight } => {
                    lists.leaf(index + 1, id);
                    if two {
                        lists.pair(index + 1, id, *weight as f32);
                    } else {
                        lists.weight(index + 1, id, *class, *weight as f32);
                    }
                }
            }
        }
    }
    let node = NodeWriter::new(TABLES, "TreeEnsembleClassifier", &[&features], &[LABEL, PROBABILITIES]);
    let node = lists.write(node).text("post_transform", if two { "LOGISTIC" } else { "SOFTMAX" });
    graph.node(&with_labels(node, labels, "classlabels_int64s"));
    finish(graph, labels)
}

/// Writes the nodes that turn the columns into features, and returns the name of their result.
fn prepare(graph: &mut GraphWriter, columns: &[Column], encoder: &Encoder, scale: bool) -> String {
    let (mut numbers, mut encoded) = (Vec::new(), Vec::new());
    let mut categories = encoder.texts.iter();
    for (index, column) in columns.iter().enumerate() {
        match &column.cells {
            Cells::Numbers(_) => {
                graph.input(&column.name, FLOAT, 1);
                numbers.push(column.name.as_str());
            }
            Cells::Texts(_) => {
                graph.input(&column.name, STRING, 1);
                let output = format!("{INNER}one-hot {index}");
                let node = NodeWriter::new(TABLES, "OneHotEncoder", &[&column.name], &[&output]);
                let known = categories.next().map(Vec::as_slice).unwrap_or_default();
                graph.node(&node.texts("cats_strings", known).integer("zeros", 1));
                encoded.push(output);
            }
        }
    }
    let inner = |name: &str| format!("{INNER}{name}");
    let mut parts = Vec::new();
    if !numbers.is_empty() {
        let list =
            |value: fn(&super::encode::Number) -> f32| encoder.numbers.iter().map(value).collect::<Vec<_>>();
        let (joined, imputed, scaled) = (inner("numbers"), inner("imputed"), inner("scaled"));
        graph.node(&NodeWriter::new("", "Concat", &numbers, &[&joined]).integer("axis", 1));
        let imputer = NodeWriter::new(TABLES, "Imputer", &[&joined], &[&imputed]);
        let medians = list(|number| number.median);
        graph.node(&imputer.floats("imputed_value_floats", &medians).float("replaced_value_float", f32::NAN));
        if scale {
            let scaler = NodeWriter::new(TABLES, "Scaler", &[&imputed], &[&scaled]);
            let scaler = scaler.floats("offset", &list(|number| number.offset));
            graph.node(&scaler.floats("scale", &list(|number| number.scale)));
        }
        parts.push(if scale { scaled } else { imputed });
    }
    if !encoded.is_empty() {
        let (joined, flat) = (inner("categories"), inner("flat"));
        let encoded: Vec<&str> = encoded.iter().map(String::as_str).collect();
        graph.node(&NodeWriter::new("", "Concat", &encoded, &[&joined]).integer("axis", 2));
        graph.node(&NodeWriter::new("", "Flatten", &[&joined], &[&flat]).integer("axis", 1));
        parts.push(flat);
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let features = inner("features");
    graph.node(&NodeWriter::new("", "Concat", &parts, &[&features]).integer("axis", 1));
    features
}

fn with_labels(node: NodeWriter, labels: &Labels, integers: &str) -> NodeWriter {
    match labels {
        Labels::Integers(labels) => node.integers(integers, labels),
        Labels::Texts(labels) => node.texts("classlabels_strings", labels),
    }
}

fn finish(mut graph: GraphWriter, labels: &Labels) -> Vec<u8> {
    let element = if matches!(labels, Labels::Integers(_)) { INT64 } else { STRING };
    graph.output(LABEL, element, None);
    graph.output(PROBABILITIES, FLOAT, Some(labels.len()));
    graph.finish("bartizan")
}

/// The lists of a tree ensemble.
#[derive(Debug, Default)]
struct Lists {
    trees: Vec<i64>,
    ids: Vec<i64>,
    features: Vec<i64>,
    modes: Vec<&'static str>,
    thresholds: Vec<f32>,
    yes: Vec<i64>,
    no: Vec<i64>,
    weight_trees: Vec<i64>,
    weight_ids: Vec<i64>,
    classes: Vec<i64>,
    weights: Vec<f32>,
}

fn integer(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

impl Lists {
    fn node(
        &mut self,
        tree: usize,
        id: usize,
        mode: &'static str,
        feature: usize,
        threshold: f32,
        children: [i64; 2],
    ) {
        let [yes, no] = children;
        self.trees.push(integer(tree));
        self.ids.push(integer(id));
        self.features.push(integer(feature));
        self.modes.push(mode);
        self.thresholds.push(threshold);
        self.yes.push(yes);
        self.no.push(no);
    }

    fn branch(&mut self, tree: usize, id: usize, feature: usize, threshold: f32, yes: usize) {
        self.node(tree, id, "BRANCH_LEQ", feature, threshold, [integer(yes), integer(yes) + 1]);
    }

    fn leaf(&mut self, tree: usize, id: usize) {
        self.node(tree, id, "LEAF", 0, 0.0, [0, 0]);
    }

    fn weight(&mut self, tree: usize, id: usize, class: usize, weight: f32) {
        self.weight_trees.push(integer(tree));
        self.weight_ids.push(integer(id));
        self.classes.push(integer(class));
        self.weights.push(weight);
    }

    /// A margin of the second of two classes.
    fn pair(&mut self, tree: usize, id: usize, weight: f32) {
        self.weight(tree, id, 0, -weight);
        self.weight(tree, id, 1, weight);
    }

    fn write(&self, node: NodeWriter) -> NodeWriter {
        node.integers("nodes_treeids", &self.trees)
            .integers("nodes_nodeids", &self.ids)
            .integers("nodes_featureids", &self.features)
            .texts("nodes_modes", &self.modes)
            .floats("nodes_values", &self.thresholds)
            .integers("nodes_truenodeids", &self.yes)
            .integers("nodes_falsenodeids", &self.no)
            .integers("class_treeids", &self.weight_trees)
            .integers("class_nodeids", &self.weight_ids)
            .integers("class_ids", &self.classes)
            .floats("class_weights", &self.weights)
    }
}
