//! What the cells of a label say, and labels that will not do.

use super::{Label, LabelRefused, answers};
use crate::demo::table::Table;

fn of(text: &str, above: Option<f64>) -> Result<Vec<Option<bool>>, LabelRefused> {
    answers(&Table::parse(text.as_bytes(), None).unwrap(), Label { column: "y", above })
}

#[test]
fn the_last_of_two_values_is_yes() {
    let text = "x,y\n1,<=50K\n2, >50K\n3,\n";
    assert_eq!(of(text, None).unwrap(), [Some(false), Some(true), None]);
}

#[test]
fn a_threshold_makes_the_label() {
    assert_eq!(
        of("x,y\n1,2\n2,2.5\n3,\n4,3\n", Some(2.5)).unwrap(),
        [Some(false), Some(false), None, Some(true)]
    );
}

#[test]
fn labels_that_will_not_do_are_refused() {
    assert!(matches!(of("x,z\n1,2\n", None), Err(LabelRefused::Table(_))));
    assert_eq!(
        of("x,y\n1,a\n2,b\n3,c\n", None).unwrap_err().to_string(),
        "column `y` holds 3 different values; two are needed, or a threshold"
    );
    assert_eq!(
        of("x,y\n1,v0\n", Some(1.0)).unwrap_err().to_string(),
        "row 1: `v0` in column `y` is not a number, so it can't be compared with a threshold"
    );
}
