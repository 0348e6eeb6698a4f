//! How a server shows that it knows a secret, before anybody shows it an API key.
//!
//! The secret lies where only the owner of the data directory can read it. A client draws a nonce, the server
//! answers with HMAC-SHA256 over it, and who cannot read the secret cannot answer. It proves nothing about who
//! carries the bytes: ask and send over one connection, on one machine.

use aws_lc_rs::hmac;

use crate::Secret;

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 32;
/// Bytes of an answer.
pub const ANSWER_BYTES: usize = 32;

const DOMAIN: &[u8] = b"bartizan-hello-v1";

/// The answer of who knows the secret.
pub fn answer(secret: &Secret, nonce: &[u8; NONCE_BYTES]) -> [u8; ANSWER_BYTES] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
    let tag = hmac::sign(&key, &[DOMAIN, nonce].concat());
    let mut answer = [0; ANSWER_BYTES];
    for (to, from) in answer.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    answer
}

/// Whether an answer comes from somebody who knows the secret; compared in constant time.
pub fn holds(secret: &Secret, nonce: &[u8; NONCE_BYTES], answer: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
    hmac::verify(&key, &[DOMAIN, nonce].concat(), answer).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{answer, holds};
    use crate::Secret;

    #[test]
    fn the_answer_is_hmac_sha256_over_domain_and_nonce() {
        let secret = Secret::from_bytes([7; 32]);
        let nonce: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        // Computed with Python: hmac.new(bytes([7]*32), b"bartizan-hello-v1" + bytes(range(32)), "sha256")
        let expected = "25aab0d882448f5f8e49d3afdaa1c8d4657d29ea016c1e5ea166c697cf6c78e7";
        assert_eq!(hex::encode(answer(&secret, &nonce)), expected);
    }

    #[test]
    fn only_the_whole_answer_to_this_nonce_under_this_secret_holds() {
        let (secret, nonce) = (Secret::from_bytes([1; 32]), [2; 32]);
        let right = answer(&secret, &nonce);
        assert!(holds(&secret, &nonce, &right));
        assert!(!holds(&secret, &[3; 32], &right));
        assert!(!holds(&Secret::from_bytes([4; 32]), &nonce, &right));
        assert!(!holds(&secret, &nonce, &right[..31]) && !holds(&secret, &nonce, &[]));
        for bit in 0..256 {
            let mut wrong = right;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!holds(&secret, &nonce, &wrong), "bit {bit}");
        }
    }
}
