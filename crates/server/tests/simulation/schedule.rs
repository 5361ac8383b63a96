//! What happens, in which order. A schedule is drawn from a seed before anything runs; numbers in it are taken modulo
//! what is there, so that every part of a schedule is a schedule too and a failing one can be made smaller.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::network::Fate;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Action {
    /// Somebody changes something on a device; nothing is sent yet.
    Edit { device: u8, edit: Edit, target: u8 },
    /// A device sends a batch.
    Sync { device: u8, most: u8, fate: Fate },
    /// A device asks for changes, `limit` per page.
    Poll { device: u8, limit: u16, fate: Fate },
    /// A device takes the snapshot.
    Snapshot { device: u8, fate: Fate },
    /// A late answer arrives.
    Deliver { letter: u8 },
    /// A device opens a stream.
    Open { device: u8 },
    /// A device reads its stream.
    Listen { device: u8, fate: Fate },
    /// Somebody who keeps nothing on a device changes an item.
    Rest { account: u8, edit: Edit, target: u8 },
    /// The same with an `Idempotency-Key`, sent as often as it takes.
    Keyed { account: u8, fate: Fate },
    /// All devices send batches at once, beside readers.
    Together { repeat: bool },
    /// Somebody asks with a cursor that was issued at any time.
    Old { account: u8, cursor: u16, limit: u16 },
    /// Somebody asks with a cursor that was never issued.
    Foreign { account: u8, kind: u8 },
    /// Time passes.
    Jump { hours: u16 },
    /// The job that forgets what is old.
    CleanUp,
    /// The server, or one of its nodes.
    Restart,
    /// The nodes hear nothing of one another for a moment.
    Cut,
    /// A copy of the database is put aside.
    Copy,
    /// The copy is put back.
    Restore,
    /// An operator begins a new era.
    NewEra,
    /// The process is killed in the middle of batches, when so many of them were answered.
    Kill { after: u8 },
    /// The same of one node of a set, which stays away.
    Fall { node: u8, after: u8 },
    /// A node of a set is told to stop in the middle of batches.
    Drain { node: u8, after: u8 },
    /// All nodes of a set are there again.
    Rise,
}

/// A change that somebody makes.
#[derive(Clone, Copy, Debug)]
pub enum Edit {
    Create,
    /// With an id that was used before, by anybody.
    CreateAgain,
    Rename,
    Note,
    /// Clears the note.
    Forget,
    Reorder,
    /// Only if nobody else changed it.
    RenameIfMatch,
    Delete,
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        5 => Just(Edit::Create),
        1 => Just(Edit::CreateAgain),
        4 => Just(Edit::Rename),
        2 => Just(Edit::Note),
        1 => Just(Edit::Forget),
        2 => Just(Edit::Reorder),
        1 => Just(Edit::RenameIfMatch),
        4 => Just(Edit::Delete),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Delivered),
        1 => Just(Fate::RequestLost),
        2 => Just(Fate::ResponseLost),
        1 => Just(Fate::Duplicated),
        2 => Just(Fate::Late),
    ]
}

/// A page that is small enough to have another one behind it, or the usual one.
fn limit() -> impl Strategy<Value = u16> {
    prop_oneof![3 => 1..4_u16, 1 => Just(500)]
}

/// What devices and people do.
fn work() -> impl Strategy<Value = Action> {
    let device = any::<u8>;
    prop_oneof![
        16 => (device(), edit(), any::<u8>())
            .prop_map(|(device, edit, target)| Action::Edit { device, edit, target }),
        11 => (device(), 1..8_u8, fate()).prop_map(|(device, most, fate)| Action::Sync { device, most, fate }),
        12 => (device(), limit(), fate()).prop_map(|(device, limit, fate)| Action::Poll { device, limit, fate }),
        1 => (device(), fate()).prop_map(|(device, fate)| Action::Snapshot { device, fate }),
        6 => any::<u8>().prop_map(|letter| Action::Deliver { letter }),
        3 => device().prop_map(|device| Action::Open { device }),
        8 => (device(), fate()).prop_map(|(device, fate)| Action::Listen { device, fate }),
        6 => (any::<u8>(), edit(), any::<u8>())
            .prop_map(|(account, edit, target)| Action::Rest { account, edit, target }),
        2 => (any::<u8>(), fate()).prop_map(|(account, fate)| Action::Keyed { account, fate }),
        2 => any::<bool>().prop_map(|repeat| Action::Together { repeat }),
        4 => (any::<u8>(), any::<u16>(), limit())
            .prop_map(|(account, cursor, limit)| Action::Old { account, cursor, limit }),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(account, kind)| Action::Foreign { account, kind }),
    ]
}

/// What happens to a server in this process, whose clock can be moved.
pub fn of_one_server() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        60 => work(),
        // Around the ends of tombstones (90 days) and receipts (95 days).
        2 => prop_oneof![1..48_u16, 40 * 24..50 * 24_u16, 88 * 24..100 * 24_u16]
            .prop_map(|hours| Action::Jump { hours }),
        2 => Just(Action::CleanUp),
        1 => Just(Action::Restart),
        2 => Just(Action::Copy),
        1 => Just(Action::Restore),
        1 => Just(Action::NewEra),
    ];
    vec(action, 30..80)
}

/// What happens to several nodes on one database.
pub fn of_nodes() -> impl Strategy<Value = Vec<Action>> {
    let listen = |device| Action::Listen { device, fate: Fate::Delivered };
    let action = prop_oneof![
        40 => work(),
        // What a node tells its streams of another's writes is what differs from one server.
        6 => any::<u8>().prop_map(|device| Action::Open { device }),
        16 => any::<u8>().prop_map(listen),
        1 => prop_oneof![1..48_u16, 88 * 24..100 * 24_u16].prop_map(|hours| Action::Jump { hours }),
        1 => Just(Action::CleanUp),
        2 => Just(Action::Restart),
        3 => Just(Action::Cut),
        1 => Just(Action::Copy),
        1 => Just(Action::Restore),
        1 => Just(Action::NewEra),
    ];
    let everybody_listens = (0..4).map(|device| Action::Open { device });
    vec(action, 30..80).prop_map(move |actions| everybody_listens.clone().chain(actions).collect())
}

/// What happens to a process, which can be killed.
pub fn of_a_process() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        24 => work(),
        4 => (0..4_u8).prop_map(|after| Action::Kill { after }),
        2 => Just(Action::Copy),
        2 => Just(Action::Restore),
    ];
    vec(action, 30..60)
}

/// What happens to a set behind a proxy.
pub fn of_a_set() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        40 => work(),
        4 => (any::<u8>(), 0..4_u8).prop_map(|(node, after)| Action::Fall { node, after }),
        3 => (any::<u8>(), 0..4_u8).prop_map(|(node, after)| Action::Drain { node, after }),
        4 => Just(Action::Rise),
        5 => any::<u8>().prop_map(|device| Action::Open { device }),
        5 => any::<u8>().prop_map(|device| Action::Listen { device, fate: Fate::Delivered }),
        1 => Just(Action::Cut),
        1 => Just(Action::Copy),
        1 => Just(Action::Restore),
        1 => Just(Action::NewEra),
    ];
    vec(action, 40..80)
}
