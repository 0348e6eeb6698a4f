//! Limits on what comes from outside: model files, tensors, calls, training tables.

/// Bytes of a model file. While it is loaded, what is decoded takes a few times as much memory, at most some 3 GiB:
/// lists of numbers and texts are longer in memory than in the file, which is why [`NUMBERS`] and [`TEXTS`] are bounded.
pub const MODEL_BYTES: usize = 256 * 1024 * 1024;

/// Numbers in lists, all attributes and constants of a file together; raw bytes of constants are not counted.
pub const NUMBERS: usize = 1 << 26;

/// Texts in lists, all attributes and constants of a file together. A tree has one for each node.
pub const TEXTS: usize = 1 << 23;

/// Graphs within graphs (bodies of loops), the outermost counted.
pub const GRAPH_DEPTH: usize = 4;

/// Nodes of all graphs of a model together.
pub const NODES: usize = 50_000;

/// Values of all graphs of a model together: inputs, constants, outputs of nodes.
pub const VALUES: usize = 200_000;

/// Inputs or outputs of one node.
pub const NODE_VALUES: usize = 4_096;

/// Attributes of one node.
pub const ATTRIBUTES: usize = 64;

/// Inputs or outputs of a model.
pub const PORTS: usize = 4_096;

/// Operator sets that a model names.
pub const OPERATOR_SETS: usize = 32;

/// Bytes of a name: of a value, node, operator, domain or attribute.
pub const NAME_BYTES: usize = 1_024;

/// Dimensions of a tensor.
pub const RANK: usize = 8;

/// Elements of one tensor.
pub const ELEMENTS: usize = 1 << 28;

/// Bytes of one text in a tensor.
pub const TEXT_BYTES: usize = 64 * 1024;

/// Rows that one call may bring, whatever the model needs for each.
pub const ROWS: usize = 65_536;

/// What a dimension other than the first may be at most where a model leaves it open.
pub const OPEN_DIMENSION: usize = 4_096;

/// Bytes of all tensors that are alive at once in one call, texts not counted: those are the caller's or the model's.
pub const CALL_BYTES: u64 = 512 * 1024 * 1024;

/// Elementary steps of one call: elements read or written, products, comparisons, of about two nanoseconds each. About
/// a minute at most.
pub const CALL_STEPS: u64 = 30_000_000_000;

/// Bytes of constants that are worked out once while a model is loaded.
pub const FOLDED_BYTES: u64 = 64 * 1024 * 1024;

/// Elementary steps of working them out.
pub const FOLDED_STEPS: u64 = 1 << 30;

/// Elements of a list that describes a shape and is followed while a model is loaded.
pub const SHAPE_VALUES: usize = 64;

/// Outputs or classes of one ensemble of trees, linear model or support vector machine.
pub const CLASSES: usize = 65_535;

/// Columns of a table to train on.
pub const TRAIN_COLUMNS: usize = 1_000;

/// Rows of a table to train on.
pub const TRAIN_ROWS: usize = 10_000_000;

/// Different values of a text column that get a column of their own; rarer ones count as none of these.
pub const TRAIN_CATEGORIES: usize = 256;

/// Columns after texts have become one column for each category.
pub const TRAIN_FEATURES: usize = 4_096;

/// Different labels to learn.
pub const TRAIN_CLASSES: usize = 100;

/// Cells of the encoded training table: rows times columns.
pub const TRAIN_CELLS: usize = 1 << 26;

/// Trees that the baseline trainer grows, all classes together.
pub const TRAIN_TREES: usize = 10_000;

/// Depth of a tree that the baseline trainer grows.
pub const TRAIN_DEPTH: usize = 12;

/// Passes over the table of the baseline trainer's logistic regression.
pub const TRAIN_STEPS: usize = 10_000;
