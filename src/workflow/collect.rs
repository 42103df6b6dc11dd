//! Collect: a remittance becomes a payment, its applications and deductions, and one ledger posting; or, where it does
//! not add up, nothing at all and a finding for a person.

use super::{COMPANY, Gateway, Trading, deductions, notice};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{InvoiceId, PaymentId};
use crate::domain::ledger;
use crate::domain::money::Amount;
use crate::domain::order::Mode;
use crate::domain::receivable::{Application, NewDeduction, OpenItem, PaymentPlan, plan};
use crate::domain::remittance::Remittance;
use crate::storage::journal::Subject;
use crate::storage::payments::{NewPayment, PaymentLike};
use crate::storage::{Connection, Failure};

/// What became of a remittance.
#[derive(Debug, Clone)]
pub enum Posted {
    /// Booked as this payment, with what a person may want to know of it, such as an item that names nothing we know.
    Applied(PaymentId, Vec<Finding>),
    /// The same remittance was booked before, as this payment: nothing happened again.
    Again(PaymentId),
    /// Does not add up: nothing was booked.
    NotBalanced(Vec<Finding>),
}

/// Books a remittance of a partner, once for its reference, amount and date (X12-RULES 46).
pub async fn post(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    mode: Mode,
    remittance: Remittance,
    document: Option<i64>,
    by: &str,
) -> Result<Posted, Failure> {
    let key = format!(
        "pay:{}:{}:{}:{}:{}:{}",
        trading.partner,
        mode.word(),
        remittance.reference,
        remittance.total.0,
        remittance.currency,
        remittance.date
    );
    if let Some(repeated) =
        repeated(connection, trading, mode, &remittance, document.is_some()).await?
    {
        return Ok(repeated);
    }
    let references: Vec<String> = remittance
        .items
        .iter()
        .map(|item| item.reference.clone())
        .collect();
    let items = connection
        .items_for_payment(trading.partner, mode, &references)
        .await?;
    let open: Vec<OpenItem> = items.iter().map(|(item, _)| item.clone()).collect();
    let today = gateway
        .now()
        .with_timezone(&trading.profile.time_zone)
        .date_naive();
    let plan = match plan(&remittance, &open, &trading.profile.collection, today) {
        Ok(plan) => plan,
        Err(findings) => return Ok(Posted::NotBalanced(findings)),
    };
    let id = PaymentId(connection.identity("payment").await?);
    connection.claim_new_effect(&key, id.0).await?;
    write(
        gateway, connection, trading, mode, &plan, id, document, by, items,
    )
    .await?;
    Ok(Posted::Applied(id, plan.notes))
}

/// What a remittance is that has reference, amount and currency of a payment that is booked: the same again; one that
/// tells otherwise what is paid, and may correct it; or one of another day, such as the 820 that tells of the cheque somebody
/// entered by hand. Money is not booked twice on a guess. None: it is like no other.
async fn repeated(
    connection: &mut Connection,
    trading: &Trading,
    mode: Mode,
    remittance: &Remittance,
    is_document: bool,
) -> Result<Option<Posted>, Failure> {
    // By one statement: between two, on PostgreSQL, the payment may be booked that the second one sees.
    let like = connection
        .payment_like(trading.partner, mode, remittance)
        .await?;
    let Some(earlier) = like else {
        return Ok(None);
    };
    let id = PaymentId(earlier.id);
    let is_same_day = earlier.date == remittance.date.to_string();
    if is_same_day && pays_the_same(&earlier, remittance)? {
        return Ok(Some(Posted::Again(id)));
    }
    let reference = &remittance.reference;
    let standing = if is_same_day {
        format!(
            "{reference:?} is booked as payment {id} with the same amount and date, and tells otherwise now what is paid: nothing was booked again"
        )
    } else {
        format!(
            "payment {id} of {} has the same reference {reference:?}, amount and currency, and this one is of {}: nothing was booked",
            earlier.date, remittance.date
        )
    };
    let what_to_do = what_to_do_about_repeated(id, is_same_day, is_document);
    Ok(Some(Posted::NotBalanced(vec![Finding::business(
        "payment-repeated",
        Severity::Hold,
        format!("{standing}; {what_to_do}"),
    )])))
}

/// Whether a booked payment pays what this remittance pays.
fn pays_the_same(earlier: &PaymentLike, remittance: &Remittance) -> Result<bool, Failure> {
    let booked: Remittance =
        serde_json::from_str(&earlier.body).map_err(|error| Failure::Corrupt {
            table: "payment",
            key: earlier.id.to_string(),
            why: error.to_string(),
        })?;
    Ok(booked.pays_the_same_as(remittance))
}

/// What helps with a remittance that is like payment `id` and not the same.
fn what_to_do_about_repeated(id: PaymentId, is_same_day: bool, is_document: bool) -> String {
    let apply = format!("apply what may be left of it with `receivables apply {id}`");
    match (is_document, is_same_day) {
        (true, true) => "ask the payer whether it corrects that payment, set right by hand what was applied, and dismiss this document; where it is another payment, enter it with `pay` under a reference of its own".to_owned(),
        (true, false) => format!(
            "where it is the same money, {apply} and dismiss this document; where it is other money, enter it with `pay` under a reference of its own"
        ),
        (false, _) => format!(
            "where it is the same money, {apply}; other money needs a reference of its own"
        ),
    }
}

#[allow(clippy::too_many_arguments)]
async fn write(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    mode: Mode,
    plan: &PaymentPlan,
    id: PaymentId,
    document: Option<i64>,
    by: &str,
    items: Vec<(OpenItem, i64)>,
) -> Result<(), Failure> {
    let now = gateway.now();
    let payment = NewPayment {
        id,
        company: COMPANY,
        partner: trading.partner,
        mode,
        remittance: plan.remittance.clone(),
        document,
        status: if plan.unapplied.is_zero() {
            "applied"
        } else {
            "unapplied"
        },
        unapplied: plan.unapplied.0,
        by: by.to_owned(),
    };
    connection.add_payment(&payment, now).await?;
    connection
        .add_applications(id, &plan.applications, now)
        .await?;
    connection
        .add_deductions(&payment, &plan.deductions, now)
        .await?;
    connection
        .post(
            COMPANY,
            mode,
            vec![ledger::payment(plan, id, trading.partner).map_err(Failure::refused)?],
            now,
        )
        .await?;
    for (item, revision) in items {
        apply(gateway, connection, item, revision, plan, by).await?;
    }
    let subject = Subject::new("payment", id.0);
    let currency = plan.remittance.currency;
    let detail = format!(
        "{} {currency}, reference {}: {} invoices, {} deductions, {} unapplied",
        plan.remittance.total.display(currency),
        plan.remittance.reference,
        plan.applications.len(),
        plan.deductions.len(),
        plan.unapplied.display(currency)
    );
    connection
        .record(now, by, "payment booked", subject, &detail)
        .await?;
    tell_claims(gateway, connection, trading, plan, id).await?;
    tell_unapplied(gateway, connection, trading, plan, id).await
}

/// Lays before a person what the payer claims of an invoice that has nothing or too little open, or took for one that we do
/// not know: no invoice shows it.
async fn tell_claims(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    plan: &PaymentPlan,
    id: PaymentId,
) -> Result<(), Failure> {
    let taken: i64 = plan
        .deductions
        .iter()
        .filter(|deduction| deduction.invoice.is_none())
        .map(|deduction| deduction.amount.0)
        .sum();
    let claims: Vec<Finding> = plan
        .notes
        .iter()
        .filter(|note| match note.code.as_str() {
            "deduction-beyond-open" => true,
            "credit-exceeded" | "item-not-found" => taken > 0,
            _ => false,
        })
        .cloned()
        .collect();
    if claims.is_empty() {
        return Ok(());
    }
    let currency = plan.remittance.currency;
    let standing = if taken == 0 {
        "Nothing of it is in the books: ask the payer what it claims and why. Where it is right, agree how it gets it, by a later payment that takes it or a credit; where it is not, tell it so.".to_owned()
    } else {
        format!(
            "{} {currency} of it stand as deductions without an invoice (`supercargo receivables deductions`): ask the payer what they are for, then contest them (`receivables dispute`) or take them as right (`receivables accept`).",
            Amount(taken).display(currency)
        )
    };
    let notice = notice::Notice {
        key: format!("claim-beyond-open:{id}"),
        kind: "claim-beyond-open",
        subject: Subject::new("payment", id.0),
        title: format!(
            "payment {} claims what no open invoice bears",
            plan.remittance.reference
        ),
        text: format!(
            "{}\nWhat to do: {standing} Then clear this alert.",
            notice::lines(&claims)
        ),
    };
    notice::tell(gateway, connection, Some(trading), notice).await
}

/// Writes what a payment does to one open item, if it does anything.
async fn apply(
    gateway: &Gateway,
    connection: &mut Connection,
    item: OpenItem,
    revision: i64,
    plan: &PaymentPlan,
    by: &str,
) -> Result<(), Failure> {
    let id: InvoiceId = item.invoice;
    let deductions: Vec<NewDeduction> = plan
        .deductions
        .iter()
        .filter(|deduction| deduction.invoice == Some(id))
        .cloned()
        .collect();
    let application = plan
        .applications
        .iter()
        .find(|application| application.invoice == id);
    if application.is_none() && deductions.is_empty() {
        return Ok(());
    }
    let nothing = Application::nothing(id, &item.number);
    let number = item.number.clone();
    let disputed = item.disputed.0;
    let after = item
        .apply(application.unwrap_or(&nothing), &deductions)
        .map_err(Failure::refused)?;
    connection.save_open_item(&after, revision).await?;
    let back = Amount((disputed - after.open.0.max(0)).max(0));
    deductions::paid_back(connection, id, back, gateway.now(), by).await?;
    let currency = after.currency;
    let detail = format!(
        "{}: open {}, disputed {}",
        number,
        after.open.display(currency),
        after.disputed.display(currency)
    );
    connection
        .record(
            gateway.now(),
            by,
            "payment applied",
            Subject::new("invoice", id.0),
            &detail,
        )
        .await
}

/// The key of the alert that money of a payment is tied to nothing.
pub fn unapplied_key(payment: PaymentId) -> String {
    format!("unapplied:{payment}")
}

async fn tell_unapplied(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    plan: &PaymentPlan,
    id: PaymentId,
) -> Result<(), Failure> {
    if plan.unapplied.is_zero() {
        return Ok(());
    }
    let currency = plan.remittance.currency;
    let amount = plan.unapplied.display(currency);
    let notice = notice::Notice {
        key: unapplied_key(id),
        kind: "payment-unapplied",
        subject: Subject::new("payment", id.0),
        title: format!(
            "{amount} {currency} of payment {} are tied to no invoice",
            plan.remittance.reference
        ),
        text: format!(
            "{}\nWhat to do: apply it in the console (Payments) once you know what it pays; do not book it a second time.",
            notice::lines(&plan.notes)
        ),
    };
    notice::tell(gateway, connection, Some(trading), notice).await
}
