//! What each rule is about, in one sentence, for those who read a report of another tool.

/// A sentence about a rule, by its stable id.
pub(super) fn about(id: &str) -> &'static str {
    match id {
        // Checks against a schema.
        "missing-column" => "Every column of the schema is in the file.",
        "unexpected-column" => "Every column of the file is in the schema.",
        "type" => "Every value is of the type of its column.",
        "presence" => "Enough rows have a value in the column.",
        "range" => "Numbers lie within the range of their column.",
        "domain" => "Values are among those that the schema knows.",
        "length" => "Text is as long as the schema says.",
        "rows" => "The file has as many rows as the schema expects.",
        "pattern" => "Text looks as the patterns of its column say.",
        "unique" => "No value, or key of several columns, comes more than once.",
        "distinct" => "There are as many different values as the schema expects.",
        "statistics" => "Figures of the column, such as its mean, lie within their bounds.",
        "freshness" => "The newest value is no older than the schema allows, and not of the future.",
        "references" => "Values exist in the column of another table that they refer to.",
        "no-pii" => "There is no personal data, and no secret.",
        "expression" => "The expression holds in each row.",
        "slice" => "There are as many rows in the slice as the schema expects.",
        "environment" => "The environment that was asked for is one of the schema.",
        "label-share" => "Each value of the label comes about as often as in the schema.",
        "label-unseen" => "The label has no value that the schema does not know.",
        // Drift.
        "drift" => "The values of the column are distributed as in the reference.",
        "drift-missing" => "The share of rows without a value is that of the reference.",
        "joined-rows" => "Enough rows of both sides have a key by which they can be compared one by one.",
        "skew" => "Rows with the same key have the same value on both sides.",
        "together" => "No classifier tells the two sides apart by all columns together.",
        // Poisoning and label quality.
        "trigger" => "No combination of few cells decides the label.",
        "label-flips" => "Labels are those of the version before.",
        "source-differs" => "The rows of each source are like those of the others.",
        "near-duplicates" => "No label has many rows that are nearly equal.",
        "leakage" => "No feature alone tells the label.",
        "overlap" => "No row is in the test table too.",
        "label-noise" => "Labels are those that the other rows lead to expect.",
        "knn-disagreement" => "Rows have the label of their neighbours.",
        "duplicate-rows" => "No row is there more than once.",
        "constant" => "Columns vary.",
        "id-like" => "No feature merely names rows.",
        "outliers" => "No number is far from all others.",
        "imbalance" => "Every label has enough rows.",
        // No rule of its own, but of all of them.
        "no-verdict" => "Every check that was asked for ran to its end.",
        _ => "The data are as its rule says.",
    }
}
