//! Bodies that want to be misread, or to take more than they bring.

use bartizan_gateway::limits::{BODY_BYTES, ELEMENTS, TENSORS};
use bartizan_gateway::oip::Request;
use bartizan_gateway::{Endpoint, Fallback};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::json;

use crate::asked::{ask, endpoint, refused, rows, told};
use crate::shelf::Shelf;

fn why(body: &str) -> String {
    Request::parse(body.as_bytes()).unwrap_err().to_string()
}

/// A request with one input `x` that is written just so.
fn input(members: &str) -> String {
    format!(r#"{{"inputs":[{{"name":"x",{members}}}]}}"#)
}

fn check(body: &str, expected: &Expect) {
    expected.assert_eq(&why(body));
}

#[test]
fn what_is_not_json_says_where() {
    check("", &expect!["the request cannot be read at byte 0: a request is an object"]);
    check("[]", &expect!["the request cannot be read at byte 0: a request is an object"]);
    check("\u{feff}{}", &expect!["the request cannot be read at byte 0: a request is an object"]);
    check("{", &expect!["the request cannot be read at byte 1: not a text"]);
    check(r#"{"id"}"#, &expect!["the request cannot be read at byte 5: no colon after the name of a member"]);
    check(r#"{"id":"a",}"#, &expect!["the request cannot be read at byte 10: not a text"]);
    check(
        r#"{"inputs":[]} {}"#,
        &expect!["the request cannot be read at byte 14: something follows the request"],
    );
    check(
        "{\"id\":\"a\nb\"}",
        &expect!["the request cannot be read at byte 8: a control character in a text"],
    );
    check(
        r#"{"id":"\ud800"}"#,
        &expect!["the request cannot be read at byte 13: half of a pair of surrogates"],
    );
    check(
        r#"{"id":"\ud800\u0041"}"#,
        &expect!["the request cannot be read at byte 19: half of a pair of surrogates"],
    );
    check(r#"{"id":"\x"}"#, &expect!["the request cannot be read at byte 8: not an escape"]);
    check(r#"{"id":"\u00g0"}"#, &expect!["the request cannot be read at byte 9: not an escape"]);
    check(r#"{"id":"abc"#, &expect!["the request cannot be read at byte 10: a text does not end"]);
    assert_eq!(
        Request::parse(b"{\"id\":\"\xff\"}").unwrap_err().to_string(),
        "the request is not UTF-8 at byte 7"
    );
}

#[test]
fn members_are_known_and_there_once() {
    check(r#"{}"#, &expect!["the request has no `inputs`"]);
    check(r#"{"inputs":[],"inputs":[]}"#, &expect!["`inputs` is there twice in the request"]);
    check(r#"{"inputs":[],"\u0069nputs":[]}"#, &expect!["`inputs` is there twice in the request"]);
    check(r#"{"inputs":[],"model":"x"}"#, &expect!["`model` is not a member of the request"]);
    let twice = input(r#""shape":[1],"datatype":"FP32","data":[1],"data":[2]"#);
    check(&twice, &expect!["`data` is there twice in an input"]);
    check(&input(r#""shape":[1],"datatype":"FP32""#), &expect!["an input has no `data`"]);
    check(&input(r#""shape":[1],"data":[1]"#), &expect!["an input has no `datatype`"]);
    let same = r#"{"name":"x","shape":[0],"datatype":"FP32","data":[]}"#;
    check(&format!(r#"{{"inputs":[{same},{same}]}}"#), &expect!["`x` is there twice in the inputs"]);
    check(
        r#"{"inputs":[],"outputs":[{"name":"y"},{"name":"y"}]}"#,
        &expect!["`y` is there twice in the requested outputs"],
    );
    check(
        r#"{"inputs":[],"parameters":{"a":1,"a":2}}"#,
        &expect!["`a` is there twice in a `parameters` object"],
    );
    check(
        r#"{"inputs":[],"parameters":{"a":{}}}"#,
        &expect!["the request cannot be read at byte 31: a parameter is a text, a number or a truth value"],
    );
    check(
        r#"{"inputs":[],"outputs":[{"name":"y","parameters":{"classification":3}}]}"#,
        &expect!["the parameter `classification` is not supported"],
    );
    check(
        &input(r#""shape":[1],"datatype":"BYTES","parameters":{"content_type":"base64"},"data":["QQ=="]"#),
        &expect!["the parameter `content_type` is not supported"],
    );
    check(r#"{"inputs":[],"id":""}"#, &expect!["a name of 0 bytes, where 1 to 256 are taken"]);
}

#[test]
fn elements_are_of_their_type() {
    let element = |datatype: &str, element: &str| {
        why(&input(&format!(r#""shape":[1],"datatype":"{datatype}","data":[{element}]"#)))
    };
    let expected = expect![[r#"
        FP32 "NaN": element 0 of the input `x` is neither a number nor `null`
        FP32 NaN: element 0 of the input `x` is neither a number nor `null`
        FP32 Infinity: element 0 of the input `x` is neither a number nor `null`
        FP32 -Infinity: the request cannot be read at byte 62: neither a number nor anything else that may be here
        FP32 nan: element 0 of the input `x` is neither a number nor `null`
        FP32 nul: element 0 of the input `x` is neither a number nor `null`
        FP32 nulll: the request cannot be read at byte 65: an array does not go on
        FP32 3.5e38: element 0 of the input `x` is out of the range of its type
        FP32 true: element 0 of the input `x` is neither a number nor `null`
        FP64 1e309: element 0 of the input `x` is out of the range of its type
        FP64 01: the request cannot be read at byte 62: not a number
        FP64 1.: the request cannot be read at byte 63: a number lacks digits
        FP64 .5: element 0 of the input `x` is neither a number nor `null`
        FP64 +1: element 0 of the input `x` is neither a number nor `null`
        FP64 1e: the request cannot be read at byte 63: a number lacks digits
        FP64 0x10: the request cannot be read at byte 62: not a number
        FP64 1_000: the request cannot be read at byte 62: an array does not go on
        INT32 2147483648: element 0 of the input `x` is out of the range of its type
        INT32 1.0: element 0 of the input `x` is not written as an integer
        INT64 1e3: element 0 of the input `x` is not written as an integer
        INT64 9223372036854775808: element 0 of the input `x` is out of the range of its type
        INT64 null: element 0 of the input `x` is not an integer
        INT64 "1": element 0 of the input `x` is not an integer
        BOOL 1: element 0 of the input `x` is neither `true` nor `false`
        BOOL null: element 0 of the input `x` is neither `true` nor `false`
        BYTES null: element 0 of the input `x` is not a text
        BYTES 1: element 0 of the input `x` is not a text
        BYTES {}: element 0 of the input `x` is not a text
        UINT8 1: `UINT8` is not a datatype that is taken: BOOL, INT32, INT64, FP32, FP64, BYTES
        fp32 1: `fp32` is not a datatype that is taken: BOOL, INT32, INT64, FP32, FP64, BYTES
    "#]];
    let cases = [
        ("FP32", "\"NaN\""),
        ("FP32", "NaN"),
        ("FP32", "Infinity"),
        ("FP32", "-Infinity"),
        ("FP32", "nan"),
        ("FP32", "nul"),
        ("FP32", "nulll"),
        ("FP32", "3.5e38"),
        ("FP32", "true"),
        ("FP64", "1e309"),
        ("FP64", "01"),
        ("FP64", "1."),
        ("FP64", ".5"),
        ("FP64", "+1"),
        ("FP64", "1e"),
        ("FP64", "0x10"),
        ("FP64", "1_000"),
        ("INT32", "2147483648"),
        ("INT32", "1.0"),
        ("INT64", "1e3"),
        ("INT64", "9223372036854775808"),
        ("INT64", "null"),
        ("INT64", "\"1\""),
        ("BOOL", "1"),
        ("BOOL", "null"),
        ("BYTES", "null"),
        ("BYTES", "1"),
        ("BYTES", "{}"),
        ("UINT8", "1"),
        ("fp32", "1"),
    ];
    let told = cases.map(|(datatype, text)| format!("{datatype} {text}: {}\n", element(datatype, text)));
    expected.assert_eq(&told.concat());
}

#[test]
fn data_have_the_shape_that_is_declared() {
    let data = |shape: &str, data: &str| {
        why(&input(&format!(r#""shape":{shape},"datatype":"INT64","data":{data}"#)))
    };
    let expected = expect![[r#"
        [2] [1]: the data of the input `x` do not have the shape [2]
        [2,2] [[1,2],[3]]: the nested arrays of the input `x` are not equally long or deep
        [2,2] [[1,2],3,4]: the nested arrays of the input `x` are not equally long or deep
        [2] [1,[]]: the nested arrays of the input `x` are not equally long or deep
        [1] [[],1]: the data of the input `x` do not have the shape [1]
        [4] [[1,2],[3,4]]: the data of the input `x` do not have the shape [4]
        [1,4] [[1,2],[3,4]]: the data of the input `x` do not have the shape [1, 4]
        [-1] [1]: the request cannot be read at byte 34: a dimension is a whole number, and not negative
        [1.0] [1]: the request cannot be read at byte 35: a dimension is a whole number, and not negative
        [18446744073709551616] [1]: the request cannot be read at byte 52: a dimension is a whole number, and not negative
        [9223372036854775808,2] [1]: the data of the input `x` do not have the shape [9223372036854775808, 2]
        [1,1,1,1,1,1,1,1,1] [1]: more than 8 dimensions
        [1] 1: the request cannot be read at byte 61: `data` is not an array
        [1] [1,]: element 1 of the input `x` is not an integer
        [1] [[[[[[[[[1]]]]]]]]]: the request cannot be read at byte 70: `data` is nested too deeply
    "#]];
    let cases = [
        ("[2]", "[1]"),
        ("[2,2]", "[[1,2],[3]]"),
        ("[2,2]", "[[1,2],3,4]"),
        ("[2]", "[1,[]]"),
        ("[1]", "[[],1]"),
        ("[4]", "[[1,2],[3,4]]"),
        ("[1,4]", "[[1,2],[3,4]]"),
        ("[-1]", "[1]"),
        ("[1.0]", "[1]"),
        ("[18446744073709551616]", "[1]"),
        ("[9223372036854775808,2]", "[1]"),
        ("[1,1,1,1,1,1,1,1,1]", "[1]"),
        ("[1]", "1"),
        ("[1]", "[1,]"),
        ("[1]", "[[[[[[[[[1]]]]]]]]]"),
    ];
    expected
        .assert_eq(&cases.map(|(shape, list)| format!("{shape} {list}: {}\n", data(shape, list))).concat());
}

#[test]
fn nothing_takes_more_than_its_share() {
    let deep = "[".repeat(BODY_BYTES / 2);
    assert_eq!(
        why(&format!(r#"{{"inputs":{deep}"#)),
        "the request cannot be read at byte 11: not an object",
        "no level more than is looked for"
    );
    for start in [r#"{"inputs":[{"data":"#, r#"{"inputs":[{"name":"x","datatype":"FP32","data":"#] {
        let why = why(&format!("{start}{deep}"));
        assert!(why.ends_with("`data` is nested too deeply"), "{why}");
    }
    let long = vec![b' '; BODY_BYTES + 1];
    assert!(Request::parse(&long).unwrap_err().is_too_large());
    let many = "0,".repeat(ELEMENTS);
    check(
        &input(&format!(r#""shape":[{}],"datatype":"FP32","data":[{many}0]"#, ELEMENTS + 1)),
        &expect!["more than 262144 elements in all inputs together"],
    );
    let empty = vec![r#"{"name":"y"}"#; TENSORS + 1].join(",");
    check(&format!(r#"{{"inputs":[],"outputs":[{empty}]}}"#), &expect!["more than 1024 requested outputs"]);
    let parameters: Vec<String> = (0..65).map(|index| format!(r#""p{index}":1"#)).collect();
    check(
        &format!(r#"{{"inputs":[],"parameters":{{{}}}}}"#, parameters.join(",")),
        &expect!["more than 64 parameters"],
    );
    let text = "x".repeat(64 * 1024 + 1);
    check(
        &input(&format!(r#""shape":[1],"datatype":"BYTES","data":["{text}"]"#)),
        &expect!["element 0 of the input `x` is too long a text"],
    );
    let shown = why(&format!(r#"{{"{}":1}}"#, "k".repeat(1_000_000)));
    assert!(shown.len() < 200, "a message does not repeat what it was sent: {}", shown.len());
}

#[test]
fn a_hundred_megabytes_are_not_looked_at() {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    let refusal = refused(ask(&endpoint, &vec![b'['; 100 * 1024 * 1024]));
    assert_eq!(refusal.status, 413);
    expect!["too-large: a request of 104857600 bytes, and 4194304 are the most"]
        .assert_eq(&told(&refusal.body));
}

thread_local! {
    static ENDPOINT: Endpoint = endpoint(&Shelf::new(), Fallback::Unavailable);
}

/// What a request may be made of, so that random texts get somewhere.
fn token() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"inputs\"",
        "\"name\"",
        "\"age\"",
        "\"city\"",
        "\"income\"",
        "\"shape\"",
        "\"datatype\"",
        "\"FP32\"",
        "\"BYTES\"",
        "\"data\"",
        "\"id\"",
        "\"outputs\"",
        "\"parameters\"",
        "null",
        "true",
        "1",
        "-0",
        "[1,1]",
        "[[1]]",
        "\"\\u0000\"",
        "\"\\ud83d\\ude00\"",
        " ",
        "NaN",
    ]);
    prop_oneof![9 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(body in prop::collection::vec(any::<u8>(), 0..200)) {
        ENDPOINT.with(|endpoint| {
            refused(ask(endpoint, &body));
        });
    }

    #[test]
    fn any_tokens_get_an_answer(tokens in prop::collection::vec(token(), 0..60)) {
        let body = tokens.concat();
        ENDPOINT.with(|endpoint| drop(ask(endpoint, body.as_bytes())));
        // What is taken is JSON to others as well.
        if Request::parse(body.as_bytes()).is_ok() {
            serde_json::from_str::<serde_json::Value>(&body).unwrap();
        }
    }

    #[test]
    fn a_request_with_a_byte_changed_gets_an_answer(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut body = serde_json::to_vec(&rows(&[(json!(1.5), json!(null), "Öslo \u{1f600}\n")])).unwrap();
        let at = at.index(body.len());
        body[at] = byte;
        if cut {
            body.truncate(at);
        }
        ENDPOINT.with(|endpoint| drop(ask(endpoint, &body)));
        let other = serde_json::from_slice::<serde_json::Value>(&body);
        prop_assert!(other.is_ok() || Request::parse(&body).is_err(), "{}", String::from_utf8_lossy(&body));
    }
}
