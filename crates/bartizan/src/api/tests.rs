//! The table of routes: nothing without a policy, nothing twice.

use std::collections::BTreeSet;

use bartizan_policy::Action;

use super::{Access, ROUTES};
use crate::catalog::CATALOG;

#[test]
fn every_route_asks_the_policy_or_says_why_not() {
    for route in ROUTES {
        let open = matches!(route.access, Access::Anonymous | Access::SignIn);
        assert_eq!(route.action.is_empty(), open, "{} {}", route.method, route.path);
        for action in route.action.split(" or ").filter(|action| !action.is_empty()) {
            let known = Action::ALL
                .iter()
                .any(|known| known.id() == action || known.id().starts_with(&format!("{action}:")));
            assert!(known, "{} {}: `{action}` is no action", route.method, route.path);
        }
    }
}

#[test]
fn what_needs_no_credential_is_this_and_nothing_else() {
    let open: Vec<&str> = ROUTES
        .iter()
        .filter(|route| matches!(route.access, Access::Anonymous | Access::SignIn))
        .map(|route| route.path)
        .collect();
    assert_eq!(open, ["/healthz", "/api/v1/hello", "/signin", "/signin", "/signout", "/assets/{file}"]);
}

#[test]
fn no_route_and_no_error_id_is_there_twice() {
    let routes: BTreeSet<(&str, &str)> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
    assert_eq!(routes.len(), ROUTES.len());
    assert!(CATALOG.windows(2).all(|pair| pair[0].id < pair[1].id), "the ids ascend");
    assert!(CATALOG.iter().all(|entry| ![entry.title, entry.meaning, entry.next].contains(&"")));
}
