//! Rings in memory, as text and as files.

use super::*;
use crate::testing::random;

const PLACE: Context = Context::server("server_keys", Uuid::nil(), "index");

fn failure<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn rotation_rewraps_and_changes_no_secret() -> Result<()> {
    let random = random(1);
    let ring = Ring::generate(&random)?;
    let wrapped = ring.wrap(&PLACE, b"secret", &random)?;
    assert_eq!(ring.rewrap(&PLACE, &wrapped, &random)?, None);

    let ring = ring.rotated(&random)?;
    assert_eq!(&**ring.unwrap(&PLACE, &wrapped)?, b"secret");
    let Some(rewrapped) = ring.rewrap(&PLACE, &wrapped, &random)? else { panic!("not rewrapped") };

    let ring = ring.without_retired();
    assert_eq!(&**ring.unwrap(&PLACE, &rewrapped)?, b"secret");
    assert!(failure(ring.unwrap(&PLACE, &wrapped)).starts_with("the key ring holds no key "));
    Ok(())
}

#[test]
fn a_data_key_opens_for_its_account_alone() -> Result<()> {
    let random = random(2);
    let ring = Ring::generate(&random)?;
    let [ann, bob] = [1, 2].map(|id| AccountId::from_uuid(Uuid::from_u128(id)));
    let (key, wrapped) = ring.new_data_key(ann, &random)?;
    let blob = key.seal(&PLACE, b"Lisbon", &random)?;
    assert_eq!(&**ring.open_data_key(ann, &wrapped)?.open(&PLACE, &blob)?, b"Lisbon");
    assert!(ring.open_data_key(bob, &wrapped).is_err());
    assert!(ring.open_data_key(ann, &[]).is_err());
    let short = ring.wrap(&Ring::data_key_place(ann), b"short", &random)?;
    assert!(ring.open_data_key(ann, &short).is_err());
    Ok(())
}

#[test]
fn the_text_reads_back_with_comments_and_on_one_line() -> Result<()> {
    let random = random(3);
    let ring = Ring::generate(&random)?.rotated(&random)?.rotated(&random)?;
    let text = ring.to_text();
    for form in [
        text.to_string(),
        format!("# made at first start\n\n{} # the end", text.trim()),
        text.trim().replace('\n', ","),
    ] {
        let read = Ring::parse(&form)?;
        assert_eq!(read.active_id(), ring.active_id());
        assert!(read.retired_ids().eq(ring.retired_ids()));
        assert_eq!(*read.to_text(), *text);
    }
    Ok(())
}

#[test]
fn what_is_wrong_with_a_text_is_said_without_quoting_it() -> Result<()> {
    let random = random(4);
    let one = Ring::generate(&random)?.to_text();
    let one = one.trim();
    let two = Ring::generate(&random)?.to_text();
    let damaged = match one.chars().last() {
        Some('A') => format!("{}E", &one[..one.len() - 1]),
        _ => format!("{}A", &one[..one.len() - 1]),
    };
    for (text, reason) in [
        (String::new(), "no active key"),
        (one.replace("active", "retired"), "no active key"),
        (format!("{one} {one}"), "twice"),
        (format!("{one} {}", one.replace("active", "retired")), "twice"),
        (format!("{one} {}", two.trim()), "a second active key"),
        (one.replace("active", "spare"), "the state must be"),
        (String::from("active"), "must have the form"),
        (damaged, "does not match its id"),
        (one[..one.len() - 3].to_owned(), "256 bits"),
        (format!("{one}="), "not base64url"),
    ] {
        let failure = failure(Ring::parse(&text));
        assert!(failure.contains(reason), "{failure:?} instead of {reason:?}");
        let secret = &one[one.len() - 20..one.len() - 4];
        assert!(!failure.contains(secret));
    }
    assert!(!format!("{:?}", Ring::parse(one)?).contains(&one[20..]));
    Ok(())
}

#[cfg(unix)]
mod files {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_start_makes_a_file_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(Ring::load(&path).unwrap().is_none());
        let made = Ring::load_or_create(&path, &random(5)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Ring::load_or_create(&path, &random(6)).unwrap();
        assert_eq!(made.active_id(), again.active_id());

        let rotated = again.rotated(&random(7)).unwrap();
        rotated.save(&path, &random(8)).unwrap();
        assert_eq!(Ring::load(&path).unwrap().unwrap().active_id(), rotated.active_id());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn of_many_first_starts_one_wins_and_all_agree() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let ids = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|seed| {
                    let path = &path;
                    scope.spawn(move || Ring::load_or_create(path, &random(100 + seed)).unwrap().active_id())
                })
                .collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        Ring::load_or_create(&path, &random(9)).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(failure(Ring::load_or_create(&path, &random(10))).contains("chmod 600"), "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(Ring::load(&path).unwrap().is_some());
        assert!(failure(Ring::load(folder.path())).contains("not a file"));
    }
}
