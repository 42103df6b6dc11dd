//! Translate: an accepted transaction set becomes what it is about: an order, a payment, the fate of what we sent. Each
//! effect has a key, so that a second translation of the same set finds it done.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use supercargo_x12::{Delimiters, IsaHeader, Limits, TransactionSet, read_set_with_limits};

use super::collect::{self, Posted};
use super::notice::{self, Notice};
use super::read::{parts_of_files, together};
use super::run::Later;
use super::{COMPANY, Gateway, Trading, fate};
use crate::config::profile::documents::{OnOrderAgain, OrderIdentity};
use crate::domain::clock::{Instant, days_after};
use crate::domain::document::{Application, Disposition};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{DocumentId, OrderId, PartnerId, PaymentId};
use crate::domain::order::{Mode, Order, OrderState};
use crate::storage::content::cut;
use crate::storage::documents::{DocumentRow, Settled};
use crate::storage::effort::{Effort, spend};
use crate::storage::journal::Subject;
use crate::storage::work::Step;
use crate::storage::{Connection, Failure};
use crate::translation::purchase_order::{self, PurchaseOrder};
use crate::translation::{acknowledgment, application_advice, reference, remittance};

/// How a document ended.
struct Outcome {
    disposition: Disposition,
    application: Application,
    subject: Option<Subject>,
    reference: String,
    findings: Vec<Finding>,
}

impl Outcome {
    fn processed(subject: Option<Subject>, reference: impl Into<String>) -> Self {
        Self {
            disposition: Disposition::Processed,
            application: Application::Accepted,
            subject,
            reference: reference.into(),
            findings: Vec::new(),
        }
    }

    fn held(reference: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self {
            disposition: Disposition::Held,
            application: Application::Pending,
            subject: None,
            reference: reference.into(),
            findings,
        }
    }
}

/// Translates documents, in order of their numbers.
pub async fn step(
    gateway: &Gateway,
    connection: &mut Connection,
    subjects: &[i64],
) -> Result<Vec<Later>, Failure> {
    let documents = connection.documents(subjects).await?;
    let mut sets = Sets::of_batch(gateway, connection, &documents).await?;
    let (mut purchase_orders, mut outcomes) = (Vec::new(), Vec::new());
    let mut known: HashMap<i64, Trading> = HashMap::new();
    for document in documents
        .iter()
        .filter(|document| document.disposition == "received")
    {
        let Some(partner) = document.partner_id else {
            continue;
        };
        let trading = match known.get(&partner) {
            Some(trading) => trading.clone(),
            None => {
                let trading = gateway.trading(connection, PartnerId(partner)).await?;
                known.insert(partner, trading.clone());
                trading
            }
        };
        let set = sets.of(connection, document).await?;
        let mut outcome = match document.set_code.as_str() {
            "850" => match purchase_order(gateway, &trading, document, &set)? {
                Ok(order) => {
                    purchase_orders.push((document, trading, order));
                    continue;
                }
                Err(outcome) => outcome,
            },
            _ => translate(gateway, connection, &trading, document, &set).await?,
        };
        if outcome.reference.is_empty() {
            // A corrected set may say another one than the received one did.
            outcome.reference = reference::of(&set);
        }
        outcomes.push((document, trading, outcome));
    }
    let orders = order(connection, purchase_orders, &mut outcomes).await?;
    let mut settled = Vec::with_capacity(outcomes.len());
    for (document, trading, outcome) in outcomes {
        settled.push(settle(gateway, connection, &trading, document, outcome).await?);
    }
    connection.settle_documents(&settled).await?;
    let lanes: Vec<(i64, i64)> = orders
        .iter()
        .map(|order| (order.id.0, order.id.0))
        .collect();
    connection.add_orders(orders).await?;
    connection
        .ask_for_each(Step::Verify, &lanes, gateway.now())
        .await?;
    let interchanges = documents
        .iter()
        .filter(|document| document.disposition == "received")
        .filter_map(|document| document.interchange_id)
        .collect();
    refresh(connection, interchanges).await?;
    Ok(Vec::new())
}

/// The bytes of sets, each content read once a batch.
struct Sets {
    limits: Limits,
    /// By interchange.
    delimiters: HashMap<i64, Delimiters>,
    /// Address and size of what is in a file.
    contents: HashMap<i64, (String, i64)>,
    whole: HashMap<String, Arc<Vec<u8>>>,
}

/// Contents up to this many bytes are read whole and kept for the batch.
const WHOLE_MAX: i64 = 4 * 1024 * 1024;

impl Sets {
    /// Those of a batch of documents. What of them lies in an object store is asked for at once, before any of them is
    /// translated.
    async fn of_batch(
        gateway: &Gateway,
        connection: &mut Connection,
        documents: &[DocumentRow],
    ) -> Result<Self, Failure> {
        let numbers = |of: fn(&DocumentRow) -> Option<i64>| -> Vec<i64> {
            let numbers: BTreeSet<i64> = documents.iter().filter_map(of).collect();
            numbers.into_iter().collect()
        };
        let files = numbers(|document| document.file_id);
        let interchanges = numbers(|document| document.interchange_id);
        let mut delimiters = HashMap::new();
        for (interchange, header) in connection.headers(&interchanges).await? {
            let header: IsaHeader =
                serde_json::from_str(&header).map_err(|error| Failure::Corrupt {
                    table: "interchange",
                    key: interchange.to_string(),
                    why: error.to_string(),
                })?;
            delimiters.insert(interchange, header.delimiters);
        }
        let contents = connection.contents_of(&files).await?;
        let addresses: BTreeSet<&str> = contents
            .iter()
            .map(|(_, sha256, _)| sha256.as_str())
            .collect();
        let small = connection
            .small_contents(&addresses.into_iter().collect::<Vec<_>>())
            .await?;
        let sets = Self {
            limits: gateway.settings.limits.of_x12(),
            delimiters,
            contents: contents
                .into_iter()
                .map(|(file, sha256, size)| (file, (sha256, size)))
                .collect(),
            whole: small
                .into_iter()
                .map(|(sha256, bytes)| (sha256, Arc::new(bytes)))
                .collect(),
        };
        if connection.has_objects() {
            connection
                .have_at_hand(&sets.ranges_of_received(documents))
                .await?;
        }
        Ok(sets)
    }

    /// Where in which contents the received sets among these documents are.
    fn ranges_of_received(&self, documents: &[DocumentRow]) -> Vec<(String, u64, u64)> {
        let number = |n: Option<i64>| u64::try_from(n.unwrap_or_default()).unwrap_or_default();
        documents
            .iter()
            .filter(|document| {
                document.disposition == "received" && document.corrected_sha256.is_none()
            })
            .filter_map(|document| {
                let (sha256, whole) = self.contents.get(&document.file_id?)?.clone();
                Some(match whole > WHOLE_MAX {
                    true => (sha256, number(document.byte_offset), number(document.size)),
                    false => (sha256, 0, number(Some(whole))),
                })
            })
            .collect()
    }

    async fn of(
        &mut self,
        connection: &mut Connection,
        document: &DocumentRow,
    ) -> Result<TransactionSet, Failure> {
        let corrupt = |why: &str| Failure::Corrupt {
            table: "document",
            key: document.id.to_string(),
            why: why.to_owned(),
        };
        let (Some(interchange), Some(file)) = (document.interchange_id, document.file_id) else {
            return Err(corrupt("a received set without its interchange"));
        };
        let delimiters = *self
            .delimiters
            .get(&interchange)
            .ok_or_else(|| corrupt("its interchange is not there"))?;
        let offset = u64::try_from(document.byte_offset.unwrap_or_default()).unwrap_or_default();
        let bytes = match &document.corrected_sha256 {
            Some(corrected) => connection.content(corrected).await?,
            None => {
                let size = u64::try_from(document.size.unwrap_or_default()).unwrap_or_default();
                let (sha256, whole_size) = self
                    .contents
                    .get(&file)
                    .cloned()
                    .ok_or_else(|| corrupt("its file is not there"))?;
                self.range(connection, &sha256, whole_size, offset, size)
                    .await?
            }
        };
        spend(Effort::Reading, || {
            read_set_with_limits(&bytes, &delimiters, offset, self.limits)
        })
        .map_err(|error| corrupt(&error.to_string()))
    }

    async fn range(
        &mut self,
        connection: &mut Connection,
        sha256: &str,
        whole_size: i64,
        offset: u64,
        size: u64,
    ) -> Result<Vec<u8>, Failure> {
        if whole_size > WHOLE_MAX {
            return connection.content_range(sha256, offset, size).await;
        }
        if !self.whole.contains_key(sha256) {
            self.whole.insert(
                sha256.to_owned(),
                Arc::new(connection.content(sha256).await?),
            );
        }
        let bytes = self.whole.get(sha256).cloned().unwrap_or_default();
        Ok(cut(&bytes, offset, size))
    }
}

async fn translate(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    document: &DocumentRow,
    set: &TransactionSet,
) -> Result<Outcome, Failure> {
    match document.set_code.as_str() {
        "820" => payment(gateway, connection, trading, document, set).await,
        "997" => match acknowledgment::read_997(set) {
            Ok(answer) => {
                let findings =
                    fate::answer_group(gateway, connection, trading, document, &answer).await?;
                Ok(Outcome {
                    findings,
                    ..Outcome::processed(None, answer.gs06)
                })
            }
            Err(findings) => Ok(Outcome::held("", findings)),
        },
        "999" => match acknowledgment::read_999(set) {
            Ok(answer) => {
                let findings =
                    fate::answer_group(gateway, connection, trading, document, &answer).await?;
                Ok(Outcome {
                    findings,
                    ..Outcome::processed(None, answer.gs06)
                })
            }
            Err(findings) => Ok(Outcome::held("", findings)),
        },
        "824" => match application_advice::read(set) {
            Ok(answers) => {
                let findings =
                    fate::answer_applications(gateway, connection, trading, document, &answers)
                        .await?;
                let reference = answers
                    .first()
                    .map(|answer| answer.reference.clone())
                    .unwrap_or_default();
                Ok(Outcome {
                    findings,
                    ..Outcome::processed(None, reference)
                })
            }
            Err(findings) => Ok(Outcome::held("", findings)),
        },
        other => Ok(Outcome::held("", vec![not_translated(other)])),
    }
}

fn not_translated(set: &str) -> Finding {
    Finding::business(
        "set-not-translated",
        Severity::Hold,
        format!(
            "the gateway does not act upon a {set} by itself: read it, do what it asks for, and dismiss it"
        ),
    )
}

fn too_long(po_number: &str, lines: usize, most: usize) -> Finding {
    Finding::business(
        "order-too-long",
        Severity::Hold,
        format!(
            "PO {po_number} has {lines} lines, and orders of more than {most} are not taken: raise `limits.order_lines_max` in the settings, restart and replay it, or ask the buyer to split it"
        ),
    )
}

/// The order that an 850 asks for, without a number yet; or what became of a set that can not be one.
fn purchase_order(
    gateway: &Gateway,
    trading: &Trading,
    document: &DocumentRow,
    set: &TransactionSet,
) -> Result<Result<Order, Outcome>, Failure> {
    let PurchaseOrder {
        header,
        lines,
        findings,
    } = match spend(Effort::Reading, || {
        purchase_order::read(set, &trading.profile)
    }) {
        Ok(order) => order,
        Err(findings) => return Ok(Err(Outcome::held("", findings))),
    };
    let most = gateway.settings.limits.order_lines_max as usize;
    if lines.len() > most {
        let finding = too_long(&header.po_number, lines.len(), most);
        return Ok(Err(Outcome::held(header.po_number, vec![finding])));
    }
    let mode: Mode = document.mode.parse().map_err(|why| Failure::Corrupt {
        table: "document",
        key: document.id.to_string(),
        why,
    })?;
    Ok(Ok(Order {
        id: OrderId(0),
        company: COMPANY,
        partner: trading.partner,
        mode,
        revision: 1,
        header: header.into(),
        lines,
        state: OrderState::Received,
        reading: findings.clone(),
        findings,
        source: DocumentId(document.id),
        received_at: gateway.now(),
        answers: 0,
        invoices: 0,
    }))
}

/// A document, the partner it came from, and what is made of it.
type Of<'d, T> = (&'d DocumentRow, Trading, T);

/// Numbers orders and claims what makes each the same order again. Those that are new; what became of every document goes
/// to the other outcomes.
async fn order<'d>(
    connection: &mut Connection,
    asked: Vec<Of<'d, Order>>,
    outcomes: &mut Vec<Of<'d, Outcome>>,
) -> Result<Vec<Order>, Failure> {
    let ids = connection.identities("purchase_order", asked.len()).await?;
    let claims: Vec<(String, i64)> = asked
        .iter()
        .zip(ids)
        .map(|((_, trading, order), id)| (identity(trading, order), id))
        .collect();
    let claimed = connection.claim_effects(&claims).await?;
    let mut orders = Vec::with_capacity(asked.len());
    for (((document, trading, mut order), (key, id)), claimed) in
        asked.into_iter().zip(claims).zip(claimed)
    {
        order.id = OrderId(id);
        let po_number = order.header.po_number.clone();
        if !claimed {
            let earlier = connection.effect(&key).await?.unwrap_or_default();
            if !may_be_used_again(connection, &trading, &orders, earlier, order.received_at).await?
            {
                let again = ordered_again(&trading, &po_number, earlier);
                outcomes.push((document, trading, again));
                continue;
            }
            connection.replace_effect(&key, earlier, id).await?;
        }
        let made = Outcome::processed(Some(Subject::new("order", id)), po_number);
        outcomes.push((document, trading, made));
        orders.push(order);
    }
    Ok(orders)
}

/// Whether the buyer may use the identity of the order `earlier` for a new one: when that order was rejected, for then the
/// buyer sends a right one, or is older than the profile's days. `orders` are those of this batch, which are not written
/// yet.
async fn may_be_used_again(
    connection: &mut Connection,
    trading: &Trading,
    orders: &[Order],
    earlier: i64,
    now: Instant,
) -> Result<bool, Failure> {
    let days = trading.profile.duplicates.order_reuse_days;
    let id = OrderId(earlier);
    let found = match orders.iter().find(|order| order.id == id) {
        Some(order) => Some(order.clone()),
        None => connection.order(id).await?,
    };
    Ok(found.is_some_and(|order| {
        matches!(order.state, OrderState::Rejected { .. })
            || (days > 0 && days_after(order.received_at, days) <= now)
    }))
}

/// What makes it the same order again: company, buyer, world, and the fields that the profile names, written so that no
/// value can look like two.
fn identity(trading: &Trading, order: &Order) -> String {
    let policy = &trading.profile.duplicates;
    let header = &order.header;
    let parts: Vec<&str> = policy
        .order_identity
        .iter()
        .map(|field| match field {
            OrderIdentity::PoNumber => header.po_number.as_str(),
            OrderIdentity::Release => header.release.as_str(),
            OrderIdentity::Department => header.department.as_str(),
            OrderIdentity::Store => header.party("ST").map_or("", |party| party.id.as_str()),
        })
        .collect();
    format!(
        "order:{COMPANY}:{}:{}:{}",
        trading.partner,
        order.mode.word(),
        serde_json::json!(parts)
    )
}

fn ordered_again(trading: &Trading, po_number: &str, earlier: i64) -> Outcome {
    let (disposition, severity) = match trading.profile.duplicates.order_again {
        OnOrderAgain::Duplicate => (Disposition::Duplicate, Severity::Note),
        OnOrderAgain::Hold => (Disposition::Held, Severity::Hold),
    };
    let finding = Finding::business(
        "order-repeated",
        severity,
        format!("PO {po_number} is already order {earlier}: no second order was made; if the buyer means another one, it needs another number"),
    )
    .with_value(po_number);
    Outcome {
        disposition,
        application: Application::Rejected,
        subject: Some(Subject::new("order", earlier)),
        reference: po_number.to_owned(),
        findings: vec![finding],
    }
}

async fn payment(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    document: &DocumentRow,
    set: &TransactionSet,
) -> Result<Outcome, Failure> {
    let remittance = match remittance::read(set, &trading.profile) {
        Ok(remittance) => remittance,
        Err(findings) => return Ok(Outcome::held("", findings)),
    };
    let mode: Mode = document.mode.parse().map_err(|why| Failure::Corrupt {
        table: "document",
        key: document.id.to_string(),
        why,
    })?;
    let reference = remittance.reference.clone();
    let subject = |id: PaymentId| Some(Subject::new("payment", id.0));
    match collect::post(
        gateway,
        connection,
        trading,
        mode,
        remittance,
        Some(document.id),
        "820",
    )
    .await?
    {
        Posted::Applied(id, notes) => Ok(Outcome {
            findings: notes,
            ..Outcome::processed(subject(id), reference)
        }),
        Posted::Again(id) => {
            let finding = Finding::business(
                "payment-repeated",
                Severity::Note,
                format!("this remittance is already payment {id}: nothing was booked again"),
            );
            Ok(Outcome {
                disposition: Disposition::Duplicate,
                findings: vec![finding],
                ..Outcome::processed(subject(id), reference)
            })
        }
        Posted::NotBalanced(findings) => Ok(Outcome::held(reference, findings)),
    }
}

/// What a document came to, as it is to be stored; whom it concerns is told of what a person has to look at.
async fn settle(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    document: &DocumentRow,
    outcome: Outcome,
) -> Result<Settled, Failure> {
    let mut findings: Vec<Finding> = serde_json::from_str(&document.findings).unwrap_or_default();
    findings.extend(outcome.findings);
    let settled = Settled {
        id: document.id,
        disposition: outcome.disposition,
        application: outcome.application,
        subject: outcome.subject,
        reference: outcome.reference,
        findings,
    };
    if let Some(notice) = notice_of(document, &settled) {
        notice::tell(gateway, connection, Some(trading), notice).await?;
    }
    Ok(settled)
}

fn notice_of(document: &DocumentRow, outcome: &Settled) -> Option<Notice> {
    let findings = &outcome.findings;
    if outcome.disposition == Disposition::Duplicate && outcome.application == Application::Rejected
    {
        return Some(repeated(document, &outcome.reference, findings));
    }
    if !matches!(
        outcome.disposition,
        Disposition::Held | Disposition::Rejected
    ) {
        return None;
    }
    let word = outcome.disposition.word();
    let what = if outcome.reference.is_empty() {
        String::new()
    } else {
        format!(" {}", outcome.reference)
    };
    Some(Notice {
        key: format!(
            "document-{word}:{}:{}",
            document.id,
            document.corrected_sha256.as_deref().unwrap_or_default()
        ),
        kind: "document-held",
        subject: Subject::new("document", document.id),
        title: format!("{}{what} is {word}", document.set_code),
        text: format!(
            "{}\nWhat to do: correct it or mend the cause and replay it (`supercargo document replay {}`), or dismiss it in the console.",
            notice::lines(findings),
            document.id
        ),
    })
}

/// An order that came once more: one notice for its interchange, however many of its orders did.
fn repeated(document: &DocumentRow, po_number: &str, findings: &[Finding]) -> Notice {
    Notice {
        key: format!(
            "order-repeated:{}",
            document.interchange_id.unwrap_or(document.id)
        ),
        kind: "order-repeated",
        subject: Subject::new("document", document.id),
        title: format!("{} {po_number} came once more", document.set_code),
        text: format!(
            "{}\nWhat to do: ask the buyer whether another order is meant; where it is the same one, nothing. Others of the same file: `supercargo document list --disposition duplicate{}`.",
            notice::lines(findings),
            document
                .file_id
                .map_or_else(String::new, |file| format!(" --file {file}"))
        ),
    }
}

/// Brings interchanges and files up to what their documents came to.
pub async fn refresh(
    connection: &mut Connection,
    interchanges: BTreeSet<i64>,
) -> Result<(), Failure> {
    let interchanges: Vec<i64> = interchanges.into_iter().collect();
    let mut documents = connection.dispositions_of(&interchanges).await?;
    let (mut files, mut settled) = (BTreeSet::new(), Vec::new());
    for (id, file, before) in connection.places_of_interchanges(&interchanges).await? {
        let after = together(&documents.remove(&id).unwrap_or_default());
        if after.word() != before {
            settled.push((id, after));
        }
        files.insert(file);
    }
    connection.set_interchange_dispositions(&settled).await?;
    let files: Vec<i64> = files.into_iter().collect();
    let parts = parts_of_files(connection, &files).await?;
    let settled: Vec<(i64, Disposition)> = files
        .iter()
        .map(|file| (*file, together(parts.get(file).map_or(&[], Vec::as_slice))))
        .collect();
    connection.set_file_dispositions(&settled).await?;
    Ok(())
}
