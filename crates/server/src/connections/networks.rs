//! How many connections each network has, so that one machine cannot take the places of all others.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::Network;

/// Counts open connections by network.
pub struct Networks {
    most: usize,
    is_exempt: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    open: Mutex<HashMap<Network, usize>>,
}

/// One connection; it counts until this is dropped.
pub struct Seat(Option<(Arc<Networks>, Network)>);

impl Networks {
    /// At most so many of each, but for those that stand for many clients, as a proxy does.
    pub fn new(most: usize, is_exempt: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self { most, is_exempt: Box::new(is_exempt), open: Mutex::default() }
    }

    /// A seat for one more from this address, if there is one left.
    pub fn seat(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        if (self.is_exempt)(address) {
            return Some(Seat(None));
        }
        let network = Network::of(address);
        let mut open = self.open();
        let count = open.get(&network).copied().unwrap_or_default();
        if count >= self.most {
            return None;
        }
        open.insert(network, count + 1);
        Some(Seat(Some((self.clone(), network))))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Networks").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some((networks, network)) = &self.0 else { return };
        if let Entry::Occupied(mut count) = networks.open().entry(*network) {
            match count.get().checked_sub(1) {
                None | Some(0) => drop(count.remove()),
                Some(left) => *count.get_mut() = left,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_has_so_many_and_one_that_ends_makes_room() {
        let networks = Arc::new(Networks::new(2, |_| false));
        // One household's /64 is one network, whatever address it takes.
        let first = networks.seat(address("2001:db8::1")).unwrap();
        let second = networks.seat(address("2001:db8::2")).unwrap();
        assert!(networks.seat(address("2001:db8::3")).is_none());
        assert!(networks.seat(address("2001:db8:0:1::3")).is_some());
        assert!(networks.seat(address("192.0.2.1")).is_some());
        drop(first);
        let third = networks.seat(address("2001:db8::3"));
        assert!(third.is_some());
        assert!(networks.seat(address("2001:db8::3")).is_none());
        drop((third, second));
        assert!(networks.open().is_empty(), "nothing is kept of those that left");
    }

    #[test]
    fn proxies_are_not_counted() {
        let networks = Arc::new(Networks::new(0, |address| address.is_loopback()));
        assert!(networks.seat(address("127.0.0.1")).is_some());
        assert!(networks.seat(address("192.0.2.1")).is_none());
    }
}
