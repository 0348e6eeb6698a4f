//! What is said near a number: words for it, words against it, and words that only begin like those.

use bartizan_data::pii::{Detector, DetectorOptions};
use expect_test::expect;

use super::lines;

#[test]
fn words_speak_against_a_number_when_they_stand_whole() {
    let detector = Detector::new(&DetectorOptions { min_score: 1, ..DetectorOptions::default() });
    let text = "\
part 536-90-4399
Parts: 536-90-4399
part's 536-90-4399
batches 536-90-4399
orderId=536-90-4399
order_id=536-90-4399
ORDERID 536-90-4399
partno 536-90-4399
tracking number 536-90-4399
in particular 536-90-4399
party 536-90-4399
a committee 536-90-4399
country 536-90-4399
portal 536-90-4399
a casement 536-90-4399
a seamless lining 536-90-4399
apart 536-90-4399
";
    expect![[r#"
        us-ssn 1 [536-90-4399] doubtful, part
        us-ssn 1 [536-90-4399] doubtful, part
        us-ssn 1 [536-90-4399] doubtful, part
        us-ssn 1 [536-90-4399] doubtful, batch
        us-ssn 1 [536-90-4399] doubtful, order
        us-ssn 1 [536-90-4399] doubtful, order
        us-ssn 1 [536-90-4399] doubtful, order
        us-ssn 1 [536-90-4399] doubtful, part
        us-ssn 1 [536-90-4399] doubtful, tracking
        us-ssn 70 [536-90-4399] typical form
        us-ssn 70 [536-90-4399] typical form
        us-ssn 70 [536-90-4399] typical form
        us-ssn 70 [536-90-4399] typical form
        us-ssn 70 [536-90-4399] typical form
        us-ssn 70 [536-90-4399] typical form
        us-ssn 70 [536-90-4399] typical form
        us-ssn 70 [536-90-4399] typical form
    "#]]
    .assert_eq(&lines(&detector, text));
}

/// What the sentence before was about is another thing; the dot of a shortened word ends no sentence.
#[test]
fn words_speak_against_a_number_in_their_own_sentence_alone() {
    let detector = Detector::new(&DetectorOptions { min_score: 1, ..DetectorOptions::default() });
    let text = "\
She left the job. 536-90-4399 is hers
What a size! 536-90-4399
Did she get the order? 536-90-4399
It was the last page.\t536-90-4399
order no. 536-90-4399
Ref. 536-90-4399
seq. 536-90-4399
job.536-90-4399
the part. Its order 536-90-4399
in the line of a J. 536-90-4399
";
    expect![[r#"
        us-ssn 70 [536-90-4399] typical form
        us-ssn 70 [536-90-4399] typical form
        us-ssn 70 [536-90-4399] typical form
        us-ssn 70 [536-90-4399] typical form
        us-ssn 1 [536-90-4399] doubtful, order
        us-ssn 1 [536-90-4399] doubtful, ref
        us-ssn 1 [536-90-4399] doubtful, seq
        us-ssn 1 [536-90-4399] doubtful, job
        us-ssn 1 [536-90-4399] doubtful, order
        us-ssn 1 [536-90-4399] doubtful, line
    "#]]
    .assert_eq(&lines(&detector, text));
}

/// An address is a name of its own; it is gone once it is redacted, and nothing else must be found then.
#[test]
fn words_in_an_address_speak_against_nothing() {
    let text = "\
order@shop.com 4111 1111 1111 1111
orders@acme.com +1 212-555-0123
case@acme.org 536-90-4399
case@acme.org order 536-90-4399
";
    expect![[r#"
        email 95 [order@shop.com] valid; card 95 [4111 1111 1111 1111] typical form
        email 95 [orders@acme.com] valid; phone 70 [+1 212-555-0123] typical form, US
        email 95 [case@acme.org] valid; us-ssn 70 [536-90-4399] typical form
        email 95 [case@acme.org] valid
    "#]]
    .assert_eq(&lines(&super::detector(), text));
}

/// As in titles: `userSsn` says the same as `user_ssn`.
#[test]
fn words_of_a_name_begin_with_capitals() {
    let text = "\
{\"userSsn\":\"536904399\"}
{\"usersSN\":\"536904399\"}
{\"username\":\"536904399\"}
customerCard=4111111111111111
{\"password\":[\"ab9dQz7Lw2!kP\"]}
";
    expect![[r#"
        us-ssn 95 [536904399] context, ssn
        -
        -
        card 99 [4111111111111111] context, card
        assigned-secret 80 [ab9dQz7Lw2!kP] context
    "#]]
    .assert_eq(&lines(&super::detector(), text));
}
