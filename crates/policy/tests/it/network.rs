//! Network ranges: what is read, what is refused, and which addresses lie inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bartizan_policy::{Network, NetworkClass, Networks};
use expect_test::{Expect, expect};
use proptest::prelude::*;

#[track_caller]
fn refused(text: &str, expected: Expect) {
    expected.assert_eq(&text.parse::<Network>().unwrap_err().to_string());
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn addresses_inside_and_outside() {
    let inside = |range: &str, at: &str| range.parse::<Network>().unwrap().contains(address(at));
    assert!(inside("10.0.0.0/8", "10.255.255.255"));
    assert!(!inside("10.0.0.0/8", "11.0.0.0"));
    assert!(inside("192.0.2.128/25", "192.0.2.128"));
    assert!(!inside("192.0.2.128/25", "192.0.2.127"));
    assert!(inside("192.0.2.1", "192.0.2.1"));
    assert!(!inside("192.0.2.1", "192.0.2.2"));
    assert!(inside("0.0.0.0/0", "203.0.113.7"));
    assert!(!inside("0.0.0.0/0", "2001:db8::1"));
    assert!(inside("::/0", "2001:db8::1"));
    assert!(!inside("::/0", "203.0.113.7"));
    assert!(inside("2001:db8::/32", "2001:db8:ffff::1"));
    assert!(!inside("2001:db8::/32", "2001:db9::1"));
    assert!(inside("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert!(!inside("::/0", "::ffff:10.1.2.3"));
}

#[test]
fn what_is_not_a_range() {
    refused("10.0.0.1/8", expect!["`10.0.0.1/8` has bits set after its prefix: did you mean `10.0.0.0/8`?"]);
    refused(
        "2001:db8::1/32",
        expect!["`2001:db8::1/32` has bits set after its prefix: did you mean `2001:db8::/32`?"],
    );
    refused(
        "10.0.0.0/33",
        expect!["`10.0.0.0/33` is not a network range such as `10.0.0.0/8` or `2001:db8::/32`"],
    );
    for text in [
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0/8",
        "::/129",
        "10.0.0.0/8/8",
        "::ffff:10.0.0.0/104",
        "localhost",
    ] {
        assert!(text.parse::<Network>().is_err(), "{text:?}");
    }
    assert!("1".repeat(100_000).parse::<Network>().is_err());
}

#[test]
fn lists_are_sorted_and_never_empty() {
    let list: Networks = "10.0.0.0/8, ::1/128,10.0.0.0/8 , 2001:db8::/32".parse().unwrap();
    let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["10.0.0.0/8", "::1/128", "2001:db8::/32"]);
    assert_eq!(list.to_string().parse(), Ok(list.clone()));
    assert!(list.contains(address("::1")) && !list.contains(address("127.0.0.1")));
    expect!["a list of network ranges is empty"]
        .assert_eq(&" , ".parse::<Networks>().unwrap_err().to_string());
    let many: Vec<String> = (0..=64).map(|third| format!("10.0.{third}.0/24")).collect();
    expect!["more than 64 network ranges"]
        .assert_eq(&many.join(",").parse::<Networks>().unwrap_err().to_string());
    let json = serde_json::to_string(&list).unwrap();
    assert_eq!(serde_json::from_str::<Networks>(&json).unwrap(), list);
    assert!(serde_json::from_str::<Networks>("[]").is_err());
}

#[test]
fn classes_of_networks() {
    let class = |text: &str| NetworkClass::of(address(text));
    for text in ["127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(class(text), NetworkClass::Loopback, "{text}");
    }
    for text in
        ["10.0.0.1", "172.31.255.255", "192.168.0.1", "169.254.1.1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"]
    {
        assert_eq!(class(text), NetworkClass::Private, "{text}");
    }
    for text in
        ["8.8.8.8", "172.32.0.1", "100.64.0.1", "2001:db8::1", "0.0.0.0", "::", "::ffff:8.8.8.8", "224.0.0.1"]
    {
        assert_eq!(class(text), NetworkClass::Public, "{text}");
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "\\PC{0,60}|[0-9a-f.:/, +]{0,44}") {
        if let Ok(range) = text.parse::<Network>() {
            prop_assert_eq!(range.to_string().parse(), Ok(range));
        }
        if let Ok(ranges) = text.parse::<Networks>() {
            prop_assert_eq!(ranges.to_string().parse(), Ok(ranges));
        }
    }

    /// The mask against the definition: an address is inside when its first `prefix` bits are those of the range.
    #[test]
    fn inside_means_an_equal_prefix_v4(base: u32, other: u32, prefix in 0_u32..=32, near: bool) {
        let kept = if prefix == 0 { 0 } else { u32::MAX << (32 - prefix) };
        let other = if near { (base & kept) | (other & !kept) } else { other };
        let range: Network = format!("{}/{prefix}", Ipv4Addr::from_bits(base & kept)).parse().unwrap();
        let equal = (0..prefix).all(|bit| (base >> (31 - bit)) & 1 == (other >> (31 - bit)) & 1);
        prop_assert_eq!(range.contains(Ipv4Addr::from_bits(other).into()), equal);
    }

    #[test]
    fn inside_means_an_equal_prefix_v6(base: u128, other: u128, prefix in 0_u32..=128, near: bool) {
        // Global addresses only: others may be IPv4 in IPv6 clothing.
        let top = 0x2000_u128 << 112;
        let (base, other) = (base | top, other | top);
        let kept = if prefix == 0 { 0 } else { u128::MAX << (128 - prefix) };
        let other = if near { (base & kept) | (other & !kept) } else { other };
        let range: Network = format!("{}/{prefix}", Ipv6Addr::from_bits(base & kept)).parse().unwrap();
        let equal = (0..prefix).all(|bit| (base >> (127 - bit)) & 1 == (other >> (127 - bit)) & 1);
        let inside = range.contains(Ipv6Addr::from_bits(other).into());
        prop_assert_eq!(inside, equal);
    }
}
