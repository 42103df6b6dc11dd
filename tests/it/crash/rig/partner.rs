//! A partner that goes on trading whatever happens: it orders, sends again what was not confirmed, collects, answers
//! with 997s and pays with 820s.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::NaiveDateTime;
use fastrand::Rng;
use rust_decimal::Decimal;
use supercargo::config::profile::Profile;
use supercargo::translation::envelope::Addresses;

use super::documents::{self, Sent, element};
use super::orders::{Buyer, Ordered, Style};
use super::wire::{MailboxClient, Manner, OwnServer, files_in};

/// What the rehearsal asks of a partner while it trades.
#[derive(Debug, Default)]
pub struct Asked {
    /// No new orders; finish what is begun.
    pub close: AtomicBool,
    /// Everything is settled: go home.
    pub go_home: AtomicBool,
    /// Send a file that is too large for one row.
    pub large: AtomicBool,
    /// Send an interchange with very many sets.
    pub many: AtomicBool,
    /// Changes of whatever kind that the partner has seen: something moves.
    pub moves: AtomicUsize,
    /// Files that are not confirmed yet, invoices not paid yet, documents that are still to come.
    pub open: AtomicUsize,
}

/// A file of the partner's.
#[derive(Debug, Clone)]
pub struct OwnFile {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How often it was offered or its upload begun.
    pub attempts: usize,
    /// Whether it was confirmed.
    pub confirmed: bool,
    manner: Manner,
}

/// The way to us.
pub enum Wire {
    /// Our mailbox.
    Mailbox(MailboxClient),
    /// The partner's own server.
    Own(OwnServer),
}

/// A partner.
pub struct Partner {
    /// Which.
    pub style: Style,
    /// Everything that it sent, in order.
    pub sent: Vec<OwnFile>,
    /// Every order, in order.
    pub orders: Vec<Ordered>,
    /// GS06 of its groups of orders and payments, which want a 997, with the file that brought each.
    pub groups: BTreeMap<String, usize>,
    /// Every file that it got, by name.
    pub got: BTreeMap<String, Vec<u8>>,
    /// Every set in them.
    pub sets: Vec<Sent>,
    /// ISA13 of every file that it got, with the file's name.
    pub numbers: Vec<(String, String)>,
    /// What it paid, by invoice.
    pub paid: BTreeMap<String, Decimal>,
    /// Names that still lie in the mailbox and are to stay there.
    pub left_lying: BTreeSet<String>,
    /// What was wrong with what it got, in sentences.
    pub faults: Vec<String>,
    /// The way to us.
    pub wire: Wire,
    to_send: VecDeque<usize>,
    to_remove: BTreeSet<String>,
    to_pay: Vec<(String, Decimal)>,
    profile: Profile,
    between: Addresses,
    buyer: Buyer,
    chance: Rng,
    control_number: u32,
    at: NaiveDateTime,
    paced: usize,
}

impl Partner {
    /// A partner whose doings follow from `seed`; at most `paced` of its orders are on their way at once.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        style: Style,
        seed: u64,
        profile: Profile,
        between: Addresses,
        wire: Wire,
        at: NaiveDateTime,
        paced: usize,
    ) -> Partner {
        Partner {
            style,
            sent: Vec::new(),
            orders: Vec::new(),
            groups: BTreeMap::new(),
            got: BTreeMap::new(),
            sets: Vec::new(),
            numbers: Vec::new(),
            paid: BTreeMap::new(),
            left_lying: BTreeSet::new(),
            faults: Vec::new(),
            wire,
            to_send: VecDeque::new(),
            to_remove: BTreeSet::new(),
            to_pay: Vec::new(),
            profile,
            between,
            buyer: Buyer::new(style, seed, at.date()),
            chance: Rng::with_seed(seed ^ 0x5eed),
            control_number: 0,
            at,
            paced,
        }
    }

    /// Trades until it is sent home.
    pub fn trade(mut self, asked: &Arc<Asked>) -> Partner {
        while !asked.go_home.load(Ordering::SeqCst) {
            let before = self.seen();
            if !asked.close.load(Ordering::SeqCst) {
                self.order(asked);
            }
            self.send();
            self.collect();
            self.pay();
            asked.open.store(self.open(), Ordering::SeqCst);
            if self.seen() != before {
                asked.moves.fetch_add(1, Ordering::SeqCst);
            }
            std::thread::sleep(Duration::from_millis(self.chance.u64(5..40)));
        }
        self
    }

    fn seen(&self) -> (usize, usize, usize, usize) {
        let confirmed = self.sent.iter().filter(|file| file.confirmed).count();
        (
            confirmed,
            self.got.len(),
            self.to_remove.len(),
            self.paid.len(),
        )
    }

    /// What it still waits for.
    fn open(&self) -> usize {
        self.to_send.len() + self.to_pay.len() + self.to_remove.len() + self.unanswered()
    }

    /// Orders of which an 855 is still to come.
    fn unanswered(&self) -> usize {
        self.orders.len().saturating_sub(self.responses())
    }

    fn responses(&self) -> usize {
        self.sets.iter().filter(|set| set.code == "855").count()
    }

    fn number(&mut self) -> u32 {
        self.control_number += 1;
        self.control_number
    }

    fn order(&mut self, asked: &Asked) {
        if self.style == Style::Bigmart {
            if asked.large.swap(false, Ordering::SeqCst) {
                let number = self.number();
                let file = self.buyer.large(number);
                return self.write_orders("large", file);
            }
            let earlier = self.orders.first().cloned();
            if let Some(earlier) = earlier.filter(|_| self.unanswered() == 0)
                && asked.many.swap(false, Ordering::SeqCst)
            {
                let number = self.number();
                let file = self.buyer.repeated(number, &earlier);
                return self.write_orders("again", file);
            }
        }
        if self.unanswered() < self.paced {
            let number = self.number();
            let file = self.buyer.next(number);
            self.write_orders("850", file);
        }
    }

    fn write_orders(&mut self, what: &str, file: super::orders::OrderFile) {
        self.groups.insert(file.group, self.sent.len());
        self.orders.extend(file.orders);
        self.write(what, file.bytes);
    }

    fn write(&mut self, what: &str, bytes: Vec<u8>) {
        let name = format!("{}-{what}-{:06}.edi", self.style.name(), self.sent.len());
        let manner = if self.chance.bool() {
            Manner::Plain
        } else {
            Manner::Renamed
        };
        self.to_send.push_back(self.sent.len());
        self.sent.push(OwnFile {
            name,
            bytes,
            attempts: 0,
            confirmed: false,
            manner,
        });
    }

    /// Sends what waits, in order; what is not confirmed is sent again, the same bytes under the same name.
    fn send(&mut self) {
        match &mut self.wire {
            Wire::Mailbox(client) => {
                while let Some(next) = self.to_send.front().copied() {
                    let file = &mut self.sent[next];
                    file.attempts += 1;
                    if client.upload(&file.name, &file.bytes, file.manner).is_err() {
                        return;
                    }
                    file.confirmed = true;
                    self.to_send.pop_front();
                }
            }
            Wire::Own(server) => {
                // A file that has gone from there was taken by us: that is its receipt.
                self.to_send.retain(|next| {
                    let file = &mut self.sent[*next];
                    let place = server.offered.join(&file.name);
                    if file.attempts == 0 {
                        file.attempts = 1;
                        let temporary = server.offered.join(format!("{}.tmp", file.name));
                        std::fs::write(&temporary, &file.bytes).expect("writes");
                        std::fs::rename(&temporary, &place).expect("renames");
                        return true;
                    }
                    file.confirmed = !place.exists();
                    !file.confirmed
                });
            }
        }
    }

    /// Takes what is new, answers it, and takes most of it away.
    fn collect(&mut self) {
        let mut new = Vec::new();
        match &mut self.wire {
            Wire::Mailbox(client) => {
                for name in self.to_remove.clone() {
                    // A removal whose answer was lost has removed it all the same.
                    if client.remove(&name).is_err() {
                        break;
                    }
                    self.to_remove.remove(&name);
                }
                let Ok(listed) = client.list() else {
                    return;
                };
                let lying: BTreeSet<&String> = listed.iter().map(|(name, _)| name).collect();
                self.to_remove.retain(|name| lying.contains(name));
                for (name, size) in listed {
                    if self.got.contains_key(&name) {
                        if self.chance.u8(..20) > 0 {
                            continue;
                        }
                        // Once more: it must be what it was.
                        if let Ok(bytes) = client.download(&name)
                            && self.got.get(&name) != Some(&bytes)
                        {
                            self.faults
                                .push(format!("{name} holds other bytes than before"));
                        }
                        continue;
                    }
                    let Ok(bytes) = client.download(&name) else {
                        break;
                    };
                    if bytes.len() as u64 != size {
                        self.faults.push(format!(
                            "{name} is listed with {size} bytes and has {}",
                            bytes.len()
                        ));
                    }
                    if self.chance.u8(..10) < 8 {
                        self.to_remove.insert(name.clone());
                    } else {
                        self.left_lying.insert(name.clone());
                    }
                    new.push((name, bytes));
                }
            }
            Wire::Own(server) => {
                for (name, bytes) in files_in(&server.delivered) {
                    match self.got.get(&name) {
                        None => new.push((name, bytes)),
                        Some(known) if *known == bytes => {}
                        Some(_) => self
                            .faults
                            .push(format!("{name} holds other bytes than before")),
                    }
                }
            }
        }
        for (name, bytes) in new {
            self.take(&name, &bytes);
            self.got.insert(name, bytes);
        }
    }

    fn take(&mut self, name: &str, bytes: &[u8]) {
        let file = documents::read(name, bytes, &self.profile);
        self.faults.extend(file.faults);
        self.numbers.push((file.isa13, name.to_owned()));
        for group in &file.groups {
            if let Some(answer) = documents::acknowledgment(group) {
                let number = self.number();
                let bytes = documents::interchange(answer, &self.between, number, self.at);
                self.write("997", bytes);
            }
        }
        for set in file.sets {
            if set.code == "810" {
                let number = element(&set.content, "BIG", 2);
                let total: i64 = element(&set.content, "TDS", 1).parse().unwrap_or_default();
                self.to_pay.push((number, Decimal::new(total, 2)));
            }
            self.sets.push(set);
        }
    }

    /// Pays what it was billed.
    fn pay(&mut self) {
        if self.to_pay.is_empty() {
            return;
        }
        let number = self.number();
        let invoices = std::mem::take(&mut self.to_pay);
        let set = documents::payment(
            &format!("PAY{number:07}"),
            &invoices,
            self.profile.display_name(),
            self.at,
        );
        let bytes = documents::interchange(set, &self.between, number, self.at);
        self.groups.insert(number.to_string(), self.sent.len());
        self.write("820", bytes);
        for (invoice, total) in invoices {
            *self.paid.entry(invoice).or_default() += total;
        }
    }
}
