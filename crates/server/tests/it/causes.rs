//! What a command says that could not do its work: why, and never a password.

use std::path::Path;

use tempfile::{TempDir, tempdir};
use testkit::databases::{self, Database};

use crate::binary::{fairweather, run, said};

/// Where nobody listens.
const NOWHERE: &str = "postgres://ann:sekret@127.0.0.1:1/weather?password=sekret";

/// The last line of what a command says that fails.
fn fails(folder: &Path, arguments: &[&str]) -> String {
    let (out, err, code) = said(&run(folder, arguments));
    assert_eq!((code, &*out), (1, ""), "{arguments:?}: {err}");
    assert!(!err.contains("sekret") && !err.contains("panicked"), "{arguments:?}: {err}");
    err.lines().last().unwrap_or_default().to_owned()
}

/// A folder with a SQLite file to move from.
fn installation() -> TempDir {
    let folder = tempdir().unwrap();
    let (_, err, code) = said(&run(folder.path(), &["migrate", "--data", "data"]));
    assert_eq!(code, 0, "{err}");
    folder
}

const MOVE: [&str; 6] = ["database", "move", "--from", "sqlite:data/fairweather.db", "--data", "data"];

#[test]
fn a_server_that_is_not_there_is_named() {
    let folder = installation();
    for command in [
        &["migrate", "--database", NOWHERE][..],
        &["sync", "new-era", "--database", NOWHERE],
        &["accounts", "list", "--data", "other", "--database", NOWHERE],
        &["dev", "--listen", "127.0.0.1:0", "--data", "other", "--database", NOWHERE],
        &[&MOVE[..], &["--to", NOWHERE]].concat(),
    ] {
        let line = fails(folder.path(), command);
        assert!(line.starts_with("error: ") && line.contains("127.0.0.1:1:"), "{command:?}: {line}");
        assert!(line.contains("refused"), "{command:?}: {line}");
    }
}

#[test]
fn a_setting_that_does_not_fit_is_named() {
    let folder = installation();
    let mysql = "mysql://ann:sekret@db/x";
    for (command, flag, fits) in [
        (&["migrate", "--database", mysql][..], "--database", "postgres://"),
        (&[&MOVE[..], &["--to", mysql]].concat(), "--to", "postgres://"),
        (&["database", "move", "--from", "sekret", "--to", NOWHERE], "--from", "sqlite:PATH"),
    ] {
        let line = fails(folder.path(), command);
        assert!(line.contains(flag) && line.contains(fits), "{command:?}: {line}");
    }
}

#[test]
fn what_postgresql_says_is_passed_on() {
    if databases::server().is_none() {
        return;
    }
    databases::in_new_database(|url| {
        let folder = installation();
        let (_, after) = url.rsplit_once('@').unwrap();
        let nobody = format!("postgres://nobody_at_all@{after}");
        let line = fails(folder.path(), &["migrate", "--database", &nobody]);
        assert!(line.contains("nobody_at_all"), "{line}");
        let nothing = format!("{url}_gone");
        for command in [
            &["migrate", "--database", &nothing][..],
            &["sync", "new-era", "--database", &nothing],
            &[&MOVE[..], &["--to", &nothing]].concat(),
        ] {
            let line = fails(folder.path(), command);
            assert!(line.contains("does not exist") && line.contains("_gone"), "{command:?}: {line}");
        }
        let database = Database::Postgres(url.clone());
        databases::runtime().block_on(database.run("CREATE TABLE account (mine int)"));
        for command in [&["migrate", "--database", &url][..], &[&MOVE[..], &["--to", &url]].concat()] {
            let line = fails(folder.path(), command);
            assert!(line.contains("step 1") && line.contains("\"account\" already exists"), "{line}");
        }
    });
}

#[test]
fn a_redis_that_cannot_be_one_is_named() {
    if databases::server().is_none() {
        return;
    }
    databases::in_new_database(|url| {
        let folder = tempdir().unwrap();
        let config = format!("database = \"{url}\"\nredis = \"http://:sekret@redis\"\n");
        std::fs::write(folder.path().join("f.toml"), config).unwrap();
        let dev = ["dev", "--listen", "127.0.0.1:0", "--data", "data", "--config", "f.toml"];
        let line = fails(folder.path(), &dev);
        assert!(line.contains("--redis") && line.contains("must be redis://"), "{line}");
    });
}

#[test]
fn where_a_move_goes_may_stand_in_the_environment() {
    let folder = installation();
    let moving = fairweather(folder.path(), &MOVE).env("FAIRWEATHER_MOVE_TO", NOWHERE).output().unwrap();
    let (_, err, code) = said(&moving);
    assert!(code == 1 && err.contains("127.0.0.1:1:") && !err.contains("sekret"), "{err}");
}

#[test]
fn help_shows_no_url_of_the_environment() {
    let folder = tempdir().unwrap();
    for command in [&["serve"][..], &["dev"], &["migrate"], &["database", "move"], &["accounts", "list"]] {
        let mut help = fairweather(folder.path(), &[command, &["--help"]].concat());
        for name in
            ["MOVE_TO", "DATABASE", "DATABASE_DIRECT", "REDIS", "PUBLIC_URL", "WEATHER__OPEN_METEO__KEY"]
        {
            help.env(format!("FAIRWEATHER_{name}"), NOWHERE);
        }
        help.env("DATABASE_URL", NOWHERE).env("REDIS_URL", NOWHERE);
        let (out, err, code) = said(&help.output().unwrap());
        assert_eq!((code, &*err), (0, ""), "{command:?}");
        assert!(!out.contains("sekret"), "{command:?}: {out}");
    }
}
