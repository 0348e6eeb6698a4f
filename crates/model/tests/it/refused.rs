//! Files that are not models, models that are hostile, and calls that are not what a model takes.

use bartizan_model::{GraphInvalid, LoadFailed, Model, NodeInvalid, RunFailed, Tensor, Values, limits};

use crate::cases::chain;
use crate::writer::{
    FLOAT, Graph, INT64, Proto, TEXT, floats, graph_attribute, int, int64s, ints, model, node, one, port,
    raw_floats, text, texts,
};

fn relu(input: &str, output: &str) -> Proto {
    node("Relu", &[input], &[output], &[])
}

fn why(bytes: &[u8]) -> String {
    chain(&Model::load(bytes).expect_err("the file is refused"))
}

fn says(bytes: &[u8], part: &str) {
    let why = why(bytes);
    assert!(why.contains(part), "`{why}` does not say `{part}`");
}

fn floats_of(shape: &[usize], values: &[f32]) -> Tensor {
    Tensor::new(shape.to_vec(), Values::F32(values.to_vec())).unwrap()
}

#[test]
fn everything_unsupported_is_named_at_once() {
    let body = Graph { nodes: vec![node("Inner", &["X"], &["Z"], &[])], ..Graph::default() };
    let graph = Graph {
        nodes: vec![
            node("com.example:Frobnicate", &["X"], &["A"], &[]),
            node("NonZero", &["A"], &["B"], &[graph_attribute("body", &body.message())]),
            relu("B", "Y"),
        ],
        constants: vec![Proto::default().int(1, 1).int(2, 16).bytes(8, "brain")],
        inputs: vec![port("X", 10, &[-1, 2])],
        outputs: vec![port("Y", FLOAT, &[-1, 2])],
    };
    let bytes = model(&graph.message(), &[("", 99), ("com.example", 1)]);
    let Err(LoadFailed::Unsupported { what }) = Model::load(&bytes) else { panic!("{}", why(&bytes)) };
    let expected = [
        "constant `brain` of element type 16",
        "input `X` of element type 10",
        "operator `ai.onnx.Inner`",
        "operator `ai.onnx.NonZero`",
        "operator `com.example.Frobnicate`",
        "operator set `ai.onnx` in version 99",
    ];
    assert_eq!(what, expected);
}

#[test]
fn random_and_cut_files_are_refused() {
    says(b"", "no graph");
    says(b"this is a text and no model", "not an ONNX model");
    says(&[0xff; 64], "does not end or is too large");
    let whole = one(relu("X", "Y"), 2, &[]);
    assert!(Model::load(&whole).is_ok());
    for length in 0..whole.len() {
        // A file cut between two fields is still a message; it must not be one that answers differently.
        if let Ok(model) = Model::load(&whole[..length]) {
            assert_eq!(model.signature(), Model::load(&whole).unwrap().signature());
        }
    }
}

#[test]
fn cycles_and_gaps_are_refused() {
    let mut graph = Graph {
        nodes: vec![relu("B", "A"), relu("A", "B"), node("Add", &["X", "B"], &["Y"], &[])],
        inputs: vec![port("X", FLOAT, &[-1, 2])],
        outputs: vec![port("Y", FLOAT, &[-1, 2])],
        ..Graph::default()
    };
    assert!(matches!(Model::load(&graph.model()), Err(LoadFailed::Graph(GraphInvalid::Cycle { .. }))));
    graph.nodes = vec![relu("Y", "Y")];
    assert!(matches!(Model::load(&graph.model()), Err(LoadFailed::Graph(GraphInvalid::Cycle { .. }))));
    graph.nodes = vec![relu("elsewhere", "Y")];
    assert!(matches!(Model::load(&graph.model()), Err(LoadFailed::Graph(GraphInvalid::Undefined { .. }))));
}

#[test]
fn names_are_unique() {
    let graph = |nodes: Vec<Proto>, constants: Vec<Proto>, outputs: Vec<Proto>| {
        Graph { nodes, constants, inputs: vec![port("X", FLOAT, &[-1, 2])], outputs }.model()
    };
    let y = || port("Y", FLOAT, &[-1, 2]);
    let c = || raw_floats("c", &[1], &[1.0]);
    for twice in [
        graph(vec![relu("X", "Y"), relu("X", "Y")], vec![], vec![y()]),
        graph(vec![relu("Y", "X")], vec![], vec![y()]),
        graph(vec![relu("X", "Y")], vec![c(), c()], vec![y()]),
        graph(vec![relu("X", "Y")], vec![], vec![y(), y()]),
        graph(vec![relu("X", "Y"), relu("X", "c")], vec![c()], vec![y()]),
    ] {
        assert!(matches!(Model::load(&twice), Err(LoadFailed::Graph(GraphInvalid::DuplicateName { .. }))));
    }
    says(
        &one(node("LeakyRelu", &["X"], &["Y"], &[int("alpha", 1), int("alpha", 1)]), 2, &[]),
        "attributes of one name",
    );
}

#[test]
fn other_files_are_never_named() {
    let elsewhere = raw_floats("c", &[1], &[1.0])
        .message(13, &Proto::default().bytes(1, "location").bytes(2, "/etc/passwd"));
    says(&one(node("Add", &["X", "c"], &["Y"], &[]), 2, &[elsewhere]), "other files are never opened");
    let elsewhere = Proto::default().int(2, FLOAT).bytes(8, "c").int(14, 1);
    says(&one(node("Add", &["X", "c"], &["Y"], &[]), 2, &[elsewhere]), "other files are never opened");
}

#[test]
fn absurd_shapes_are_refused() {
    let add = || node("Add", &["X", "c"], &["Y"], &[]);
    for dims in [[i64::MAX, i64::MAX], [1 << 31, 1 << 31], [-1, 4], [1 << 20, 1 << 20]] {
        let constant = raw_floats("c", &dims, &[1.0]);
        says(&one(add(), 2, &[constant]), "the constant `c` is not valid");
    }
    says(&one(add(), 2, &[raw_floats("c", &[1; 9], &[1.0])]), "too many dimensions");
    says(&one(relu("X", "Y"), i64::MAX, &[]), "with a dimension of");
    // Each element fits, all of them do not: 2^28 columns of 4 bytes in and out.
    says(&one(relu("X", "Y"), 1 << 28, &[]), "bytes");
    let expand = |dims: &[i64]| {
        let target = int64s("to", &[i64::try_from(dims.len()).unwrap()], dims);
        one(node("Expand", &["X", "to"], &["Y"], &[]), 1, &[target])
    };
    says(&expand(&[1 << 28, 1 << 28, 1, 1]), "bytes");
    says(&expand(&[1 << 30, 1]), "bytes");
    assert!(Model::load(&expand(&[1, 1])).is_ok());
    let grow = |count: i64| {
        let fill = node("ConstantOfShape", &["to"], &["Y"], &[]);
        one(fill, 1, &[int64s("to", &[1], &[count])])
    };
    says(&grow(1 << 28), "bytes");
    says(&grow(1 << 40), "a dimension that is too long");
    says(&grow(-2), "shapes");
}

#[test]
fn deep_nesting_is_refused() {
    let mut graph = Graph { nodes: vec![relu("X", "Y")], ..Graph::default() };
    for _ in 0..limits::GRAPH_DEPTH {
        let outer = node("Scan", &["X"], &["Y"], &[graph_attribute("body", &graph.message())]);
        graph = Graph { nodes: vec![outer], ..Graph::default() };
    }
    says(&graph.model(), "nested too deeply");
    // Much deeper than any stack: refused at the limit, not followed.
    let mut message = Proto::default();
    for _ in 0..20_000 {
        let attribute = Proto::default().bytes(1, "b").message(6, &message);
        message = Proto::default().message(1, &Proto::default().message(5, &attribute));
        if message.0.len() > 1 << 20 {
            break;
        }
    }
    says(&model(&message, &[("", 17)]), "nested too deeply");
}

#[test]
fn long_chains_do_not_overflow_the_stack() {
    let names: Vec<String> = (0..20_000).map(|index| format!("v{index}")).collect();
    let mut nodes: Vec<Proto> = names.windows(2).map(|pair| relu(&pair[0], &pair[1])).collect();
    nodes.push(relu("X", "v0"));
    nodes.push(relu(names.last().unwrap(), "Y"));
    let graph = Graph {
        nodes,
        inputs: vec![port("X", FLOAT, &[-1, 1])],
        outputs: vec![port("Y", FLOAT, &[-1, 1])],
        ..Graph::default()
    };
    let model = Model::load(&graph.model()).unwrap();
    assert_eq!(model.run(&[("X", floats_of(&[1, 1], &[2.0]))]).unwrap(), [floats_of(&[1, 1], &[2.0])]);
}

#[test]
fn attributes_are_held_to_what_operators_know() {
    says(
        &one(node("Relu", &["X"], &["Y"], &[int("surprise", 1)]), 2, &[]),
        "attribute `surprise` is not known",
    );
    says(&one(node("Concat", &["X", "X"], &["Y"], &[]), 2, &[]), "attribute `axis` is missing");
    says(&one(node("Concat", &["X", "X"], &["Y"], &[int("axis", 7)]), 2, &[]), "outside of the dimensions");
    says(&one(node("Concat", &["X", "X"], &["Y"], &[text("axis", "1")]), 2, &[]), "not a whole number");
    says(&one(node("Not", &["X"], &["Y"], &[]), 2, &[]), "input 0 is of type float");
    says(&one(node("Add", &["X"], &["Y"], &[]), 2, &[]), "input 1 is missing");
    says(&one(node("Relu", &["X"], &["Y", "Z"], &[]), 2, &[]), "as many outputs");
    let scaler = [floats("offset", &[1.0, 2.0, 3.0]), floats("scale", &[1.0])];
    says(&one(node("ai.onnx.ml:Scaler", &["X"], &["Y"], &scaler), 2, &[]), "one for each column");
    let reshape = Graph {
        nodes: vec![node("Reshape", &["X", "to"], &["Y"], &[])],
        inputs: vec![port("X", FLOAT, &[-1, 2]), port("to", INT64, &[2])],
        outputs: vec![port("Y", FLOAT, &[-1, 2])],
        ..Graph::default()
    };
    let Err(LoadFailed::Graph(GraphInvalid::Node { source, .. })) = Model::load(&reshape.model()) else {
        panic!()
    };
    assert_eq!(source, NodeInvalid::NotConstant { index: 1 });
}

/// A tree of one question over nodes 0, 1, 2 with whatever is changed about it.
fn tree(change: impl Fn(&str) -> Option<Proto>) -> Vec<u8> {
    let lists = [
        ints("nodes_treeids", &[0, 0, 0]),
        ints("nodes_nodeids", &[0, 1, 2]),
        ints("nodes_featureids", &[0, 0, 0]),
        texts("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"]),
        floats("nodes_values", &[0.5, 0.0, 0.0]),
        ints("nodes_truenodeids", &[1, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 0]),
        ints("target_treeids", &[0, 0]),
        ints("target_nodeids", &[1, 2]),
        ints("target_ids", &[0, 0]),
        floats("target_weights", &[10.0, 20.0]),
    ];
    let names = [
        "nodes_treeids",
        "nodes_nodeids",
        "nodes_featureids",
        "nodes_modes",
        "nodes_values",
        "nodes_truenodeids",
        "nodes_falsenodeids",
        "target_treeids",
        "target_nodeids",
        "target_ids",
        "target_weights",
    ];
    let lists: Vec<Proto> =
        names.iter().zip(lists).map(|(name, list)| change(name).unwrap_or(list)).collect();
    one(node("ai.onnx.ml:TreeEnsembleRegressor", &["X"], &["Y"], &lists), 2, &[])
}

#[test]
fn trees_are_trees() {
    let model = Model::load(&tree(|_| None)).unwrap();
    let rows = floats_of(&[3, 2], &[0.5, 9.0, 0.6, 9.0, f32::NAN, 9.0]);
    assert_eq!(model.run(&[("X", rows)]).unwrap(), [floats_of(&[3, 1], &[10.0, 20.0, 20.0])]);
    let changed = |which: &'static str, list: Proto| tree(move |name| (name == which).then(|| list.clone()));
    says(&changed("nodes_truenodeids", ints("nodes_truenodeids", &[0, 0, 0])), "do not form trees");
    says(&changed("nodes_truenodeids", ints("nodes_truenodeids", &[2, 0, 0])), "do not form trees");
    says(&changed("nodes_falsenodeids", ints("nodes_falsenodeids", &[9, 0, 0])), "a node that is not there");
    says(&changed("nodes_nodeids", ints("nodes_nodeids", &[0, 1, 1])), "has a node twice");
    says(&changed("nodes_values", floats("nodes_values", &[0.5])), "differ in length");
    says(
        &changed("nodes_modes", texts("nodes_modes", &["BRANCH_ODD", "LEAF", "LEAF"])),
        "a mode that does not exist",
    );
    says(&changed("nodes_featureids", ints("nodes_featureids", &[-1, 0, 0])), "a feature out of range");
    says(&changed("target_ids", ints("target_ids", &[0, 7])), "an output that does not exist");
    says(&changed("target_nodeids", ints("target_nodeids", &[0, 2])), "no leaf");
    // A feature beyond the table is found when the rows come.
    let wide = Model::load(&changed("nodes_featureids", ints("nodes_featureids", &[5, 0, 0]))).unwrap();
    assert!(matches!(wide.run(&[("X", floats_of(&[1, 2], &[0.0; 2]))]), Err(RunFailed::Node { .. })));
}

#[test]
fn a_loop_cannot_run_away() {
    // The state would double in every turn.
    let body = Graph {
        nodes: vec![
            node("Concat", &["s", "s"], &["t"], &[int("axis", 0)]),
            node("Identity", &["x"], &["o"], &[]),
        ],
        inputs: vec![port("s", FLOAT, &[]), port("x", FLOAT, &[])],
        outputs: vec![port("t", FLOAT, &[]), port("o", FLOAT, &[])],
        ..Graph::default()
    };
    let scan = node(
        "Scan",
        &["c", "X"],
        &["T", "Y"],
        &[int("num_scan_inputs", 1), graph_attribute("body", &body.message())],
    );
    says(&one(scan, 2, &[raw_floats("c", &[1], &[1.0])]), "changes its type or shape");
    // A product of everything with everything is bounded by the square of the rows, and the rows follow from that.
    let graph = Graph {
        nodes: vec![node("Transpose", &["X"], &["T"], &[]), node("MatMul", &["X", "T"], &["Y"], &[])],
        inputs: vec![port("X", FLOAT, &[-1, 2])],
        outputs: vec![port("Y", FLOAT, &[-1, -1])],
        ..Graph::default()
    };
    let model = Model::load(&graph.model()).unwrap();
    assert!(model.most_rows() < 2_000, "{}", model.most_rows());
    let rows = model.most_rows() + 1;
    let failed = model.run(&[("X", floats_of(&[rows, 2], &vec![0.0; rows * 2]))]);
    assert!(matches!(failed, Err(RunFailed::TooManyRows { .. })));
}

#[test]
fn calls_are_held_to_the_signature() {
    let graph = Graph {
        nodes: vec![node("Add", &["X", "Z"], &["Y"], &[])],
        inputs: vec![port("X", FLOAT, &[-1, 2]), port("Z", FLOAT, &[-1, 2])],
        outputs: vec![port("Y", FLOAT, &[77])],
        ..Graph::default()
    };
    let model = Model::load(&graph.model()).unwrap();
    let two = || floats_of(&[1, 2], &[1.0, 2.0]);
    assert_eq!(model.run(&[("Z", two()), ("X", two())]).unwrap(), [floats_of(&[1, 2], &[2.0, 4.0])]);
    assert!(matches!(model.run(&[("X", two())]), Err(RunFailed::Missing { .. })));
    assert!(matches!(model.run(&[("X", two()), ("Z", two()), ("W", two())]), Err(RunFailed::Unknown { .. })));
    assert!(matches!(model.run(&[("X", two()), ("X", two())]), Err(RunFailed::Twice { .. })));
    let three = floats_of(&[1, 3], &[0.0; 3]);
    assert!(matches!(model.run(&[("X", two()), ("Z", three)]), Err(RunFailed::Shape { .. })));
    let more = floats_of(&[2, 2], &[0.0; 4]);
    assert!(matches!(model.run(&[("X", two()), ("Z", more)]), Err(RunFailed::RowsDiffer { .. })));
    let numbers = Tensor::new(vec![1, 2], Values::I64(vec![1, 2])).unwrap();
    assert!(matches!(model.run(&[("X", two()), ("Z", numbers)]), Err(RunFailed::Element { .. })));
    let none = floats_of(&[0, 2], &[]);
    assert_eq!(model.run(&[("X", none.clone()), ("Z", none.clone())]).unwrap(), [none]);
}

#[test]
fn a_value_without_an_answer_is_an_error() {
    let divide = Graph {
        nodes: vec![node("Div", &["X", "X"], &["Y"], &[])],
        inputs: vec![port("X", INT64, &[-1])],
        outputs: vec![port("Y", INT64, &[-1])],
        ..Graph::default()
    };
    let model = Model::load(&divide.model()).unwrap();
    let numbers = |values: Vec<i64>| Tensor::new(vec![values.len()], Values::I64(values)).unwrap();
    assert_eq!(model.run(&[("X", numbers(vec![7]))]).unwrap(), [numbers(vec![1])]);
    assert!(matches!(model.run(&[("X", numbers(vec![0]))]), Err(RunFailed::Node { .. })));
    let strict = Graph {
        nodes: vec![node(
            "ai.onnx.ml:OneHotEncoder",
            &["X"],
            &["Y"],
            &[texts("cats_strings", &["a"]), int("zeros", 0)],
        )],
        inputs: vec![port("X", TEXT, &[-1])],
        outputs: vec![port("Y", FLOAT, &[-1, 1])],
        ..Graph::default()
    };
    let model = Model::load(&strict.model()).unwrap();
    let texts = |text: &str| Tensor::new(vec![1], Values::Text(vec![text.into()])).unwrap();
    assert_eq!(model.run(&[("X", texts("a"))]).unwrap(), [floats_of(&[1, 1], &[1.0])]);
    assert!(matches!(model.run(&[("X", texts("b"))]), Err(RunFailed::Node { .. })));
}

#[test]
fn nothing_has_an_answer_too() {
    let empty = |name: &str, dims: &[i64]| raw_floats(name, dims, &[]);
    let numbers = |name: &str, values: &[i64]| int64s(name, &[i64::try_from(values.len()).unwrap()], values);
    let run = |node: Proto, constants: &[Proto]| {
        let model = Model::load(&one(node, 2, constants)).unwrap_or_else(|error| panic!("{}", chain(&error)));
        [0, 1, 17].map(|rows| model.run(&[("X", floats_of(&[rows, 2], &vec![1.0; rows * 2]))]))
    };
    // Backwards through no elements, with starts and ends far outside.
    for (start, end, step) in
        [(5, -9, -1), (-1, i64::MIN, -1), (0, i64::MAX, 3), (i64::MAX, i64::MIN, i64::MIN)]
    {
        let constants =
            [numbers("s", &[start]), numbers("e", &[end]), numbers("a", &[0]), numbers("t", &[step])];
        for outcome in run(node("Slice", &["X", "s", "e", "a", "t"], &["Y"], &[]), &constants) {
            outcome.unwrap();
        }
    }
    let big = i64::try_from(limits::ELEMENTS).unwrap();
    let wide = [empty("c", &[0, big])];
    let twice = one(node("Concat", &["c", "c"], &["Y"], &[int("axis", 1)]), 2, &wide);
    says(&twice, "a dimension that is too long");
    says(&one(node("Relu", &["c"], &["Y"], &[]), 2, &[empty("c", &[0, big, big, big])]), "not valid");
    for operator in ["ReduceMax", "ReduceSumSquare", "ArgMax", "Softmax", "Transpose", "Flatten", "Shape"] {
        for outcome in run(node(operator, &["X"], &["Y"], &[]), &[]) {
            assert!(outcome.is_ok() || operator == "ArgMax", "{operator}");
        }
    }
    for outcome in run(node("MatMul", &["X", "w"], &["Y"], &[]), &[empty("w", &[2, 0])]) {
        assert!(outcome.unwrap()[0].values().is_empty());
    }
}

#[test]
fn tensors_are_what_they_say() {
    assert!(Tensor::new(vec![2, 2], Values::F32(vec![0.0; 3])).is_err());
    assert!(Tensor::new(vec![usize::MAX, 2], Values::F32(Vec::new())).is_err());
    assert!(Tensor::new(vec![usize::MAX, 0], Values::F32(Vec::new())).is_err());
    assert!(Tensor::new(vec![limits::ELEMENTS, 0, 2], Values::F32(Vec::new())).is_err());
    assert!(Tensor::new(vec![limits::ELEMENTS, 0], Values::F32(Vec::new())).is_ok());
    assert!(Tensor::new(vec![1; 9], Values::F32(vec![0.0])).is_err());
    let long = "x".repeat(limits::TEXT_BYTES + 1);
    assert!(Tensor::new(vec![1], Values::Text(vec![long.into()])).is_err());
}

/// A model of rows of three floats, cut to no columns, and then `node`.
fn with_nothing_in_it(node: Proto, constants: &[Proto]) -> Vec<u8> {
    let cut = [int64s("from", &[1], &[0]), int64s("axis", &[1], &[1])];
    Graph {
        nodes: vec![crate::writer::node("Slice", &["X", "from", "from", "axis"], &["nothing"], &[]), node],
        constants: [&cut, constants].concat(),
        inputs: vec![port("X", FLOAT, &[-1, 3])],
        outputs: vec![port("Y", FLOAT, &[-1, 1])],
    }
    .model()
}

#[test]
fn lengths_beyond_counting_are_refused_where_nothing_is_in_them() {
    // No bytes, as one dimension is empty, but parts whose lengths together cannot be counted.
    let parts = int64s("parts", &[4], &[1 << 62; 4]);
    let outputs = ["Y", "Y1", "Y2", "Y3"];
    says(
        &with_nothing_in_it(node("Split", &["nothing", "parts"], &outputs, &[int("axis", 0)]), &[parts]),
        "a dimension that is too long",
    );
    let negative = int64s("parts", &[3], &[2, -1, 1]);
    says(&one(node("Split", &["X", "parts"], &["Y", "Z"], &[int("axis", 1)]), 3, &[negative]), "negative");
}

#[test]
fn work_is_bounded_where_there_is_nothing_to_do() {
    // 2^27 places, each looked up as often as there are indices, and nothing at any of them.
    let graph = Graph {
        nodes: vec![
            node("ConstantOfShape", &["long"], &["data"], &[]),
            node(
                "ConstantOfShape",
                &["many"],
                &["at"],
                &[Proto::default().bytes(1, "value").message(5, &int64s("", &[1], &[0])).int(20, 4)],
            ),
            node("Gather", &["data", "at"], &["Y"], &[int("axis", 1)]),
        ],
        constants: vec![int64s("long", &[3], &[1 << 27, 1, 0]), int64s("many", &[1], &[1 << 24])],
        inputs: vec![port("X", FLOAT, &[-1, 1])],
        outputs: vec![port("Y", FLOAT, &[-1, 1])],
    };
    says(&graph.model(), "steps");
}

#[test]
fn long_texts_are_counted_as_work() {
    let keys = [texts("keys_strings", &["a"]), ints("values_int64s", &[1])];
    let graph = Graph {
        nodes: vec![node("ai.onnx.ml:LabelEncoder", &["X"], &["Y"], &keys)],
        inputs: vec![port("X", TEXT, &[-1, 100])],
        outputs: vec![port("Y", INT64, &[-1, 100])],
        ..Graph::default()
    };
    let model = Model::load(&graph.model()).unwrap();
    assert!(model.steps().per_row >= 100 * limits::TEXT_BYTES as u64 / 2);
    assert!(model.most_rows() < limits::ROWS);
}

#[test]
fn turns_of_a_loop_are_counted_as_memory() {
    let body = Graph {
        nodes: vec![relu("x", "y")],
        inputs: vec![port("x", FLOAT, &[])],
        outputs: vec![port("y", FLOAT, &[])],
        ..Graph::default()
    };
    let scan = [int("num_scan_inputs", 1), graph_attribute("body", &body.message())];
    let graph = Graph {
        nodes: vec![node("Scan", &["X"], &["Y"], &scan)],
        inputs: vec![port("X", FLOAT, &[-1])],
        outputs: vec![port("Y", FLOAT, &[-1])],
        ..Graph::default()
    };
    let model = Model::load(&graph.model()).unwrap();
    // A tensor for each turn, until they are joined.
    assert!(model.memory().per_row > 200, "{:?}", model.memory());
    let answer = model.run(&[("X", floats_of(&[3], &[-1.0, 2.0, 3.0]))]).unwrap();
    assert_eq!(answer[0].as_f32().unwrap(), [0.0, 2.0, 3.0]);
}

#[test]
fn lists_are_bounded_in_what_they_hold() {
    let empty = vec![0; 2 * (limits::TEXTS + 1)].chunks(2).flat_map(|_| [9 << 3 | 2, 0]).collect::<Vec<u8>>();
    let mut list = Proto::default().bytes(1, "cats_strings").int(20, 8);
    list.0.extend(empty);
    says(&one(node("ai.onnx.ml:OneHotEncoder", &["X"], &["Y"], &[list]), 1, &[]), "too many texts");
    let numbers = Proto::default().bytes(1, "cats_int64s").bytes(8, vec![1; limits::NUMBERS + 1]).int(20, 7);
    says(&one(node("ai.onnx.ml:OneHotEncoder", &["X"], &["Y"], &[numbers]), 1, &[]), "too many numbers");
}

#[test]
fn what_later_versions_take_is_refused_before_them() {
    let axes = || int64s("axes", &[1], &[0]);
    for (operator, version) in
        [("ReduceMax", 17), ("ReduceSum", 12), ("Squeeze", 12), ("Unsqueeze", 12), ("Split", 12)]
    {
        let graph = Graph {
            nodes: vec![node(operator, &["X", "axes"], &["Y"], &[])],
            constants: vec![axes()],
            inputs: vec![port("X", FLOAT, &[1, 2])],
            outputs: vec![port("Y", FLOAT, &[1, 2])],
        };
        says(&model(&graph.message(), &[("", version)]), "too many inputs");
    }
}

#[test]
fn one_base_value_is_not_for_two_classes_that_both_collect_weights() {
    let forest = |ids: [i64; 2]| {
        let attributes = [
            ints("nodes_treeids", &[0, 0, 0]),
            ints("nodes_nodeids", &[0, 1, 2]),
            ints("nodes_featureids", &[0, 0, 0]),
            texts("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"]),
            floats("nodes_values", &[0.0; 3]),
            ints("nodes_truenodeids", &[1, 0, 0]),
            ints("nodes_falsenodeids", &[2, 0, 0]),
            ints("class_treeids", &[0, 0]),
            ints("class_nodeids", &[1, 2]),
            ints("class_ids", &ids),
            floats("class_weights", &[1.0, -1.0]),
            ints("classlabels_int64s", &[0, 1]),
            floats("base_values", &[0.5]),
        ];
        one(node("ai.onnx.ml:TreeEnsembleClassifier", &["X"], &["L", "Y"], &attributes), 1, &[])
    };
    assert!(Model::load(&forest([0, 0])).is_ok());
    says(&forest([0, 1]), "not as long as there are classes");
}

#[test]
fn a_call_without_rows_is_answered_without_rows() {
    let graph = Graph {
        nodes: vec![
            node("Shape", &["X"], &["shape"], &[]),
            node("Gather", &["shape", "turned"], &["other"], &[]),
            node("Reshape", &["X", "other"], &["Y"], &[]),
        ],
        constants: vec![int64s("turned", &[2], &[1, 0])],
        inputs: vec![port("X", FLOAT, &[-1, 2])],
        outputs: vec![port("Y", FLOAT, &[-1, 2])],
    };
    let model = Model::load(&graph.model()).unwrap();
    let answer = model.run(&[("X", floats_of(&[0, 2], &[]))]).unwrap();
    assert_eq!(answer[0].shape(), [2, 0]);
}
