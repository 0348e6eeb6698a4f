//! What people are told on machines that the tests do not run on.

use expect_test::{Expect, expect};

use super::{Facts, Fault, Isolation, Missing, Part, Probe, explain};

fn check(part: Part, errno: i32, facts: &Facts, expected: Expect) {
    let fault = Fault { part: Some(part), step: "a step".to_owned(), errno };
    let Missing { reason, remedy, .. } = explain(part, &fault, facts);
    expected.assert_eq(&format!("{reason}\n{remedy}\n"));
}

#[test]
fn ubuntu_with_apparmor() {
    let facts = Facts {
        apparmor_restricts: true,
        executable: "/usr/bin/bartizan".to_owned(),
        in_container: true,
        ..Facts::default()
    };
    check(
        Part::MountNamespace,
        libc::EACCES,
        &facts,
        expect![[r#"
        AppArmor keeps programs without a profile from using user namespaces (Ubuntu 23.10 and later) (a step: Permission denied (os error 13))
        printf 'abi <abi/4.0>,\ninclude <tunables/global>\nprofile bartizan "/usr/bin/bartizan" flags=(unconfined) { userns, }\n' | sudo tee /etc/apparmor.d/bartizan && sudo apparmor_parser -r /etc/apparmor.d/bartizan
    "#]],
    );
}

#[test]
fn switched_off() {
    let debian = Facts { clone_forbidden: true, ..Facts::default() };
    check(
        Part::UserNamespace,
        libc::EPERM,
        &debian,
        expect![[r#"
        only root may make user namespaces here (a step: Operation not permitted (os error 1))
        sudo sysctl -w kernel.unprivileged_userns_clone=1
    "#]],
    );
    let none = Facts { no_user_namespaces: true, ..Facts::default() };
    check(
        Part::UserNamespace,
        libc::ENOSPC,
        &none,
        expect![[r#"
        user namespaces are limited to none (a step: No space left on device (os error 28))
        sudo sysctl -w user.max_user_namespaces=10000
    "#]],
    );
    let container = Facts { in_container: true, ..Facts::default() };
    check(
        Part::PidNamespace,
        libc::EPERM,
        &container,
        expect![[r#"
        the container that this runs in forbids it (a step: Operation not permitted (os error 1))
        start the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined`
    "#]],
    );
}

#[test]
fn kernels() {
    check(
        Part::Landlock,
        libc::ENOSYS,
        &Facts::default(),
        expect![[r#"
        the kernel was built without Landlock, or a container's filter hides it (a step: Function not implemented (os error 38))
        use Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK=y
    "#]],
    );
    check(
        Part::Landlock,
        libc::EOPNOTSUPP,
        &Facts::default(),
        expect![[r#"
        Landlock was not turned on when the machine started (a step: Operation not supported (os error 95))
        add `landlock` to the list after `lsm=` on the kernel's command line (see `cat /sys/kernel/security/lsm`) and start the machine again
    "#]],
    );
    check(
        Part::NetworkNamespace,
        libc::EINVAL,
        &Facts::default(),
        expect![[r#"
        the kernel was built without it (a step: Invalid argument (os error 22))
        use a kernel with CONFIG_USER_NS, CONFIG_PID_NS, CONFIG_IPC_NS and CONFIG_NET_NS
    "#]],
    );
}

#[test]
fn without_one_namespace_none_is_used() {
    let missing = |part| Missing { part, reason: String::new(), remedy: String::new() };
    let isolation = |missing: Vec<Missing>| Probe { missing, landlock_abi: 7 }.isolation();
    assert_eq!(isolation(vec![]), Isolation::Full);
    assert_eq!(isolation(vec![missing(Part::Seccomp)]), Isolation::Reduced { missing: vec![Part::Seccomp] });
    let all_namespaces = Isolation::Reduced { missing: Part::NAMESPACES.to_vec() };
    assert_eq!(isolation(vec![missing(Part::PidNamespace)]), all_namespaces);
}
