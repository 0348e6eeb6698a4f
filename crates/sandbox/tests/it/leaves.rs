//! What jobs get and leave: code, inputs, outputs, and the outputs that are refused whole.

use std::fs;

use bartizan_base::sha256;
use expect_test::expect;
use serde_json::json;

use crate::support::{User, as_each_user, has, lacks};

#[test]
fn code_reads_inputs_and_leaves_files() {
    as_each_user(|place| {
        let table = place.write("table.csv", "a,b\n1,2\n");
        place.write("many/x/one", "1");
        let many = place.write("many/two", "22").parent().unwrap().to_owned();
        let script = "cd \"$BARTIZAN_OUT\" && mkdir -p deep/er && cp \"$BARTIZAN_IN/table\" copy.csv && \
                      cat $BARTIZAN_IN/many/x/one $BARTIZAN_IN/many/two > deep/er/joined && echo $GREETING";
        let code = place.write("code/run.sh", script);
        let mut order = json!({
            "command": ["sh", "run.sh"],
            "code": code.parent().unwrap(),
            "inputs": { "table": table, "many": many },
            "environment": { "GREETING": "hello there" },
        });
        let said = place.drive(&order);
        has(&said, "end: Exited(0)");
        has(&said, "hello there");
        has(&said, &format!("input table: 1 files, 8 bytes, {}", sha256(b"a,b\n1,2\n")));
        let list = |files: &[(&str, &str)]| {
            let files: Vec<String> = files
                .iter()
                .map(|(path, content)| {
                    format!(
                        r#"{{"path":"{path}","sha256":"{}","size":{}}}"#,
                        sha256(content.as_bytes()).to_hex(),
                        content.len()
                    )
                })
                .collect();
            sha256(format!(r#"{{"files":[{}],"format":"bartizan-manifest-v1"}}"#, files.join(",")).as_bytes())
        };
        has(&said, &format!("input many: 2 files, 3 bytes, {}", list(&[("two", "22"), ("x/one", "1")])));
        has(&said, &format!("code: 1 files, {} bytes, {}", script.len(), list(&[("run.sh", script)])));
        let left = [("copy.csv", "a,b\n1,2\n"), ("deep/er/joined", "122")];
        has(&said, &format!("output: 2 files, 11 bytes, {}", list(&left)));
        for (path, content) in left {
            assert_eq!(fs::read_to_string(place.output().join(path)).unwrap(), content);
        }
        // A second run does not replace the first.
        order["output"] = json!(place.output());
        has(&place.drive(&order), "failed: `");
        let beside: Vec<_> =
            fs::read_dir(place.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert!(beside.iter().all(|name| !name.to_string_lossy().contains("partial")), "{beside:?}");
    });
}

#[test]
fn anything_but_regular_files_is_refused_whole() {
    as_each_user(|place| {
        let said = place.script(
            "cd $BARTIZAN_OUT; echo fine > fine; ln -s /etc/passwd link; ln -s . loop; mkdir d; ln -s .. d/up; \
             echo two > names; ln names other; mkfifo pipe; mkdir shut; echo x > shut/in; chmod 0 shut; \
             echo x > 'back\\slash'; echo y > \"$(printf 'line\\nend')\"; mknod device c 1 3; true",
        );
        has(&said, "end: Exited(0)");
        has(&said, "output: refused");
        let refused: String = said
            .lines()
            .filter(|line| line.starts_with("  "))
            .map(|line| format!("{}\n", line.trim()))
            .collect();
        for line in [
            "link is a symbolic link",
            "loop is a symbolic link",
            "d/up is a symbolic link",
            "names is a file with more than one name",
            "other is a file with more than one name",
            "pipe is a device, pipe or socket",
            "back\\slash is a name that is not portable",
        ] {
            has(&refused, line);
        }
        lacks(&refused, "fine");
        lacks(&refused, "device is");
        assert!(!place.output().exists());
    });
}

#[test]
fn unreadable_files_and_deep_directories_are_refused() {
    as_each_user(|place| {
        let deep = "d/".repeat(17);
        let said = place.script(&format!("cd $BARTIZAN_OUT; mkdir -p {deep}; echo x > {deep}f"));
        has(&said, "output: refused 1");
        has(&said, &format!("  {} is nested too deeply", deep.get(..16 * 2 - 1).unwrap()));
    });
}

#[test]
fn one_bad_file_is_enough() {
    as_each_user(|place| {
        let said = place.script("cd $BARTIZAN_OUT; for i in $(seq 20); do echo $i > $i; done; ln -s / root");
        let refused: String = said
            .lines()
            .filter(|line| line.contains("root is") || line.starts_with("output"))
            .map(|line| format!("{line}\n"))
            .collect();
        expect![[r#"
            output: refused 1
              root is a symbolic link
        "#]]
        .assert_eq(&refused);
        assert!(!place.output().exists());
    });
}

#[test]
fn inputs_and_code_with_links_or_specials_are_refused() {
    as_each_user(|place| {
        let inside = place.write("tree/file", "x").parent().unwrap().to_owned();
        std::os::unix::fs::symlink("/etc/shadow", inside.join("link")).unwrap();
        let as_input = json!({ "command": ["/bin/true"], "inputs": { "tree": inside } });
        has(&place.drive(&as_input), "failed: input `tree` cannot be taken: `link` is a symbolic link");
        let as_code = json!({ "command": ["/bin/true"], "code": inside });
        let said = place.drive(&as_code);
        has(&said, "failed: the job could not be started: copying the code");
        assert!(said.contains("`link` is a symbolic link"), "{said}");
        let device = json!({ "command": ["/bin/true"], "inputs": { "zero": "/dev/zero" } });
        has(&place.drive(&device), "failed: input `zero` cannot be taken: neither a file nor a directory");
    });
}

#[test]
fn an_input_that_changes_meanwhile_is_noticed() {
    as_each_user(|place| {
        let file = place.write("tree/file", "before");
        let order = json!({ "command": ["/bin/sleep", "1"], "inputs": { "tree": file.parent().unwrap() } });
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(500));
                fs::write(&file, "after!").unwrap();
            });
            has(&place.drive(&order), "failed: `file` of input `tree` changed while the job ran");
        });
        assert!(!place.output().exists());
    });
}

#[test]
fn devices_and_sockets_are_refused() {
    as_each_user(|place| {
        let folder = place.write("tree/file", "x").parent().unwrap().to_owned();
        let _listener = std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();
        let order = json!({ "command": ["/bin/true"], "inputs": { "tree": folder } });
        has(
            &place.drive(&order),
            "failed: input `tree` cannot be taken: `socket` is a device, pipe or socket",
        );
        fs::remove_file(folder.join("socket")).unwrap();
        let device = rustix::fs::makedev(1, 3);
        let (kind, mode) = (rustix::fs::FileType::CharacterDevice, rustix::fs::Mode::RWXU);
        match rustix::fs::mknodat(rustix::fs::CWD, folder.join("null"), kind, mode, device) {
            Ok(()) => {
                let said = place.drive(&order);
                has(&said, "failed: input `tree` cannot be taken: `null` is a device, pipe or socket");
            }
            Err(_) => eprintln!("SKIPPED: only root makes device files"),
        }
    });
}

#[test]
fn an_input_that_only_root_may_read_is_named() {
    as_each_user(|place| {
        let file = place.write("secret.csv", "1");
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let said = place.drive(&json!({ "command": ["/bin/true"], "inputs": { "rows": file } }));
        match place.user {
            User::Root => has(&said, "failed: the job could not be started: opening input `"),
            User::Plain => has(&said, "end: Exited(0)"),
        }
    });
}

#[test]
fn files_that_are_long_on_paper_are_refused() {
    as_each_user(|place| {
        // It takes no memory, and would take a gigabyte where it is published.
        let said = place.script("truncate -s 1G $BARTIZAN_OUT/hole && echo made");
        has(&said, "made");
        has(&said, "  . is more bytes than there may be together");
        assert!(!place.output().exists());
    });
}

#[test]
fn inputs_get_no_second_name_in_the_output() {
    as_each_user(|place| {
        let table = place.write("table.csv", "1,2\n");
        let mut order = json!({
            "command": ["/bin/sh", "-c", "ln $BARTIZAN_IN/table $BARTIZAN_OUT/link || echo refused; echo x > $BARTIZAN_OUT/own"]
        });
        order["inputs"] = json!({ "table": table });
        let said = place.drive(&order);
        has(&said, "refused");
        has(&said, "output: 1 files, 2 bytes");
    });
}
