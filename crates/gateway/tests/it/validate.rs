//! Requests against signatures, and bounds against schemas.

use bartizan_data::Schema;
use bartizan_gateway::validate::{Bounds, BoundsInvalid, Compared, FlagKind, OutOfBounds};
use bartizan_gateway::{Columns, Endpoint, Fallback, Serving, ServingInvalid};
use bartizan_model::{Dimension, ElementType, Port, Signature, Tensor, Values};
use expect_test::expect;
use serde_json::{Value, json};

use crate::asked::{SCHEMA, ask, endpoint, refused, rows, settings, told};
use crate::onnx;
use crate::shelf::Shelf;

#[test]
fn a_request_fits_the_signature_or_is_told_why_not() {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    let good = rows(&[(json!(1), json!(2), "Oslo")]);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        change(&mut body);
        let refusal = refused(ask(&endpoint, &serde_json::to_vec(&body).unwrap()));
        assert_eq!(refusal.status, 400);
        told(&refusal.body) + "\n"
    };
    let told = [
        with(&|body| drop(body["inputs"].as_array_mut().unwrap().pop())),
        with(&|body| body["inputs"][0]["name"] = json!("town")),
        with(&|body| body["inputs"][1]["datatype"] = json!("FP64")),
        with(&|body| body["inputs"][1]["shape"] = json!([1])),
        with(&|body| body["inputs"][1]["shape"] = json!([1, 1, 1])),
        with(&|body| {
            body["inputs"][1]["shape"] = json!([1, 2]);
            body["inputs"][1]["data"] = json!([1, 2]);
        }),
        with(&|body| {
            body["inputs"][1]["shape"] = json!([2, 1]);
            body["inputs"][1]["data"] = json!([1, 2]);
        }),
        with(&|body| *body = rows(&[])),
        with(&|body| body["outputs"] = json!([])),
        with(&|body| body["outputs"] = json!([{"name": "label"}])),
    ];
    expect![[r#"
        mismatch: the input `income` is missing
        mismatch: the model has no input `town`
        mismatch: the input `age` is FP64, and the model takes FP32
        mismatch: the input `age` has the shape [1], and the model takes [-1, 1]
        mismatch: the input `age` has the shape [1, 1, 1], and the model takes [-1, 1]
        mismatch: the input `age` has the shape [1, 2], and the model takes [-1, 1]
        mismatch: the input `income` has 1 rows, and the inputs before it 2
        mismatch: the request has no rows
        mismatch: `outputs` is empty: leave it out to get them all
        mismatch: the model has no output `label`
    "#]]
    .assert_eq(&told.concat());
}

#[test]
fn more_rows_than_a_call_may_bring_are_refused() {
    let shelf = Shelf::new();
    let loaded = shelf.load("other", &onnx::other());
    let serving = Serving::new(loaded, Fallback::Unavailable, None).unwrap();
    let most = serving.most_rows();
    let endpoint = Endpoint::new(settings(), serving);
    let body = json!({"inputs": [{"name": "x", "datatype": "FP32", "shape": [most + 1, 1], "data": vec![0; most + 1]}]});
    let refusal = refused(ask(&endpoint, &serde_json::to_vec(&body).unwrap()));
    assert_eq!(
        told(&refusal.body),
        format!("mismatch: {} rows, and this endpoint takes at most {most} in one request", most + 1)
    );
}

/// One input of rows and so many columns.
fn matrix(element: ElementType, columns: Dimension) -> Signature {
    let shape = vec![Dimension::Rows, columns];
    Signature {
        inputs: vec![Port { name: "X".to_owned(), element, shape, columns: None }],
        outputs: Vec::new(),
    }
}

#[test]
fn the_columns_of_a_matrix_are_checked_by_their_names() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let names = ["income".to_owned(), "age".to_owned()];
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is tested")]
    let narrow = |value: f64| value as f32;
    for element in [ElementType::F32, ElementType::F64] {
        let signature = matrix(element, Dimension::Fixed(2));
        let bounds = Bounds::by_column(&schema, &signature, &names).unwrap();
        let rows = [0.1, 120.0, f64::NAN, f64::NAN, -0.0, -0.0, 0.100_001, 120.001];
        let values = match element {
            ElementType::F32 => Values::F32(rows.map(narrow).to_vec()),
            _ => Values::F64(rows.to_vec()),
        };
        let flags = bounds.check(&[Tensor::new(vec![4, 2], values).unwrap()]);
        let found: Vec<_> = flags
            .flags
            .iter()
            .map(|flag| (flag.column.as_str(), flag.kind, flag.count, flag.first_row))
            .collect();
        let expected = [
            ("income", FlagKind::Above, 1, 3),
            ("age", FlagKind::Missing, 1, 1),
            ("age", FlagKind::Above, 1, 3),
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn columns_that_are_no_columns_of_these_inputs_are_refused() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let two = matrix(ElementType::F32, Dimension::Fixed(2));
    let mut cube = two.clone();
    cube.inputs[0].shape.push(Dimension::Fixed(1));
    let open = matrix(ElementType::F32, Dimension::Open);
    for (signature, names, told) in [
        (&two, &["age"][..], "1 columns are named, and the model's inputs have 2"),
        (&two, &["age", "income", "city"], "3 columns are named, and the model's inputs have 2"),
        (&open, &["age"], "`X` is not rows of a fixed number of columns, so its columns cannot be named"),
        (
            &cube,
            &["age", "income"],
            "`X` is not rows of a fixed number of columns, so its columns cannot be named",
        ),
    ] {
        let order: Vec<String> = names.iter().map(ToString::to_string).collect();
        let refused = Bounds::by_column(&schema, signature, &order).unwrap_err();
        assert_eq!(refused.to_string(), told);
        let columns = Columns { order, ..Columns::default() };
        assert_eq!(columns.check_for(signature).unwrap_err().to_string(), told);
    }
    let own = inputs(&["age", "income"]);
    let swapped = Bounds::by_column(&schema, &own, &["income".to_owned(), "age".to_owned()]).unwrap_err();
    assert_eq!(swapped.to_string(), "the input `age` is the column of that name, and not `income`");
    let twice = Columns { order: vec!["age".to_owned(), "age".to_owned()], ..Columns::default() };
    assert_eq!(
        twice.check_for(&two).unwrap_err().to_string(),
        "`age` is named twice among the columns of the inputs"
    );

    let shelf = Shelf::new();
    let bounds = Bounds::by_column(&schema, &two, &["age".to_owned(), "income".to_owned()]).unwrap();
    let loaded = shelf.load("other", &onnx::other());
    let serving = Serving::new(loaded, Fallback::Unavailable, Some((bounds, OutOfBounds::Flag)));
    assert!(matches!(serving, Err(ServingInvalid::Bounds { .. })), "{serving:?}");
}

#[test]
fn named_columns_go_from_input_to_input_and_those_without_a_rule_are_left_out() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let mut signature = matrix(ElementType::F32, Dimension::Fixed(3));
    signature.inputs.push(Port {
        name: "place".to_owned(),
        element: ElementType::Text,
        shape: vec![Dimension::Rows, Dimension::Fixed(1)],
        columns: None,
    });
    let names = ["height", "age", "income", "city"].map(str::to_owned);
    let bounds = Bounds::by_column(&schema, &signature, &names).unwrap();
    assert_eq!(bounds.compared().as_str(), "some");
    let left: Vec<String> = bounds.uncompared().iter().map(ToString::to_string).collect();
    assert_eq!(left, ["`height`: the schema has no column `height`"]);
    let numbers = Tensor::new(vec![1, 3], Values::F32(vec![9000.0, 9000.0, 0.05])).unwrap();
    let place = Tensor::new(vec![1, 1], Values::Text(vec!["Atlantis".into()])).unwrap();
    let flags = bounds.check(&[numbers, place]).to_string();
    assert_eq!(
        flags,
        "`age` is above the training range (first in row 0), `city` has a value that training did not see (first in row 0)"
    );

    let nobody = ["a", "b", "c", "d"].map(str::to_owned);
    let bounds = Bounds::by_column(&schema, &signature, &nobody).unwrap();
    assert!(matches!(bounds.compared(), Compared::Nothing(all) if all.len() == 4));
}

/// One input of one column each.
fn inputs(names: &[&str]) -> Signature {
    let port = |name: &&str| Port {
        name: (*name).to_owned(),
        element: ElementType::F32,
        shape: vec![Dimension::Rows, Dimension::Fixed(1)],
        columns: None,
    };
    Signature { inputs: names.iter().map(port).collect(), outputs: Vec::new() }
}

#[test]
fn what_is_compared_with_nothing_is_named_and_the_rest_is_compared() {
    let cases: [(&[&str], &str, &[&str]); 5] = [
        (&["age", "income"], "all", &[]),
        (
            &["age", "height", "city"],
            "some",
            &[
                "`height`: the schema has no column `height`",
                "`city`: the column `city` is string, and the input is FP32",
            ],
        ),
        (&["height"], "none", &["`height`: the schema has no column `height`"]),
        (
            &["seen"],
            "none",
            &[
                "`seen`: the schema has no rule for the values of the column `seen` that could be held against one request",
            ],
        ),
        (&[], "all", &[]),
    ];
    let with = format!(
        "{SCHEMA}[[column]]\nname = \"seen\"\ntype = \"float\"\nmin_present = 1.0\nseverity = \"block\"\n"
    );
    let schema = Schema::parse(&with).unwrap();
    for (names, word, missing) in cases {
        let bounds = Bounds::by_input(&schema, &inputs(names));
        let found: Vec<String> = bounds.uncompared().iter().map(ToString::to_string).collect();
        assert_eq!(
            (bounds.compared().as_str(), found),
            (word, missing.iter().map(ToString::to_string).collect())
        );
    }
    let bounds = Bounds::by_input(&schema, &inputs(&["height", "age"]));
    let column = |value: f32| Tensor::new(vec![1, 1], Values::F32(vec![value])).unwrap();
    let flags = bounds.check(&[column(9000.0), column(9000.0)]);
    assert_eq!(flags.to_string(), "`age` is above the training range (first in row 0)");

    let two = matrix(ElementType::F32, Dimension::Fixed(2));
    let bounds = Bounds::by_input(&schema, &two);
    assert!(
        matches!(bounds.compared(), Compared::Nothing([only]) if matches!(only.why, BoundsInvalid::NotAColumn { .. }))
    );
}

/// No input can be called `marital-status`, so converters write `marital_status`.
#[test]
fn a_column_is_found_by_its_name_as_an_identifier_unless_two_could_be_meant() {
    let of = |columns: &[&str]| {
        let (start, _) = SCHEMA.split_once("[[column]]").unwrap();
        let column = |name: &&str| {
            format!(
                "[[column]]\nname = \"{name}\"\ntype = \"float\"\nmin_present = 1.0\nseverity = \"block\"\n[column.range]\nmin = 0.0\nmax = 1.0\nmax_outside = 0.0\n"
            )
        };
        Schema::parse(&format!("{}{}", start, columns.iter().map(column).collect::<String>())).unwrap()
    };
    let cases: [(&[&str], &str, bool); 7] = [
        (&["marital-status"], "marital_status", true),
        (&["år 1"], "_r_1", true),
        (&["å"], "_", false),
        (&["a-b", "a b"], "a_b", false),
        (&["a-b", "a_b"], "a_b", true),
        (&["marital-status"], "maritalstatus", false),
        (&["marital-status"], "Marital_status", false),
    ];
    for (columns, input, found) in cases {
        let bounds = Bounds::by_input(&of(columns), &inputs(&[input]));
        assert_eq!(bounds.uncompared().is_empty(), found, "{columns:?} {input}");
    }
    let bounds = Bounds::by_input(&of(&["a-b"]), &inputs(&["a-b", "a_b"]));
    let left: Vec<&str> = bounds.uncompared().iter().map(|left| left.name.as_str()).collect();
    assert_eq!(left, ["a_b"], "the column is another input by its own name");
}

#[test]
fn domains_of_numbers_and_texts_that_are_numbers_are_checked() {
    let schema = r#"
format = "bartizan-schema-v1"
[csv]
separator = ","
encoding = "utf-8"
null = [""]
[rows]
[[column]]
name = "X"
type = "boolean"
min_present = 1.0
severity = "block"
[column.domain]
values = ["false"]
max_unseen = 0.0
"#;
    let boolean = Schema::parse(schema).unwrap();
    let signature = matrix(ElementType::I64, Dimension::Fixed(1));
    let bounds = Bounds::by_input(&boolean, &signature);
    let flags = bounds.check(&[Tensor::new(vec![3, 1], Values::I64(vec![0, 1, 2])).unwrap()]);
    assert_eq!(
        (flags.flags[0].kind, flags.flags[0].count, flags.flags[0].first_row),
        (FlagKind::Unseen, 2, 1)
    );
    let number = schema.replace("boolean", "float").replace("domain", "range");
    let number =
        number.replace("values = [\"false\"]", "min = 1.0\nmax = 2.0").replace("max_unseen", "max_outside");
    let bounds =
        Bounds::by_input(&Schema::parse(&number).unwrap(), &matrix(ElementType::Text, Dimension::Fixed(1)));
    let texts = ["1", " 2.0 ", "2.5", "two", "", "-1"].map(Into::into).to_vec();
    let flags = bounds.check(&[Tensor::new(vec![6, 1], Values::Text(texts)).unwrap()]);
    let kinds: Vec<_> = flags.flags.iter().map(|flag| (flag.kind, flag.first_row)).collect();
    let expected =
        [(FlagKind::Missing, 4), (FlagKind::Below, 5), (FlagKind::Above, 2), (FlagKind::Unseen, 3)];
    assert_eq!(kinds, expected);
}
