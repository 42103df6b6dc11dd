//! What must hold at the end, whatever was killed: what the partners know, against what the database says.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use supercargo::storage::Store;
use supercargo::storage::{Connection, Readable};
use supercargo_x12::TransactionSet;

use super::documents::element;
use super::orders::{SCARCE, Style};
use super::partner::Partner;

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Files whose upload was confirmed.
    pub files: usize,
    /// Orders that were sent.
    pub orders: usize,
    /// What should be there and is not.
    pub lost: Vec<String>,
    /// What is there more than once.
    pub repeated: Vec<String>,
    /// What disagrees in any other way.
    pub wrong: Vec<String>,
}

impl Findings {
    fn exactly(&mut self, what: &str, wanted: usize, found: usize) {
        if found < wanted {
            self.lost.push(format!("{what}: {found} of {wanted}"));
        } else if found > wanted {
            self.repeated
                .push(format!("{what}: {found} in place of {wanted}"));
        }
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, wanted: &T, found: &T) {
        if wanted != found {
            self.wrong
                .push(format!("{what}: it should be {wanted:?} and is {found:?}"));
        }
    }

    fn same_sets(&mut self, what: &str, wanted: &BTreeSet<String>, found: &BTreeSet<String>) {
        for missing in wanted.difference(found) {
            self.lost.push(format!("{what}: {missing}"));
        }
        for extra in found.difference(wanted) {
            self.wrong
                .push(format!("{what}: {extra} is there and should not be"));
        }
    }
}

async fn rows<T: Readable>(reading: &mut Connection, sql: &str) -> Vec<T> {
    reading
        .rows(sql, vec![])
        .await
        .unwrap_or_else(|failure| panic!("{sql}: {failure}"))
}

async fn number(reading: &mut Connection, sql: &str) -> i64 {
    reading
        .number(sql, vec![])
        .await
        .unwrap_or_else(|failure| panic!("{sql}: {failure}"))
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn sum_of(set: &TransactionSet, segment: &str, n: usize) -> Decimal {
    set.segments()
        .filter(|found| found.id() == segment)
        .filter_map(|found| found.element(n).parse::<Decimal>().ok())
        .sum()
}

/// Checks everything. The gateways have come to rest.
pub async fn check(store: &Store, partners: &[Partner]) -> Findings {
    let mut found = Findings::default();
    let mut reading = store.read().await.expect("the database answers");
    for partner in partners {
        found.wrong.extend(partner.faults.iter().cloned());
        orders(&mut found, &mut reading, partner).await;
        files(&mut found, &mut reading, partner).await;
        answers(&mut found, &mut reading, partner).await;
        mailbox(&mut found, &mut reading, partner).await;
        money(&mut found, &mut reading, partner).await;
    }
    numbers(&mut found, &mut reading, partners).await;
    stock(&mut found, &mut reading, partners).await;
    ledger(&mut found, &mut reading).await;
    rest(&mut found, &mut reading).await;
    found
}

/// Each order is there once, with exactly the documents that its profile demands.
async fn orders(found: &mut Findings, reading: &mut Connection, partner: &Partner) {
    found.orders += partner.orders.len();
    let mine: Vec<(String, String)> = rows(
        reading,
        &format!(
            "SELECT o.po_number, o.status FROM purchase_order o JOIN partner p ON p.id = o.partner_id WHERE p.code = '{}'",
            partner.style.name()
        ),
    )
    .await;
    let mut by_po: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (po, status) in &mine {
        by_po.entry(po).or_default().push(status);
    }
    let known: BTreeSet<&str> = partner
        .orders
        .iter()
        .map(|order| order.po.as_str())
        .collect();
    for po in by_po.keys().filter(|po| !known.contains(**po)) {
        found
            .wrong
            .push(format!("order {po} is there and was never sent"));
    }
    let of = |code: &'static str| partner.sets.iter().filter(move |set| set.code == code);
    let mut responses: BTreeMap<String, (usize, Decimal)> = BTreeMap::new();
    let promises = ["IA", "IQ", "IP", "AC", "00", "01"];
    for set in of("855") {
        let entry = responses
            .entry(element(&set.content, "BAK", 3))
            .or_default();
        entry.0 += 1;
        for ack in set
            .content
            .segments()
            .filter(|segment| segment.id() == "ACK")
        {
            if promises.contains(&ack.element(1)) {
                entry.1 += ack.element(2).parse::<Decimal>().unwrap_or_default();
            }
        }
    }
    let mut shipped: BTreeMap<String, (usize, Decimal)> = BTreeMap::new();
    for set in of("856") {
        let (mut po, mut here) = (String::new(), BTreeMap::<String, Decimal>::new());
        for segment in set.content.segments() {
            match segment.id() {
                "PRF" => {
                    po = segment.element(1).to_owned();
                    here.entry(po.clone()).or_default();
                }
                "SN1" => {
                    *here.entry(po.clone()).or_default() +=
                        segment.element(2).parse::<Decimal>().unwrap_or_default();
                }
                _ => {}
            }
        }
        for (po, quantity) in here {
            let entry = shipped.entry(po).or_default();
            entry.0 += 1;
            entry.1 += quantity;
        }
    }
    let mut billed: BTreeMap<String, (usize, Decimal)> = BTreeMap::new();
    for set in of("810") {
        let entry = billed.entry(element(&set.content, "BIG", 4)).or_default();
        entry.0 += 1;
        entry.1 += sum_of(&set.content, "IT1", 2);
    }
    for order in &partner.orders {
        let po = &order.po;
        let states = by_po.get(po.as_str()).cloned().unwrap_or_default();
        found.exactly(&format!("order {po}"), 1, states.len());
        let (responses, promised) = responses.get(po).copied().unwrap_or_default();
        found.exactly(&format!("855 of {po}"), 1, responses);
        let ordered: i64 = order.lines.iter().map(|line| line.1).sum();
        let scarce = order.lines.iter().any(|line| line.0 == SCARCE.0);
        if promised > Decimal::from(ordered) || (!scarce && promised != Decimal::from(ordered)) {
            found
                .wrong
                .push(format!("855 of {po} promises {promised} of {ordered}"));
        }
        let (notices, left) = shipped.get(po).copied().unwrap_or_default();
        let (invoices, owed) = billed.get(po).copied().unwrap_or_default();
        let goes = usize::from(!promised.is_zero());
        found.exactly(&format!("856 of {po}"), goes, notices);
        found.exactly(&format!("810 of {po}"), goes * order.invoices, invoices);
        found.same(&format!("what the 856 of {po} ships"), &promised, &left);
        found.same(&format!("what the 810s of {po} bill"), &left, &owed);
        for status in states {
            let ended = if goes == 1 {
                matches!(status, "invoiced" | "closed" | "paid" | "shipped")
            } else {
                matches!(status, "rejected" | "cancelled" | "closed")
            };
            if !ended {
                found
                    .wrong
                    .push(format!("order {po} has come to rest as {status}"));
            }
        }
    }
}

/// Every confirmed file has a row and a disposition; no file is there that was not sent.
async fn files(found: &mut Findings, reading: &mut Connection, partner: &Partner) {
    let kept: Vec<(String, String, String)> = rows(
        reading,
        &format!(
            "SELECT f.name, f.sha256, f.disposition FROM file f JOIN connection c ON c.id = f.connection_id \
             JOIN partner p ON p.id = c.partner_id WHERE p.code = '{}'",
            partner.style.name()
        ),
    )
    .await;
    let mut by_name: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (name, sha256, disposition) in &kept {
        by_name.entry(name).or_default().push((sha256, disposition));
    }
    for file in &partner.sent {
        let rows = by_name.remove(file.name.as_str()).unwrap_or_default();
        if file.confirmed {
            found.files += 1;
            if rows.is_empty() {
                found
                    .lost
                    .push(format!("file {} was confirmed and is not there", file.name));
            }
        }
        // On the partner's own server the same file is the same upload, however often it is fetched.
        let most = if partner.style == Style::Freshway {
            1
        } else {
            file.attempts
        };
        if rows.len() > most {
            found.repeated.push(format!(
                "file {} is there {} times, sent {} times",
                file.name,
                rows.len(),
                file.attempts
            ));
        }
        let acted = rows.iter().filter(|row| row.1 == "processed").count();
        if acted > 1 {
            found
                .repeated
                .push(format!("file {} was acted upon {acted} times", file.name));
        }
        let own = sha256(&file.bytes);
        for (sha256, disposition) in rows {
            if sha256 != own {
                found
                    .wrong
                    .push(format!("file {} is kept with other bytes", file.name));
            }
            if !matches!(disposition, "processed" | "duplicate") {
                found.wrong.push(format!(
                    "file {} has come to rest as {disposition}",
                    file.name
                ));
            }
        }
    }
    for name in by_name.keys() {
        found
            .wrong
            .push(format!("file {name} is there and was never sent"));
    }
}

/// Every group of the partner's is accepted by a 997, as often as its interchange was taken in; every group of ours is
/// answered.
async fn answers(found: &mut Findings, reading: &mut Connection, partner: &Partner) {
    let taken: Vec<(String, i64)> = rows(
        reading,
        &format!(
            "SELECT g.gs06, CAST(COUNT(*) AS BIGINT) FROM functional_group g JOIN interchange i ON i.id = g.interchange_id \
             JOIN partner p ON p.id = i.partner_id WHERE p.code = '{}' AND g.functional_id <> 'FA' GROUP BY g.gs06",
            partner.style.name()
        ),
    )
    .await;
    let taken: BTreeMap<String, i64> = taken.into_iter().collect();
    let mut came: BTreeMap<String, usize> = BTreeMap::new();
    for set in partner
        .sets
        .iter()
        .filter(|set| matches!(set.code.as_str(), "997" | "999"))
    {
        let group = element(&set.content, "AK1", 2);
        let verdict = element(&set.content, "AK9", 1);
        if verdict != "A" {
            found.wrong.push(format!(
                "group {group} of {} is answered {verdict}",
                partner.style.name()
            ));
        }
        *came.entry(group).or_default() += 1;
    }
    for group in partner.groups.keys() {
        let wanted =
            usize::try_from(taken.get(group).copied().unwrap_or_default()).unwrap_or_default();
        let came = came.get(group).copied().unwrap_or_default();
        let what = format!(
            "acknowledgment of group {group} of {}",
            partner.style.name()
        );
        if wanted == 0 {
            found
                .lost
                .push(format!("{what}: the group was never taken in"));
        }
        found.exactly(&what, wanted.max(1), came);
    }
}

/// The partner has exactly the files that the database says were sent, byte for byte, under the same names.
async fn mailbox(found: &mut Findings, reading: &mut Connection, partner: &Partner) {
    let sent: Vec<(String, String, i64, String, i64)> = rows(
        reading,
        &format!(
            "SELECT t.name, t.sha256, t.size, t.state, CAST(CASE WHEN t.removed_at IS NULL THEN 0 ELSE 1 END AS BIGINT) FROM transmission t \
             JOIN partner p ON p.id = t.partner_id WHERE p.code = '{}'",
            partner.style.name()
        ),
    )
    .await;
    let wanted: BTreeSet<String> = sent
        .iter()
        .map(|(name, sha256, size, _, _)| format!("{name} {sha256} {size}"))
        .collect();
    let got: BTreeSet<String> = partner
        .got
        .iter()
        .map(|(name, bytes)| format!("{name} {} {}", sha256(bytes), bytes.len()))
        .collect();
    found.same_sets(&format!("files of {}", partner.style.name()), &wanted, &got);
    for (name, _, _, state, _) in &sent {
        if !matches!(state.as_str(), "delivered" | "picked_up") {
            found
                .wrong
                .push(format!("{name} has come to rest as {state}"));
        }
    }
    if partner.style != Style::Freshway {
        let lying: BTreeSet<String> = sent
            .iter()
            .filter(|row| row.4 == 0)
            .map(|row| row.0.clone())
            .collect();
        found.same_sets("what lies in the mailbox", &lying, &partner.left_lying);
    }
}

/// What the partner paid is what was booked, once, and its invoices are closed.
async fn money(found: &mut Findings, reading: &mut Connection, partner: &Partner) {
    let invoices: Vec<(String, i64, i64, i64, i64)> = rows(
        reading,
        &format!(
            "SELECT i.number, i.total, i.open, CAST(COALESCE(SUM(a.paid + a.discount + a.written_off), 0) AS BIGINT), \
             CAST(COUNT(a.payment_id) AS BIGINT) FROM invoice i JOIN partner p ON p.id = i.partner_id \
             LEFT JOIN application a ON a.invoice_id = i.id WHERE p.code = '{}' GROUP BY i.number, i.total, i.open",
            partner.style.name()
        ),
    )
    .await;
    for (number, total, open, applied, payments) in &invoices {
        let paid = partner.paid.get(number).copied();
        found.same(
            &format!("what was paid of invoice {number}"),
            &Some(Decimal::new(*total, 2)),
            &paid,
        );
        found.exactly(
            &format!("payment of invoice {number}"),
            1,
            usize::try_from(*payments).unwrap_or_default(),
        );
        found.same(
            &format!("invoice {number}, applied and open"),
            &(*total, 0),
            &(*applied, *open),
        );
    }
    let billed: BTreeSet<String> = invoices.iter().map(|row| row.0.clone()).collect();
    let seen: BTreeSet<String> = partner.paid.keys().cloned().collect();
    found.same_sets(
        &format!("invoices of {}", partner.style.name()),
        &billed,
        &seen,
    );
    let unapplied = number(
        reading,
        &format!(
            "SELECT CAST(COALESCE(SUM(y.unapplied), 0) AS BIGINT) FROM payment y JOIN partner p ON p.id = y.partner_id WHERE p.code = '{}'",
            partner.style.name()
        ),
    )
    .await;
    found.same("what is paid and tied to nothing", &0, &unapplied);
}

fn without_gaps(found: &mut Findings, what: &str, mut numbers: Vec<i64>, first: i64) {
    numbers.sort_unstable();
    for (place, number) in (first..).zip(numbers) {
        if place != number {
            found.wrong.push(format!(
                "{what} do not rise by one: {number} stands where {place} should"
            ));
            return;
        }
    }
}

/// Control numbers and the invoice series have no gap and no repeat, in the database and in what the partners got.
async fn numbers(found: &mut Findings, reading: &mut Connection, partners: &[Partner]) {
    for partner in partners {
        let name = partner.style.name();
        let stored: Vec<(String,)> = rows(
            reading,
            &format!("SELECT t.isa13 FROM transmission t JOIN partner p ON p.id = t.partner_id WHERE p.code = '{name}'"),
        )
        .await;
        let parsed = |text: &str| text.trim().parse::<i64>().unwrap_or(-1);
        without_gaps(
            found,
            &format!("interchange control numbers to {name}"),
            stored.iter().map(|row| parsed(&row.0)).collect(),
            1,
        );
        without_gaps(
            found,
            &format!("interchange control numbers that {name} saw"),
            partner.numbers.iter().map(|row| parsed(&row.0)).collect(),
            1,
        );
        let groups: Vec<(String,)> = rows(
            reading,
            &format!(
                "SELECT DISTINCT d.gs06 FROM document d JOIN partner p ON p.id = d.partner_id \
                 WHERE p.code = '{name}' AND d.direction = 'out' AND d.gs06 <> ''"
            ),
        )
        .await;
        without_gaps(
            found,
            &format!("group control numbers to {name}"),
            groups.iter().map(|row| parsed(&row.0)).collect(),
            1,
        );
    }
    let series: Vec<(String,)> = rows(reading, "SELECT number FROM invoice").await;
    let digits = |text: &str| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse::<i64>().unwrap_or(-1)
    };
    without_gaps(
        found,
        "invoice numbers",
        series.iter().map(|row| digits(&row.0)).collect(),
        10_001,
    );
    let counted = number(reading, "SELECT CAST(COUNT(*) AS BIGINT) FROM invoice").await;
    let counter = number(
        reading,
        "SELECT CAST(COALESCE(SUM(value), 0) AS BIGINT) FROM counter WHERE scope LIKE 'invoice:%'",
    )
    .await;
    found.same("the counter of invoice numbers", &counted, &counter);
}

/// Balances are the sums of their postings; nothing is promised that is not there, and nothing is promised any more;
/// what has gone is what the ship notices say.
async fn stock(found: &mut Findings, reading: &mut Connection, partners: &[Partner]) {
    let movements: Vec<(i64, String, String, String)> = rows(
        reading,
        "SELECT warehouse_id, mode, kind, entries FROM stock_movement",
    )
    .await;
    let mut sums: BTreeMap<(i64, i64, String), (i64, i64)> = BTreeMap::new();
    let mut issued: BTreeMap<i64, i64> = BTreeMap::new();
    for (warehouse, mode, kind, entries) in movements {
        let entries: Vec<(i64, i64, i64)> =
            serde_json::from_str(&entries).expect("entries of a posting");
        for (item, on_hand, reserved) in entries {
            let sum = sums.entry((item, warehouse, mode.clone())).or_default();
            sum.0 += on_hand;
            sum.1 += reserved;
            if kind == "issue" {
                *issued.entry(item).or_default() -= on_hand;
            }
        }
    }
    let balances: Vec<(i64, i64, String, i64, i64)> = rows(
        reading,
        "SELECT item_id, warehouse_id, mode, on_hand, reserved FROM stock",
    )
    .await;
    for (item, warehouse, mode, on_hand, reserved) in balances {
        let sum = sums
            .get(&(item, warehouse, mode))
            .copied()
            .unwrap_or_default();
        found.same(
            &format!("stock of item {item} in warehouse {warehouse}"),
            &sum,
            &(on_hand, reserved),
        );
        found.same(
            &format!("item {item} promised and not shipped"),
            &0,
            &reserved,
        );
        if on_hand < 0 {
            found
                .wrong
                .push(format!("item {item} has {on_hand} on hand"));
        }
    }
    let items: Vec<(i64, String)> = rows(reading, "SELECT id, code FROM item").await;
    let mut ordered: BTreeMap<&str, i64> = BTreeMap::new();
    for order in partners.iter().flat_map(|partner| &partner.orders) {
        for (item, quantity) in &order.lines {
            *ordered.entry(item).or_default() += quantity;
        }
    }
    // Cases of the grocer's goods, in units.
    let pack = |code: &str| match code {
        "GR-2001" | "GR-2004" => 12,
        "GR-2002" => 24,
        _ => 1,
    };
    for (id, code) in items {
        let mut wanted = ordered.get(code.as_str()).copied().unwrap_or_default() * pack(&code);
        if code == SCARCE.0 {
            wanted = wanted.min(SCARCE.1);
        }
        found.same(
            &format!("what has left of {code}"),
            &(wanted * 10_000),
            &issued.get(&id).copied().unwrap_or_default(),
        );
    }
}

/// The ledger sums to zero, entry by entry and in all, and says what the invoices say.
async fn ledger(found: &mut Findings, reading: &mut Connection) {
    let crooked: Vec<(String, String, i64)> = rows(
        reading,
        "SELECT source, rule, CAST(SUM(amount) AS BIGINT) FROM ledger_entry GROUP BY source, rule HAVING SUM(amount) <> 0",
    )
    .await;
    for (source, rule, sum) in crooked {
        found
            .wrong
            .push(format!("the posting {rule} of {source} sums to {sum}"));
    }
    let owed = number(reading, "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM ledger_entry WHERE account = 'receivable'").await;
    let open = number(
        reading,
        "SELECT CAST(COALESCE(SUM(open), 0) AS BIGINT) FROM invoice",
    )
    .await;
    found.same("what is owed", &open, &owed);
    let billed = number(reading, "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM ledger_entry WHERE account = 'receivable' AND amount > 0").await;
    let total = number(
        reading,
        "SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM invoice",
    )
    .await;
    found.same("what was billed", &total, &billed);
}

/// Nothing is left undone, every document has its end, and the bytes are what their address says.
async fn rest(found: &mut Findings, reading: &mut Connection) {
    let work: Vec<(String, i64, String)> = rows(
        reading,
        "SELECT step, subject, COALESCE(problem, '') FROM work",
    )
    .await;
    for (step, subject, problem) in work {
        found.wrong.push(format!(
            "the step {step} of {subject} was never done: {problem}"
        ));
    }
    let documents: Vec<(i64, String, String, String, String)> = rows(
        reading,
        "SELECT id, set_code, disposition, delivery, syntax FROM document WHERE \
         (direction = 'in' AND disposition NOT IN ('processed', 'duplicate')) OR \
         (direction = 'out' AND (delivery NOT IN ('delivered', 'picked_up') OR syntax IN ('pending', 'rejected')))",
    )
    .await;
    for (id, code, disposition, delivery, syntax) in documents {
        found.wrong.push(format!(
            "document {id} ({code}) has come to rest as {disposition} / {delivery} / {syntax}"
        ));
    }
    let stuck: Vec<(String,)> =
        rows(reading, "SELECT message FROM alert WHERE kind IN ('work-stuck', 'document-held', 'document-rejected')").await;
    found.wrong.extend(stuck.into_iter().map(|row| row.0));
    let contents: Vec<(String, i64)> = rows(reading, "SELECT sha256, size FROM content").await;
    for (address, size) in contents {
        match reading.content(&address).await {
            Ok(bytes) if sha256(&bytes) == address && bytes.len() as i64 == size => {}
            Ok(_) => found
                .wrong
                .push(format!("the bytes kept as {address} are others")),
            Err(failure) => found.lost.push(failure.to_string()),
        }
    }
}
