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
