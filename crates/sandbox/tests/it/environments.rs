//! Virtual environments: always mounted, never more than that, and never what no job may see.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Place, as_each_user, has, lacks};

/// A directory that looks like a virtual environment, with one program, `snake`.
fn venv(place: &Place, name: &str, home: &str) -> PathBuf {
    place.write(&format!("{name}/pyvenv.cfg"), &format!("home = {home}\nversion = 3.11.0\n"));
    let program = place.write(&format!("{name}/bin/snake"), "#!/bin/sh\necho hiss\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(program, mode).unwrap();
    place.path().join(name)
}

fn script(script: &str) -> Value {
    json!({ "command": ["/bin/sh", "-c", script] })
}

fn with(mut order: Value, venv: &std::path::Path, private: &[&std::path::Path]) -> Value {
    order["venv"] = json!(venv);
    order["private"] = json!(private);
    order
}

#[test]
fn whatever_the_command_is_the_environment_is_there_and_comes_first() {
    as_each_user(|place| {
        let venv = venv(place, "venv", "/usr/bin");
        let private = place.write("data/keys/root-key.json", "the root key");
        let private = private.parent().unwrap().parent().unwrap();
        let said = place.drive(&with(script("snake; echo $VIRTUAL_ENV; echo $PATH"), &venv, &[private]));
        has(&said, "end: Exited(0)");
        has(&said, "hiss");
        let venv = venv.to_str().unwrap();
        assert!(said.contains(&format!("\n{venv}\n{venv}/bin:/usr/local/bin:/usr/bin:/bin\n")), "{said}");
        assert!(said.lines().any(|line| line.starts_with("mounts: ") && line.contains(venv)), "{said}");
        let bare = json!({ "command": ["snake"], "venv": venv });
        has(&place.drive(&bare), "hiss");
        lacks(&place.drive(&script("snake; true")), "hiss");
    });
}

#[test]
fn no_environment_shows_what_no_job_may_see() {
    as_each_user(|place| {
        let key = place.write("project/data/keys/root-key.json", "the root key");
        let data = place.path().join("project/data");
        let cat = || script(&format!("cat {}", key.display()));
        let above = venv(place, "project", "/usr/bin");
        let inside = venv(place, "project/data/venv", "/usr/bin");
        let itself = venv(place, "project/data", "/usr/bin");
        let by_link = place.path().join("link");
        symlink(&above, &by_link).unwrap();
        // Its installation would be `data/bin` and `data/lib`.
        place.write("project/data/lib/python3.11/os.py", "");
        let by_home = venv(place, "venv", &format!("{}/bin", data.display()));
        let by_linked_home =
            venv(place, "other", &format!("{}/bin", place.path().join("installation").display()));
        fs::create_dir(place.path().join("installation")).unwrap();
        symlink(&data, place.path().join("installation/lib")).unwrap();
        for venv in [&above, &inside, &itself, &by_link, &by_home, &by_linked_home] {
            let said = place.drive(&with(cat(), venv, &[&data]));
            has(&said, "refused: the environment shows too much: `");
            assert!(said.contains("which no job may see"), "{said}");
            lacks(&said, "the root key");
            // As the environment that the program lies in, which nobody named.
            let mut order = with(cat(), venv, &[&data]);
            order["venv"] = Value::Null;
            order["command"][0] = json!(venv.join("bin/snake"));
            let said = place.drive(&order);
            has(&said, "failed: the mounts cannot be made: too much would be mounted: `");
        }
        // Where nothing is private, it would have been read: the test can fail.
        if place.user == crate::support::User::Plain {
            has(&place.drive(&with(cat(), &above, &[])), "the root key");
        }
        let mut order = cat();
        order["private"] = json!([&data]);
        order["read_only"] = json!([place.path().join("project")]);
        has(&place.drive(&order), "failed: the mounts cannot be made: too much would be mounted: `");
        order["private"] = json!(["/usr/share"]);
        order["read_only"] = json!([]);
        has(&place.drive(&order), "failed: the mounts cannot be made: too much would be mounted: `/usr`");
        order["private"] = json!([place.path().join("nowhere")]);
        let said = place.drive(&order);
        assert!(said.contains("cannot be told"), "{said}");
    });
}

#[test]
fn what_is_no_environment_is_refused() {
    as_each_user(|place| {
        place.write("plain/bin/python", "");
        place.write("home/pyvenv.cfg", "home = /usr/bin\n");
        let home = place.path().join("home");
        for (path, why) in [
            (PathBuf::from("/"), "is no environment of its own: it holds `/usr`"),
            (PathBuf::from("/usr"), "is no environment of its own: it holds `/usr`"),
            (place.path().join("plain"), "is no Python virtual environment: it has no pyvenv.cfg"),
            (place.path().join("nowhere"), "cannot be read"),
            (home.clone(), "is no environment of its own: it holds `"),
        ] {
            let order = json!({ "command": ["/bin/true"], "venv": path });
            let said = place.drive_with(&order, &[("HOME", home.to_str().unwrap())]);
            assert!(said.starts_with("refused: ") && said.contains(why), "{}: {said}", path.display());
        }
    });
}

/// What is said of the environment that a job had.
fn installed(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("installed: ")).collect()
}

#[test]
fn an_environment_is_known_by_its_files_and_links() {
    as_each_user(|place| {
        let mut venv = venv(place, "venv", "/usr/bin");
        place.write("venv/lib/site-packages/snake_oil-1.0-2.dist-info/METADATA", "");
        symlink("lib", venv.join("lib64")).unwrap();
        let run = |venv: &PathBuf| place.drive(&with(script("true"), venv, &[]));
        let first = run(&venv);
        has(&first, "packages: [\"snake_oil 1.0-2\"]");
        let list = [
            ("bin/snake", "#!/bin/sh\necho hiss\n"),
            ("lib/site-packages/snake_oil-1.0-2.dist-info/METADATA", ""),
            ("pyvenv.cfg", "home = /usr/bin\nversion = 3.11.0\n"),
        ]
        .map(|(path, text)| {
            let digest = bartizan_base::sha256(text.as_bytes()).to_hex();
            format!(r#"{{"path":"{path}","sha256":"{digest}","size":{}}}"#, text.len())
        });
        let document = format!(
            r#"{{"files":[{}],"format":"bartizan-environment-v1","links":[{{"path":"lib64","target":"lib"}}]}}"#,
            list.join(",")
        );
        let digest = bartizan_base::sha256(document.as_bytes());
        // The system's Python, which it rests on, is the system's.
        assert_eq!(installed(&first), [format!("installed: 3 files, 53 bytes, {digest}")]);
        assert_eq!(installed(&run(&venv)), installed(&first));

        place.write("venv/lib/site-packages/sitecustomize.py", "import os");
        let second = run(&venv);
        assert_ne!(installed(&second), installed(&first), "a file more");
        fs::remove_file(venv.join("lib64")).unwrap();
        symlink("bin", venv.join("lib64")).unwrap();
        assert_ne!(installed(&run(&venv)), installed(&second), "a link that leads elsewhere");

        // An installation that is not the system's belongs to it.
        place.write("installation/lib/os.py", "");
        fs::create_dir(place.path().join("installation/bin")).unwrap();
        venv = self::venv(place, "own", &format!("{}/bin", place.path().join("installation").display()));
        let said = run(&venv);
        assert_eq!(installed(&said).len(), 3, "{said}");
        let pipe = rustix::fs::CWD;
        rustix::fs::mknodat(pipe, venv.join("pipe"), rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
        let said = run(&venv);
        assert!(
            said.starts_with("failed: `") && said.contains("`pipe` is a device, pipe or socket"),
            "{said}"
        );
    });
}

#[test]
fn an_environment_that_changes_while_a_job_has_it_is_worth_nothing() {
    as_each_user(|place| {
        let venv = venv(place, "venv", "/usr/bin");
        let mark = format!("2.7182{}", place.user as u8);
        let program = venv.join("bin/snake");
        let said = std::thread::scope(|scope| {
            scope.spawn(|| {
                let begun = || {
                    let lines = fs::read_dir("/proc").unwrap().flatten();
                    let mut lines = lines.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
                    lines.any(|line| String::from_utf8_lossy(&line).contains(&mark))
                };
                let looked = (0..1000).find(|_| {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    begun()
                });
                assert!(looked.is_some(), "the job never began");
                fs::write(&program, "#!/bin/sh\necho boo\n").unwrap();
            });
            place.drive(&with(script(&format!("sleep {mark}")), &venv, &[]))
        });
        assert!(
            said.starts_with("failed: `") && said.contains("snake` of the environment changed"),
            "{said}"
        );
    });
}
