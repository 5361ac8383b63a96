//! Ports for programs that cannot pick one themselves, or must have the same one again.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that the system gives to whoever asks for any: none of them is given away while nobody listens there.
const FIRST: u16 = 20_000;
/// For each test that runs at the same time.
const EACH: u16 = 500;
const TESTS: u16 = 24;

/// An address of this machine at which nobody listens, and nobody else is given.
///
/// # Panics
/// When there is none.
pub fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // nextest numbers the tests that run together; other runners run one process.
    let slot = std::env::var("NEXTEST_TEST_GLOBAL_SLOT").ok().and_then(|slot| slot.parse::<u16>().ok());
    // Whatever still leaves the ports of the test before, they are not the first that are taken.
    let begin = u16::try_from(std::process::id() % u32::from(EACH)).unwrap_or_default();
    let mine = FIRST + slot.unwrap_or_default() % TESTS * EACH;
    for _ in 0..EACH {
        let port = mine + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % EACH;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("somebody listens at each port from {mine} on");
}
