use std::time::Duration;

use bus::OpenStream;
use domain::Coordinates;
use domain::cursor::Era;
use uuid::Uuid;

use super::*;

const TERM: Term = Term::Session(Timestamp::from_seconds(1000));
const CURSOR: Cursor = Cursor { era: Era(1), seq: 6 };

fn hub(most: usize) -> Arc<Hub> {
    let heartbeat = Duration::from_secs(20);
    Hub::new(StreamSettings { most, per_account: 2, heartbeat, stalled: Duration::from_secs(10) })
}

fn account(n: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(n))
}

fn session(n: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(n))
}

fn join(hub: &Arc<Hub>, of: u128, by: u128) -> Joined {
    hub.join(hub.seat().unwrap(), account(of), session(by), (Timestamp::from_seconds(0), TERM))
}

fn hint(of: u128, head: i64) -> Hint {
    Hint { account: account(of), era: Era(1), head }
}

#[test]
fn a_hint_wakes_its_account_and_nobody_else() {
    let hub = hub(10);
    let (ann, other, bob) = (join(&hub, 1, 1), join(&hub, 1, 2), join(&hub, 2, 3));
    hub.committed(&[hint(1, 4)]);
    assert!(ann.signal.take().dirty && other.signal.take().dirty);
    assert!(!bob.signal.take().dirty);
}

#[test]
fn streams_at_one_cursor_share_a_reading_until_something_is_committed() {
    let hub = hub(10);
    let _streams = (join(&hub, 1, 1), join(&hub, 1, 2), join(&hub, 2, 3));
    let at = |seq| Cursor { era: Era(1), seq };
    let first = hub.reading(account(1), at(4));
    assert!(Arc::ptr_eq(&first, &hub.reading(account(1), at(4))));
    assert!(!Arc::ptr_eq(&first, &hub.reading(account(2), at(4))), "another account");
    // What was begun before a commit says nothing of it.
    for news in [|hub: &Hub| hub.committed(&[hint(1, 5)]), |hub: &Hub| hub.heads(&[(account(1), CURSOR)])] {
        let before = hub.reading(account(1), at(4));
        news(&hub);
        assert!(!Arc::ptr_eq(&before, &hub.reading(account(1), at(4))));
    }
    let fourth = hub.reading(account(1), at(4));
    hub.committed(&[hint(2, 9)]);
    assert!(Arc::ptr_eq(&fourth, &hub.reading(account(1), at(4))), "nothing of this account");
    assert!(!Arc::ptr_eq(&fourth, &hub.reading(account(1), at(5))), "another cursor");
    // Nobody keeps one that everybody has.
    let last = hub.reading(account(2), at(4));
    let kept = Arc::downgrade(&last);
    drop(last);
    assert!(kept.upgrade().is_none());
}

#[test]
fn streams_that_were_opened_together_give_their_signs_of_life_apart() {
    let hub = hub(100);
    let streams: Vec<_> = (0..100).map(|n| join(&hub, n, n)).collect();
    for _ in 0..2 {
        for _ in 0..20 {
            hub.check(Timestamp::default());
            let told = streams.iter().filter(|joined| joined.signal.take().heartbeat).count();
            assert_eq!(told, 5);
        }
    }
}

#[test]
fn one_too_many_replaces_the_oldest_of_its_account() {
    let hub = hub(10);
    let (first, second) = (join(&hub, 1, 1), join(&hub, 1, 1));
    let bob = join(&hub, 2, 2);
    let third = join(&hub, 1, 1);
    assert_eq!(first.signal.closed(), Some(Close::Replaced));
    assert!([&second, &third, &bob].iter().all(|joined| joined.signal.closed().is_none()));
    drop(first);
    // The replaced one is out: leaving takes nobody else along.
    hub.revoke([session(1)]);
    assert!([&second, &third].iter().all(|joined| joined.signal.closed() == Some(Close::Revoked)));
    assert_eq!(bob.signal.closed(), None);
}

#[test]
fn seats_are_bounded_and_free_again() {
    let hub = hub(1);
    let joined = join(&hub, 1, 1);
    assert!(hub.seat().is_none());
    drop(joined);
    assert!(hub.seat().is_some());
    assert!(hub.connected().is_empty());
    hub.close();
    assert!(hub.seat().is_none());
}

#[test]
fn those_who_have_not_said_who_they_are_get_a_part_of_the_seats() {
    let hub = hub(200);
    let mut waiting: Vec<Seat> = (0..20).map(|_| hub.waiting_seat(None).unwrap()).collect();
    assert!(hub.waiting_seat(None).is_none());
    assert!(hub.seat().is_some());
    // Whoever says it makes room for another, and so does whoever leaves.
    let joined = hub.join(waiting.pop().unwrap(), account(1), session(1), (Timestamp::from_seconds(0), TERM));
    waiting.push(hub.waiting_seat(None).unwrap());
    assert!(hub.waiting_seat(None).is_none());
    waiting.truncate(10);
    assert_eq!((hub.taken(), hub.waiting().taken), (11, 10));
    drop((joined, waiting));
    assert_eq!((hub.taken(), hub.waiting().taken), (0, 0));
}

#[test]
fn one_network_gets_half_of_what_those_who_wait_get() {
    let hub = hub(200);
    let [cafe, home] = [7, 8].map(|last| Some(Network::of([203, 0, 113, last].into())));
    let mut here: Vec<Seat> = (0..10).map(|_| hub.waiting_seat(cafe).unwrap()).collect();
    assert!(hub.waiting_seat(cafe).is_none());
    let there: Vec<Seat> = (0..10).map(|_| hub.waiting_seat(home).unwrap()).collect();
    assert!(hub.waiting_seat(None).is_none());
    // Whoever says who they are, or leaves, makes room in their own network.
    let joined = hub.join(here.pop().unwrap(), account(1), session(1), (Timestamp::from_seconds(0), TERM));
    drop(there);
    here.push(hub.waiting_seat(cafe).unwrap());
    assert!(hub.waiting_seat(cafe).is_none());
    drop((joined, here));
    assert!(hub.waiting().by_network.is_empty());
}

#[test]
fn a_full_house_has_no_seats_for_those_who_wait_either() {
    let hub = hub(1);
    let seat = hub.seat();
    assert!((0..20).all(|_| hub.waiting_seat(None).is_none()));
    drop(seat);
    assert!(hub.waiting_seat(None).is_some());
}

#[test]
fn a_cell_that_changes_is_told_to_whom_it_concerns() {
    let hub = hub(10);
    let cell = |lat| Cell::of(Coordinates::parse(lat, 10.0).unwrap(), 0.0);
    let id = |n| FavouriteId::from_uuid(Uuid::from_u128(n));
    let (ann, bob) = (join(&hub, 1, 1), join(&hub, 2, 2));
    let mut outdated = hub.take_outdated(10);
    outdated.sort();
    assert_eq!(outdated, [account(1), account(2)]);
    assert!(hub.take_outdated(10).is_empty());
    hub.watch(account(1), vec![(cell(1.0), id(1)), (cell(1.0), id(2)), (cell(2.0), id(3))]);
    hub.watch(account(2), vec![(cell(2.0), id(4))]);
    let told = |joined: &Joined| {
        let hint = joined.signal.take().forecast;
        hint.map_or(Vec::new(), |hint| hint.favourites.into_iter().collect())
    };
    hub.forecast_changed(cell(1.0), Timestamp::default());
    assert_eq!((told(&ann), told(&bob)), (vec![id(1), id(2)], vec![]));
    hub.forecast_changed(cell(2.0), Timestamp::default());
    assert_eq!((told(&ann), told(&bob)), (vec![id(3)], vec![id(4)]));
    // What was removed is watched no longer, and a commit makes the list outdated again.
    hub.watch(account(1), vec![(cell(3.0), id(5))]);
    hub.forecast_changed(cell(1.0), Timestamp::default());
    assert_eq!(told(&ann), vec![]);
    hub.committed(&[hint(1, 1), hint(9, 1)]);
    assert_eq!(hub.take_outdated(10), [account(1)]);
    drop((ann, bob));
    assert!(hub.rooms().watchers.is_empty() && hub.rooms().sessions.is_empty());
}

const NODE: NodeId = *b"another!";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// Streams of the first account at another node, which were opened then.
fn elsewhere(hub: &Hub, opened: &[i64]) {
    let of = u8::try_from(opened.len()).unwrap();
    let open =
        |(index, opened): (u8, &i64)| OpenStream { account: account(1), opened_at: at(*opened), index, of };
    hub.open_elsewhere(NODE, &(0..).zip(opened).map(open).collect::<Vec<_>>());
}

#[test]
fn the_oldest_gives_way_to_newer_ones_at_another_node_after_a_while() {
    let hub = hub(10);
    let (ann, bob) = (join(&hub, 1, 1), join(&hub, 2, 2));
    elsewhere(&hub, &[1, 2]);
    for now in [5, 15, 24] {
        hub.heard(NODE, at(now));
        hub.check(at(now));
        assert_eq!(ann.signal.closed(), None, "at {now} s");
    }
    hub.heard(NODE, at(25));
    hub.check(at(25));
    assert_eq!((ann.signal.closed(), bob.signal.closed()), (Some(Close::Replaced), None));
}

#[test]
fn streams_of_a_node_that_died_do_not_count() {
    let hub = hub(10);
    let ann = join(&hub, 1, 1);
    hub.heard(NODE, at(0));
    elsewhere(&hub, &[1, 2]);
    for now in [5, 15, 16, 25, 36, 60] {
        hub.check(at(now));
    }
    assert_eq!(ann.signal.closed(), None);
}

#[test]
fn streams_that_ended_at_another_node_do_not_count() {
    let hub = hub(10);
    let ann = join(&hub, 1, 1);
    elsewhere(&hub, &[1, 2]);
    elsewhere(&hub, &[2]);
    for now in [5, 15, 25, 35] {
        hub.heard(NODE, at(now));
        hub.check(at(now));
    }
    assert_eq!(ann.signal.closed(), None);
}

#[test]
fn a_node_that_has_streams_of_the_account_answers_one_that_tells_of_its_first() {
    let hub = hub(10);
    let told = Arc::<Mutex<Vec<usize>>>::default();
    let tells = told.clone();
    hub.on_change(move |_, opened| tells.lock().unwrap().push(opened.len()));
    let (ann, other) = (join(&hub, 1, 1), join(&hub, 1, 2));
    elsewhere(&hub, &[1]);
    elsewhere(&hub, &[1, 2]);
    drop(ann);
    drop(other);
    assert_eq!(*told.lock().unwrap(), [1, 2, 2, 1, 0], "two come, one answer, two go");
}
