//! Who may connect: limits by address, and bans of addresses whose logins keep failing.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::limits::Limits;

/// Addresses without open connections that are remembered for their failures, at most.
const REMEMBERED: usize = 100_000;

/// Why a connection is turned away before a word is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnedAway {
    /// Too many logins from this address were refused.
    #[error("its address is banned for a while after too many refused logins")]
    Banned,
    /// The address has as many connections as it may.
    #[error("its address has too many connections")]
    AddressFull,
    /// There are as many connections as there may be.
    #[error("there are too many connections")]
    Full,
}

/// Counts connections and refused logins.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    addresses: HashMap<IpAddr, Address>,
}

#[derive(Debug, Default)]
struct Address {
    open: usize,
    failures: VecDeque<Instant>,
    banned_until: Option<Instant>,
}

/// A place for one connection, given back when dropped.
#[derive(Debug)]
pub struct Place {
    gate: Arc<Gate>,
    address: IpAddr,
}

impl Gate {
    /// A gate without visitors.
    pub fn new(limits: Limits) -> Arc<Gate> {
        Arc::new(Gate {
            limits,
            state: Mutex::default(),
        })
    }

    /// Lets a connection in.
    ///
    /// # Errors
    /// When a limit is reached or the address is banned.
    pub fn admit(self: &Arc<Self>, address: IpAddr, now: Instant) -> Result<Place, TurnedAway> {
        let address = network(address);
        let mut state = self.lock();
        if state.open >= self.limits.connections {
            return Err(TurnedAway::Full);
        }
        let known = state.addresses.entry(address).or_default();
        let turned = if known.banned_until.is_some_and(|until| now < until) {
            Some(TurnedAway::Banned)
        } else if known.open >= self.limits.connections_per_address {
            Some(TurnedAway::AddressFull)
        } else {
            None
        };
        if let Some(turned) = turned {
            return Err(turned);
        }
        known.banned_until = None;
        known.open += 1;
        state.open += 1;
        Ok(Place {
            gate: self.clone(),
            address,
        })
    }

    /// A login from this address was refused. `true` when that bans the address.
    pub fn login_refused(&self, address: IpAddr, now: Instant) -> bool {
        let mut state = self.lock();
        if state.addresses.len() > REMEMBERED {
            self.forget(&mut state, now);
        }
        let known = state.addresses.entry(network(address)).or_default();
        known.failures.push_back(now);
        while known
            .failures
            .front()
            .is_some_and(|&at| now.duration_since(at) > self.limits.failed_logins_within)
        {
            known.failures.pop_front();
        }
        if known.failures.len() < self.limits.failed_logins {
            return false;
        }
        known.failures.clear();
        known.banned_until = Some(now + self.limits.ban);
        true
    }

    /// Is this address banned? Asked before each login, since a ban also holds for connections that are open.
    pub fn is_banned(&self, address: IpAddr, now: Instant) -> bool {
        let state = self.lock();
        let known = state.addresses.get(&network(address));
        known
            .and_then(|known| known.banned_until)
            .is_some_and(|until| now < until)
    }

    /// Forgets whom nothing is held against any more; where that is not enough, all who are not banned or connected.
    fn forget(&self, state: &mut State, now: Instant) {
        let within = self.limits.failed_logins_within;
        state.addresses.retain(|_, known| {
            known.open > 0
                || known.banned_until.is_some_and(|until| now < until)
                || known
                    .failures
                    .back()
                    .is_some_and(|&at| now.duration_since(at) <= within)
        });
        if state.addresses.len() > REMEMBERED {
            state
                .addresses
                .retain(|_, known| known.open > 0 || known.banned_until.is_some());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Counters stay right even if a thread died while it held them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.open = state.open.saturating_sub(1);
        if let Some(known) = state.addresses.get_mut(&self.address) {
            known.open = known.open.saturating_sub(1);
            if known.open == 0 && known.failures.is_empty() && known.banned_until.is_none() {
                state.addresses.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: an IPv4 address, or the /64 that an IPv6 site is given as a whole.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn gate() -> Arc<Gate> {
        Gate::new(Limits {
            connections: 3,
            connections_per_address: 2,
            failed_logins: 3,
            failed_logins_within: Duration::from_secs(60),
            ban: Duration::from_secs(100),
            ..Limits::default()
        })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let (gate, now) = (gate(), Instant::now());
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        let first = gate.admit(one, now).expect("a place");
        let _second = gate
            .admit(address("::ffff:192.0.2.1"), now)
            .expect("a place");
        assert_eq!(gate.admit(one, now).err(), Some(TurnedAway::AddressFull));
        let _third = gate.admit(other, now).expect("a place");
        assert_eq!(
            gate.admit(address("192.0.2.3"), now).err(),
            Some(TurnedAway::Full)
        );
        drop(first);
        gate.admit(one, now).expect("the place that was given back");
    }

    #[test]
    fn an_ipv6_site_is_one_address() {
        let (gate, now) = (gate(), Instant::now());
        let _first = gate.admit(address("2001:db8::1"), now).expect("a place");
        let _second = gate.admit(address("2001:db8::2"), now).expect("a place");
        assert_eq!(
            gate.admit(address("2001:db8::3"), now).err(),
            Some(TurnedAway::AddressFull)
        );
        gate.admit(address("2001:db8:0:1::1"), now)
            .expect("another site");
    }

    #[test]
    fn failures_within_the_time_ban_for_a_while() {
        let (gate, start) = (gate(), Instant::now());
        let one = address("192.0.2.1");
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(!gate.login_refused(one, at(0)));
        assert!(!gate.login_refused(one, at(50)));
        // the first is too long ago by now
        assert!(!gate.login_refused(one, at(70)));
        assert!(!gate.is_banned(one, at(70)));
        assert!(gate.login_refused(one, at(80)));
        assert!(gate.is_banned(one, at(80)));
        assert_eq!(gate.admit(one, at(179)).err(), Some(TurnedAway::Banned));
        gate.admit(address("192.0.2.2"), at(81))
            .expect("others are let in");
        gate.admit(one, at(181)).expect("the ban is over");
    }
}
