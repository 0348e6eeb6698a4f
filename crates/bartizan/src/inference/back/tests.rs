//! What a rollback would give away, by the inputs of the models before and after it.

use bartizan_gateway::Columns;
use bartizan_model::{Dimension, ElementType, Port, Signature};

use super::Inputs;

fn model(inputs: &str) -> Signature {
    let port = |name: &str| Port {
        name: name.to_owned(),
        element: ElementType::Text,
        shape: vec![Dimension::Rows],
        columns: None,
    };
    Signature { inputs: inputs.split_whitespace().map(port).collect(), outputs: Vec::new() }
}

/// Columns with this subject, `-` for none, and these withheld.
fn columns(text: &str) -> Columns {
    let mut words = text.split_whitespace().map(str::to_owned);
    let subject = words.next().filter(|word| word != "-");
    Columns { subject, withheld: words.collect(), ..Columns::default() }
}

/// What would be given away with the present columns, and with those of then.
fn check(models: (Option<&str>, Option<&str>), present: &str, before: &str, expected: [Option<&str>; 2]) {
    let [takes, took] = [models.0, models.1].map(|inputs| inputs.map(model));
    let inputs = Inputs { takes: takes.as_ref(), took: took.as_ref() };
    let [present, before] = [present, before].map(columns);
    let exposed = [&present, &before].map(|candidate| inputs.exposed(candidate, &present, Some(&before)));
    let named = exposed.each_ref().map(|told| told.as_ref().and_then(|told| told.split('`').nth(1)));
    assert_eq!(named, expected, "{exposed:?}");
}

#[test]
fn what_is_withheld_now_or_undecided_since_is_not_recorded() {
    // The present ones will do.
    check((Some("a b"), Some("a b")), "- a", "-", [None, Some("a")]);
    check((Some("a"), Some("a b")), "- a b", "- a", [None, None]);
    // Somebody who routed to a model with that input has decided not to withhold it; who routed to another has not.
    check((Some("a b"), Some("a b")), "-", "- a", [None, None]);
    check((Some("a b"), Some("b")), "-", "- a", [Some("a"), None]);
    check((Some("a b"), None), "-", "- a", [Some("a"), None]);
    // What the version does not take cannot be given away.
    check((Some("b"), Some("a b")), "- a", "-", [None, None]);
    // Each would give away what the other does not.
    check((Some("a b"), Some("b")), "- b", "- a", [Some("a"), Some("b")]);
    // Nothing is known of the version: it may take anything.
    check((None, Some("b")), "-", "- a", [Some("a"), None]);
    check((None, Some("a")), "- b", "-", [None, Some("b")]);
}

#[test]
fn whom_a_prediction_is_about_stays_known() {
    check((Some("who x"), Some("who x")), "who", "-", [None, Some("who")]);
    check((Some("who x"), Some("who x")), "-", "who", [None, None]);
    check((Some("who x"), Some("x")), "-", "who", [Some("who"), None]);
    check((Some("who x"), Some("person x")), "person", "who", [Some("who"), None]);
    check((Some("who person"), Some("person")), "person", "who", [None, Some("person")]);
}
