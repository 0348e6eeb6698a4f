//! A search that finds nothing must be able to find something.

use super::{by_beginning, find};

#[test]
fn a_secret_is_found_wherever_it_is() {
    let secrets = ["ana@example.org".to_owned(), "4111111111111111".to_owned(), "ana@example.com".to_owned()];
    let index = by_beginning(&secrets);
    for secret in &secrets {
        for bytes in
            [secret.clone(), format!("x{secret}"), format!("{secret}x"), format!("ana@examp{secret}")]
        {
            assert_eq!(find(bytes.as_bytes(), &index), Some(secret.as_str()), "{bytes}");
        }
    }
    for bytes in ["", "ana@", "ana@example.net", "411111111111111"] {
        assert_eq!(find(bytes.as_bytes(), &index), None, "{bytes}");
    }
}
