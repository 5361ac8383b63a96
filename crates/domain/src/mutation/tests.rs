use proptest::prelude::*;

use super::*;
use crate::favourite::{Fields, PatchFields};
use crate::position::Position;

const NOW: Timestamp = Timestamp::from_seconds(1_795_255_200);

fn id() -> FavouriteId {
    FavouriteId::from_uuid(Uuid::from_u128(1))
}

fn device(n: u128) -> Uuid {
    Uuid::from_u128(100 + n)
}

fn cabin() -> NewFavourite {
    let fields = Fields { name: Some("Cabin".into()), lat: Some(60.1), lon: Some(9.2), ..Fields::default() };
    NewFavourite::parse(None, fields).unwrap()
}

fn favourite(rev: i64) -> Favourite {
    let (content, _) = cabin().content(None, |_| String::from("Europe/Oslo"), Some(device(1))).unwrap();
    Favourite { id: id(), rev, content, position: Position::first(), updated_at: NOW }
}

fn patch(fields: PatchFields) -> Patch {
    Patch::parse(fields).unwrap()
}

fn note(text: &str) -> Patch {
    patch(PatchFields { note: Some(Some(text.into())), ..PatchFields::default() })
}

fn mutation(op: Op, base_rev: Option<i64>, policy: Policy) -> Mutation {
    Mutation { mid: Uuid::from_u128(9), id: id(), base_rev, policy, op }
}

fn apply(patch: &Patch, to: &Favourite, rev: i64, by: Uuid) -> Favourite {
    let mut after = to.clone();
    patch.apply(&mut after, rev, Some(by), |_| String::from("Etc/UTC")).unwrap();
    after
}

#[test]
fn a_removal_wins_and_an_id_is_used_once() {
    let create = mutation(Op::Create(cabin()), None, Policy::Merge);
    let update = mutation(Op::Update(note("x")), Some(3), Policy::Merge);
    let delete = mutation(Op::Delete, Some(3), Policy::Merge);
    let live = Found::Live(favourite(5));
    for (mutation, found, refusal) in [
        (&create, &Found::Nothing, None),
        (&create, &live, Some(Refusal::Exists)),
        (&create, &Found::Removed, Some(Refusal::Gone)),
        (&update, &Found::Nothing, Some(Refusal::Gone)),
        (&update, &Found::Removed, Some(Refusal::Gone)),
        (&update, &live, None),
        (&delete, &Found::Nothing, None),
        (&delete, &Found::Removed, None),
        (&delete, &live, None),
    ] {
        assert_eq!(mutation.judge(found).err(), refusal, "{mutation:?} on {found:?}");
    }
}

#[test]
fn if_match_wants_the_very_revision() {
    let live = Found::Live(favourite(5));
    for op in [Op::Update(note("x")), Op::Delete] {
        for (base_rev, refusal) in
            [(Some(5), None), (Some(4), Some(Refusal::Stale)), (Some(6), Some(Refusal::Stale))]
        {
            assert_eq!(mutation(op.clone(), base_rev, Policy::IfMatch).judge(&live).err(), refusal);
        }
        assert_eq!(mutation(op, None, Policy::IfMatch).judge(&live).err(), Some(Refusal::Stale));
    }
    assert_eq!(mutation(Op::Delete, Some(4), Policy::IfMatch).judge(&Found::Removed), Ok(Step::Nothing));
}

#[test]
fn only_what_the_device_had_not_seen_is_told_as_lost() {
    let before = apply(&note("theirs"), &favourite(1), 7, device(2));
    let mine = note("mine");
    let after = apply(&mine, &before, 8, device(1));
    let lost = |base_rev, by| {
        mutation(Op::Update(mine.clone()), base_rev, Policy::Merge).overwrote(&before, &after, by)
    };
    let theirs = vec![Lost { field: Field::Note, was: Value::Text("theirs".into()), rev: 7 }];
    assert_eq!(lost(Some(6), device(1)), theirs);
    assert_eq!(lost(Some(7), device(1)), [], "seen");
    assert_eq!(lost(Some(6), device(2)), [], "its own");
    assert_eq!(lost(None, device(1)), [], "made offline");
    // A field that another device set to the same value lost nothing.
    let same = apply(&note("mine"), &before, 8, device(3));
    let again = mutation(Op::Update(mine), Some(6), Policy::Merge).overwrote(&same, &same, device(1));
    assert_eq!(again, []);
}

#[test]
fn a_place_that_goes_with_a_moved_point_is_told_too() {
    let place = patch(PatchFields { place_id: Some(Some(5)), ..PatchFields::default() });
    let before = apply(&place, &favourite(1), 7, device(2));
    let moved = patch(PatchFields { lat: Some(Some(10.0)), ..PatchFields::default() });
    let after = apply(&moved, &before, 8, device(1));
    let lost = mutation(Op::Update(moved), Some(6), Policy::Merge).overwrote(&before, &after, device(1));
    assert_eq!(lost, [Lost { field: Field::PlaceId, was: Value::Whole(5), rev: 7 }]);
}

#[test]
fn a_mutation_is_remembered_until_its_age_says_that_it_came_before() {
    const INSTANT: Duration = Duration::from_millis(1);
    let judged = |version: u128, made: Timestamp| {
        let bits = (u128::try_from(made.millis()).unwrap() << 80) | (version << 76) | (2 << 62) | 1;
        let mut mutation = mutation(Op::Delete, None, Policy::Merge);
        mutation.mid = Uuid::from_u128(bits);
        mutation.remembered_until(NOW)
    };
    let of_now = NOW.plus(RECEIPTS_KEPT);
    assert_eq!(judged(7, NOW), Ok(of_now));
    assert_eq!(judged(7, NOW.minus(OLDEST)), Ok(of_now));
    assert_eq!(judged(7, NOW.minus(OLDEST + INSTANT)), Err((Refusal::Expired, vec![])));
    // A repeat is refused for its age before it is forgotten, also one of a clock that is ahead.
    assert_eq!(judged(7, NOW.plus(AHEAD)), Ok(NOW.plus(AHEAD).plus(RECEIPTS_KEPT)));
    const { assert!(RECEIPTS_KEPT.as_secs() > OLDEST.as_secs()) };
    for (version, made) in [(7, NOW.plus(AHEAD + INSTANT)), (4, NOW), (1, NOW), (0, NOW)] {
        let (refusal, errors) = judged(version, made).unwrap_err();
        assert_eq!((refusal, errors[0].pointer.as_ref()), (Refusal::Invalid, "/mid"), "{version}");
    }
}

#[test]
fn parts_tell_absent_from_null_and_empty() {
    let nothing = patch(PatchFields::default());
    let cleared = patch(PatchFields { note: Some(None), ..PatchFields::default() });
    let elevated = patch(PatchFields { elevation: Some(None), ..PatchFields::default() });
    let all: Vec<_> = [nothing, cleared, elevated, note("x")]
        .into_iter()
        .map(|patch| mutation(Op::Update(patch), None, Policy::Merge).parts())
        .collect();
    for (n, one) in all.iter().enumerate() {
        assert!(all[n + 1..].iter().all(|other| one != other));
    }
}

fn patches() -> impl Strategy<Value = Patch> {
    let fields = (
        proptest::option::of("[a-c]"),
        proptest::option::of(proptest::option::of("[a-c]")),
        proptest::option::of(0..3_i32),
        proptest::option::of(proptest::option::of(0..3_i64)),
        proptest::option::of("[a-c]"),
    );
    fields.prop_map(|(name, note, lat, elevation, position)| {
        patch(PatchFields {
            name: name.map(Some),
            note,
            lat: lat.map(|lat| Some(f64::from(lat))),
            elevation,
            position: position.map(Some),
            ..PatchFields::default()
        })
    })
}

proptest! {
    /// Devices that change different fields all keep their change, in whatever order the changes arrive.
    #[test]
    fn changes_of_different_fields_commute(name in "[a-c]", text in "[a-c]") {
        let renamed = patch(PatchFields { name: Some(Some(name)), ..PatchFields::default() });
        let noted = note(&text);
        let start = favourite(1);
        let one = apply(&noted, &apply(&renamed, &start, 2, device(1)), 3, device(2));
        let other = apply(&renamed, &apply(&noted, &start, 2, device(2)), 3, device(1));
        prop_assert_eq!(one.content.name, other.content.name);
        prop_assert_eq!(one.content.note, other.content.note);
    }

    /// After any history, a field holds what the last change that set it said, and the note of that change is right.
    #[test]
    fn the_last_change_wins_per_field(history in proptest::collection::vec((patches(), 0..3_u128), 1..12)) {
        let mut now = favourite(1);
        let mut told = std::collections::BTreeMap::new();
        for (n, (patch, by)) in history.iter().enumerate() {
            let rev = i64::try_from(n).unwrap() + 2;
            let before = now.clone();
            now = apply(patch, &before, rev, device(*by));
            for field in Field::ALL {
                if value(&before, field) != value(&now, field) {
                    told.insert(field, (rev, device(*by)));
                }
            }
            prop_assert_eq!(now.rev, if before.content == now.content && before.position == now.position { before.rev } else { rev });
            if let Some(name) = &patch.name { prop_assert_eq!(&now.content.name, name); }
            if let Some(note) = &patch.note { prop_assert_eq!(&now.content.note, note); }
            if let Some(lat) = patch.lat { prop_assert!((now.content.lat - lat).abs() < f64::EPSILON); }
            if let Some(position) = &patch.position { prop_assert_eq!(&now.position, position); }
        }
        for field in Field::ALL {
            let noted = now.content.last_change(field).map(|change| (change.rev, change.by.unwrap()));
            prop_assert_eq!(noted, told.get(&field).copied());
        }
    }

    /// What is told as lost was there, is there no longer, and came from elsewhere after the base.
    #[test]
    fn what_is_told_as_lost_was_lost(history in proptest::collection::vec((patches(), 0..3_u128), 0..8), last in patches(), base in 0..10_i64) {
        let mut before = favourite(1);
        for (n, (patch, by)) in history.iter().enumerate() {
            before = apply(patch, &before, i64::try_from(n).unwrap() + 2, device(*by));
        }
        let rev = i64::try_from(history.len()).unwrap() + 2;
        let after = apply(&last, &before, rev, device(0));
        let lost = mutation(Op::Update(last), Some(base), Policy::Merge).overwrote(&before, &after, device(0));
        for field in Field::ALL {
            let change = before.content.last_change(field);
            let expected = change.is_some_and(|change| change.rev > base && change.by != Some(device(0)))
                && value(&before, field) != value(&after, field);
            let found = lost.iter().find(|lost| lost.field == field);
            prop_assert_eq!(found.is_some(), expected);
            if let Some(found) = found {
                prop_assert_eq!(&found.was, &value(&before, field));
            }
        }
    }

    /// A repeat has the same parts, and a mutation that differs in anything has others.
    #[test]
    fn parts_are_the_mutation(one in patches(), other in patches(), base in proptest::option::of(0..3_i64)) {
        let parts = |patch: &Patch, base, policy| mutation(Op::Update(patch.clone()), base, policy).parts();
        prop_assert_eq!(parts(&one, base, Policy::Merge) == parts(&other, base, Policy::Merge), one == other);
        prop_assert_ne!(parts(&one, base, Policy::Merge), parts(&one, base, Policy::IfMatch));
        prop_assert_ne!(parts(&one, Some(7), Policy::Merge), parts(&one, base, Policy::Merge));
        prop_assert_ne!(parts(&one, base, Policy::Merge), mutation(Op::Delete, base, Policy::Merge).parts());
    }
}
