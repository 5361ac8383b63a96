//! The command line, by running the binary.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::tempdir;
use testkit::TestApp;

use crate::binary::{Served, command, fairweather, run, said};
use crate::oauth::me;
use crate::passkeys::add_first;
use crate::unauthorised::NOBODYS;

testkit::stamp! {
    both: [
        operators_manage_accounts,
        accounts_without_an_address_are_named_by_their_ids,
        roles_come_from_the_command_line,
        a_role_that_changes_nothing_ends_nothing,
    ]
}

#[test]
fn every_command_explains_itself() {
    let folder = tempdir().unwrap();
    let commands: [&[&str]; 34] = [
        &[],
        &["dev"],
        &["serve"],
        &["ready"],
        &["doctor"],
        &["migrate"],
        &["database"],
        &["database", "move"],
        &["accounts"],
        &["accounts", "grant"],
        &["accounts", "revoke"],
        &["accounts", "remove-factors"],
        &["accounts", "end-sessions"],
        &["accounts", "audit"],
        &["keys"],
        &["keys", "api"],
        &["keys", "api", "create"],
        &["keys", "api", "revoke"],
        &["keys", "ring"],
        &["keys", "ring", "list"],
        &["keys", "ring", "rotate"],
        &["keys", "ring", "activate"],
        &["keys", "ring", "forget"],
        &["keys", "signing"],
        &["keys", "signing", "list"],
        &["keys", "signing", "rotate"],
        &["keys", "signing", "remove"],
        &["sync"],
        &["sync", "new-era"],
        &["places"],
        &["places", "import"],
        &["openapi"],
        &["config"],
        &["config", "show"],
    ];
    for command in commands {
        let (out, err, code) = said(&run(folder.path(), &[command, &["--help"]].concat()));
        assert_eq!((code, &*err), (0, ""), "{command:?}");
        assert!(out.contains("Usage: fairweather"), "{command:?}: {out}");
        assert!(out.contains("--data <DIR>") && out.contains("--redis <URL>"), "{command:?}: {out}");
        // Those that only list others leave the examples to them.
        if command.last() != Some(&"show") {
            assert!(out.contains("Example") && out.contains("fairweather "), "{command:?}: {out}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "asking for help makes nothing");
}

#[test]
fn exit_codes_tell_failure_from_wrong_use() {
    let folder = tempdir().unwrap();
    let exit = |arguments: &[&str]| {
        let (out, err, code) = said(&run(folder.path(), arguments));
        assert!(code == 0 || (out.is_empty() && !err.is_empty()), "errors go to stderr: {out}");
        assert!(!err.contains("panicked"), "{err}");
        code
    };
    for good in [&["--version"][..], &["openapi"], &["config", "schema"], &["config", "show"]] {
        assert_eq!(exit(good), 0, "{good:?}");
    }
    for failed in [
        &["serve"][..],
        &["dev", "--config", "there-is-none.toml"],
        &["accounts", "grant", "ann@example.org", "king"],
        &["accounts", "end-sessions", "nobody@example.org"],
        &["migrate", "--database", "mysql://localhost/x"],
        &["places", "import", "no-such-folder"],
    ] {
        assert_eq!(exit(failed), 1, "{failed:?}");
    }
    for wrong in
        [&[][..], &["fly"], &["dev", "--fast"], &["dev", "--listen", "nowhere"], &["accounts", "grant"]]
    {
        assert_eq!(exit(wrong), 2, "{wrong:?}");
    }
}

/// Runs `serve` with a configuration that it must not accept.
fn refused(config: &str, arguments: &[&str]) -> String {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("f.toml"), config).unwrap();
    let all = [&["serve", "--config", "f.toml", "--data", "data"], arguments].concat();
    let (out, err, code) = said(&run(folder.path(), &all));
    assert_eq!((code, &*out), (1, ""), "{err}");
    assert!(!folder.path().join("data").exists(), "what does not start makes nothing");
    err
}

#[test]
fn serve_refuses_unsafe_settings_and_names_each() {
    let all =
        refused("listen = \"0.0.0.0:80\"\n[weather.sandbox]\nalways = true\n[password]\nminimum = 6\n", &[]);
    for line in [
        "public_url",
        "--trusted-proxies",
        "weather.sandbox.always",
        "weather.open_meteo.non_commercial",
        "password.minimum",
    ] {
        assert!(all.contains(line), "{line} is not in {all}");
    }
    let sound = "public_url = \"https://weather.example.org\"\n[weather.open_meteo]\nnon_commercial = true\n";
    let open = refused(sound, &["--listen", "0.0.0.0:0"]);
    assert!(open.contains("0.0.0.0:0") && !open.contains("public_url"), "{open}");
    let plain = refused(sound, &["--public-url", "http://weather.example.org", "--listen", "0.0.0.0:0"]);
    assert!(plain.contains("https://"), "{plain}");
    let path = refused(sound, &["--public-url", "https://weather.example.org/app"]);
    assert!(path.contains("without a path"), "{path}");
}

#[test]
fn dev_is_for_this_machine_only() {
    let folder = tempdir().unwrap();
    let (_, err, code) = said(&run(folder.path(), &["dev", "--listen", "0.0.0.0:0", "--data", "data"]));
    assert_eq!(code, 1);
    assert!(err.contains("127.0.0.1"), "{err}");
    assert!(!folder.path().join("data").exists());
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("f.toml"), "data = \"of-file\"\nlisten = \"127.0.0.1:1\"\n").unwrap();
    let show = |environment: &[(&str, &str)], flags: &[&str]| -> serde_json::Value {
        let all = [&["config", "show", "--config", "f.toml"], flags].concat();
        let output = fairweather(folder.path(), &all).envs(environment.iter().copied()).output().unwrap();
        let (out, err, code) = said(&output);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&out).unwrap()
    };
    assert_eq!(show(&[], &[])["data"], "of-file");
    let environment = [("FAIRWEATHER_DATA", "of-environment"), ("FAIRWEATHER_WEATHER__CACHE_MIB", "64")];
    assert_eq!(show(&environment, &[])["data"], "of-environment");
    assert_eq!(show(&environment, &[])["weather"]["cache_mib"], 64);
    assert_eq!(show(&environment, &["--data", "of-flag"])["data"], "of-flag");
    let platform = [("PORT", "5000"), ("DATABASE_URL", "postgres://u:secret@db.example/x")];
    assert_eq!(show(&platform, &[])["listen"], "0.0.0.0:5000");
    let platform = [platform[0], platform[1], ("FAIRWEATHER_LISTEN", "127.0.0.1:2")];
    assert_eq!(show(&platform, &[])["listen"], "127.0.0.1:2");
    assert_eq!(show(&platform, &["--listen", "127.0.0.1:3"])["listen"], "127.0.0.1:3");
    // Keys and passwords are not shown.
    assert_eq!(show(&platform, &[])["database"], "postgres://u:…@db.example/x");
    let urls = [
        ("FAIRWEATHER_DATABASE", "postgres://db.example/x?user=u&password=se@cret"),
        ("FAIRWEATHER_DATABASE_DIRECT", "postgres://u:se/cret@db.example/x?sslpassword=secret"),
        ("FAIRWEATHER_REDIS", "redis://:secret@redis.example"),
    ];
    let shown = show(&urls, &[]);
    assert_eq!(shown["database"], "postgres://db.example/x?user=u&password=…");
    assert_eq!(shown["database_direct"], "postgres://u:…@db.example/x?sslpassword=…");
    assert_eq!(shown["redis"], "redis://:…@redis.example");
    let key = [("FAIRWEATHER_WEATHER__OPEN_METEO__KEY", "very-secret")];
    assert_eq!(show(&key, &[])["weather"]["open_meteo"]["key"], "(set)");

    // Some variables with the prefix are no settings.
    let show = |name: &str, value: &str| {
        let output = fairweather(folder.path(), &["config", "show"]).env(name, value).output().unwrap();
        let (out, err, code) = said(&output);
        assert_eq!(code, 0, "{err}");
        out
    };
    assert!(show("FAIRWEATHER_CONFIG", "f.toml").contains("of-file"));
    assert!(!show("FAIRWEATHER_KEY_RING", "very-secret").contains("very-secret"));

    let output =
        fairweather(folder.path(), &["config", "show"]).env("FAIRWEATHER_LISTNE", "x").output().unwrap();
    let (_, err, code) = said(&output);
    assert!(code == 1 && err.contains("listne"), "{err}");
}

#[tokio::test]
async fn the_first_start_makes_what_is_needed_and_keeps_it_private() {
    let mut served = Served::start(&[], &[("FAIRWEATHER_WEATHER__SANDBOX__ALWAYS", "true")]).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let ring = served.data().join("keys").join("ring");
    assert_eq!(mode(&ring), 0o600);
    assert_eq!(mode(&served.data().join("keys")), 0o700);
    assert_eq!(mode(&served.data()), 0o700);
    served.visitor().get("/readyz").await.expect(200);
    assert!(!served.log().contains(fs::read_to_string(&ring).unwrap().trim()), "the ring is in the log");

    // A second one on the same data would not know of the first one's commits.
    let second = ["dev", "--listen", "127.0.0.1:0", "--data", "data"];
    let (out, err, code) = said(&run(served.folder(), &second));
    assert_eq!((code, &*out), (1, ""), "{err}");
    assert!(err.contains("in use by another fairweather"), "{err}");
    let (_, err, code) = said(&run(served.folder(), &["accounts", "list", "--data", "data"]));
    assert!(code == 1 && err.contains("in use by another fairweather"), "{err}");

    served.visitor().get("/readyz").await.expect(200);
    assert_eq!(served.stop(), 0);
    let kept = fs::read(&ring).unwrap();
    let (out, err, code) = said(&run(served.folder(), &["accounts", "list", "--data", "data"]));
    assert_eq!((code, &*out), (0, ""), "{err}");
    assert_eq!(fs::read(&ring).unwrap(), kept, "the ring is made once");
}

#[test]
fn migrate_shows_before_it_does() {
    let folder = tempdir().unwrap();
    let migrate = |arguments: &[&str]| {
        let all = [&["migrate", "--data", "data"], arguments].concat();
        let (out, err, code) = said(&run(folder.path(), &all));
        assert_eq!(code, 0, "{err}");
        out
    };
    let shown = migrate(&["--dry-run"]);
    assert!(shown.contains("would run step 1") && shown.contains("CREATE TABLE account"), "{shown}");
    assert!(!folder.path().join("data").join("fairweather.db").exists());
    assert!(migrate(&[]).contains("ran step 1"));
    assert!(migrate(&[]).contains("nothing to do"));
    assert!(migrate(&["--dry-run"]).contains("nothing to do"));
}

#[test]
fn after_migrate_alone_the_ring_is_made_and_a_lost_one_is_told() {
    let folder = tempdir().unwrap();
    let call = |arguments: &[&str]| said(&run(folder.path(), &[arguments, &["--data", "data"]].concat()));
    assert_eq!(call(&["migrate"]).2, 0);
    let ring = folder.path().join("data").join("keys").join("ring");
    assert!(!ring.exists());
    let (_, err, code) = call(&["accounts", "list"]);
    assert!(code == 0 && ring.exists(), "{err}");
    fs::remove_file(&ring).unwrap();
    let (_, err, code) = call(&["accounts", "list"]);
    assert!(code == 1 && err.contains("the key ring") && err.contains("is missing"), "{err}");
    assert!(!ring.exists(), "a new one would hide that");
}

#[tokio::test]
async fn doctor_knows_good_from_bad() {
    let folder = tempdir().unwrap();
    let (out, err, code) = said(&run(folder.path(), &["doctor", "--data", "data"]));
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("BAD   there is no data folder"), "{out}");
    assert!(!folder.path().join("data").exists(), "a doctor only looks");

    let mut served = Served::start(&[], &[("FAIRWEATHER_WEATHER__SANDBOX__ALWAYS", "true")]).await;
    assert_eq!(served.stop(), 0);
    let doctor = || said(&run(served.folder(), &["doctor", "--data", "data"]));
    let (out, err, code) = doctor();
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("is there and private") && out.contains("its keys unwrap"), "{out}");
    assert!(out.contains("keep a copy of it elsewhere"), "{out}");

    // Without its ring the database is worth nothing, and a new ring would hide that.
    let ring = served.data().join("keys").join("ring");
    let kept = fs::read(&ring).unwrap();
    fs::remove_file(&ring).unwrap();
    let (out, _, code) = doctor();
    assert!(code == 1 && out.contains("BAD   there is no key ring"), "{out}");
    assert!(!ring.exists());
    let other = tempdir().unwrap();
    let random = server::system_random();
    vault::Ring::load_or_create(&other.path().join("ring"), &random).unwrap();
    fs::copy(other.path().join("ring"), &ring).unwrap();
    let (out, _, code) = doctor();
    assert!(code == 1 && out.contains("BAD"), "another's ring: {out}");
    fs::write(&ring, &kept[..kept.len() / 2]).unwrap();
    let (out, _, code) = doctor();
    assert!(code == 1 && out.contains("BAD"), "half a ring: {out}");
    fs::write(&ring, &kept).unwrap();
    assert_eq!(doctor().2, 0);

    fs::write(served.data().join("fairweather.db"), b"this is no database at all, but long enough").unwrap();
    let (out, _, code) = doctor();
    assert!(code == 1 && out.contains("BAD"), "{out}");
}

#[test]
fn committed_contracts_are_what_the_binary_prints() {
    let folder = tempdir().unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema");
    for (file, command) in [("openapi.json", &["openapi"][..]), ("config.schema.json", &["config", "schema"])]
    {
        let (out, err, code) = said(&run(folder.path(), command));
        assert_eq!(code, 0, "{err}");
        let committed = fs::read_to_string(schema.join(file)).unwrap();
        assert!(out == committed, "schema/{file} is stale: run scripts/schema and commit the result");
    }
}

async fn operators_manage_accounts(mut app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let guest = app.anonymous().await;
    let phone = app.visitor();
    phone.sign_in("ann@example.org").await;
    app.stop().await;
    let accounts = |arguments: &[&str]| command(&app, &[&["accounts"], arguments].concat());

    let (out, err, code) = accounts(&["list"]);
    assert_eq!(code, 0, "{err}");
    let lines: Vec<Vec<&str>> = out.lines().map(|line| line.split('\t').collect()).collect();
    let times = ["2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"];
    let (of_ann, of_guest) = (ann.account_id(), guest.account_id());
    assert_eq!(lines.len(), 2, "{out}");
    assert!(lines.contains(&[&[&*of_ann, "ann@example.org", "user"][..], &times].concat()), "{out}");
    assert!(lines.contains(&[&[&*of_guest, "anonymous", "user"][..], &times].concat()), "{out}");

    assert_eq!(
        accounts(&["end-sessions", "ANN@example.org"]),
        said_out("2 sessions of ANN@example.org have ended\n")
    );
    assert_eq!(
        accounts(&["end-sessions", "ann@example.org"]),
        said_out("0 sessions of ann@example.org have ended\n")
    );
    let (out, err, code) = accounts(&["end-sessions", "zoe@example.org"]);
    assert_eq!((&*out, code), ("", 1));
    assert!(err.contains("there is no account zoe@example.org"), "{err}");

    app.resume().await;
    for client in [ann, phone] {
        let client = client.moved_to(&app);
        client.get("/v1/me").await.problem(401, "session_ended");
        client.present(&client.refresh_token()).await.problem(401, "invalid_refresh_token");
    }
    guest.moved_to(&app).get("/v1/me").await.expect(200);
}

async fn accounts_without_an_address_are_named_by_their_ids(mut app: TestApp) {
    let mut page = app.web();
    page.start_anonymously().await;
    add_first(&app, &page).await;
    let id = me(&page).await["account_id"].as_str().unwrap().to_owned();
    app.stop().await;
    let accounts = |arguments: &[&str]| command(&app, &[&["accounts"], arguments].concat());
    let (out, err, code) = accounts(&["list"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with(&format!("{id}\tregistered\tuser\t")), "{out}");
    let now = |roles: &str| said_out(&format!("{id} is now {roles}; existing sessions have ended\n"));
    assert_eq!(accounts(&["grant", &id, "operator"]), now("user operator"));
    assert_eq!(accounts(&["revoke", &id.to_uppercase(), "operator"]).2, 0);
    assert_eq!(accounts(&["end-sessions", &id]), said_out(&format!("0 sessions of {id} have ended\n")));
    let (out, err, code) = accounts(&["audit", &id]);
    assert!(code == 0 && out.contains("\trole_granted\t"), "{out}{err}");
    // Its passkey is all that leads into it.
    let (out, err, code) = accounts(&["remove-factors", &id]);
    assert!((&*out, code) == ("", 1) && err.contains("only way into the account"), "{out}{err}");
    let (out, err, code) = accounts(&["end-sessions", NOBODYS]);
    assert_eq!((&*out, code), ("", 1));
    assert!(err.contains(&format!("there is no account {NOBODYS}")), "{err}");
}

fn said_out(text: &str) -> (String, String, i32) {
    (text.to_owned(), String::new(), 0)
}

async fn roles_come_from_the_command_line(mut app: TestApp) {
    let (ann, root) = (app.user("ann@example.org").await, app.operator("root@example.org").await);
    app.stop().await;
    let accounts = |arguments: &[&str]| command(&app, &[&["accounts"], arguments].concat());
    let (out, err, code) = accounts(&["grant", "ann@example.org", "operator"]);
    assert_eq!((&*out, code), ("", 1));
    assert!(err.contains("needs a second factor first"), "{err}");
    let now = "root@example.org is now user analyst operator; existing sessions have ended\n";
    assert_eq!(accounts(&["grant", "root@example.org", "analyst"]), said_out(now));
    for role in ["user", "king", ""] {
        let (_, err, code) = accounts(&["grant", "ann@example.org", role]);
        assert!(code == 1 && err.contains("operator or analyst"), "{err}");
    }
    app.resume().await;
    root.moved_to(&app).get("/v1/me").await.problem(401, "session_ended");
    ann.moved_to(&app).get("/v1/me").await.expect(200);

    app.stop().await;
    let now = "root@example.org is now user operator; existing sessions have ended\n";
    let revoke = ["accounts", "revoke", "root@example.org", "analyst"];
    assert_eq!(command(&app, &revoke), said_out(now));
}

async fn a_role_that_changes_nothing_ends_nothing(mut app: TestApp) {
    let (ann, root) = (app.user("ann@example.org").await, app.operator("root@example.org").await);
    let lines = async |app: &TestApp| {
        (app.audit(&ann.account_id()).await.len(), app.audit(&root.account_id()).await.len())
    };
    let before = lines(&app).await;
    app.stop().await;
    let has_not = "ann@example.org does not have the role analyst; nothing has changed\n";
    assert_eq!(command(&app, &["accounts", "revoke", "ann@example.org", "analyst"]), said_out(has_not));
    let has = "root@example.org has the role operator already; nothing has changed\n";
    assert_eq!(command(&app, &["accounts", "grant", "root@example.org", "operator"]), said_out(has));
    app.resume().await;
    ann.moved_to(&app).get("/v1/me").await.expect(200);
    let root = root.moved_to(&app);
    let path = format!("/v1/operator/accounts/{}/roles", ann.account_id());
    let taken = root.post(&path, serde_json::json!({"role": "operator", "granted": false})).await.expect(200);
    assert_eq!(taken.json, serde_json::json!({"roles": ["user"]}));
    ann.moved_to(&app).get("/v1/me").await.expect(200);
    assert_eq!(lines(&app).await, before, "nothing was written down");
}
