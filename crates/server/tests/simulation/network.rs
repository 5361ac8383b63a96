//! What lies between a device and the server.

use domain::cursor::Cursor;
use serde_json::Value;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Delivered,
    /// The server never sees it.
    RequestLost,
    /// The server has done it, and the device is not told.
    ResponseLost,
    /// The server sees it twice; the device gets the first answer now and the second one later.
    Duplicated,
    /// The device gives up, and gets the answer after others that were asked for later.
    Late,
}

/// An answer on its way to a device.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Which device.
    pub to: usize,
    /// What it asked for, and with which cursor.
    pub asked: Asked,
    pub since: Option<Cursor>,
    pub status: u16,
    pub body: Value,
}

/// What a device may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Sync,
    Changes,
    Snapshot,
}
