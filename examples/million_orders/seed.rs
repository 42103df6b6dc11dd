//! The history that is multiplied: orders that went through the real pipeline, in three parts. What is settled: sent,
//! acknowledged, paid. What is owed: the same, and not paid yet. What a person has to look at: held, rejected, waiting for
//! goods, planned, unanswered, refused, short-paid and unapplied.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use supercargo::domain::ids::{ConnectionId, PartnerId};
use supercargo::domain::money::{Amount, Currency};
use supercargo::domain::order::Mode;
use supercargo::domain::remittance::{Remittance, RemittanceAdjustment, RemittanceItem};
use supercargo::service::HouseClock;
use supercargo::storage::Class;
use supercargo::workflow::lists::{self, ListKind};
use supercargo::workflow::receive::{Upload, UploadSource, receive};
use supercargo::workflow::{Gateway, partners, payments, run, watch};

use super::trade::{self, Kind, MARK};
use super::{Broken, Outcome};

/// Partners that trade. One more never sent anything.
const PARTNERS: u64 = 5;
/// Orders in one interchange.
const TOGETHER: u64 = 5;
/// Orders of the first two parts.
pub const ORDERS: u64 = 100;
const WAREHOUSES: &str = "code,name,street,city,state,zip,country,zone,fulfilment,carrier\n\
    EAST,Supercargo East Warehouse,1 Harbor Street,Baltimore,MD,21201,US,America/New_York,at_once,SMPL\n\
    WEST,Supercargo West Warehouse,40 Railroad Street,Reno,NV,89501,US,America/Los_Angeles,person,SMPL\n";
const PROFILE: &str = include_str!("profile.toml");
const ACTOR: &str = "seed";

struct Partner {
    id: i64,
    sender: String,
    mailbox: i64,
    /// The last control number that it used.
    number: u64,
}

/// Who seeds.
pub struct Seeder {
    gateway: Gateway,
    clock: Arc<HouseClock>,
    partners: Vec<Partner>,
    /// What the PO numbers and file names begin with.
    mark: String,
    orders: u64,
}

impl Seeder {
    /// Loads the lists and partners.
    pub async fn furnish(gateway: &Gateway, clock: &Arc<HouseClock>) -> Outcome<Self> {
        for (kind, csv) in [
            (ListKind::Warehouses, WAREHOUSES.to_owned()),
            (ListKind::Items, trade::item_list()),
            (ListKind::Stock, trade::stock_list()),
        ] {
            lists::load(gateway, kind, csv.as_bytes(), None, ACTOR).await?;
        }
        for n in 1..=PARTNERS + 1 {
            let (name, sender) = (format!("buyer{n}"), format!("BUYERCO{n}"));
            let profile = PROFILE
                .replace("\"NAME", &format!("\"{name}"))
                .replace("\"ID\"", &format!("\"{sender}\""));
            partners::apply(gateway, &profile, ACTOR).await?;
            let stores = trade::store_list();
            lists::load(
                gateway,
                ListKind::Locations,
                stores.as_bytes(),
                Some(&name),
                ACTOR,
            )
            .await?;
        }
        Self::join(gateway, clock, MARK.to_owned(), 0).await
    }

    /// Goes on with partners that are there: with other marks, and control numbers behind `number`.
    pub async fn join(
        gateway: &Gateway,
        clock: &Arc<HouseClock>,
        mark: String,
        number: u64,
    ) -> Outcome<Self> {
        let mailboxes = gateway.store.read().await?.connections("mailbox").await?;
        let partner = |n: u64| {
            let name = format!("buyer{n}");
            let mailbox = mailboxes.iter().find(|row| row.name == name)?;
            Some(Partner {
                id: mailbox.partner_id?,
                sender: format!("BUYERCO{n}"),
                mailbox: mailbox.id,
                number,
            })
        };
        let partners: Option<Vec<Partner>> = (1..=PARTNERS).map(partner).collect();
        Ok(Self {
            gateway: gateway.clone(),
            clock: clock.clone(),
            partners: partners.ok_or_else(|| Broken("a partner has no mailbox".to_owned()))?,
            mark,
            orders: 0,
        })
    }

    /// A hundred orders in twenty files, from their 850s to open receivables: how long they took.
    pub async fn hundred(&mut self) -> Outcome<Duration> {
        let began = std::time::Instant::now();
        for n in 0..ORDERS / TOGETHER {
            self.send(n, &[Kind::Sound; TOGETHER as usize]).await?;
        }
        self.settle().await?;
        Ok(began.elapsed())
    }

    /// A hundred orders that were paid, begun on `day`.
    pub async fn settled(&mut self, day: DateTime<Utc>) -> Outcome<()> {
        self.owed(day).await?;
        self.clock.set(day + chrono::Duration::days(25));
        for at in 0..self.partners.len() {
            let open = self.open_invoices(at).await?;
            for (n, together) in open.chunks(5).enumerate() {
                let reference = format!("{MARK}-P{at}{n:02}-S{}", self.orders);
                self.pay(at, &reference, together, Amount(0)).await?;
            }
        }
        self.settle().await
    }

    /// A hundred orders whose invoices are out and acknowledged, begun on `day`.
    pub async fn owed(&mut self, day: DateTime<Utc>) -> Outcome<()> {
        self.clock.set(day);
        for n in 0..ORDERS / TOGETHER {
            self.send(n, &[Kind::Sound; TOGETHER as usize]).await?;
        }
        self.settle().await?;
        self.clock.set(day + chrono::Duration::hours(6));
        self.fetch().await?;
        self.acknowledge(|_, _| Some(true)).await
    }

    /// Forty orders of which each needs a person in some way, begun on `day`.
    pub async fn unsettled(&mut self, day: DateTime<Utc>) -> Outcome<()> {
        self.clock.set(day);
        for n in 0..PARTNERS {
            self.send(
                n,
                &[Kind::OtherPrice, Kind::Waiting, Kind::Planned, Kind::Faulty],
            )
            .await?;
            self.send(n, &[Kind::Sound; 4]).await?;
        }
        let name = format!("{MARK}-nonsense.txt");
        self.upload(0, name, b"This is no interchange at all.".to_vec())
            .await?;
        let stranger = trade::interchange(
            "STRANGER",
            1,
            "PO",
            "850",
            &[trade::order(
                &format!("{MARK}-STRANGE"),
                1,
                Kind::Sound,
                day.date_naive(),
            )],
            day.date_naive(),
        );
        self.upload(0, format!("{MARK}-stranger.edi"), stranger)
            .await?;
        self.settle().await?;
        self.clock.set(day + chrono::Duration::hours(6));
        self.fetch().await?;
        // Of each partner one invoice is refused, and what was sent last is not answered at all.
        self.acknowledge(|set, n| match (set, n) {
            ("810", 0) => Some(false),
            (_, 3) => None,
            _ => Some(true),
        })
        .await?;
        self.clock.set(day + chrono::Duration::days(2));
        watch::overdue_acknowledgments(&self.gateway).await?;
        for at in 0..self.partners.len() {
            let open = self.open_invoices(at).await?;
            let reference = format!("{MARK}-P{at}-SHORT");
            self.pay(
                at,
                &reference,
                open.get(..1).unwrap_or_default(),
                Amount(500),
            )
            .await?;
            let reference = format!("{MARK}-P{at}-LOOSE");
            self.pay(at, &reference, &[], Amount(0)).await?;
        }
        self.settle().await
    }

    async fn send(&mut self, n: u64, kinds: &[Kind]) -> Outcome<()> {
        let day = self.gateway.now().date_naive();
        let at = usize::try_from(n % PARTNERS)?;
        let mut sets = Vec::new();
        for kind in kinds {
            self.orders += 1;
            let po = format!("{}-{:05}", self.mark, self.orders);
            sets.push(trade::order(&po, self.orders, *kind, day));
        }
        let (sender, number) = self.next(at)?;
        let bytes = trade::interchange(&sender, number, "PO", "850", &sets, day);
        self.upload(at, format!("{}-850-{at}-{number}.edi", self.mark), bytes)
            .await
    }

    fn next(&mut self, at: usize) -> Outcome<(String, u64)> {
        let partner = self
            .partners
            .get_mut(at)
            .ok_or_else(|| Broken(format!("there is no partner {at}")))?;
        partner.number += 1;
        Ok((partner.sender.clone(), partner.number))
    }

    async fn upload(&self, at: usize, name: String, bytes: Vec<u8>) -> Outcome<()> {
        let partner = self
            .partners
            .get(at)
            .ok_or_else(|| Broken(format!("there is no partner {at}")))?;
        let upload = Upload {
            connection: Some(ConnectionId(partner.mailbox)),
            partner: None,
            name,
            source: UploadSource::Bytes(bytes),
            actor: partner.sender.clone(),
            key: None,
        };
        receive(&self.gateway, upload).await?;
        Ok(())
    }

    async fn settle(&self) -> Outcome<()> {
        if run::settle(&self.gateway, Duration::from_secs(120)).await? {
            return Ok(());
        }
        Err(Broken("the seed is not worked off after two minutes".to_owned()).into())
    }

    /// The partners fetch whatever lies there.
    async fn fetch(&self) -> Outcome<()> {
        let lying: Vec<(i64,)> = self
            .gateway
            .store
            .read()
            .await?
            .rows(
                "SELECT id FROM transmission WHERE state = 'delivered' ORDER BY id",
                vec![],
            )
            .await?;
        let now = self.gateway.now();
        self.gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let lying = lying.clone();
                Box::pin(async move {
                    for (id,) in lying {
                        connection.pick_up(id, ACTOR, true, now).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(())
    }

    /// Every partner answers what it got and has not answered. `judge` is told the set and how many of it came before, and
    /// says whether it is accepted; none: there is no answer.
    async fn acknowledge(&mut self, judge: impl Fn(&str, usize) -> Option<bool>) -> Outcome<()> {
        let day = self.gateway.now().date_naive();
        for at in 0..self.partners.len() {
            let id = self.partners.get(at).map_or(0, |partner| partner.id);
            let sent: Vec<(String, String, String)> = self
                .gateway
                .store
                .read()
                .await?
                .rows(
                    "SELECT set_code, gs06, st02 FROM document WHERE partner_id = $1 AND syntax = 'pending' AND gs06 <> ''
                     ORDER BY id",
                    vec![id.into()],
                )
                .await?;
            let mut before: BTreeMap<String, usize> = BTreeMap::new();
            let mut answers = Vec::new();
            for (set, gs06, st02) in sent {
                let n = before.entry(set.clone()).or_default();
                if let Some(accepted) = judge(&set, *n) {
                    let functional = match set.as_str() {
                        "855" => "PR",
                        "856" => "SH",
                        _ => "IN",
                    };
                    answers.push(trade::acknowledgment(
                        functional, &gs06, &set, &st02, accepted,
                    ));
                }
                *n += 1;
            }
            for answer in answers.chunks(20) {
                let (sender, number) = self.next(at)?;
                let bytes = trade::interchange(&sender, number, "FA", "997", answer, day);
                self.upload(at, format!("{MARK}-997-{at}-{number}.edi"), bytes)
                    .await?;
            }
        }
        self.settle().await
    }

    async fn open_invoices(&self, at: usize) -> Outcome<Vec<(String, i64)>> {
        let id = self.partners.get(at).map_or(0, |partner| partner.id);
        Ok(self
            .gateway
            .store
            .read()
            .await?
            .rows(
                "SELECT number, open FROM invoice WHERE partner_id = $1 AND open > 0 ORDER BY id DESC LIMIT 100",
                vec![id.into()],
            )
            .await?)
    }

    /// Pays invoices, each by so much too little; without invoices, a sum that is for nothing in particular.
    async fn pay(
        &self,
        at: usize,
        reference: &str,
        invoices: &[(String, i64)],
        short: Amount,
    ) -> Outcome<()> {
        let id = self.partners.get(at).map_or(0, |partner| partner.id);
        let mut items: Vec<RemittanceItem> = invoices
            .iter()
            .map(|(number, open)| RemittanceItem {
                qualifier: "IV".to_owned(),
                reference: number.clone(),
                action: String::new(),
                paid: Amount(open - short.0),
                invoice_amount: Some(Amount(*open)),
                discount: None,
                adjustments: match short.0 {
                    0 => Vec::new(),
                    short => vec![RemittanceAdjustment {
                        amount: Amount(-short),
                        reason: "70".to_owned(),
                        reference: format!("{reference}-CLAIM"),
                        note: String::new(),
                    }],
                },
                place: Default::default(),
            })
            .collect();
        if items.is_empty() {
            items.push(RemittanceItem {
                qualifier: String::new(),
                reference: String::new(),
                action: String::new(),
                paid: Amount(12_345),
                invoice_amount: None,
                discount: None,
                adjustments: Vec::new(),
                place: Default::default(),
            });
        }
        let paid: i64 = items.iter().map(|item| item.paid.0).sum();
        let remittance = Remittance {
            reference: reference.to_owned(),
            method: "ACH".to_owned(),
            money_moved: true,
            total: Amount(paid),
            debit: false,
            currency: Currency::USD,
            date: self.gateway.now().date_naive(),
            payer: String::new(),
            items,
            adjustments: Vec::new(),
        };
        payments::pay(
            &self.gateway,
            PartnerId(id),
            Mode::Production,
            remittance,
            ACTOR,
        )
        .await?;
        Ok(())
    }
}
